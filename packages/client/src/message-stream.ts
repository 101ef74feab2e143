import { ParleyClientError } from './errors.ts';
import type { HistoryPage, Message } from './models.ts';
import type { RoomFeed } from './room-feed.ts';

export interface MessageStreamParts {
  feed: RoomFeed;
  /** What follows a message, oldest first. */
  readAfter(after: number, signal: AbortSignal): Promise<HistoryPage>;
  /** Called when the reader ends it. */
  ended(stream: MessageStream): void;
}

/** Messages that wait for the reader; what is beyond is read from history when its turn comes. */
const maxReady = 256;

/**
 * One reader's way through a room: a position, and a few messages behind it. However slow the reader is, it costs no more than
 * these, and misses nothing.
 */
export class MessageStream implements AsyncIterableIterator<Message> {
  readonly #parts: MessageStreamParts;
  /** The id of the last message given out; undefined until the feed, which did not know yet where it begins, has begun. */
  #position: number | undefined;
  /** What follows `position`, without a hole. */
  #ready: Message[] = [];
  /** One `next` at a time: each is behind the one before. */
  #turn: Promise<unknown> = Promise.resolve();
  #wake: (() => void) | undefined;
  #end: { error: ParleyClientError | undefined } | undefined;
  readonly #ending = new AbortController();
  readonly #stopListening: () => void;

  /** @param after The last message not to be given; by default the last one known now. */
  constructor(parts: MessageStreamParts, after?: number) {
    this.#parts = parts;
    this.#position = after ?? parts.feed.position;
    this.#stopListening = parts.feed.listen((message) => {
      this.#heard(message);
    });
  }

  next(): Promise<IteratorResult<Message, undefined>> {
    const result = this.#turn.then(() => this.#next());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  return(): Promise<IteratorResult<Message, undefined>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends it: what was given out before stays, `next` is done. @param error What `next` throws instead, once. */
  end(error?: ParleyClientError): void {
    if (this.#end) return;
    this.#end = { error };
    this.#ready = [];
    this.#stopListening();
    this.#ending.abort();
    this.#parts.ended(this);
    this.#wake?.();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #heard(message: Message): void {
    this.#position ??= message.id - 1;
    const next = (this.#ready.at(-1)?.id ?? this.#position) + 1;
    if (message.id === next && this.#ready.length < maxReady) this.#ready.push(message);
    this.#wake?.();
  }

  async #next(): Promise<IteratorResult<Message, undefined>> {
    const { feed } = this.#parts;
    for (;;) {
      if (this.#end) return this.#done();
      const message = this.#ready.shift();
      if (message) {
        this.#position = message.id;
        return { done: false, value: message };
      }
      if (this.#position !== undefined && this.#position < (feed.position ?? 0)) await this.#readOn();
      else await this.#woken();
    }
  }

  async #readOn(): Promise<void> {
    const after = this.#position ?? 0;
    try {
      const { messages } = await this.#parts.readAfter(after, this.#ending.signal);
      // What came meanwhile is behind these, or among them.
      if (this.#ready.length === 0) this.#ready = messages;
    } catch (thrown) {
      if (thrown instanceof ParleyClientError && thrown.code !== 'aborted') this.end(thrown);
    }
  }

  async #woken(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
  }

  #done(): IteratorResult<Message, undefined> {
    const error = this.#end?.error;
    this.#end = { error: undefined };
    if (error) throw error;
    return { done: true, value: undefined };
  }
}
