import type { LeaseReply } from '@parley/protocol';
import type { Log } from '@parley/service-kit';

export interface LeasesParts {
  log: Log;
  /** By the service that keeps the lease: prolongs it. */
  renewals: Record<string, () => Promise<LeaseReply>>;
  /** Keeps the sessions of open connections alive. */
  touchSessions: () => Promise<void>;
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

  constructor({ log, renewals, touchSessions }: LeasesParts) {
    this.#log = log;
    for (const [service, renew] of Object.entries(renewals)) {
      this.#goodUntil.set(service, 0);
      void this.#repeat(service, async () => {
        const { leaseMs } = await renew();
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
