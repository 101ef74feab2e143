import { expect, test } from '@jest/globals';
import { Pulse } from './pulse.ts';

test('a pong answers all who wait for one, once', async () => {
  const pulse = new Pulse();
  const answers = [pulse.next(10_000), pulse.next(10_000)];
  expect(pulse.take()).toBe(true);
  expect(await Promise.all(answers)).toEqual([true, true]);
  expect(pulse.take()).toBe(false);
});

test('nobody waits any more for a pong that did not come in time', async () => {
  const pulse = new Pulse();
  expect(await pulse.next(1)).toBe(false);
  expect(pulse.take()).toBe(false);
});

test('a pong after a ping was asked for, however many pings went before', () => {
  const pulse = new Pulse();
  pulse.missed = 2;
  expect(pulse.take()).toBe(true);
  expect(pulse.missed).toBe(0);
  expect(pulse.take()).toBe(false);
});
