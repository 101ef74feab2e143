import { renewPresenceLease, reportPresence } from '@parley/protocol';
import type { GatewayId, LeaseReply, ReplyOf, RoomId, UserName } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, Log } from '@parley/service-kit';

/** One user in one room. */
interface Share {
  room: RoomShares;
  name: UserName;
  connections: number;
  /** What the rooms service was last told, or is being told; undefined where that may have got lost. */
  isReported: boolean | undefined;
}

/**
 * One room. What its shares have in common is held once, and no share needs a key of its own: there is one at least for every
 * connection, so each string would count.
 */
interface RoomShares {
  roomId: RoomId;
  byName: Map<UserName, Share>;
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
  readonly #rooms = new Map<RoomId, RoomShares>();
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
    const share = this.#shareOf(roomId, name);
    share.connections += change;
    this.#changed.add(share);
    void this.report();
  }

  #shareOf(roomId: RoomId, name: UserName): Share {
    let room = this.#rooms.get(roomId);
    if (!room) {
      room = { roomId, byName: new Map() };
      this.#rooms.set(roomId, room);
    }
    let share = room.byName.get(name);
    if (!share) {
      share = { room, name, connections: 0, isReported: false };
      room.byName.set(name, share);
    }
    return share;
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
    const came = shares.filter(({ connections, isReported }) => connections > 0 && isReported !== true);
    const went = shares.filter(({ connections, isReported }) => connections === 0 && isReported !== false);
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
    // It may have been counted nevertheless: whatever becomes of the users meanwhile has to be told.
    this.#doubt([...came, ...went]);
    return false;
  }

  /** What was told to be gone, and is so still, need not be kept. */
  #forgetEmpty(shares: readonly Share[]): true {
    for (const share of shares) {
      const { roomId, byName } = share.room;
      // It may have been forgotten before, and there may be another by now.
      const isForgotten = byName.get(share.name) !== share;
      if (share.connections > 0 || share.isReported !== false || isForgotten) continue;
      byName.delete(share.name);
      if (byName.size === 0) this.#rooms.delete(roomId);
    }
    return true;
  }

  #doubt(shares: Iterable<Share>): void {
    for (const share of shares) {
      share.isReported = undefined;
      this.#changed.add(share);
    }
  }

  /** Prolongs the gateway's lease, and reports what could not be told before. @throws ParleyError `unavailable` */
  async renewLease(): Promise<LeaseReply> {
    const { bus, gatewayId, requestTimeoutMs } = this.#parts;
    const lease = await bus.call(renewPresenceLease, { gatewayId }, createContext(requestTimeoutMs));
    await this.report();
    return lease;
  }

  /** Reports everything, as what was reported before may be forgotten. Never rejects. */
  async reportAnew(): Promise<void> {
    for (const { byName } of this.#rooms.values()) this.#doubt(byName.values());
    await this.report();
  }
}

function presenceOf({ room, name }: Share) {
  return { roomId: room.roomId, name };
}
