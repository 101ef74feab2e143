import { expect, test } from '@jest/globals';
import { searchHighest } from './search.ts';

test.each([
  [500, 1_730],
  [500, 120],
  [2_000, 2_000],
  [1, 7],
])('from %i it finds a limit of %i, to the precision asked', async (from, limit) => {
  const found = await searchHighest(from, 1.05, (value) => Promise.resolve(value <= limit));
  expect(found).toBeLessThanOrEqual(limit);
  expect(found).toBeGreaterThanOrEqual(Math.floor(limit / 1.05) - 1);
});

test('where nothing is good it says 0', async () => {
  expect(await searchHighest(100, 1.05, () => Promise.resolve(false))).toBe(0);
});

test('one bad try is not believed', async () => {
  let tries = 0;
  const found = await searchHighest(100, 1.05, (value) => {
    tries += 1;
    return Promise.resolve(value <= 150 && tries !== 1);
  });
  expect(found).toBeGreaterThanOrEqual(142);
});
