import { subjects } from '@parley/protocol';
import type { GatewayId } from '@parley/protocol';
import type { Bus, BusSubscription } from '@parley/service-kit';

/** How often a canary is sent, in ms. */
const everyMs = 1_000;
/** How long the way through the bus may take before the gateway is not ready, in ms. */
const patienceMs = 5_000;

/** Sends something through the bus to itself: a connection may look fine long after nothing passes it any more. */
export class Canary implements Disposable {
  readonly #subscription: BusSubscription;
  readonly #timer: NodeJS.Timeout;
  /** When the newest canary that has come back was sent, on the process's own clock. */
  #lastSentAt = performance.now();

  constructor(bus: Bus, gatewayId: GatewayId) {
    const subject = subjects.canary(gatewayId);
    this.#subscription = bus.subscribe(subject, (event) => {
      this.#lastSentAt = (event as { sentAt: number }).sentAt;
    });
    this.#timer = setInterval(() => {
      bus.publish(subject, { sentAt: performance.now() });
    }, everyMs);
  }

  /** Resolves while what was sent in the last 5 s has come back. */
  check(): Promise<void> {
    const isLate = performance.now() - this.#lastSentAt > everyMs + patienceMs;
    return isLate ? Promise.reject(new Error('nothing comes back through the bus')) : Promise.resolve();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#subscription.unsubscribe();
  }
}
