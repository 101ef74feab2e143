import { headers as createHeaders } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { commitSends, createId, maxSendsPerRequest, method, ParleyError, subjects } from '@parley/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Type } from '@parley/schema';
import { endpoint, openBus } from './bus.ts';
import type { Bus, Endpoint } from './bus.ts';
import { createContext } from './context.ts';
import type { RequestContext } from './context.ts';
import { createTestLog, startServer } from './test-support.ts';
import type { TestServer } from './test-support.ts';

const double = method('rooms.double', {
  request: Type.Object({ number: Type.Integer({ minimum: 0 }), text: Type.Optional(Type.String()) }),
  reply: Type.Object({ doubled: Type.Integer(), filling: Type.Optional(Type.String()) }),
  errors: ['room_not_found'],
});
const timeoutMs = 20_000;
const { log, lines } = createTestLog();

let server: TestServer;
let bus: Bus;
/** A plain connection, as of somebody with a NATS tool. */
let nats: NatsConnection;
let serving: AsyncDisposable | undefined;

beforeAll(async () => {
  server = await startServer('nats');
  bus = await openBus({ natsUrl: server.url, name: 'parley-test', requestTimeoutMs: timeoutMs, log });
  nats = await connect({ servers: server.url });
});
afterEach(async () => {
  await serving?.[Symbol.asyncDispose]();
});
afterAll(async () => {
  await bus[Symbol.asyncDispose]();
  await nats.close();
  await server[Symbol.asyncDispose]();
});

test('calls made at once share a message, each with its own answer, error and context', async () => {
  const contexts = new Map<number, RequestContext>();
  await serve(
    endpoint(double, async ({ number }, context) => {
      contexts.set(number, context);
      await Promise.resolve();
      if (number === 2) throw new ParleyError('room_not_found', { users: ['Zoë'] }, { message: 'No 2.' });
      if (number === 3) throw new TypeError('a secret');
      return { doubled: 2 * number };
    }),
  );
  using messages = await listen();
  const caller = { userId: createId('user'), name: 'Zoë 😀', connectionId: createId('connection') };
  const asked = [1, 2, 3, -1, 4].map((number) => ({ number, context: createContext(timeoutMs, caller) }));
  const answers = await Promise.allSettled(
    asked.map(({ number, context }) => bus.callTogether(double, { number }, context)),
  );
  expect(answers).toMatchObject([
    { value: { doubled: 2 } },
    { reason: { code: 'room_not_found', message: 'No 2.', details: { users: ['Zoë'] } } },
    { reason: { code: 'internal', details: {} } },
    { reason: { code: 'invalid_field', details: { field: 'number' } } },
    { value: { doubled: 8 } },
  ]);
  expect(answers[3]).toMatchObject({ reason: expect.any(ParleyError) });
  expect(await messages.count()).toBe(1);
  for (const { number, context } of asked.filter(({ number }) => number >= 0)) {
    expect(contexts.get(number)).toEqual(context);
  }
  const logged = lines.find(({ msg }) => msg === 'request failed unexpectedly');
  expect(logged).toMatchObject({ method: 'rooms.double', requestId: asked[2]!.context.requestId });
});

test('a call that is alone is an ordinary one', async () => {
  await serve(endpoint(double, ({ number }) => Promise.resolve({ doubled: 2 * number })));
  using messages = await listen();
  expect(await bus.callTogether(double, { number: 4 }, createContext(timeoutMs))).toEqual({ doubled: 8 });
  expect(messages.texts).toEqual(['{"number":4}']);
});

test('replies that are too much for one message come nevertheless', async () => {
  const filling = 'x'.repeat(300_000);
  await serve(endpoint(double, ({ number }) => Promise.resolve({ doubled: 2 * number, filling })));
  const replies = await Promise.all(
    [1, 2, 3, 4, 5].map((number) => bus.callTogether(double, { number }, createContext(timeoutMs))),
  );
  expect(replies).toEqual([2, 4, 6, 8, 10].map((doubled) => ({ doubled, filling })));
});

test('requests that are too much for one message go in several, each once', async () => {
  const served: number[] = [];
  await serve(
    endpoint(double, ({ number }) => {
      served.push(number);
      return Promise.resolve({ doubled: 2 * number });
    }),
  );
  using messages = await listen();
  const text = 'é'.repeat(100_000);
  const numbers = [1, 2, 3, 4, 5, 6];
  const replies = await Promise.all(
    numbers.map((number) => bus.callTogether(double, { number, text }, createContext(timeoutMs))),
  );
  expect(replies).toEqual(numbers.map((number) => ({ doubled: 2 * number })));
  expect(served.toSorted()).toEqual(numbers);
  expect(await messages.count()).toBe(3);
});

describe('what must not be done twice', () => {
  const maxReplyBytes = 300_100;
  const doubleOnce = method('rooms.double', { ...double, maxReplyBytes: () => maxReplyBytes });

  test('shares a message only as far as all replies are sure to fit, and is asked for once', async () => {
    const served: number[] = [];
    await serve(
      endpoint(doubleOnce, ({ number }) => {
        served.push(number);
        return Promise.resolve({ doubled: 2 * number, filling: 'x'.repeat(100_000) });
      }),
    );
    using messages = await listen();
    const numbers = [1, 2, 3, 4, 5];
    const replies = await Promise.all(
      numbers.map((number) => bus.callTogether(doubleOnce, { number }, createContext(timeoutMs))),
    );
    expect(replies.map(({ doubled }) => doubled)).toEqual([2, 4, 6, 8, 10]);
    expect(served.toSorted()).toEqual(numbers);
    // Two of 300,100 bytes are more than the 512 KiB of a message.
    expect(await messages.count()).toBe(5);
  });

  test('is not done again where its reply is larger than it may be: its caller hears that nobody knows', async () => {
    const small = method('rooms.double', { ...double, maxReplyBytes: () => 100 });
    const served: number[] = [];
    await serve(
      endpoint(small, ({ number }) => {
        served.push(number);
        return Promise.resolve({ doubled: 2 * number, filling: 'x'.repeat(300_000) });
      }),
    );
    const answers = await Promise.allSettled(
      [1, 2, 3].map((number) => bus.callTogether(small, { number }, createContext(timeoutMs))),
    );
    expect(answers).toMatchObject([
      { value: { doubled: 2 } },
      { reason: { code: 'unavailable' } },
      { reason: { code: 'unavailable' } },
    ]);
    expect(served.toSorted()).toEqual([1, 2, 3]);
  });
});

test('the results of a great many sends of one letter are not larger than is said', () => {
  const result = { id: Number.MAX_SAFE_INTEGER, sentAt: new Date(0).toISOString(), repeated: false };
  const sends = Array.from({ length: maxSendsPerRequest }, () => ({ content: 'x' }));
  for (const results of [sends.map(() => result), sends.map(() => ({ error: 'room_not_found' })), [result]]) {
    const request = { roomId: createId('room'), sends: sends.slice(0, results.length) };
    expect(JSON.stringify({ results }).length).toBeLessThanOrEqual(commitSends.maxReplyBytes!(request));
  }
});

test('where nobody answers all of them are unavailable', async () => {
  const calls = [1, 2].map((number) => bus.callTogether(double, { number }, createContext(timeoutMs)));
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'unavailable' });
});

test.each<[string, string]>([
  ['no JSON', '[{'],
  ['none', '[]'],
  ['too many', JSON.stringify(Array.from({ length: 101 }, () => ({ context: {}, request: {} })))],
  ['one without its context', '[{"request":{"number":1}}]'],
])('calls that are %s are refused as a whole', async (_what, text) => {
  await serve(endpoint(double, ({ number }) => Promise.resolve({ doubled: 2 * number })));
  const headers = createHeaders();
  headers.set('Parley-Calls', '2');
  const reply = await nats.request(subjects.method(double), text, { timeout: timeoutMs, headers });
  expect(reply.json()).toMatchObject({ code: expect.stringMatching(/^(invalid|missing)_/) });
});

async function serve(...endpoints: Endpoint[]): Promise<void> {
  serving = await bus.serve('rooms', endpoints);
}

/** Hears the requests beside the service. */
async function listen() {
  const texts: string[] = [];
  const subscription = nats.subscribe(subjects.method(double), {
    callback: (_error, message) => {
      texts.push(message.string());
    },
  });
  await nats.flush();
  return {
    texts,
    count: async () => {
      await nats.flush();
      return texts.length;
    },
    [Symbol.dispose]: () => {
      subscription.unsubscribe();
    },
  };
}
