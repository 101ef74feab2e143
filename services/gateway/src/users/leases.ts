import type { LeaseReply } from '@parley/protocol';
import type { Log } from '@parley/service-kit';

/** What a service keeps for this gateway as long as it says that it lives. */
export interface Lease {
  /** Prolongs it. */
  renew: () => Promise<LeaseReply>;
  /** Tells the service everything again: what was kept under the lease may be lost. */
  tellAnew: () => Promise<unknown>;
}

export interface LeasesParts {
  log: Log;
  /** By the service that keeps the lease. */
  leases: Record<string, Lease>;
  /** Keeps the sessions of open connections alive. */
  touchSessions: () => Promise<unknown>;
}

/** How often a lease is renewed while it lasts, so that one answer may be late or lost. */
const renewalsPerLease = 3;
/** How soon a lease that could not be renewed is tried again, in ms. */
const retryMs = 500;
/** Far more often than sessions end, which is after 30 minutes, in ms. */
const touchEveryMs = 60_000;

/** As long as this gateway lives, its users count as connected: it says so regularly. */
export class Leases implements Disposable {
  readonly #log: Log;
  readonly #goodUntil = new Map<string, number>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #isClosed = false;

  constructor({ log, leases, touchSessions }: LeasesParts) {
    this.#log = log;
    for (const [service, { renew, tellAnew }] of Object.entries(leases)) {
      this.#goodUntil.set(service, 0);
      let isInDoubt = false;
      void this.#repeat(service, async () => {
        // Only the first renewal after a loss is told of it, and its answer may be the one that gets lost.
        const wasInDoubt = isInDoubt;
        isInDoubt = true;
        const { known, leaseMs } = await renew();
        if (!known || wasInDoubt) await tellAnew();
        isInDoubt = false;
        this.#goodUntil.set(service, Date.now() + leaseMs);
        return leaseMs / renewalsPerLease;
      });
    }
    void this.#repeat('sessions', async () => {
      await touchSessions();
      return touchEveryMs;
    });
  }

  /** Resolves while the service's lease is good. */
  async check(service: string): Promise<void> {
    if ((this.#goodUntil.get(service) ?? 0) < Date.now()) throw new Error(`no lease at ${service}`);
    return Promise.resolve();
  }

  /** @param work Answers with the time until it is due again, in ms. */
  async #repeat(what: string, work: () => Promise<number>): Promise<void> {
    const nextMs = await work().catch((err: unknown) => {
      this.#log.warn({ err, what }, 'lease could not be kept, trying again');
      return retryMs;
    });
    if (this.#isClosed) return;
    this.#timers.set(
      what,
      setTimeout(() => void this.#repeat(what, work), nextMs),
    );
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }
}
