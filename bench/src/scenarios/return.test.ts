import { expect, test } from '@jest/globals';
import { countAway, problemsOf } from './return.ts';

const back = { lostAt: 10, backAt: 20, losses: ['closed with 1001'], failure: undefined };
const gone = { lostAt: 15, backAt: 0, losses: ['connection lost'], failure: 'refused' };
const staying = { lostAt: 0, backAt: 0, losses: [], failure: undefined };
const heard = { deaf: 0, unconfirmed: 0 };

test.each([
  [9, 0],
  [10, 1],
  [15, 2],
  [20, 1],
])('at %d, %d are away', (at, expected) => {
  expect(countAway([back, gone, staying], at)).toBe(expected);
});

test('nothing is wrong where each was told, came back and is heard', () => {
  expect(problemsOf([back, back], heard, true)).toEqual([]);
});

test('who never came back, was not told, or is deaf is found', () => {
  const problems = problemsOf([back, gone, staying], { deaf: 3, unconfirmed: 1 }, true);
  expect(problems.map(({ what, count, example }) => `${what}: ${count} ${example}`)).toEqual([
    'clients never came back: 2 refused',
    'clients heard nothing, or too much, when they were back: 3 ',
    'clients could not send when they were back: 1 ',
    'clients not told that the server goes away: 1 connection lost',
  ]);
});

test('who is cut off without a word need not have been told', () => {
  expect(problemsOf([{ ...back, losses: ['connection lost'] }], heard, false)).toEqual([]);
});

test('who lost the next connection, too, is found', () => {
  expect(problemsOf([{ ...back, losses: ['closed with 1001', 'closed with 4001'] }], heard, true)).toEqual([
    { what: 'clients lost their connection again', count: 1, example: 'closed with 4001' },
  ]);
});
