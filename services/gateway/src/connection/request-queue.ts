/** Whoever carries out the requests of a queue. */
export interface RequestRunner<Request> {
  /** Whether the request may be under way together with others of its kind, one started behind the other. */
  isPipelined(request: Request): boolean;
  /** Whether the request may be started already; else `resume` has to be called when it may. */
  mayStart(request: Request): boolean;
  /** Carries it out and answers it. Never rejects. */
  run(request: Request): Promise<void>;
  /** One less is waiting. */
  answered(): void;
}

/**
 * The requests of one connection: they take effect in the order they came. Those that are pipelined start one behind the
 * other without waiting for each other's answers; everything else waits for what came before.
 */
export class RequestQueue<Request> {
  readonly #runner: RequestRunner<Request>;
  readonly #waiting: Request[] = [];
  #pipelined = 0;
  #isBusy = false;
  #whenIdle: (() => void) | undefined;

  constructor(runner: RequestRunner<Request>) {
    this.#runner = runner;
  }

  /** Requests that are not answered yet. */
  get size(): number {
    return this.#waiting.length + this.#pipelined + (this.#isBusy ? 1 : 0);
  }

  add(request: Request): void {
    this.#waiting.push(request);
    this.#startNext();
  }

  /** Goes on, when the next request may be started. */
  resume(): void {
    this.#startNext();
  }

  #startNext(): void {
    while (this.#waiting.length > 0 && !this.#isBusy) {
      const next = this.#waiting[0]!;
      const isPipelined = this.#runner.isPipelined(next);
      if (!isPipelined && this.#pipelined > 0) return;
      if (!this.#runner.mayStart(next)) return;
      void this.#run(this.#waiting.shift()!, isPipelined);
    }
  }

  async #run(request: Request, isPipelined: boolean): Promise<void> {
    if (isPipelined) this.#pipelined += 1;
    else this.#isBusy = true;
    await this.#runner.run(request);
    if (isPipelined) this.#pipelined -= 1;
    else this.#isBusy = false;
    this.#startNext();
    this.#runner.answered();
    if (this.size === 0) this.#whenIdle?.();
  }

  /** Resolves when all requests are answered. */
  async idle(): Promise<void> {
    if (this.size > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
  }

  /** Forgets what has not been started. */
  clear(): void {
    this.#waiting.length = 0;
  }
}
