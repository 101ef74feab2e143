import type { PartName } from './arguments.ts';

/** What was sent so far, and how long to go on. */
export class Budget {
  /** Of each part: frames, requests, or connections of bytes. */
  readonly sent: Record<PartName, number>;
  /** Resolves when all parts are prepared, and the time begins. */
  readonly begun: Promise<undefined>;
  #endsAt = Infinity;
  #unprepared: number;
  readonly #begin: () => void;
  readonly #mostFrames: number;
  readonly #abort: AbortSignal;

  /**
   * @param parts Have to say that they are prepared.
   * @param forMs From then on: on a machine with little left to make an account takes seconds.
   * @param mostFrames Enough frames of WebSocket: then all is over.
   * @param sent Is kept up to date.
   */
  constructor({ parts, forMs, mostFrames, sent, abort }: BudgetOptions) {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.begun = promise;
    this.#unprepared = parts;
    this.#begin = () => {
      this.#endsAt = performance.now() + forMs;
      resolve(undefined);
    };
    this.#mostFrames = mostFrames;
    this.sent = sent;
    this.#abort = abort;
  }

  /** Called by each part once; resolves when all others are prepared, too. */
  prepared(): Promise<undefined> {
    this.#unprepared -= 1;
    if (this.#unprepared === 0) this.#begin();
    return this.begun;
  }

  get isOver(): boolean {
    return this.#abort.aborted || performance.now() >= this.#endsAt || this.sent.frames >= this.#mostFrames;
  }
}

interface BudgetOptions {
  parts: number;
  forMs: number;
  mostFrames: number;
  sent: Record<PartName, number>;
  abort: AbortSignal;
}
