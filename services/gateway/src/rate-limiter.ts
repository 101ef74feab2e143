/** So much a second, and so much at once. */
export interface Rate {
  perSecond: number;
  burst: number;
}

/** Refusals with no pause of this length between them count as one stretch of abuse, in ms. */
const pauseMs = 1_000;
/** A stretch of abuse this long ends the connection, in ms. */
const toleranceMs = 10_000;

/** Fills up steadily; whoever comes takes one. */
export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #filledAt: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledAt = now;
  }

  /** Takes one; or tells the time until there is one, in ms. */
  take(now: number): number {
    const { perSecond, burst } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) * perSecond) / 1_000);
    this.#filledAt = now;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) * 1_000) / perSecond);
    this.#tokens -= 1;
    return 0;
  }
}

export interface RateLimits {
  requests: Rate;
  sends: Rate;
}

/** What one connection may ask for. */
export class RateLimiter {
  readonly #requests: TokenBucket;
  readonly #sends: TokenBucket;
  #refusedSince = 0;
  #refusedLast = 0;

  constructor({ requests, sends }: RateLimits, now = Date.now()) {
    this.#requests = new TokenBucket(requests, now);
    this.#sends = new TokenBucket(sends, now);
  }

  /** 0 if the request may pass, else how long to wait, in ms. A message counts as a request too. */
  admit(isSend: boolean, now = Date.now()): number {
    const waitMs = this.#requests.take(now) || (isSend ? this.#sends.take(now) : 0);
    if (waitMs > 0) {
      if (now - this.#refusedLast > pauseMs) this.#refusedSince = now;
      this.#refusedLast = now;
    }
    return waitMs;
  }

  /** Whether requests have been refused for 10 s without a pause. */
  isAbused(): boolean {
    return this.#refusedLast - this.#refusedSince >= toleranceMs;
  }
}
