import { expect, test } from '@jest/globals';
import { minimised } from './minimise.ts';

const items = Array.from({ length: 100 }, (_, index) => index);
const never = Infinity;

function failsWith(...needed: readonly number[]) {
  return (some: readonly number[]) => Promise.resolve(needed.every((item) => some.includes(item)));
}

test.each([
  ['one item', [42]],
  ['the first and the last', [0, 99]],
  ['three anywhere', [7, 8, 61]],
])('of a hundred items, %s that it takes are left', async (_what, needed) => {
  expect(await minimised(items, failsWith(...needed), never)).toEqual(needed);
});

test('what can do without none is left as it is', async () => {
  expect(await minimised(items, failsWith(...items), never)).toEqual(items);
});

test('after the deadline nothing is asked any more', async () => {
  expect(await minimised(items, failsWith(42), 0)).toBe(items);
});
