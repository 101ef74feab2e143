import { expect, test } from '@jest/globals';
import { eachAtOnce } from './each-at-once.ts';

test('each item is worked on once, in order, and never more at a time than asked for', async () => {
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  await eachAtOnce([1, 2, 3, 4, 5], 2, async (item) => {
    begun.push(item);
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
  });
  expect(begun).toEqual([1, 2, 3, 4, 5]);
  expect([running, most]).toEqual([0, 2]);
});

test('what fails is told, and the others of its turn are not begun', async () => {
  const begun: number[] = [];
  const all = eachAtOnce([1, 2, 3], 1, (item) => {
    begun.push(item);
    return item === 2 ? Promise.reject(new Error('refused')) : Promise.resolve();
  });
  await expect(all).rejects.toThrow('refused');
  expect(begun).toEqual([1, 2]);
});
