import { Svcm } from '@nats-io/services';
import { createId, method, ParleyError } from '@parley/protocol';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Type } from '@parley/schema';
import { endpoint, openBus } from './bus.ts';
import type { Bus } from './bus.ts';
import { discoverServices } from './discovery.ts';
import { createTestLog, startServer } from './test-support.ts';

const brew = method('messages.brew', {
  request: Type.Object({ cups: Type.Integer() }),
  reply: Type.Object({}),
  errors: ['forbidden'],
});
const probe = method('gateway.probe', { request: Type.Object({}), reply: Type.Object({}) });

const maxWaitMs = 5_000;
const opened = new AsyncDisposableStack();
let bus: Bus;

beforeAll(async () => {
  const { url: natsUrl } = opened.use(await startServer('nats'));
  bus = opened.use(
    await openBus({ natsUrl, name: 'test', requestTimeoutMs: 5_000, log: createTestLog().log }),
  );
});
afterAll(() => opened.disposeAsync());

test('where nobody serves anything nobody is found', async () => {
  expect(await discoverServices(bus.connection, maxWaitMs)).toEqual([]);
});

test('every instance is found with what became of its requests: refusals are answers, what is our fault is an error', async () => {
  const gatewayId = createId('gateway');
  const brewing = endpoint(brew, ({ cups }) => {
    if (cups > 10) throw new ParleyError('forbidden');
    if (cups < 0) throw new Error('unforeseen');
    return Promise.resolve({});
  });
  await using served = new AsyncDisposableStack();
  served.use(await bus.serve('messages', [brewing]));
  served.use(await bus.serve('gateway', [endpoint(probe, () => Promise.resolve({}))], gatewayId));
  await Promise.allSettled([1, 2, 11, -1].map((cups) => bus.call(brew, { cups })));

  const found = await discoverServices(bus.connection, maxWaitMs);
  expect(found).toEqual([
    {
      service: 'gateway',
      id: expect.any(String),
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      startedAt: expect.any(Date),
      gatewayId,
      stats: { answered: 0, errors: 0, totalMs: 0 },
    },
    expect.objectContaining({
      service: 'messages',
      gatewayId: undefined,
      stats: { answered: 4, errors: 1, totalMs: expect.any(Number) },
    }),
  ]);
  expect(found[1]!.stats.totalMs).toBeGreaterThan(0);
});

test('two instances of a service are two; services of others on the same server are none of ours', async () => {
  await using served = new AsyncDisposableStack();
  const brewing = endpoint(brew, () => Promise.resolve({}));
  for (let count = 0; count < 2; count += 1) served.use(await bus.serve('messages', [brewing]));
  const foreign = await new Svcm(bus.connection).add({ name: 'weather', version: '1.0.0' });
  foreign.addEndpoint('forecast', { subject: 'weather.forecast', handler: () => undefined });
  served.defer(async () => {
    await foreign.stop();
  });
  const found = await discoverServices(bus.connection, maxWaitMs);
  expect(found.map(({ service }) => service)).toEqual(['messages', 'messages']);
  expect(new Set(found.map(({ id }) => id)).size).toBe(2);
});
