import { expect, test } from '@jest/globals';
import { completeLine } from './complete-line.ts';

const rooms = [
  { id: 'room_1', name: 'tea' },
  { id: 'room_2', name: 'team talk' },
];

test.each([
  ['/jo', [['/join'], '/jo']],
  ['/re', [['/remove', '/rename'], '/re']],
  ['/join te', [['tea', 'team talk'], 'te']],
  ['/join team t', [['team talk'], 'team t']],
  ['hello', [[], 'hello']],
  ['', [[], '']],
])('%j', (line, completion) => {
  expect(completeLine(line, rooms)).toEqual(completion);
});
