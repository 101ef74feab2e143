import { Spans, tracer } from '@parley/service-kit';
import type { Span } from '@parley/service-kit';
import type { RoomSend } from './store.ts';

/** The spans of sends that are committed together, each in its own trace and linked with the first. */
export class CommitSpans extends Spans {
  readonly #bySend: ReadonlyMap<RoomSend, Span>;

  constructor(bySend: ReadonlyMap<RoomSend, Span>) {
    super([...bySend.values()]);
    this.#bySend = bySend;
    const [first, ...others] = this.all;
    for (const other of others) {
      first!.link(other.traceparent);
      other.link(first!.traceparent);
    }
  }

  /** For what the messages of these sends set off; undefined where none is of a trace. */
  traceparentsOf(sends: readonly RoomSend[]): (string | null)[] | undefined {
    const traceparents = sends.map((send) => this.#bySend.get(send)?.traceparent ?? null);
    return traceparents.some((traceparent) => traceparent !== null) ? traceparents : undefined;
  }
}

/** Begins the spans of a batch; undefined where none of its sends is of a trace. */
export function startCommit(sends: readonly RoomSend[]): CommitSpans | undefined {
  if (!tracer) return undefined;
  const attributes = { 'parley.sends': sends.length };
  const bySend = new Map<RoomSend, Span>();
  for (const send of sends) {
    const { traceparent: parent } = send;
    if (parent === undefined) continue;
    const span = tracer.start({ name: 'commit', kind: 'internal', parent, attributes });
    if (span) bySend.set(send, span);
  }
  return bySend.size > 0 ? new CommitSpans(bySend) : undefined;
}
