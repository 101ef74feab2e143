import { expect, test } from '@jest/globals';
import { SequenceSet } from './sequence-set.ts';

function setOf(greatest: number, ...sequences: number[]): SequenceSet {
  const set = new SequenceSet(greatest);
  for (const sequence of sequences) set.add(sequence);
  return set;
}

test('numbers that follow each other are one range, also across the borders of bytes', () => {
  const set = setOf(20, 0, 1, 2, 7, 8, 9, 15, 16, 20);
  expect(set.ranges('present', 0, 20, 10)).toEqual([
    [0, 2],
    [7, 9],
    [15, 16],
    [20, 20],
  ]);
  expect(set.ranges('absent', 0, 20, 10)).toEqual([
    [3, 6],
    [10, 14],
    [17, 19],
  ]);
});

test('only what is between the bounds is told', () => {
  const set = setOf(10, 1, 2, 3, 8);
  expect(set.ranges('present', 2, 7, 10)).toEqual([[2, 3]]);
  expect(set.ranges('absent', 1, 10, 10)).toEqual([
    [4, 7],
    [9, 10],
  ]);
});

test('of too many ranges the first are told, the last of them whole', () => {
  expect(setOf(10, 1, 3, 4, 6).ranges('present', 0, 10, 2)).toEqual([
    [1, 1],
    [3, 4],
  ]);
});

test('an empty set has nothing, and a full one lacks nothing', () => {
  const full = setOf(8, 0, 1, 2, 3, 4, 5, 6, 7, 8);
  expect(setOf(8).ranges('present', 0, 8, 10)).toEqual([]);
  expect(full.ranges('absent', 0, 8, 10)).toEqual([]);
  expect(full.ranges('present', 0, 8, 10)).toEqual([[0, 8]]);
  expect(full.ranges('absent', 1, 0, 10)).toEqual([]);
});

test('a million numbers are told at once', () => {
  const set = new SequenceSet(2 ** 20);
  for (let sequence = 1; sequence <= 2 ** 20; sequence += 1) set.add(sequence);
  expect(set.ranges('present', 0, 2 ** 20, 10)).toEqual([[1, 2 ** 20]]);
});
