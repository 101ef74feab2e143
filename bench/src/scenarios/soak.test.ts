import { expect, test } from '@jest/globals';
import type { Point } from '../trend.ts';
import { verdictOn } from './soak.ts';

/** What is held at each minute. @param perMinute Of what is kept, in MB; half a MB comes and goes. */
function memory(minutes: number, perMinute: number, atFirst = 0): { held: Point[] } {
  const held = Array.from({ length: minutes + 1 }, (_, minute): Point => {
    const warm = minute < minutes / 3 ? atFirst * minute : (atFirst * minutes) / 3;
    return [minute * 60, 100 + warm + perMinute * minute + (minute % 2) / 2];
  });
  return { held };
}

test('memory that only goes up and down is flat, also where it rose at first', () => {
  expect(verdictOn('gateway', memory(30, 0), 10)).toMatch(
    /^gateway holds 100\.\d MB, -?0\.\d MB an hour more: flat$/,
  );
  expect(verdictOn('gateway', memory(30, 0, 3), 10)).toMatch(/: flat$/);
});

test('memory that grows faster than the limit is not', () => {
  expect(verdictOn('rooms', memory(30, 0.1), 10)).toMatch(/: flat$/);
  expect(verdictOn('rooms', memory(30, 0.3), 10)).toMatch(
    /^rooms holds .*, 1[78]\.\d MB an hour more: NOT flat/,
  );
});

test('a short run is not judged', () => {
  expect(verdictOn('auth', memory(4, 3), 10)).toContain('not judged');
});
