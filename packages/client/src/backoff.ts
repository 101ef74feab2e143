export interface BackoffOptions {
  /** Longest first wait, in ms. */
  minMs: number;
  /** Longest wait at all, in ms. */
  maxMs: number;
}

/**
 * How long to wait before a try: anything up to a bound that doubles with each (full jitter), so that clients that were cut
 * off together do not come back together.
 * @param attempt 1 for the first.
 * @returns In ms.
 */
export function backoffMs(
  attempt: number,
  { minMs, maxMs }: BackoffOptions,
  random: () => number = Math.random,
): number {
  return random() * Math.min(maxMs, minMs * 2 ** (attempt - 1));
}
