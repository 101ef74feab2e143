import type { ConnectionId, ConnectionPlace, GatewayId, HeldGuest, User, UserName } from '@parley/protocol';
import { RedisScript } from '@parley/service-kit';
import type { RedisStore } from '@parley/service-kit';

export interface GuestNamesOptions {
  /** Longer than any request can be under way, in ms. */
  settleMs: number;
}

/** A name that a guest has from now on. */
export interface Claim {
  /** The same guest's connection that had it until now. */
  former?: ConnectionPlace;
}

/**
 * What became of a claim that is to be prolonged: `lost` to somebody else, or `taken over` by another connection of the
 * same guest.
 */
export type Keeping = 'kept' | 'lost' | 'taken over';

/**
 * Several times as long as gateways take to tell of their guests again, which is a minute, in ms. As long it is known whose a
 * name was that was released, or whose gateway died: time enough to come back.
 */
const claimMs = 3 * 60_000;

const keyOf = (name: UserName) => `parley:guest:${name}`;

/*
 * A name that no account has may be claimed, as a hash {userId, gatewayId, connectionId}. A guest's claim counts while its
 * gateway's lease lasts, and not against the same guest: it moves to its latest connection, and only that one releases it. A
 * registration's has no gateway and counts until its time is over, but not against other registrations: of those Postgres
 * takes one. A released claim has the gateway '', whose lease nobody holds. The scripts reach the leases, keys they are not
 * given, so they need one Redis, not a cluster.
 */

/** Answers with the place of the guest's own former connection, each part '' where there is none; nil where it is another's. */
const claimScript = new RedisScript(`
local userId, gatewayId, connectionId, ttl = unpack(ARGV)
local fields = redis.call('hmget', KEYS[1], 'userId', 'gatewayId', 'connectionId')
local holder, holdersGateway, holdersConnection = unpack(fields)
local former = {'', ''}
if holder and holder ~= userId then
  local isRegistration = not holdersGateway
  if isRegistration or redis.call('exists', 'parley:gateway-lease:' .. holdersGateway) == 1 then return nil end
elseif holder and holdersGateway ~= '' and holdersConnection ~= connectionId then
  former = {holdersConnection, holdersGateway}
end
redis.call('hset', KEYS[1], 'userId', userId, 'gatewayId', gatewayId, 'connectionId', connectionId)
redis.call('pexpire', KEYS[1], ttl)
return former
`);

const keepScript = new RedisScript(`
local userId, gatewayId, connectionId, ttl = unpack(ARGV)
local fields = redis.call('hmget', KEYS[1], 'userId', 'gatewayId', 'connectionId')
local holder, holdersGateway, holdersConnection = unpack(fields)
if holder and (holder ~= userId or holdersConnection ~= connectionId) then
  local isRegistration = not holdersGateway
  if isRegistration or redis.call('exists', 'parley:gateway-lease:' .. holdersGateway) == 1 then
    return holder == userId and 'taken over' or 'lost'
  end
elseif holdersGateway == '' then
  return 'kept'
end
redis.call('hset', KEYS[1], 'userId', userId, 'gatewayId', gatewayId, 'connectionId', connectionId)
redis.call('pexpire', KEYS[1], ttl)
return 'kept'
`);

const reserveScript = new RedisScript(`
local userId, ttl = unpack(ARGV)
local holdersGateway = redis.call('hget', KEYS[1], 'gatewayId')
if holdersGateway and redis.call('exists', 'parley:gateway-lease:' .. holdersGateway) == 1 then return 0 end
redis.call('hset', KEYS[1], 'userId', userId)
redis.call('hdel', KEYS[1], 'gatewayId', 'connectionId')
redis.call('pexpire', KEYS[1], ttl)
return 1
`);

/** Frees a name for all, and remembers whose it was. Of a registration the connection is ''. */
const releaseScript = new RedisScript(`
local userId, connectionId, ttl = unpack(ARGV)
local holder, holdersConnection = unpack(redis.call('hmget', KEYS[1], 'userId', 'connectionId'))
if holder == userId and (holdersConnection or '') == connectionId then
  redis.call('hset', KEYS[1], 'gatewayId', '')
  redis.call('pexpire', KEYS[1], ttl)
end
`);

export type GuestNames = ReturnType<typeof createGuestNames>;

/** Who has which name without an account, in Redis. */
export function createGuestNames(redis: RedisStore, { settleMs }: GuestNamesOptions) {
  function run<Reply>(script: RedisScript, name: UserName, values: (string | number)[]): Promise<Reply> {
    return redis.runScript(script, [keyOf(name)], values);
  }

  return {
    /**
     * Claims the name for a guest, also from a connection of its own that has it; undefined where another has it. Claiming
     * one's own again is fine.
     */
    async claim(
      { userId, name }: User,
      { connectionId, gatewayId }: ConnectionPlace,
    ): Promise<Claim | undefined> {
      const values = [userId, gatewayId, connectionId, claimMs];
      const former = await run<[ConnectionId, GatewayId] | null>(claimScript, name, values);
      if (!former) return undefined;
      const [formerConnection, formerGateway] = former;
      if (!formerConnection) return {};
      return { former: { connectionId: formerConnection, gatewayId: formerGateway } };
    },

    /** Prolongs a claim, or makes it anew where it was lost; but not one that was released meanwhile. */
    keep: ({ userId, name, connectionId }: HeldGuest, gatewayId: GatewayId): Promise<Keeping> =>
      run(keepScript, name, [userId, gatewayId, connectionId, claimMs]),

    /** Keeps guests from the name while an account is made of it; false where a guest has it. */
    async reserve({ userId, name }: User): Promise<boolean> {
      return (await run(reserveScript, name, [userId, settleMs])) === 1;
    },

    /** Gives the name free, if it is the user's: a guest's if this connection has it. */
    async release({ userId, name, connectionId }: User & Partial<HeldGuest>): Promise<void> {
      await run(releaseScript, name, [userId, connectionId ?? '', claimMs]);
    },

    /** Whether the name is this guest's, or was so last and until lately. */
    async isOf({ userId, name }: User): Promise<boolean> {
      return (await redis.run((commands) => commands.hget(keyOf(name), 'userId'))) === userId;
    },
  };
}
