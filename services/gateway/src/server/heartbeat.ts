import { closeCodes } from '../connection/connection.ts';
import type { Connection } from '../connection/connection.ts';

/** Pongs that may be missing before a connection is ended. */
const maxMissedPongs = 2;
const slotMs = 1_000;

/**
 * Pings every connection once per round, spread evenly over it: a wheel of slots turned by one timer. Those that have been
 * nobody's for too long are closed on the way.
 */
export class Heartbeat implements Disposable {
  readonly #slots: Set<Connection>[];
  readonly #timer: NodeJS.Timeout;
  #current = 0;
  #next = 0;

  /** @param roundMs The time between two pings of one connection. */
  constructor(roundMs: number) {
    this.#slots = Array.from({ length: Math.max(1, Math.round(roundMs / slotMs)) }, () => new Set());
    this.#timer = setInterval(() => {
      this.#turn();
    }, slotMs);
  }

  add(connection: Connection): void {
    this.#slots[this.#next]!.add(connection);
    this.#next = (this.#next + 1) % this.#slots.length;
  }

  #turn(): void {
    const slot = this.#slots[this.#current]!;
    this.#current = (this.#current + 1) % this.#slots.length;
    const now = Date.now();
    for (const connection of slot) {
      if (!connection.isOpen()) slot.delete(connection);
      else if (connection.pulse.missed >= maxMissedPongs) connection.terminate();
      else if (connection.isOverdue(now)) connection.close(closeCodes.policyViolation, 'no login in time');
      else {
        connection.pulse.missed += 1;
        connection.ping();
      }
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
