import { expect, test } from '@jest/globals';
import { backoffMs } from './backoff.ts';

const bounds = { minMs: 250, maxMs: 10_000 };

test('the longest wait doubles with each try, up to its bound', () => {
  const longest = Array.from({ length: 8 }, (_, index) => backoffMs(index + 1, bounds, () => 1));
  expect(longest).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  expect(backoffMs(5_000, bounds, () => 1)).toBe(10_000);
});

test('any shorter wait is as likely', () => {
  expect(backoffMs(3, bounds, () => 0)).toBe(0);
  expect(backoffMs(3, bounds, () => 0.5)).toBe(500);
});
