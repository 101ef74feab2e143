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
    this.#fill(now);
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) * 1_000) / this.#rate.perSecond);
    this.#tokens -= 1;
    return 0;
  }

  /** Takes so many, be they there or not; tells how long they are owed, in ms. */
  spend(amount: number, now: number): number {
    this.#fill(now);
    this.#tokens -= amount;
    return this.#tokens < 0 ? Math.ceil((-this.#tokens * 1_000) / this.#rate.perSecond) : 0;
  }

  /** Takes so many where nothing is owed; or tells how long that takes, in ms. */
  reserve(amount: number, now: number): number {
    const waitMs = this.spend(0, now);
    if (waitMs === 0) this.#tokens -= amount;
    return waitMs;
  }

  /** Gives back what was taken and not used. */
  giveBack(amount: number): void {
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + amount);
  }

  #fill(now: number): void {
    const { perSecond, burst } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) * perSecond) / 1_000);
    this.#filledAt = now;
  }
}

export interface RateLimits {
  requests: Rate;
  sends: Rate;
}

/** What all clients of an address have together, in bytes. */
export interface AddressBytes {
  /** That they may send. */
  received: TokenBucket;
  /** Pages that they may be answered with. */
  pages: TokenBucket;
}

/** What one connection may ask for. */
export class RateLimiter {
  readonly #requests: TokenBucket;
  readonly #sends: TokenBucket;
  readonly #bytes: AddressBytes | undefined;
  #refusedSince = 0;
  #refusedLast = 0;

  constructor({ requests, sends }: RateLimits, bytes?: AddressBytes, now = Date.now()) {
    this.#requests = new TokenBucket(requests, now);
    this.#sends = new TokenBucket(sends, now);
    this.#bytes = bytes;
  }

  /** How long no more may be read after so many bytes came, in ms. What is not read yet waits with the client. */
  read(bytes: number, now = Date.now()): number {
    return this.#bytes?.received.spend(bytes, now) ?? 0;
  }

  /** 0 if a page of at most so many bytes may be asked for, else how long to wait, in ms. What it is less has to be given back. */
  reservePage(bytes: number, now = Date.now()): number {
    return this.#bytes?.pages.reserve(bytes, now) ?? 0;
  }

  /** What a page was less than it might have been, in bytes. */
  giveBack(bytes: number): void {
    this.#bytes?.pages.giveBack(bytes);
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
