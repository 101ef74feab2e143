import { renewPresenceLease, reportPresence } from '@parley/protocol';
import type { GatewayId, LeaseReply, RoomId, UserId } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, Log } from '@parley/service-kit';
import type { Connection } from './connection.ts';

interface Share {
  roomId: RoomId;
  userId: UserId;
  connections: number;
  /** What the rooms service was last told, or is being told. */
  isReported: boolean;
}

export interface PresenceReporterParts {
  bus: Bus;
  log: Log;
  gatewayId: GatewayId;
  requestTimeoutMs: number;
}

const maxPerRequest = 1_000;

/**
 * Tells the rooms service which users are present in which rooms on this gateway. What changes while a report is under
 * way goes with the next; what could not be told is told again when the lease is renewed.
 */
export class PresenceReporter {
  readonly #parts: PresenceReporterParts;
  readonly #shares = new Map<string, Share>();
  readonly #changed = new Set<Share>();
  #reporting: Promise<void> | undefined;

  constructor(parts: PresenceReporterParts) {
    this.#parts = parts;
  }

  enter(roomId: RoomId, { session }: Connection): void {
    if (session) this.#count(roomId, session.userId, 1);
  }

  leave(roomId: RoomId, { session }: Connection): void {
    if (session) this.#count(roomId, session.userId, -1);
  }

  #count(roomId: RoomId, userId: UserId, change: 1 | -1): void {
    const key = `${roomId}/${userId}`;
    const share = this.#shares.get(key) ?? { roomId, userId, connections: 0, isReported: false };
    share.connections += change;
    this.#shares.set(key, share);
    this.#changed.add(share);
    void this.report();
  }

  /** Reports all changes so far. Never rejects. */
  report(): Promise<void> {
    this.#reporting ??= this.#reportAll().finally(() => {
      this.#reporting = undefined;
    });
    return this.#reporting;
  }

  async #reportAll(): Promise<void> {
    // What changes in this turn of the event loop goes along.
    await new Promise(setImmediate);
    while (this.#changed.size > 0) {
      const shares = [...this.#changed].slice(0, maxPerRequest);
      for (const share of shares) this.#changed.delete(share);
      if (!(await this.#reportSome(shares))) return;
    }
  }

  async #reportSome(shares: readonly Share[]): Promise<boolean> {
    const came = shares.filter(({ connections, isReported }) => connections > 0 && !isReported);
    const went = shares.filter(({ connections, isReported }) => connections === 0 && isReported);
    for (const share of came) share.isReported = true;
    for (const share of went) share.isReported = false;
    for (const share of shares)
      if (share.connections === 0) this.#shares.delete(`${share.roomId}/${share.userId}`);
    if (came.length + went.length === 0) return true;
    const { bus, log, gatewayId, requestTimeoutMs } = this.#parts;
    try {
      const request = { gatewayId, present: came.map(presenceOf), absent: went.map(presenceOf) };
      const { known } = await bus.call(reportPresence, request, createContext(requestTimeoutMs));
      if (known) return true;
    } catch (err) {
      log.warn({ err }, 'presence could not be reported, trying again with the next lease');
    }
    for (const share of came) share.isReported = false;
    for (const share of went) share.isReported = true;
    for (const share of [...came, ...went]) this.#changed.add(share);
    return false;
  }

  /** Prolongs the gateway's lease; where it was lost, everything is reported anew. @throws ParleyError `unavailable` */
  async renewLease(): Promise<LeaseReply> {
    const { bus, gatewayId, requestTimeoutMs } = this.#parts;
    const lease = await bus.call(renewPresenceLease, { gatewayId }, createContext(requestTimeoutMs));
    if (!lease.known) {
      for (const share of this.#shares.values()) {
        share.isReported = false;
        this.#changed.add(share);
      }
    }
    await this.report();
    return lease;
  }
}

function presenceOf({ roomId, userId }: Share) {
  return { roomId, userId };
}
