import { expect, test } from '@jest/globals';
import { AddressCounts } from './address-counts.ts';

test('each address has a count of its own, which goes down again', () => {
  const counts = new AddressCounts();
  for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.2']) counts.add(address);
  counts.remove('192.0.2.1');
  expect([counts.of('192.0.2.1'), counts.of('192.0.2.2'), counts.of('192.0.2.3')]).toEqual([1, 1, 0]);
  counts.remove('192.0.2.1');
  expect(counts.of('192.0.2.1')).toBe(0);
});
