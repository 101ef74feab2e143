import type { Log } from '@parley/service-kit';

export interface LeaseParts {
  log: Log;
  /** Each prolongs this gateway's lease at one service. */
  renewals: readonly (() => Promise<void>)[];
  /** Keeps the sessions of open connections alive. */
  touchSessions: () => Promise<void>;
}

/** A third of the time after which a gateway counts as dead, in ms. */
const renewEveryMs = 5_000;
/** How soon a lease that could not be renewed is tried again, in ms. */
const retryMs = 1_000;
/** Far more often than sessions end, which is after 30 minutes, in ms. */
const touchEveryMs = 60_000;

/** As long as this gateway lives, its users count as connected: it says so regularly. */
export function keepLeases({ log, renewals, touchSessions }: LeaseParts): Disposable {
  const timers = new Set<NodeJS.Timeout>();

  function repeat(work: () => Promise<void>, everyMs: number, what: string): void {
    const run = async (): Promise<void> => {
      let nextMs = everyMs;
      try {
        await work();
      } catch (err) {
        nextMs = Math.min(everyMs, retryMs);
        log.warn({ err, what }, 'lease could not be kept, trying again');
      }
      const timer = setTimeout(() => {
        timers.delete(timer);
        void run();
      }, nextMs);
      timers.add(timer);
    };
    void run();
  }

  renewals.forEach((renew, index) => {
    repeat(renew, renewEveryMs, `lease ${index}`);
  });
  repeat(touchSessions, touchEveryMs, 'sessions');
  return {
    [Symbol.dispose]: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
