import { expect, test } from '@jest/globals';
import { Audit, refused, unanswered } from './audit.ts';

const room = 'room_1';
const both = new Set([0, 1]);

function at(id: number, connection: number, sequence: number) {
  return { id, mark: { connection, sequence } };
}

function audit(outcomes: number[][], history: Parameters<Audit['readRoom']>[2]) {
  const check = new Audit(new Map(outcomes.entries()));
  check.readRoom(room, both, history);
  return check.result();
}

function problemsOf(...args: Parameters<typeof audit>): string[] {
  return audit(...args).problems.map(({ what, count }) => `${what}: ${count}`);
}

test('finds nothing where every confirmed message stands in its place', () => {
  const result = audit([[1, 3], [2]], [at(1, 0, 0), at(2, 1, 0), at(3, 0, 1)]);
  expect(result).toEqual({ rooms: 1, messages: 3, confirmed: 3, refused: 0, unanswered: 0, problems: [] });
});

test('finds a hole', () => {
  expect(problemsOf([[1, 3]], [at(1, 0, 0), at(3, 0, 1)])).toEqual(['ids are not 1 to n: 1']);
});

test('finds a confirmed message that is lost', () => {
  expect(problemsOf([[1, 2]], [at(1, 0, 0)])).toEqual(['confirmed, but not in history as such: 1']);
});

test('finds an id that was given twice', () => {
  expect(problemsOf([[1, 1]], [at(1, 0, 0), at(2, 0, 1)])).toEqual([
    'confirmed with another id: 1',
    'confirmed, but not in history as such: 1',
  ]);
});

test('finds messages that are stored twice, in another order or sent by nobody', () => {
  expect(problemsOf([[1]], [at(1, 0, 0), at(2, 0, 0)])).toContain('out of order or twice: 1');
  expect(problemsOf([[2, 1]], [at(1, 0, 1), at(2, 0, 0)])).toContain('out of order or twice: 1');
  expect(problemsOf([[1]], [at(1, 0, 0), { id: 2, mark: undefined }])).toContain('nobody here sent it: 1');
});

test('tells of refusals and silence; such a message may be stored all the same', () => {
  expect(problemsOf([[refused, unanswered, 2]], [at(1, 0, 1), at(2, 0, 2)])).toEqual([
    'refused with an error: 1',
    'never answered: 1',
  ]);
});

test('where ids only grow, a hole is none; without history only answers count', () => {
  const growing = new Audit(new Map([[0, [5, 9]]]), false);
  growing.readRoom(room, both, [at(5, 0, 0), at(9, 0, 1)]);
  expect(growing.result().problems).toEqual([]);
  expect(new Audit(new Map([[0, [5, refused]]])).result(false).problems).toMatchObject([
    { what: 'refused with an error', count: 1 },
  ]);
});
