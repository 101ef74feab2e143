import type { Command } from '../command.ts';
import type { ErrorDetails, ParleyError } from '../errors.ts';
import type { ClientEvent } from '../events.ts';
import type { Dialect, JsonObject } from './dialect.ts';
import { bodyOf } from './request-rows.ts';
import type { RequestTable } from './request-rows.ts';

/** Every event that a dialect tells: in one frame or, one behind the other, in several. */
export type EventTable<Frame> = { [E in ClientEvent as E['type']]?: (event: E) => Frame | readonly Frame[] };

/** A dialect as two tables, and the form of its frames. */
interface DialectDefinition<Frame> extends Pick<
  Dialect,
  'name' | 'homePath' | 'tellsSenders' | 'download' | 'handshake'
> {
  /** The field that holds the body of a request; without it the frame itself is the body. */
  bodyField?: string;
  requests: RequestTable<Frame>;
  events: EventTable<Frame>;
  errorFrame: (error: ParleyError, action: string | undefined) => object;
}

/** The dialect that a definition describes. */
export function defineDialect<Frame extends object>(definition: DialectDefinition<Frame>): Dialect {
  const { bodyField, requests, events, errorFrame, ...traits } = definition;
  return {
    ...traits,
    recognises: (action) => Object.hasOwn(requests, action),

    decode(frame) {
      const action = frame['action'] as string;
      return requests[action]!.decode(bodyOf(frame, bodyField), action);
    },

    encodeReply(command, reply) {
      const frame = replyFrame(requests, command, reply);
      return frame && JSON.stringify(frame);
    },

    encodeEvent(event) {
      const encode = events[event.type] as ((event: ClientEvent) => Frame | readonly Frame[]) | undefined;
      const frames = encode?.(event) ?? [];
      return [frames].flat().map((frame) => JSON.stringify(frame));
    },

    encodeError: (error, action) => JSON.stringify(errorFrame(error, action)),
  };
}

/** The frame that answers a command; undefined where nothing does. */
export function replyFrame<Frame>(
  requests: RequestTable<Frame>,
  command: Command,
  reply: unknown,
): Frame | undefined {
  return requests[command.action]!.encodeReply(command, reply);
}

/** How error details are spelled in the dialects of camelCase: as they are, but for the one that is the same in all dialects. */
export const camelCaseDetails = { retryAfterMs: 'retry_after_ms' };

/**
 * The details of an error in a dialect's spelling; none where it has none.
 * @param spelling Those that are not spelled as they are here.
 */
export function spelledDetails(
  details: ErrorDetails,
  spelling: Partial<Record<keyof ErrorDetails, string>>,
): JsonObject {
  const entries = Object.entries(details) as [keyof ErrorDetails, unknown][];
  return Object.fromEntries(entries.map(([key, value]) => [spelling[key] ?? key, value]));
}
