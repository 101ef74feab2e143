/** How long items wait for those before them, where nothing else is said, in ms. */
const defaultMaxWaitMs = 20;

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Gathers what is to be done together: what comes in one turn of the event loop, or while others are under way. Without
 * load nothing waits; with load each step does many. What takes long holds up nobody else.
 */
export class Gatherer<Item, Result> {
  readonly #maxItems: number;
  readonly #maxWaitMs: number;
  readonly #work: (items: Item[]) => Promise<readonly (Result | Error)[]>;
  readonly #waiting: Waiting<Item, Result>[] = [];
  #isRunning = false;

  /**
   * @param work Does them together: a result or an error for each, in their order. Where it rejects, all have failed.
   * @param maxWaitMs How long items wait for those under way; 0: only for what comes in the same turn.
   */
  constructor(
    maxItems: number,
    work: (items: Item[]) => Promise<readonly (Result | Error)[]>,
    maxWaitMs = defaultMaxWaitMs,
  ) {
    this.#maxItems = maxItems;
    this.#maxWaitMs = maxWaitMs;
    this.#work = work;
  }

  /** Items whose work has not begun. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** @returns What the work resulted in for this item. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      const settled = this.#settle(this.#waiting.splice(0, this.#maxItems));
      if (this.#maxWaitMs > 0) await atMost(this.#maxWaitMs, settled);
    }
    this.#isRunning = false;
  }

  async #settle(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#work(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index]!;
        if (result instanceof Error) reject(result);
        else resolve(result);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

/** Resolves with the work, or when the time is over. */
function atMost(ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
