import { expect, test } from '@jest/globals';
import { shortDuration, shortTime } from './times.ts';

test('a time is told to the minute', () => {
  expect(shortTime('2026-11-21T09:05:59.999Z')).toBe('2026-11-21 09:05');
});

test.each([
  [999, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min 0 s'],
  [3_599_999, '59 min 59 s'],
  [3_600_000, '1 h 0 min'],
  [86_399_999, '23 h 59 min'],
  [86_400_000, '1 d 0 h'],
  [400 * 86_400_000, '400 d 0 h'],
])('%d ms are told as %s', (ms, told) => {
  expect(shortDuration(ms)).toBe(told);
});
