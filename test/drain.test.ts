import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { moveAll } from '../bench/src/moving.ts';

/** `npm run bench -- drain` does it with a thousand. */
const connections = 200;

let parley: Parley;
beforeAll(async () => {
  parley = await startParley({ gateways: 2, environment: { DRAIN_MS: '4000' } });
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

test('a gateway is replaced under load: all are told, one after the other, go on elsewhere, lose nothing and get nothing twice', async () => {
  const result = await moveAll(parley.stack, {
    connections,
    rooms: 20,
    perSecond: 200,
    talkMs: 1_000,
    abort: new AbortController().signal,
  });
  expect([...result.reasons]).toEqual([['closed with 1001', connections]]);
  // Closings are spread: while some are gone already, others are still served.
  expect(result.servedWhileDraining).toBeGreaterThan(0);
  expect(result.misdelivered).toBe(0);
  expect(result.incomplete).toBe(0);
  expect(result.audit).toMatchObject({ problems: [], refused: 0, unanswered: 0, rooms: 20 });
  expect(result.audit.messages).toBe(result.audit.confirmed);
  expect(result.audit.confirmed).toBeGreaterThan(connections);
});
