import { expect, test } from '@jest/globals';
import { deliveryProblems, expectedDeliveries } from './run-audit.ts';

const seats = [
  { number: 0, roomId: 'a' },
  { number: 1, roomId: 'a' },
  { number: 2, roomId: 'b' },
];
const sent = [
  { number: 0, outcomes: [1, 3, -1, 0] },
  { number: 1, outcomes: [2] },
  { number: 2, outcomes: [1] },
];

test('each is to get what was confirmed to the others in its room', () => {
  expect(expectedDeliveries(sent, seats)).toEqual(
    new Map([
      [0, 1],
      [1, 2],
      [2, 0],
    ]),
  );
});

test('tells loss, doubles and disorder apart', () => {
  const fine = { misordered: 0, misnumbered: 0 };
  const problems = deliveryProblems(
    [
      { number: 0, deliveries: { count: 1, ...fine } },
      { number: 1, deliveries: { count: 0, ...fine } },
      { number: 2, deliveries: { count: 3, misordered: 4, misnumbered: 5 } },
    ],
    expectedDeliveries(sent, seats),
  );
  expect(problems).toEqual([
    { what: 'not delivered', count: 2, example: 'connection 1' },
    { what: 'delivered more than once', count: 3, example: 'connection 2' },
    { what: 'delivered out of the order of their sender', count: 4, example: 'connection 2' },
    { what: 'delivered out of the order of the room', count: 5, example: 'connection 2' },
  ]);
});
