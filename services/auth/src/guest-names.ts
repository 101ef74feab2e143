import type { GatewayId, User, UserName } from '@parley/protocol';
import type { RedisStore } from '@parley/service-kit';

export interface GuestNamesOptions {
  /** Longer than any request can be under way, in ms. */
  settleMs: number;
}

/** Several times as long as gateways take to tell of their guests again, which is a minute, in ms. */
const claimMs = 3 * 60_000;

const keyOf = (name: UserName) => `parley:guest:${name}`;

/*
 * A name that no account has may be claimed, as a hash {userId, gatewayId}. A guest's claim counts while its gateway's
 * lease lasts. A registration's has no gateway and counts until its time is over, but not against other registrations:
 * of those Postgres takes one. A released claim has the gateway '', whose lease nobody holds. The scripts reach the
 * leases, keys they are not given, so they need one Redis, not a cluster.
 */
const claimScript = `
local userId, gatewayId, ttl, isKept = unpack(ARGV)
local holder, holdersGateway = unpack(redis.call('hmget', KEYS[1], 'userId', 'gatewayId'))
if holder and holder ~= userId then
  local isRegistration = not holdersGateway
  if isRegistration or redis.call('exists', 'parley:gateway-lease:' .. holdersGateway) == 1 then return 0 end
end
if isKept and holder == userId and holdersGateway == '' then return 1 end
redis.call('hset', KEYS[1], 'userId', userId, 'gatewayId', gatewayId)
redis.call('pexpire', KEYS[1], ttl)
return 1
`;

const reserveScript = `
local userId, ttl = unpack(ARGV)
local holdersGateway = redis.call('hget', KEYS[1], 'gatewayId')
if holdersGateway and redis.call('exists', 'parley:gateway-lease:' .. holdersGateway) == 1 then return 0 end
redis.call('hset', KEYS[1], 'userId', userId)
redis.call('hdel', KEYS[1], 'gatewayId')
redis.call('pexpire', KEYS[1], ttl)
return 1
`;

/** Frees a name for all; for a while it remembers whose it was. */
const releaseScript = `
local userId, ttl = unpack(ARGV)
if redis.call('hget', KEYS[1], 'userId') == userId then
  redis.call('hset', KEYS[1], 'gatewayId', '')
  redis.call('pexpire', KEYS[1], ttl)
end
`;

export type GuestNames = ReturnType<typeof createGuestNames>;

/** Who has which name without an account, in Redis. */
export function createGuestNames(redis: RedisStore, { settleMs }: GuestNamesOptions) {
  async function run(script: string, name: UserName, values: (string | number)[]): Promise<boolean> {
    return (await redis.run((commands) => commands.eval(script, 1, keyOf(name), ...values))) === 1;
  }

  return {
    /** Claims the name for a guest; false where another has it. Claiming one's own again is fine. */
    claim: ({ userId, name }: User, gatewayId: GatewayId): Promise<boolean> =>
      run(claimScript, name, [userId, gatewayId, claimMs]),

    /** Prolongs a claim, or makes it anew where it was lost; but not one that the guest has released meanwhile. */
    keep: ({ userId, name }: User, gatewayId: GatewayId): Promise<boolean> =>
      run(claimScript, name, [userId, gatewayId, claimMs, 'kept']),

    /** Keeps guests from the name while an account is made of it; false where a guest has it. */
    reserve: ({ userId, name }: User): Promise<boolean> => run(reserveScript, name, [userId, settleMs]),

    /** Gives the name free, if it is the user's. */
    async release({ userId, name }: User): Promise<void> {
      await run(releaseScript, name, [userId, settleMs]);
    },
  };
}
