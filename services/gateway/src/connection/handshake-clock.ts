/** Something that has to look at the time now and then. */
export interface Ticking {
  /** @param now In ms since 1970. */
  tick(now: number): void;
}

const everyMs = 250;

/** One timer for all connections under the integrity handshake. */
export class HandshakeClock implements Disposable {
  readonly #ticking = new Set<Ticking>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => {
      const now = Date.now();
      for (const ticking of this.#ticking) ticking.tick(now);
    }, everyMs);
  }

  add(ticking: Ticking): void {
    this.#ticking.add(ticking);
  }

  delete(ticking: Ticking): void {
    this.#ticking.delete(ticking);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
