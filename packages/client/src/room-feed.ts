import type { HistoryPage, Message } from './models.ts';

export interface RoomFeedParts {
  /** Where the feed of a room begins that was never seen: the last message before. */
  readBase(signal: AbortSignal): Promise<number>;
  /** What follows a message, oldest first. */
  readAfter(after: number, signal: AbortSignal): Promise<HistoryPage>;
  /** Whether confirmations of own messages are yet to come: they may fill a hole. */
  hasSendsUnderWay(): boolean;
  /** The next message. */
  deliver(message: Message): void;
  /** The feed could not be read on; it stays where it is until the next `connected`. */
  failed(error: unknown): void;
}

/** How long a message that is missing may be on its way, in ms, before history is read. */
const holeMs = 250;
/** How long, where it may be one of our own whose confirmation is yet to come. */
const ownHoleMs = 2_000;
/** Most messages that wait for what goes before them; those beyond are read from history. */
const maxHeld = 512;

/**
 * `away`: there is no connection; nothing is known of what follows. `starting`: where the feed begins is being read. `live`: the
 * next message goes out. `repairing`: history is read. In all but `live`, messages wait.
 */
type FeedState = 'away' | 'starting' | 'live' | 'repairing';

/** One room's messages in their order, each once, from whatever they are put together: deliveries, confirmations, history. */
export class RoomFeed {
  readonly #parts: RoomFeedParts;
  readonly #held = new Map<number, Message>();
  #state: FeedState = 'away';
  /** Undefined until it is known where the feed begins. */
  #base: number | undefined;
  #position = 0;
  /** The last message that is known to exist. */
  #latest = 0;
  #reading = new AbortController();
  #holeTimer: ReturnType<typeof setTimeout> | undefined;
  /** While history was read, something came to be in it that nobody tells of. */
  #isIncomplete = false;
  readonly #started = Promise.withResolvers<undefined>();
  readonly #listeners = new Set<(message: Message) => void>();

  /** @param base The last message before the feed, where that is known. */
  constructor(parts: RoomFeedParts, base?: number) {
    this.#parts = parts;
    if (base !== undefined) this.#begin(base);
  }

  /** The id of the last message delivered, or of the one before the feed; undefined until that is known. */
  get position(): number | undefined {
    return this.#base === undefined ? undefined : this.#position;
  }

  /** Resolves when it is known where the feed begins, or it was closed. */
  started(): Promise<undefined> {
    return this.#started.promise;
  }

  /** Hears every message from now on. @returns What ends it. */
  listen(listener: (message: Message) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** A new connection is there, on which messages are delivered: what was missed is read. */
  connected(): void {
    this.#stop();
    void (this.#base === undefined ? this.#start() : this.#readOn());
  }

  disconnected(): void {
    this.#stop();
    this.#state = 'away';
  }

  close(): void {
    this.disconnected();
    this.#held.clear();
    this.#started.resolve(undefined);
  }

  /** Takes a message that the server has delivered. */
  takeDelivered(message: Message): void {
    const isUntouched = this.#base === this.#position;
    // It was sent after the connection was there, though before it was read where the feed begins.
    if (isUntouched && message.id <= this.#position) this.#begin(message.id - 1);
    this.#take(message);
  }

  /** Takes a message of our own that was confirmed: it is not delivered. */
  takeOwn(message: Message): void {
    this.#take(message);
  }

  /** There is something that nobody will tell of: it is in history. */
  catchUp(): void {
    if (this.#state === 'live') void this.#readOn();
    else this.#isIncomplete = true;
  }

  #take(message: Message): void {
    if (this.#base !== undefined && message.id <= this.#position) return;
    this.#latest = Math.max(this.#latest, message.id);
    if (this.#held.size < maxHeld || message.id === this.#position + 1) this.#held.set(message.id, message);
    if (this.#state === 'live') this.#deliverHeld();
  }

  #begin(base: number): void {
    this.#base = base;
    this.#position = base;
    this.#started.resolve(undefined);
  }

  async #start(): Promise<void> {
    this.#state = 'starting';
    const { signal } = this.#reading;
    try {
      const newest = await this.#parts.readBase(signal);
      // What was delivered meanwhile belongs to the feed, even if it is in history by now.
      if (!signal.aborted) this.#begin(Math.min(newest, ...[...this.#held.keys()].map((id) => id - 1)));
    } catch (error) {
      if (!signal.aborted) this.#parts.failed(error);
      return;
    }
    if (!signal.aborted) await this.#readOn();
  }

  async #readOn(): Promise<void> {
    this.#state = 'repairing';
    const { signal } = this.#reading;
    const isOver = () => signal.aborted;
    try {
      for (let hasMore = true; hasMore || this.#isIncomplete;) {
        this.#isIncomplete = false;
        const after = this.#position;
        const page = await this.#parts.readAfter(after, signal);
        if (isOver()) return;
        // The feed was found to begin earlier.
        if (this.#position !== after) continue;
        for (const message of page.messages) {
          // What was confirmed to us knows more than history does.
          this.#deliver(this.#held.get(message.id) ?? message);
          if (isOver()) return;
        }
        hasMore = page.hasMore && page.messages.length > 0;
      }
    } catch (error) {
      if (!isOver()) this.#parts.failed(error);
      return;
    }
    this.#state = 'live';
    this.#deliverHeld();
  }

  #deliverHeld(): void {
    for (let next = this.#held.get(this.#position + 1); next; next = this.#held.get(this.#position + 1)) {
      this.#deliver(next);
    }
    if (this.#position >= this.#latest) this.#clearHoleTimer();
    else this.#watchHole();
  }

  #deliver(message: Message): void {
    if (message.id <= this.#position) return;
    this.#position = message.id;
    this.#latest = Math.max(this.#latest, message.id);
    this.#held.delete(message.id);
    for (const listener of [...this.#listeners]) listener(message);
    this.#parts.deliver(message);
  }

  #watchHole(waitedMs = 0): void {
    if (this.#holeTimer !== undefined && waitedMs === 0) return;
    const position = this.#position;
    this.#holeTimer = setTimeout(() => {
      this.#holeTimer = undefined;
      if (this.#state !== 'live' || this.#position >= this.#latest) return;
      const isSame = this.#position === position;
      const mayWait = this.#parts.hasSendsUnderWay() && waitedMs + holeMs < ownHoleMs;
      if (!isSame) this.#watchHole();
      else if (mayWait) this.#watchHole(waitedMs + holeMs);
      else void this.#readOn();
    }, holeMs);
  }

  #clearHoleTimer(): void {
    clearTimeout(this.#holeTimer);
    this.#holeTimer = undefined;
  }

  /** Ends what is being read, for this connection. */
  #stop(): void {
    this.#reading.abort();
    this.#reading = new AbortController();
    this.#clearHoleTimer();
  }
}
