import type { RoomFacts } from './directory.ts';
import { ParleyClientError } from './errors.ts';
import { MessageStream } from './message-stream.ts';
import type { HistoryPage, Message } from './models.ts';

export interface MessageStreamsParts {
  readAfter(roomId: string, after: number, signal: AbortSignal): Promise<HistoryPage>;
}

/** All that `room.messages()` has given out and that goes on. */
export class MessageStreams {
  readonly #parts: MessageStreamsParts;
  readonly #open = new Map<string, Set<MessageStream>>();

  constructor(parts: MessageStreamsParts) {
    this.#parts = parts;
  }

  open(
    { id, feed }: RoomFacts,
    after: number | undefined,
    signal: AbortSignal | undefined,
  ): AsyncIterableIterator<Message> {
    if (!feed) return refused(new ParleyClientError('not_in_room', { message: 'Join the room first.' }));
    const streams = this.#open.get(id) ?? new Set();
    this.#open.set(id, streams);
    const onAbort = () => {
      stream.end();
    };
    const parts = {
      feed,
      readAfter: (position: number, ending: AbortSignal) => this.#parts.readAfter(id, position, ending),
      ended: (ended: MessageStream) => {
        streams.delete(ended);
        signal?.removeEventListener('abort', onAbort);
      },
    };
    const stream = new MessageStream(parts, after);
    streams.add(stream);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) stream.end();
    return stream;
  }

  /** The user is in the room no more. */
  endRoom(roomId: string): void {
    for (const stream of [...(this.#open.get(roomId) ?? [])]) stream.end();
    this.#open.delete(roomId);
  }

  /** @param error What their readers are told; without, they are simply at the end. */
  endAll(error: ParleyClientError | undefined): void {
    for (const stream of [...this.#open.values()].flatMap((streams) => [...streams])) stream.end(error);
    this.#open.clear();
  }
}

/** Says why there is nothing to read to whoever begins to. */
function refused(error: ParleyClientError): AsyncIterableIterator<Message> {
  const stream: AsyncIterableIterator<Message> = {
    next: () => Promise.reject(error),
    [Symbol.asyncIterator]: () => stream,
  };
  return stream;
}
