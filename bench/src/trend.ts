/** A value over time. */
export type Point = readonly [x: number, y: number];

/** The straight line through points that is nearest to them, and how far they are apart. */
export interface Trend {
  mean: number;
  /** By how much y grows with 1 of x, by least squares; 0 where all x are the same. */
  slope: number;
  /** From the lowest to the highest y. */
  swing: number;
}

/** @throws RangeError of no points. */
export function trendOf(points: readonly Point[]): Trend {
  if (points.length === 0) throw new RangeError('no points have no trend');
  const ys = points.map(([, y]) => y);
  const meanX = meanOf(points.map(([x]) => x));
  const mean = meanOf(ys);
  const spread = sum(points.map(([x]) => (x - meanX) ** 2));
  const together = sum(points.map(([x, y]) => (x - meanX) * (y - mean)));
  return { mean, slope: spread === 0 ? 0 : together / spread, swing: Math.max(...ys) - Math.min(...ys) };
}

/** The points of the last two thirds of the time from 0: before that a process warms up. */
export function lastTwoThirds(points: readonly Point[]): Point[] {
  const end = Math.max(...points.map(([x]) => x));
  return points.filter(([x]) => x >= end / 3);
}

/** Most values in a row that are above the limit. */
export function longestAbove(values: readonly number[], limit: number): number {
  let longest = 0;
  let current = 0;
  for (const value of values) {
    current = value > limit ? current + 1 : 0;
    longest = Math.max(longest, current);
  }
  return longest;
}

function meanOf(values: readonly number[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
