import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '@parley/local-stack';
import { openRedis, RedisStore } from './redis.ts';
import { RedisScript } from './redis-script.ts';
import { createTestLog, makeCertificate, msOf, startServer, until } from './test-support.ts';
import type { Certificate, TestServer } from './test-support.ts';

const timeoutMs = 10_000;
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

test('a script runs where Redis knows it, and where it does not any more', async () => {
  const add = new RedisScript('return {KEYS[1], ARGV[1] + ARGV[2]}');
  expect(await store.runScript(add, ['tea'], [1, 2])).toEqual(['tea', 3]);
  expect(await store.runScript(add, ['tea'], [3, 4])).toEqual(['tea', 7]);
  await store.run((redis) => redis.script('FLUSH'));
  const sums = [5, 6].map((value) => store.runScript(add, ['tea'], [value, value]));
  expect(await Promise.all(sums)).toEqual([
    ['tea', 10],
    ['tea', 12],
  ]);
});

test('what is wrong in a script stays as it is: a bug of ours', async () => {
  const broken = new RedisScript("return redis.call('lpush', KEYS[1])");
  await expect(store.runScript(broken, ['tea'], [])).rejects.toThrow('Wrong number of args');
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
  const hastyMs = 1_000;
  await using hasty = await open(hastyMs);
  server.process.signal('SIGSTOP');
  const asked = hasty.ping();
  expect(await msOf(asked)).toBeLessThan(5 * hastyMs);
  await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
  server.process.signal('SIGCONT');
  await until('Redis answers again', () => answers(hasty));
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

describe('a Redis that speaks TLS', () => {
  let folder: string;
  let authority: Certificate;
  let redisUrl: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-redis-tls-'));
    authority = makeCertificate(folder, 'authority');
    const { certificateFile, keyFile } = makeCertificate(folder, 'localhost', authority);
    const port = await freePort();
    const settings = { 'tls-cert-file': certificateFile, 'tls-key-file': keyFile, 'tls-auth-clients': 'no' };
    const words = Object.entries({ ...settings, 'tls-port': port }).flat();
    await until('Redis answers', answers);
    await store.run((redis) => redis.call('CONFIG', 'SET', ...words));
    redisUrl = `rediss://localhost:${port}`;
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('is not believed unless somebody known vouches for it', async () => {
    const { log, lines } = createTestLog();
    await using doubting = new RedisStore({ redisUrl, timeoutMs, log });
    await until('its certificate is refused', () =>
      lines.some(({ err }) => /certificate/.test((err as Error).message)),
    );
    await expect(doubting.ping()).rejects.toMatchObject({ code: 'unavailable' });

    // What NODE_EXTRA_CA_CERTS does at the start of a process.
    const known = getCACertificates('default');
    setDefaultCACertificates([...known, authority.certificate]);
    try {
      await using trusting = await openRedis({ redisUrl, timeoutMs, log: createTestLog().log });
      await trusting.ping();
    } finally {
      setDefaultCACertificates(known);
    }
  });
});

function open(commandTimeoutMs = timeoutMs): Promise<RedisStore> {
  const { log } = createTestLog();
  return openRedis({ redisUrl: server.url, timeoutMs: commandTimeoutMs, log });
}

function answers(asked = store): Promise<boolean> {
  return asked.ping().then(
    () => true,
    () => false,
  );
}
