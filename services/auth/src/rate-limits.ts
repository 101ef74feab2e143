import { ParleyError } from '@parley/protocol';
import type { RedisStore } from '@parley/service-kit';

const windowMs = 60_000;

/** Counts one more in the window and tells the count and what is left of the window, in one step. */
const countScript = `
local count = redis.call('incr', KEYS[1])
if count == 1 then redis.call('pexpire', KEYS[1], ARGV[1]) end
return {count, redis.call('pttl', KEYS[1])}
`;

/** @throws ParleyError `rate_limited` with the time to wait, when `key` was counted more than `limit` times within a minute. */
export type RateLimit = (key: string, limit: number) => Promise<void>;

/** Limits shared by all instances, kept in Redis. */
export function createRateLimit(redis: RedisStore): RateLimit {
  return async (key, limit) => {
    const reply = await redis.run((commands) =>
      commands.eval(countScript, 1, `parley:limit:${key}`, windowMs),
    );
    const [count, remainingMs] = reply as [number, number];
    if (count > limit) throw new ParleyError('rate_limited', { retryAfterMs: Math.max(remainingMs, 1) });
  };
}

/** For `RATE_LIMITS=off`. */
export const noRateLimit: RateLimit = () => Promise.resolve();
