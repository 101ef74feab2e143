import { ParleyError } from '@parley/protocol';
import { RedisScript } from './redis-script.ts';
import type { RedisStore } from './redis.ts';

const windowMs = 60_000;

/** Counts one more in the window and tells the count and what is left of the window, in one step. */
const countScript = new RedisScript(`
local count = redis.call('incr', KEYS[1])
if count == 1 then redis.call('pexpire', KEYS[1], ARGV[1]) end
return {count, redis.call('pttl', KEYS[1])}
`);

/** @throws ParleyError `rate_limited` with the time to wait, when `key` was counted more than `limit` times within a minute. */
export type RateLimit = (key: string, limit: number) => Promise<void>;

/** Limits shared by all instances, kept in Redis. */
export function createRateLimit(redis: RedisStore): RateLimit {
  return async (key, limit) => {
    const keys = [`parley:limit:${key}`];
    const [count, remainingMs] = await redis.runScript<[number, number]>(countScript, keys, [windowMs]);
    if (count > limit) throw new ParleyError('rate_limited', { retryAfterMs: Math.max(remainingMs, 1) });
  };
}

/** For `RATE_LIMITS=off`. */
export const noRateLimit: RateLimit = () => Promise.resolve();
