import { createHash } from 'node:crypto';
import type { UserName } from '@parley/protocol';
import { RedisScript } from '@parley/service-kit';
import type { RedisStore } from '@parley/service-kit';

/** Failures are counted for an hour from the first, in ms. */
const failuresMs = 60 * 60_000;
/** An address is known for 30 days after the last login from there, in s. */
const knownSeconds = 30 * 24 * 60 * 60;
/** Of one account the latest. */
const maxKnownAddresses = 32;

/** A login that is under way. */
export interface CountedAttempt {
  /** Failures of the hour that count for this address, this attempt among them. */
  failures: number;
  /** When the hour is over, in ms from now. */
  remainingMs: number;
  /** The password was right: no failure, and the address is known from now on. */
  succeeded: () => Promise<void>;
  /** Nobody looked at the password: no failure. */
  withdrawn: () => Promise<void>;
}

/*
 * Each attempt counts as a failure until it is known to be none, so that no number of attempts at once gets past the limit. Those from
 * addresses that the account is not known at count together; known ones each by themselves, so that strangers who guess lock nobody
 * out. Kept by name, as a name without an account has to look the same.
 */
const beginScript = new RedisScript(`
local ofStrangers, ofAddress, knownAddresses = unpack(KEYS)
local address, failuresMs, knownSeconds = unpack(ARGV)
local lastLogin = redis.call('zscore', knownAddresses, address)
local isKnown = lastLogin and redis.call('time')[1] - lastLogin < tonumber(knownSeconds)
local counter = isKnown and ofAddress or ofStrangers
local failures = redis.call('incr', counter)
if failures == 1 then redis.call('pexpire', counter, failuresMs) end
return {counter, failures, redis.call('pttl', counter)}
`);

/** Leaves nothing behind of names that nobody looked for. */
const withdraw = `
local function withdraw(counter)
  local failures = tonumber(redis.call('get', counter) or 0)
  if failures > 1 then redis.call('decr', counter) else redis.call('del', counter) end
end
`;

const withdrawScript = new RedisScript(`
${withdraw}
withdraw(KEYS[1])
`);

const succeedScript = new RedisScript(`
${withdraw}
local counter, knownAddresses = unpack(KEYS)
local address, knownSeconds, maxKnownAddresses = unpack(ARGV)
withdraw(counter)
redis.call('zadd', knownAddresses, redis.call('time')[1], address)
redis.call('zremrangebyrank', knownAddresses, 0, -1 - maxKnownAddresses)
redis.call('expire', knownAddresses, knownSeconds)
`);

export type FailedLogins = ReturnType<typeof createFailedLogins>;

/** Failed logins of accounts by password, and from where they were right, in Redis. */
export function createFailedLogins(redis: RedisStore) {
  return {
    /** Whether the account has logged in from there lately. */
    async isKnown(name: UserName, address: string): Promise<boolean> {
      const origin = loginOrigin(name, address);
      const lastLogin = await redis.run((commands) => commands.zscore(keyOfKnown(name), origin));
      return lastLogin !== null && Date.now() / 1_000 - Number(lastLogin) < knownSeconds;
    },

    async begin(name: UserName, address: string): Promise<CountedAttempt> {
      const origin = loginOrigin(name, address);
      const known = keyOfKnown(name);
      const keys = [`parley:limit:failures:account:${name}`, `parley:limit:failures:origin:${origin}`, known];
      const values = [origin, failuresMs, knownSeconds];
      const counted = await redis.runScript<[string, number, number]>(beginScript, keys, values);
      const [counter, failures, remainingMs] = counted;
      return {
        failures,
        remainingMs,
        async succeeded() {
          const knowing = [origin, knownSeconds, maxKnownAddresses];
          await redis.runScript(succeedScript, [counter, known], knowing);
        },
        async withdrawn() {
          await redis.runScript(withdrawScript, [counter], []);
        },
      };
    },
  };
}

function keyOfKnown(name: UserName): string {
  return `parley:known-addresses:${name}`;
}

/** Stands for an account and an address: Redis is no list of who comes from where. */
export function loginOrigin(name: UserName, address: string): string {
  return createHash('sha256')
    .update(JSON.stringify([name, address]))
    .digest('base64url')
    .slice(0, 22);
}
