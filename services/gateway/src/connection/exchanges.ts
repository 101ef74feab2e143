import { createId, ParleyError } from '@parley/protocol';
import type { Command } from '@parley/protocol';

/** A request whose character count the client has not confirmed yet. */
export interface Exchange {
  command: Command;
  /** Of its frame, in UTF-16 units: what it takes in memory. */
  size: number;
  transactionId: string;
  /** In ms since 1970. */
  expiresAt: number;
}

/** Requests of one connection that may wait for their confirmation (protocol.md, "Integrity handshake"). */
const maxPending = 64;

/** The requests of one connection that are under the integrity handshake and not confirmed yet. */
export class Exchanges {
  readonly #maxSize: number;
  readonly #pending = new Map<string, Exchange>();
  #size = 0;

  /** @param maxSize What the frames of those that wait together may take, in UTF-16 units; one may always wait. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** What the frames of those that wait take, in UTF-16 units. */
  get size(): number {
    return this.#size;
  }

  /**
   * @param size Of the command's frame, in UTF-16 units.
   * @throws ParleyError `rate_limited` where as many are pending, or as much, as may be.
   */
  begin(command: Command, size: number, timeoutMs: number): Exchange {
    const waiting = this.#pending.size;
    if (waiting >= maxPending || (waiting > 0 && this.#size + size > this.#maxSize)) {
      const message = `${waiting} requests wait for their confirm_count; confirm them first.`;
      throw new ParleyError('rate_limited', {}, { message });
    }
    const expiresAt = Date.now() + timeoutMs;
    const exchange = { command, size, transactionId: createId('exchange'), expiresAt };
    this.#pending.set(exchange.transactionId, exchange);
    this.#size += size;
    return exchange;
  }

  has(transactionId: string): boolean {
    return this.#pending.has(transactionId);
  }

  /** Takes the exchange out. @throws ParleyError `invalid_field` where there is none. */
  take(transactionId: string): Exchange {
    const exchange = this.#pending.get(transactionId);
    if (!exchange) throw unknownTransaction();
    this.#delete(exchange);
    return exchange;
  }

  /** Takes out those that were not confirmed in time. */
  takeExpired(now: number): Exchange[] {
    const expired: Exchange[] = [];
    for (const exchange of this.#pending.values()) {
      // All wait equally long, so the oldest are the first.
      if (exchange.expiresAt > now) break;
      expired.push(exchange);
    }
    for (const exchange of expired) this.#delete(exchange);
    return expired;
  }

  #delete({ transactionId, size }: Exchange): void {
    this.#pending.delete(transactionId);
    this.#size -= size;
  }
}

export function unknownTransaction(): ParleyError {
  const message = 'The field `transaction_id` names nothing that waits for this.';
  return new ParleyError('invalid_field', { field: 'transaction_id' }, { message });
}
