import { backoffMs } from './backoff.ts';
import { ParleyClientError } from './errors.ts';
import { delay } from './waiting.ts';

/** Nothing was done, and the same may succeed in a moment. */
const transient: readonly string[] = [
  'rate_limited',
  'unavailable',
  'handshake_mismatch',
  'handshake_timeout',
];

const pace = { minMs: 200, maxMs: 5_000 };

/**
 * Does what may be repeated until it is done, or refused for good.
 * @throws ParleyClientError As the work does; `aborted`.
 */
export async function persistently<Result>(
  work: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (thrown) {
      if (!(thrown instanceof ParleyClientError) || !transient.includes(thrown.code)) throw thrown;
      const { retryAfterMs = 0 } = thrown.details;
      await delay(retryAfterMs + backoffMs(attempt, pace), signal);
    }
  }
}
