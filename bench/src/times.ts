import { Histogram } from './histogram.ts';
import type { Values } from './metrics.ts';

const microsPerMs = 1_000;

/** @param times In ms; none at all have no values. */
export function timesOf(times: readonly number[]): Values {
  if (times.length === 0) return {};
  const histogram = new Histogram();
  for (const time of times) histogram.record(time * microsPerMs);
  const { p50, p99, max } = histogram.summary();
  return {
    requestP50Ms: p50 / microsPerMs,
    requestP99Ms: p99 / microsPerMs,
    requestMaxMs: max / microsPerMs,
  };
}
