import { everywhere } from '@parley/protocol';
import type { GatewayId, LeaseReply, RoomId, UserName } from '@parley/protocol';
import type { RedisScript, RedisStore } from '@parley/service-kit';
import {
  busiestScript,
  countAnewScript,
  countScript,
  leasesKey,
  renewScript,
  reportScript,
  sweepScript,
  unlistScript,
} from './presence-scripts.ts';

/** A user in sight in a room, on some gateway. */
export interface Presence {
  roomId: RoomId;
  name: UserName;
}

/** What became of a room's presence. */
export interface RoomPresence {
  roomId: RoomId;
  /** Present now. */
  users: number;
  /** Whether the lobby may show the room; false once it is known that it does not. */
  isListed: boolean;
  /** Who was present on no gateway before. */
  joined: UserName[];
  /** Who is present on no gateway any more. */
  left: UserName[];
}

/** What a report or a sweep brought about. Of two that tell of one room the one with the greater version is later. */
export interface PresenceNews {
  version: number;
  rooms: RoomPresence[];
}

/** Most shares that one sweep drops. */
const sweepLimit = 1_000;

export type PresenceStore = ReturnType<typeof createPresenceStore>;

/**
 * Who is in sight in which room, in Redis: counted by name, shared out by gateway, so that a dead gateway's share can
 * be dropped.
 */
export function createPresenceStore(redis: RedisStore, gatewayLeaseMs: number) {
  const run = <Reply>(
    script: RedisScript,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<Reply> => redis.runScript(script, keys, values);

  return {
    /** Undefined where the gateway has no lease: nothing was counted. */
    async report(
      gatewayId: GatewayId,
      present: readonly Presence[],
      absent: readonly Presence[],
    ): Promise<PresenceNews | undefined> {
      const shares = [...present, ...absent].map(({ roomId, name }) => `${roomId}/${name}`);
      const keys = [leasesKey, `parley:presence:share:${gatewayId}`];
      return newsFrom(await run<NewsReply>(reportScript, keys, [gatewayId, present.length, ...shares]));
    },

    /** Prolongs the gateway's lease; where it had none, its share has to be reported anew. */
    async renewLease(gatewayId: GatewayId): Promise<LeaseReply> {
      const known = await run<number>(renewScript, [leasesKey], [gatewayId, gatewayLeaseMs]);
      return { known: known === 1, leaseMs: gatewayLeaseMs };
    },

    /**
     * Drops some of the shares of dead gateways; undefined where there are none. Any number of instances may do so at
     * once: of each user it is told once that it left.
     */
    async sweep(): Promise<PresenceNews | undefined> {
      return newsFrom(await run<NewsReply>(sweepScript, [leasesKey], [sweepLimit]));
    },

    /** Users present in each room, in the order asked. */
    async count(roomIds: readonly RoomId[]): Promise<number[]> {
      return run<number[]>(countScript, [], roomIds);
    },

    /** The same with a version: whatever is read after it is at least as new as what was told with a smaller one. */
    async countAnew(roomIds: readonly RoomId[]): Promise<{ version: number; counts: number[] }> {
      const [version, ...counts] = (await run<number[]>(countAnewScript, [], roomIds)) as [number];
      return { version, counts };
    },

    /** The rooms with the most users, busiest first, as of a version; some that are not public may be among them. */
    async findBusiest(
      limit: number,
    ): Promise<{ version: number; rooms: { roomId: RoomId; users: number }[] }> {
      const [version, flat] = await run<[string, string[]]>(busiestScript, [], [limit]);
      const rooms = flat.flatMap((roomId, index) =>
        index % 2 === 0 ? [{ roomId: roomId as RoomId, users: Number(flat[index + 1]) }] : [],
      );
      return { version: Number(version), rooms };
    },

    /** Keeps rooms that are not public, or not any more, from among the busiest. */
    async unlist(roomIds: readonly RoomId[]): Promise<void> {
      if (roomIds.length > 0) await run(unlistScript, [], roomIds);
    },

    /** Which of the users are present in the room, or everywhere. */
    async findPresent(roomId: RoomId, names: readonly UserName[]): Promise<Set<UserName>> {
      if (names.length === 0) return new Set();
      const [here, anywhere] = await Promise.all(
        [roomId, everywhere].map((id) =>
          redis.run((commands) => commands.hmget(`parley:presence:room:${id}`, ...names)),
        ),
      );
      return new Set(names.filter((_name, index) => here?.[index] ?? anywhere?.[index]));
    },
  };
}

type NewsReply =
  | null
  | [
      version: number,
      rooms: [roomId: RoomId, users: number, isListed: number, joined: UserName[], left: UserName[]][],
    ];

function newsFrom(reply: NewsReply): PresenceNews | undefined {
  if (!reply) return undefined;
  const [version, rooms] = reply;
  return {
    version,
    rooms: rooms.map(([roomId, users, isListed, joined, left]) => ({
      roomId,
      users,
      isListed: isListed === 1,
      joined,
      left,
    })),
  };
}
