const maxItems = 1_000;

/** Gathers what comes in one turn of the event loop, or while a batch is under way, and sends it together. */
export class Batches<Item> {
  readonly #send: (items: Item[]) => Promise<void>;
  readonly #waiting: Item[] = [];
  #sending: Promise<void> | undefined;

  /** @param send Sends at most 1,000 items. Never rejects. */
  constructor(send: (items: Item[]) => Promise<void>) {
    this.#send = send;
  }

  add(...items: readonly Item[]): void {
    this.#waiting.push(...items);
    void this.sent();
  }

  /** Resolves when all items so far have been sent. Never rejects. */
  sent(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) await this.#send(this.#waiting.splice(0, maxItems));
  }
}
