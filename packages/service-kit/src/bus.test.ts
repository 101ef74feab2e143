import { setTimeout as delay } from 'node:timers/promises';
import { headers as createHeaders } from '@nats-io/nats-core';
import { ServiceError, Svcm } from '@nats-io/services';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { createId, method, ParleyError, subjects, UserName } from '@parley/protocol';
import type { Caller, SessionId } from '@parley/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Type } from '@parley/schema';
import { endpoint, endpointWithBytes, openBus } from './bus.ts';
import type { Bus, Endpoint } from './bus.ts';
import { callerOf, contextInHand, createContext } from './context.ts';
import type { RequestContext } from './context.ts';
import { noBytes } from './payload.ts';
import { createTestLog, msOf, startServer, until } from './test-support.ts';
import type { TestServer } from './test-support.ts';

const greet = method('rooms.greet', {
  request: Type.Object({ name: UserName, cups: Type.Optional(Type.Integer({ minimum: 1 })) }),
  reply: Type.Object({ greeting: Type.String() }),
  errors: ['user_not_found'],
});
const brew = method('messages.brew', { request: Type.Object({}), reply: Type.Object({}) });
const probe = method('gateway.probe', {
  request: Type.Object({}),
  reply: Type.Object({ by: Type.String() }),
});

const hello = { greeting: 'hello' };
const requestTimeoutMs = 20_000;
const { log, lines } = createTestLog();

let server: TestServer;
let bus: Bus;
/** A plain connection, as of somebody with a NATS tool. */
let nats: NatsConnection;
const serving: AsyncDisposable[] = [];

beforeAll(async () => {
  server = await startServer('nats');
  bus = await open();
  nats = await connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
});
afterEach(async () => {
  for (const each of serving.splice(0)) await each[Symbol.asyncDispose]();
});
afterAll(async () => {
  await bus[Symbol.asyncDispose]();
  await nats.close();
  await server[Symbol.asyncDispose]();
});

describe('a call', () => {
  test('is answered by whoever serves the method, in any text', async () => {
    await serve(endpoint(greet, ({ name }) => Promise.resolve({ greeting: `hello ${name}` })));
    expect(await bus.call(greet, { name: 'Zoë 😀' })).toEqual({ greeting: 'hello Zoë 😀' });
  });

  test('that nobody serves is unavailable at once', async () => {
    const call = bus.call(greet, { name: 'anna' });
    expect(await msOf(call)).toBeLessThan(requestTimeoutMs / 3);
    await expect(call).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('is answered with the error of the service: its code, its message and its details', async () => {
    await serve(
      endpoint(greet, () => {
        throw new ParleyError('user_not_found', { users: ['Zoë'], field: 'name' }, { message: 'No Zoë.' });
      }),
    );
    const error = await failureOf(bus.call(greet, { name: 'anna' }));
    expect(error).toMatchObject({
      code: 'user_not_found',
      message: 'No Zoë.',
      details: { users: ['Zoë'], field: 'name' },
    });
  });

  test('to one gateway reaches that one only', async () => {
    const [one, other] = [createId('gateway'), createId('gateway')];
    for (const gatewayId of [one, other]) {
      const answer = endpoint(probe, () => Promise.resolve({ by: gatewayId }));
      serving.push(await bus.serve('gateway', [answer], gatewayId));
    }
    const context = createContext(requestTimeoutMs);
    expect(await bus.call(probe, {}, context, other)).toEqual({ by: other });
    expect(await bus.call(probe, {}, context, one)).toEqual({ by: one });
    const gone = bus.call(probe, {}, context, createId('gateway'));
    await expect(gone).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('of a megabyte and more is an error, and the bus goes on', async () => {
    await serve(
      endpoint(greet, ({ name }) => Promise.resolve({ greeting: name === 'big' ? 'a'.repeat(2 ** 21) : '' })),
    );
    const tooBig = bus.call(greet, { name: 'a'.repeat(2 ** 21) });
    await expect(tooBig).rejects.toMatchObject({ code: 'internal' });
    await expect(bus.call(greet, { name: 'big' })).rejects.toMatchObject({ code: 'internal' });
    expect(await bus.call(greet, { name: 'small' })).toEqual({ greeting: '' });
  });
});

describe('bytes', () => {
  const exchange = method('files.exchange', {
    request: Type.Object({ text: Type.String() }),
    reply: Type.Object({ text: Type.String() }),
  });
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);

  test('go along with a request and come back with its reply, as they are', async () => {
    await serve(
      endpointWithBytes(exchange, ({ text }, _context, bytes) =>
        Promise.resolve({ reply: { text: `${text} ${bytes.length}` }, bytes: bytes.toReversed() }),
      ),
    );
    const { reply, bytes } = await bus.callWithBytes(exchange, { text: 'Zoë }😀{' }, all);
    expect(reply).toEqual({ text: 'Zoë }😀{ 256' });
    expect([...bytes]).toEqual([...all].reverse());
  });

  test('may be missing, both ways', async () => {
    await serve(
      endpointWithBytes(exchange, ({ text }, _context, bytes) =>
        Promise.resolve({ reply: { text }, bytes: text === 'give' ? all : bytes }),
      ),
    );
    const [given, none] = [{ text: 'give' }, { text: 'none' }];
    expect((await bus.callWithBytes(exchange, given, noBytes)).bytes).toHaveLength(256);
    expect((await bus.callWithBytes(exchange, none, noBytes)).bytes).toHaveLength(0);
    expect(await bus.call(exchange, none)).toEqual(none);
    const reply = await nats.request(subjects.method(exchange), JSON.stringify(none), {
      timeout: requestTimeoutMs,
    });
    expect(reply.json()).toEqual(none);
  });

  test.each(['3000', '-1', 'many'])(
    'that are not as many as the header says (%s) are invalid_json',
    async (count) => {
      await serve(
        endpointWithBytes(exchange, (_request, _context, bytes) =>
          Promise.resolve({ reply: { text: '' }, bytes }),
        ),
      );
      const headers = createHeaders();
      headers.set('Parley-Bytes', count);
      const reply = await nats.request(subjects.method(exchange), '{"text":""}abc', {
        timeout: requestTimeoutMs,
        headers,
      });
      expect(reply.json()).toMatchObject({ code: 'invalid_json' });
    },
  );
});

describe('what a service throws by mistake', () => {
  const secret = 'password123 is not a function';

  test.each<[string, () => Promise<never>]>([
    [
      'at once',
      () => {
        throw new TypeError(secret);
      },
    ],
    [
      'after an await',
      async () => {
        await delay(1);
        throw new TypeError(secret);
      },
    ],
  ])('%s is internal: logged here, and nothing of it leaves the process', async (_when, fail) => {
    await serve(endpoint(greet, fail));
    lines.splice(0);
    const context = createContext(requestTimeoutMs);
    const error = await failureOf(bus.call(greet, { name: 'anna' }, context));
    expect(error).toMatchObject({ code: 'internal', details: {} });
    expect(error.message).not.toContain('password');

    const reply = await nats.request(subjects.method(greet), '{"name":"anna"}', {
      timeout: requestTimeoutMs,
    });
    const told = [...(reply.headers ?? [])].join() + reply.string();
    expect(told).toContain('internal');
    expect(told).not.toContain('password');
    expect(lines).toContainEqual(
      expect.objectContaining({
        msg: 'request failed unexpectedly',
        method: 'rooms.greet',
        requestId: context.requestId,
        err: expect.objectContaining({ message: secret }),
      }),
    );
  });

  test('does not stop it from answering others', async () => {
    await serve(
      endpoint(greet, ({ name }) => (name === 'anna' ? Promise.resolve(hello) : Promise.reject(new Error()))),
    );
    await expect(bus.call(greet, { name: 'bob' })).rejects.toMatchObject({ code: 'internal' });
    expect(await bus.call(greet, { name: 'anna' })).toEqual(hello);
  });
});

describe('a request that is not as the method says', () => {
  test.each([
    ['not JSON', '{', 'invalid_json', {}],
    ['empty', '', 'invalid_json', {}],
    ['no object', '7', 'invalid_field', {}],
    ['without a field', '{}', 'missing_field', { field: 'name' }],
    ['with a wrong field', '{"name":7}', 'invalid_field', { field: 'name' }],
    ['with a name not in its stored form', '{"name":" anna"}', 'invalid_field', { field: 'name' }],
    ['with a number out of bounds', '{"name":"anna","cups":0}', 'invalid_field', { field: 'cups' }],
  ])('as it is %s, is refused and not begun', async (_what, payload, code, details) => {
    let begun = 0;
    await serve(endpoint(greet, () => Promise.resolve(((begun += 1), hello))));
    const reply = await nats.request(subjects.method(greet), payload, { timeout: requestTimeoutMs });
    expect(ServiceError.toServiceError(reply)).toMatchObject({ message: code });
    expect(reply.json()).toMatchObject({ code, details });
    expect(begun).toBe(0);
  });

  test('is refused to a caller of ours too', async () => {
    await serve(endpoint(greet, () => Promise.resolve(hello)));
    const error = await failureOf(bus.call(greet, { name: '' }));
    expect(error).toMatchObject({ code: 'invalid_field', details: { field: 'name' } });
  });
});

describe('the deadline', () => {
  test('travels with the request', async () => {
    const seen = await contextsSeen();
    const context = createContext(1_234_567);
    await bus.call(greet, { name: 'anna' }, context);
    expect(seen[0]?.deadline).toBe(context.deadline);
  });

  test('ends the waiting: unavailable then, and not much later', async () => {
    const release = Promise.withResolvers<typeof hello>();
    await serve(endpoint(greet, () => release.promise));
    const start = performance.now();
    const call = bus.call(greet, { name: 'anna' }, createContext(300));
    await expect(call).rejects.toMatchObject({ code: 'unavailable' });
    const ms = performance.now() - start;
    expect(ms).toBeGreaterThan(250);
    expect(ms).toBeLessThan(requestTimeoutMs);
    release.resolve(hello);
  });

  test('once past, nothing is asked any more', async () => {
    const seen = await contextsSeen();
    await expect(bus.call(greet, { name: 'anna' }, createContext(-1))).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(seen).toEqual([]);
  });

  test('once past, what arrives late is not begun', async () => {
    const seen = await contextsSeen();
    const headers = createHeaders();
    headers.set('Parley-Deadline', String(Date.now() - 1));
    const reply = await nats.request(subjects.method(greet), '{"name":"anna"}', {
      headers,
      timeout: requestTimeoutMs,
    });
    expect(reply.json()).toMatchObject({ code: 'unavailable' });
    expect(seen).toEqual([]);
  });

  test('is set here for a request that brings none', async () => {
    const seen = await contextsSeen();
    const before = Date.now();
    await nats.request(subjects.method(greet), '{"name":"anna"}', { timeout: requestTimeoutMs });
    expect(seen[0]?.deadline).toBeGreaterThanOrEqual(before + requestTimeoutMs);
    expect(seen[0]?.deadline).toBeLessThanOrEqual(Date.now() + requestTimeoutMs);
  });
});

describe('the context', () => {
  const caller: Caller = {
    userId: createId('user'),
    name: 'Zoë 😀 "\u2028%',
    sessionId: 'a'.repeat(64) as SessionId,
    connectionId: createId('connection'),
  };

  test('brings the caller, whatever its name', async () => {
    const seen = await contextsSeen();
    await bus.call(greet, { name: 'anna' }, createContext(requestTimeoutMs, caller));
    expect(seen[0]?.caller).toEqual(caller);
    expect(callerOf(seen[0]!)).toEqual(caller);
  });

  test('has no caller where services ask for themselves', async () => {
    const seen = await contextsSeen();
    await bus.call(greet, { name: 'anna' });
    expect(seen[0]?.caller).toBeUndefined();
    expect(() => callerOf(seen[0]!)).toThrow(expect.objectContaining({ code: 'not_authenticated' }));
  });

  test('goes on from one service to the next as it came', async () => {
    let last: RequestContext | undefined;
    await serve(
      endpoint(brew, (_request, context) => {
        last = context;
        return Promise.resolve({});
      }),
    );
    await serve(
      endpoint(greet, async () => {
        await delay(1);
        await bus.call(brew, {});
        return hello;
      }),
    );
    const context = createContext(requestTimeoutMs, caller);
    await bus.call(greet, { name: 'anna' }, context);
    expect(last).toEqual(context);
  });

  test('is of each request alone, however many are in hand', async () => {
    await serve(
      endpoint(greet, async ({ name }) => {
        await delay(Number(name) % 7);
        return { greeting: contextInHand(requestTimeoutMs).requestId };
      }),
    );
    const calls = Array.from({ length: 50 }, async (_, index) => {
      const context = createContext(requestTimeoutMs);
      const { greeting } = await bus.call(greet, { name: String(index) }, context);
      expect(greeting).toBe(context.requestId);
    });
    await Promise.all(calls);
  });

  test('begins anew where nobody asked', () => {
    const [first, second] = [contextInHand(1_000), contextInHand(1_000)];
    expect(first.requestId).toMatch(/^[0-9a-f]{32}$/);
    expect(first.requestId).not.toBe(second.requestId);
    expect(first.caller).toBeUndefined();
  });

  test('says nothing of traces where none are made, and passes on what it was told of one', async () => {
    const seen: (string | undefined)[] = [];
    const subscription = nats.subscribe(subjects.method(greet), {
      callback: (_error, message) => {
        seen.push(message.headers?.get('traceparent') || undefined);
        message.respond(JSON.stringify(hello));
      },
    });
    await nats.flush();
    const traceparent = `00-${'4b'.repeat(16)}-${'0a'.repeat(8)}-01`;
    await bus.call(greet, { name: 'anna' });
    await bus.callTogether(greet, { name: 'anna' }, createContext(requestTimeoutMs));
    await bus.call(greet, { name: 'anna' }, createContext(requestTimeoutMs, caller, traceparent));
    subscription.unsubscribe();
    expect(seen).toEqual([undefined, undefined, traceparent]);
  });

  test('that makes no sense is an error of that request only', async () => {
    await serve(endpoint(greet, () => Promise.resolve(hello)));
    for (const forged of ['%', 'nonsense', encodeURIComponent('{"name":"anna"}')]) {
      const headers = createHeaders();
      headers.set('Parley-Caller', forged);
      const reply = await nats.request(subjects.method(greet), '{"name":"anna"}', {
        headers,
        timeout: requestTimeoutMs,
      });
      expect(ServiceError.toServiceError(reply)?.code).toBe(400);
    }
    expect(await bus.call(greet, { name: 'anna' })).toEqual(hello);
  });
});

describe('those who serve', () => {
  test('the same service share its requests, each being answered once', async () => {
    await using second = await open();
    const answered = { first: 0, second: 0 };
    const count = (who: keyof typeof answered) =>
      endpoint(greet, () => Promise.resolve(((answered[who] += 1), hello)));
    await serve(count('first'));
    await second.serve('rooms', [count('second')]);
    await Promise.all(Array.from({ length: 100 }, () => bus.call(greet, { name: 'anna' })));
    expect(answered.first + answered.second).toBe(100);
    expect(answered.first).toBeGreaterThan(0);
    expect(answered.second).toBeGreaterThan(0);
  });

  test('and stop, first finish what they have in hand', async () => {
    const release = Promise.withResolvers<typeof hello>();
    let begun = 0;
    const served = await bus.serve('rooms', [endpoint(greet, () => ((begun += 1), release.promise))]);
    const call = bus.call(greet, { name: 'anna' });
    await until('the request is in hand', () => begun === 1);
    let closed = false;
    const closing = Promise.resolve(served[Symbol.asyncDispose]()).then(() => (closed = true));
    await until('nobody new is served', async () => {
      const { code } = await failureOf(bus.call(greet, { name: 'bob' }, createContext(200)));
      return code === 'unavailable' && begun === 1;
    });
    expect(closed).toBe(false);
    release.resolve(hello);
    expect(await call).toEqual(hello);
    await closing;
  });

  test('and stop under load lose nothing, as another takes over', async () => {
    await using second = await open();
    const slowly = endpoint(greet, () => delay(5, hello));
    const first = await bus.serve('rooms', [slowly]);
    await second.serve('rooms', [slowly]);
    const calls = Array.from({ length: 200 }, () => bus.call(greet, { name: 'anna' }));
    await first[Symbol.asyncDispose]();
    expect(await Promise.all(calls)).toHaveLength(200);
  });

  test('are found by the tools of NATS', async () => {
    await serve(endpoint(greet, () => Promise.resolve(hello)));
    const client = new Svcm(nats).client({ strategy: 'stall', maxWait: 10_000 });
    const pings = await all(await client.ping('rooms'));
    expect(pings).toMatchObject([{ name: 'rooms', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) }]);
    const [info] = await all(await client.info('rooms'));
    expect(info?.endpoints).toMatchObject([
      { name: 'greet', subject: 'parley.rpc.rooms.greet', queue_group: 'rooms' },
    ]);
  });
});

describe('an event', () => {
  test('is heard by everyone who listens, in the order of its publisher', async () => {
    await using second = await open();
    const heard: unknown[][] = [[], []];
    const subscriptions = [bus, second].map((each, index) =>
      each.subscribe('parley.event.test.*', (event, subject) => heard[index]!.push([subject, event])),
    );
    await Promise.all([bus.flush(), second.flush()]);
    for (let number = 0; number < 100; number += 1) bus.publish('parley.event.test.a', { number });
    await until('both have heard all', () => heard.every(({ length }) => length === 100));
    const expected = Array.from({ length: 100 }, (_, number) => ['parley.event.test.a', { number }]);
    expect(heard).toEqual([expected, expected]);

    for (const subscription of subscriptions) subscription.unsubscribe();
    bus.publish('parley.event.test.a', { number: 100 });
    await Promise.all([bus.flush(), second.flush()]);
    expect(heard[0]).toHaveLength(100);
  });
});

describe('while NATS is away', () => {
  test('calls are unavailable; when it is back everything works again and listeners are told', async () => {
    const never = Promise.withResolvers<typeof hello>();
    await serve(endpoint(greet, ({ name }) => (name === 'slow' ? never.promise : Promise.resolve(hello))));
    const heard: unknown[] = [];
    bus.subscribe('parley.event.test', (event) => heard.push(event));
    let reconnects = 0;
    bus.onReconnect(() => (reconnects += 1));

    const inHand = failureOf(bus.call(greet, { name: 'slow' }, createContext(2_000)));
    await bus.flush();
    await server.process.stop();
    expect(await inHand).toMatchObject({ code: 'unavailable' });

    await until('the connection is known to be lost', async () => {
      return bus.flush().then(
        () => false,
        () => true,
      );
    });
    const call = bus.call(greet, { name: 'anna' });
    expect(await msOf(call)).toBeLessThan(requestTimeoutMs / 3);
    await expect(call).rejects.toMatchObject({ code: 'unavailable' });
    await expect(bus.flush()).rejects.toMatchObject({ code: 'unavailable' });
    expect(reconnects).toBe(0);

    await server.process.start();
    await until('listeners are told', () => reconnects === 1);
    await bus.flush();
    expect(await bus.call(greet, { name: 'anna' })).toEqual(hello);
    bus.publish('parley.event.test', { after: true });
    await until('events are heard again', () => heard.length === 1);
    never.resolve(hello);
  });

  test('a killed NATS is got over too', async () => {
    await serve(endpoint(greet, () => Promise.resolve(hello)));
    await server.process.kill();
    await server.process.ready();
    await until('calls work again', () =>
      bus.call(greet, { name: 'anna' }, createContext(500)).then(
        () => true,
        () => false,
      ),
    );
  });

  test('who opens the bus waits for it', async () => {
    await server.process.stop();
    let opened = false;
    const opening = open().finally(() => (opened = true));
    await until('the connection is known to be lost', () =>
      bus.flush().then(
        () => false,
        () => true,
      ),
    );
    expect(opened).toBe(false);
    await server.process.start();
    await using late = await opening;
    await late.flush();
    await until('calls work again', () =>
      bus.flush().then(
        () => true,
        () => false,
      ),
    );
  });
});

test('a closed bus is closed once, refuses calls and publishes nothing', async () => {
  const closed = await open();
  await closed[Symbol.asyncDispose]();
  await closed[Symbol.asyncDispose]();
  await expect(closed.call(greet, { name: 'anna' })).rejects.toMatchObject({ code: 'unavailable' });
  closed.publish('parley.event.test', {});
});

function open(): Promise<Bus> {
  return openBus({ natsUrl: server.url, name: 'parley-test', requestTimeoutMs, log });
}

/** Serves until the test ends. */
async function serve(...endpoints: Endpoint[]): Promise<void> {
  serving.push(await bus.serve(endpoints[0]!.method.service, endpoints));
}

/** Serves `greet`, and tells in what contexts it was asked. */
async function contextsSeen(): Promise<RequestContext[]> {
  const seen: RequestContext[] = [];
  await serve(
    endpoint(greet, (_request, context) => {
      seen.push(context);
      return Promise.resolve(hello);
    }),
  );
  return seen;
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function failureOf(call: Promise<unknown>): Promise<ParleyError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ParleyError);
  return error as ParleyError;
}
