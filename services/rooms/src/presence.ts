import { everywhere } from '@parley/protocol';
import type { GatewayId, LeaseReply, RoomId, UserId } from '@parley/protocol';
import type { RedisStore } from '@parley/service-kit';

/** A user in sight in a room, on some gateway. */
export interface Presence {
  roomId: RoomId;
  userId: UserId;
}

const keyOf = {
  /** Hash: user id -> on how many gateways the user is present in the room. Its length is the room's count. */
  room: (roomId: RoomId) => `parley:presence:room:${roomId}`,
  /** Set of `roomId/userId`: the gateway's share of all rooms. */
  share: (gatewayId: GatewayId) => `parley:presence:share:${gatewayId}`,
  /** Sorted set: gateway id -> when its lease ends, in ms since 1970 by Redis's clock. */
  leases: 'parley:presence:leases',
};

const subtract = `
local function subtract(share)
  local roomId, userId = string.match(share, '^([^/]+)/(.+)$')
  local room = 'parley:presence:room:' .. roomId
  if redis.call('hincrby', room, userId, -1) <= 0 then redis.call('hdel', room, userId) end
end
`;

const now = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** Counts what is new in the gateway's share, and no longer what went. ARGV: gateway, how many are present, then all. */
const reportScript = `${subtract}
if not redis.call('zscore', KEYS[1], ARGV[1]) then return 0 end
local presentCount = tonumber(ARGV[2])
for index = 3, #ARGV do
  local share = ARGV[index]
  if index - 2 <= presentCount then
    if redis.call('sadd', KEYS[2], share) == 1 then
      local roomId, userId = string.match(share, '^([^/]+)/(.+)$')
      redis.call('hincrby', 'parley:presence:room:' .. roomId, userId, 1)
    end
  elseif redis.call('srem', KEYS[2], share) == 1 then
    subtract(share)
  end
end
return 1
`;

const renewScript = `${now}
local lease = redis.call('zscore', KEYS[1], ARGV[1])
-- Once it was over, part of the share may be swept already.
local known = lease and tonumber(lease) > now
redis.call('zadd', KEYS[1], now + ARGV[2], ARGV[1])
return known and 1 or 0
`;

/** Drops shares of gateways whose lease is over, at most so many users at once; tells whether there may be more. */
const sweepScript = `${now}${subtract}
local limit = tonumber(ARGV[1])
local dead = redis.call('zrangebyscore', KEYS[1], '-inf', now, 'limit', 0, 1)[1]
if not dead then return 0 end
local key = 'parley:presence:share:' .. dead
local shares = redis.call('spop', key, limit)
for _, share in ipairs(shares) do subtract(share) end
if #shares < limit then redis.call('zrem', KEYS[1], dead) end
return 1
`;

const sweepLimit = 1_000;

export type PresenceStore = ReturnType<typeof createPresenceStore>;

/**
 * Who is in sight in which room, in Redis: counted per user, shared out by gateway, so that a dead gateway's share can
 * be dropped. The scripts reach keys they are not given, so they need one Redis, not a cluster.
 */
export function createPresenceStore(redis: RedisStore, gatewayLeaseMs: number) {
  return {
    /** False where the gateway has no lease: nothing was counted. */
    async report(
      gatewayId: GatewayId,
      present: readonly Presence[],
      absent: readonly Presence[],
    ): Promise<boolean> {
      const shares = [...present, ...absent].map(({ roomId, userId }) => `${roomId}/${userId}`);
      const keys = [keyOf.leases, keyOf.share(gatewayId)];
      const known = await redis.run((commands) =>
        commands.eval(reportScript, keys.length, ...keys, gatewayId, present.length, ...shares),
      );
      return known === 1;
    },

    /** Prolongs the gateway's lease; where it had none, its share has to be reported anew. */
    async renewLease(gatewayId: GatewayId): Promise<LeaseReply> {
      const known = await redis.run((commands) =>
        commands.eval(renewScript, 1, keyOf.leases, gatewayId, gatewayLeaseMs),
      );
      return { known: known === 1, leaseMs: gatewayLeaseMs };
    },

    /** Drops the shares of dead gateways. Any number of instances may do so at once. */
    async sweep(): Promise<void> {
      while ((await redis.run((commands) => commands.eval(sweepScript, 1, keyOf.leases, sweepLimit))) === 1);
    },

    /** Users present in each room, in the order asked. */
    async count(roomIds: readonly RoomId[]): Promise<number[]> {
      return Promise.all(roomIds.map((roomId) => redis.run((commands) => commands.hlen(keyOf.room(roomId)))));
    },

    /** Which of the users are present in the room, or everywhere. */
    async findPresent(roomId: RoomId, userIds: readonly UserId[]): Promise<Set<UserId>> {
      if (userIds.length === 0) return new Set();
      const [here, anywhere] = await Promise.all(
        [roomId, everywhere].map((id) => redis.run((commands) => commands.hmget(keyOf.room(id), ...userIds))),
      );
      return new Set(userIds.filter((_userId, index) => here?.[index] ?? anywhere?.[index]));
    },
  };
}
