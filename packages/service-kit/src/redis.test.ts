import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openRedis } from './redis.ts';
import type { RedisStore } from './redis.ts';
import { createTestLog, msOf, startServer, until } from './test-support.ts';
import type { TestServer } from './test-support.ts';

const timeoutMs = 1_000;
let server: TestServer;
let store: RedisStore;

beforeAll(async () => {
  server = await startServer('redis');
  store = await open();
});
afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

test('commands are run and answered', async () => {
  await store.run((redis) => redis.set('tea', 'Assam'));
  expect(await store.run((redis) => redis.get('tea'))).toBe('Assam');
});

test('what Redis refuses stays as it is: a bug of ours', async () => {
  await store.run((redis) => redis.set('text', 'not a list'));
  await expect(store.run((redis) => redis.lpush('text', 'a'))).rejects.toThrow('WRONGTYPE');
});

test('closing twice is closing once, and works while Redis is away', async () => {
  const closed = await open();
  await closed[Symbol.asyncDispose]();
  await closed[Symbol.asyncDispose]();
  await expect(closed.ping()).rejects.toMatchObject({ code: 'unavailable' });

  const orphaned = await open();
  await server.process.stop();
  await orphaned[Symbol.asyncDispose]();
  await server.process.start();
  await server.process.ready();
  await until('Redis answers again', answers);
});

test('while Redis is away commands fail at once, and work again once it is back', async () => {
  await server.process.stop();
  await until('the connection is known to be lost', async () => !(await answers()));
  const away = store.run((redis) => redis.get('tea'));
  expect(await msOf(away)).toBeLessThan(timeoutMs / 2);
  await expect(away).rejects.toMatchObject({ code: 'unavailable' });
  await expect(store.ping()).rejects.toMatchObject({ code: 'unavailable' });

  await server.process.start();
  await server.process.ready();
  await until('Redis answers again', answers);
});

test('a command under way when Redis dies is unavailable: it may have been done or not', async () => {
  const blocked = store.run((redis) => redis.blpop('nobody pushes here', 0));
  const failed = expect(blocked).rejects.toMatchObject({ code: 'unavailable' });
  await server.process.kill();
  await failed;
  await server.process.ready();
  await until('Redis answers again', answers);
});

test('a frozen Redis is unavailable after the timeout', async () => {
  server.process.signal('SIGSTOP');
  const asked = store.ping();
  expect(await msOf(asked)).toBeLessThan(timeoutMs + 1_000);
  await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
  server.process.signal('SIGCONT');
  await until('Redis answers again', answers);
});

test('who opens Redis before it is there waits for it', async () => {
  await server.process.stop();
  let opened = false;
  const opening = open().finally(() => (opened = true));
  await until('the connection is known to be lost', async () => !(await answers()));
  expect(opened).toBe(false);
  await server.process.start();
  await using late = await opening;
  await late.ping();
});

function open(): Promise<RedisStore> {
  return openRedis({ redisUrl: server.url, timeoutMs, log: createTestLog().log });
}

function answers(): Promise<boolean> {
  return store.ping().then(
    () => true,
    () => false,
  );
}
