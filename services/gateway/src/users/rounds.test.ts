import { expect, test } from '@jest/globals';
import { Rounds } from './rounds.ts';

function take<Item>(rounds: Rounds<Item>, times: number): Item[][] {
  return Array.from({ length: times }, () => rounds.next());
}

test('each has its turn once in a round, as many at a time', () => {
  const rounds = new Rounds(new Set(Array.from({ length: 10_000 }, (_, index) => index)), 60);
  const slices = take(rounds, 60);
  expect(new Set(slices.flat()).size).toBe(10_000);
  expect(slices.flat()).toHaveLength(10_000);
  expect(Math.max(...slices.map((slice) => slice.length))).toBe(167);
});

test('of few each comes often, and of none nobody', () => {
  const items = new Set<string>();
  const rounds = new Rounds(items, 60);
  expect(take(rounds, 2)).toEqual([[], []]);
  items.add('a').add('b');
  expect(take(rounds, 6).flat()).toEqual(['a', 'b', 'a', 'b']);
});

test('who comes during a round has a turn within the next, who goes has none, and nobody is left out for it', () => {
  const items = new Map(Array.from({ length: 120 }, (_, index) => [index, 'x']));
  const rounds = new Rounds(items, 60);
  const slices = take(rounds, 20);
  for (let item = 120; item < 240; item += 1) items.set(item, 'x');
  for (let item = 40; item < 60; item += 1) items.delete(item);
  slices.push(...take(rounds, 60));
  const counted = new Set(slices.flat());
  expect([...counted].filter((item) => item >= 40 && item < 60)).toEqual([]);
  expect(counted.size).toBe(220);
});
