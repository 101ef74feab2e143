import { expect, test } from '@jest/globals';
import { readOrder } from './order.ts';

test('an order gives a role to an account, by its name as it is stored', () => {
  expect(readOrder(['grant', 'anna'])).toEqual({ name: 'anna', role: 'admin' });
  expect(readOrder(['revoke', ' ce\u0301line '])).toEqual({ name: 'c\u00e9line', role: 'member' });
});

test.each([[[]], [['grant']], [['anna']], [['promote', 'anna']], [['grant', 'anna', 'berta']], [['--help']]])(
  '%j is no order',
  (args) => {
    expect(readOrder(args)).toBeUndefined();
  },
);
