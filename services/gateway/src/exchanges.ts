import { createId, ParleyError } from '@parley/protocol';
import type { Command } from '@parley/protocol';

/** A request whose character count the client has not confirmed yet. */
export interface Exchange {
  command: Command;
  transactionId: string;
  /** In ms since 1970. */
  expiresAt: number;
}

/** Requests of one connection that may wait for their confirmation (protocol.md, "Integrity handshake"). */
const maxPending = 64;

/** The requests of one connection that are under the integrity handshake and not confirmed yet. */
export class Exchanges {
  readonly #pending = new Map<string, Exchange>();

  /** @throws ParleyError `rate_limited` where as many are pending as may be. */
  begin(command: Command, timeoutMs: number): Exchange {
    if (this.#pending.size >= maxPending) {
      const message = `${maxPending} requests wait for their confirm_count; confirm them first.`;
      throw new ParleyError('rate_limited', {}, { message });
    }
    const exchange = { command, transactionId: createId('exchange'), expiresAt: Date.now() + timeoutMs };
    this.#pending.set(exchange.transactionId, exchange);
    return exchange;
  }

  has(transactionId: string): boolean {
    return this.#pending.has(transactionId);
  }

  /** Takes the exchange out. @throws ParleyError `invalid_field` where there is none. */
  take(transactionId: string): Exchange {
    const exchange = this.#pending.get(transactionId);
    if (!exchange) throw unknownTransaction();
    this.#pending.delete(transactionId);
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
    for (const { transactionId } of expired) this.#pending.delete(transactionId);
    return expired;
  }
}

export function unknownTransaction(): ParleyError {
  const message = 'The field `transaction_id` names nothing that waits for this.';
  return new ParleyError('invalid_field', { field: 'transaction_id' }, { message });
}
