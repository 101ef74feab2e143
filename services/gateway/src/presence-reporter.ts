import { renewPresenceLease, reportPresence } from '@parley/protocol';
import type { GatewayId, LeaseReply, ReplyOf, RoomId, UserName } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, Log } from '@parley/service-kit';

interface Share {
  roomId: RoomId;
  name: UserName;
  connections: number;
  /** What the rooms service was last told, or is being told. */
  isReported: boolean;
}

export interface PresenceReporterParts {
  bus: Bus;
  log: Log;
  gatewayId: GatewayId;
  requestTimeoutMs: number;
  /** The rooms' counts as they are after a report. */
  counted: (counts: ReplyOf<typeof reportPresence>) => void;
}

const maxPerRequest = 1_000;
/** Who comes back so soon after losing its connection was never gone, in ms. */
const graceMs = 2_000;

/**
 * Tells the rooms service which users are present in which rooms on this gateway, by name. What changes while a report is
 * under way goes with the next; what could not be told is told again when the lease is renewed.
 */
export class PresenceReporter {
  readonly #parts: PresenceReporterParts;
  readonly #shares = new Map<string, Share>();
  readonly #changed = new Set<Share>();
  /** Connections that were lost a moment ago still count. */
  readonly #lingering = new Set<{ timer: NodeJS.Timeout; leave: () => void }>();
  #reporting: Promise<void> | undefined;

  constructor(parts: PresenceReporterParts) {
    this.#parts = parts;
  }

  /** One more connection of the user is present in the room. */
  enter(roomId: RoomId, name: UserName): void {
    this.#count(roomId, name, 1);
  }

  /** One connection less. */
  leave(roomId: RoomId, name: UserName): void {
    this.#count(roomId, name, -1);
  }

  /** One connection less in these rooms, unless the user comes back within 2 s. */
  lose(roomIds: readonly RoomId[], name: UserName): void {
    if (roomIds.length === 0) return;
    const lingering = {
      leave: () => {
        this.#lingering.delete(lingering);
        for (const roomId of roomIds) this.leave(roomId, name);
      },
      timer: setTimeout(() => {
        lingering.leave();
      }, graceMs),
    };
    this.#lingering.add(lingering);
  }

  #count(roomId: RoomId, name: UserName, change: 1 | -1): void {
    const key = keyOf({ roomId, name });
    const share = this.#shares.get(key) ?? { roomId, name, connections: 0, isReported: false };
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

  /** Reports that whoever was lost is gone: this gateway waits for nobody any more. Never rejects. */
  async settle(): Promise<void> {
    for (const { timer, leave } of [...this.#lingering]) {
      clearTimeout(timer);
      leave();
    }
    await this.report();
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
    if (came.length + went.length === 0) return this.#forgetEmpty(shares);
    const { bus, log, gatewayId, requestTimeoutMs, counted } = this.#parts;
    try {
      const request = { gatewayId, present: came.map(presenceOf), absent: went.map(presenceOf) };
      const reply = await bus.call(reportPresence, request, createContext(requestTimeoutMs));
      if (reply.known) {
        counted(reply);
        return this.#forgetEmpty(shares);
      }
    } catch (err) {
      log.warn({ err }, 'presence could not be reported, trying again with the next lease');
    }
    for (const share of came) share.isReported = false;
    for (const share of went) share.isReported = true;
    for (const share of [...came, ...went]) this.#changed.add(share);
    return false;
  }

  /** What was told to be gone, and is so still, need not be kept. */
  #forgetEmpty(shares: readonly Share[]): true {
    for (const share of shares) {
      if (share.connections === 0 && !share.isReported) this.#shares.delete(keyOf(share));
    }
    return true;
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

function presenceOf({ roomId, name }: Share) {
  return { roomId, name };
}

function keyOf({ roomId, name }: Pick<Share, 'roomId' | 'name'>): string {
  return `${roomId}/${name}`;
}
