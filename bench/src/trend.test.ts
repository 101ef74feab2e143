import { expect, test } from '@jest/globals';
import { lastTwoThirds, longestAbove, trendOf, type Point } from './trend.ts';

test('the trend of points on a line is that line', () => {
  const points: Point[] = [
    [0, 10],
    [1, 13],
    [2, 16],
  ];
  expect(trendOf(points)).toEqual({ mean: 13, slope: 3, swing: 6 });
});

test('what goes up and down alike has no slope, and a swing', () => {
  const saw = Array.from({ length: 101 }, (_, x): Point => [x, x % 2 === 0 ? 5 : 9]);
  const { slope, swing, mean } = trendOf(saw);
  expect(slope).toBeCloseTo(0, 2);
  expect(swing).toBe(4);
  expect(mean).toBeCloseTo(7, 1);
});

test('one point grows nowhere, and none have no trend', () => {
  expect(trendOf([[3, 8]])).toEqual({ mean: 8, slope: 0, swing: 0 });
  expect(() => trendOf([])).toThrow(RangeError);
});

test('the first third is left out', () => {
  const points = Array.from({ length: 10 }, (_, x): Point => [x, 1]);
  expect(lastTwoThirds(points).map(([x]) => x)).toEqual([3, 4, 5, 6, 7, 8, 9]);
});

test.each([
  [[], 0],
  [[1, 2, 3], 0],
  [[6, 1, 7, 8, 5, 9], 2],
  [[6, 6, 1, 6, 6, 6], 3],
])('of %j at most so many in a row are above 5', (values, expected) => {
  expect(longestAbove(values, 5)).toBe(expected);
});
