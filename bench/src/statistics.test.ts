import { expect, test } from '@jest/globals';
import { median, medians, ratiosOf } from './statistics.ts';

test('the median is the middle one, or between the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(() => median([])).toThrow(RangeError);
});

const run = (committedPerSecond: number, sendP99Ms: number) => ({
  parts: [{ name: 'a', values: { committedPerSecond, sendP99Ms } }],
});

test('medians are taken number by number, part by part', () => {
  const runs = [run(1, 30), run(3, 10), run(2, 20)].map(({ parts }) => parts);
  expect(medians(runs)).toEqual([{ name: 'a', values: { committedPerSecond: 2, sendP99Ms: 20 } }]);
});

test('a ratio is above 1 where ours is better, whichever way that is', () => {
  expect(ratiosOf([run(1_000, 5)], [run(100, 50)])).toMatchObject([
    { part: 'a', metric: 'committedPerSecond', better: 10, ours: 1_000, theirs: 100 },
    { part: 'a', metric: 'sendP99Ms', better: 10 },
  ]);
});

test('neighbouring runs are compared, so that a slow hour of the machine does not count', () => {
  // The machine was ten times slower in the second and third run, for both.
  const ours = [run(2_000, 1), run(200, 10), run(200, 10)];
  const theirs = [run(1_000, 2), run(100, 20), run(100, 20)];
  expect(ratiosOf(ours, theirs).map(({ better }) => better)).toEqual([2, 2]);
});

test('what only one of them has is not compared', () => {
  const other = { parts: [{ name: 'b', values: { committedPerSecond: 1 } }] };
  expect(ratiosOf([run(1, 1)], [other])).toEqual([]);
});
