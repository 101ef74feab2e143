import { expect, test } from '@jest/globals';
import { ParleyError } from '@parley/protocol';
import { ClientRates } from './rate-limits.ts';

const rate = { perSecond: 10, burst: 2 };

test('each client has its own rate, and is told how long to wait', () => {
  const rates = new ClientRates(rate);
  rates.admit('alice', 0);
  rates.admit('alice', 0);
  expect(() => {
    rates.admit('alice', 0);
  }).toThrow(expect.objectContaining({ code: 'rate_limited', details: { retryAfterMs: 100 } }));
  rates.admit('bob', 0);
  rates.admit('alice', 100);
});

test('without a rate everybody may come as often as they like', () => {
  const rates = new ClientRates(undefined);
  for (let n = 0; n < 1_000; n += 1) rates.admit('alice', 0);
});

test('who was not seen for longest is forgotten when there are too many', () => {
  const rates = new ClientRates({ perSecond: 1, burst: 1 }, 2);
  rates.admit('alice', 0);
  rates.admit('bob', 0);
  expect(() => {
    rates.admit('alice', 0);
  }).toThrow(ParleyError);
  rates.admit('carol', 0); // bob has to go
  rates.admit('bob', 0); // alice has to go
  expect(() => {
    rates.admit('carol', 0);
  }).toThrow(ParleyError);
});
