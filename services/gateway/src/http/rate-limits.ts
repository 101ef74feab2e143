import { ParleyError } from '@parley/protocol';
import { TokenBucket } from '../connection/rate-limiter.ts';
import type { Rate } from '../connection/rate-limiter.ts';
import { rateLimited } from '../metrics.ts';

/** Most clients that are remembered; who has not been seen for longest is forgotten first. */
const maxClients = 20_000;

/** Limits the rate of each of many clients, by one measure for all. */
export class ClientRates {
  readonly #rate: Rate | undefined;
  readonly #maxClients: number;
  readonly #buckets = new Map<string, TokenBucket>();

  /** @param rate Undefined: no limits. */
  constructor(rate: Rate | undefined, clients: number = maxClients) {
    this.#rate = rate;
    this.#maxClients = clients;
  }

  /** @throws ParleyError `rate_limited` with the time to wait. */
  admit(client: string, now = Date.now()): void {
    const retryAfterMs = this.of(client, now)?.take(now) ?? 0;
    if (retryAfterMs === 0) return;
    rateLimited.inc();
    throw new ParleyError('rate_limited', { retryAfterMs });
  }

  /** What the client has left; undefined where there are no limits. */
  of(client: string, now = Date.now()): TokenBucket | undefined {
    if (!this.#rate) return undefined;
    const bucket = this.#buckets.get(client) ?? new TokenBucket(this.#rate, now);
    this.#buckets.delete(client);
    this.#buckets.set(client, bucket);
    if (this.#buckets.size > this.#maxClients) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket;
  }
}
