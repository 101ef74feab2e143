import { ParleyError } from '@parley/protocol';

export interface GateOptions {
  /** Most works under way. */
  atOnce: number;
  /** Most that wait for their turn. */
  maxWaiting: number;
  /** Told how many wait, whenever that has changed. */
  noticeWaiting: (waiting: number) => void;
  /** Told of each that was refused, because too many wait or because its deadline is over. */
  noticeRefused: () => void;
}

interface Waiting {
  deadline: number;
  begin: () => void;
  refuse: (error: ParleyError) => void;
}

/** Lets in so much work at once; what is more waits in the order it came, and not too much of it. */
export class Gate {
  readonly #options: GateOptions;
  #waiting: Waiting[] = [];
  #underWay = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /**
   * Does the work when it is its turn.
   * @param deadline When whoever asked waits no longer, in ms since 1970: what has not begun by then is not begun.
   * @throws ParleyError `unavailable`, at once where too many wait, or when the deadline is over; and what the work throws.
   */
  async run<Result>(deadline: number, work: () => Promise<Result>): Promise<Result> {
    await this.#enter(deadline);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(deadline: number): Promise<void> {
    const { atOnce, maxWaiting, noticeWaiting } = this.#options;
    this.#dismissLate();
    if (deadline <= Date.now()) throw this.#refusal();
    // Where there is room nobody waits: who leaves lets in the next.
    if (this.#underWay < atOnce) {
      this.#underWay += 1;
      return;
    }
    if (this.#waiting.length >= maxWaiting) throw this.#refusal();
    await new Promise<void>((begin, refuse) => {
      this.#waiting.push({ deadline, begin, refuse });
      noticeWaiting(this.#waiting.length);
    });
  }

  /** The place goes to the next, if somebody waits. */
  #leave(): void {
    this.#dismissLate();
    const next = this.#waiting.shift();
    if (!next) {
      this.#underWay -= 1;
      return;
    }
    this.#options.noticeWaiting(this.#waiting.length);
    next.begin();
  }

  /** Nobody waits any more for what they asked. */
  #dismissLate(): void {
    const now = Date.now();
    const late = this.#waiting.filter(({ deadline }) => deadline <= now);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter(({ deadline }) => deadline > now);
    this.#options.noticeWaiting(this.#waiting.length);
    for (const { refuse } of late) refuse(this.#refusal());
  }

  #refusal(): ParleyError {
    this.#options.noticeRefused();
    return new ParleyError('unavailable');
  }
}
