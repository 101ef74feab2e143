import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startServers } from '@parley/local-stack';
import type { Servers } from '@parley/local-stack';
import { createId } from '@parley/protocol';
import type { UploadId } from '@parley/protocol';
import { createLog } from '@parley/service-kit';
import type { Bus } from '@parley/service-kit';
import { openTestBus, until } from '@parley/test-kit';
import { MissingChunkError, openChunkStore } from './chunk-store.ts';
import type { ChunkStore } from './chunk-store.ts';

const opened = new AsyncDisposableStack();
const mebibyte = 2 ** 20;
let dataDir: string;
let servers: Servers;
let bus: Bus;
let store: ChunkStore;

beforeAll(async () => {
  dataDir = opened.adopt(await mkdtemp(join(tmpdir(), 'parley-chunks-')), (folder) =>
    rm(folder, { recursive: true, force: true }),
  );
  const given = { redisUrl: 'none:', databaseUrl: 'none:' };
  servers = opened.use(await startServers({ dataDir, given }));
  bus = opened.use(await openTestBus(servers.addresses.natsUrl));
  store = await openStore(64 * mebibyte);
});
afterAll(() => opened.disposeAsync());

function openStore(maxBytes: number): Promise<ChunkStore> {
  const log = createLog('test', 'silent');
  return openChunkStore(bus, { maxBytes, keepMs: 3_600_000, replicas: 1, timeoutMs: 5_000, log });
}

/** @param withinMs Time enough for thousands at once, unless told otherwise. */
function put(uploadId: UploadId, sequence: number, text: string, withinMs = 60_000): Promise<void> {
  return store.put(uploadId, sequence, Buffer.from(text), Date.now() + withinMs);
}

async function readAll(uploadId: UploadId, first: number, count: number): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of store.read(uploadId, first, count)) chunks.push(Buffer.from(chunk).toString());
  return chunks;
}

async function listAll(uploadId: UploadId): Promise<number[]> {
  const sequences: number[] = [];
  await store.list(uploadId, Infinity, (sequence) => {
    sequences.push(sequence);
  });
  return sequences.sort((a, b) => a - b);
}

test('chunks are read in the order of their numbers, each as it came last', async () => {
  const uploadId = createId('upload');
  for (const sequence of [3, 1, 2]) await put(uploadId, sequence, `former ${sequence}`);
  for (const sequence of [2, 3]) await put(uploadId, sequence, `last ${sequence}`);
  expect(await readAll(uploadId, 1, 3)).toEqual(['former 1', 'last 2', 'last 3']);
  expect(await store.count(uploadId)).toBe(3);
  expect(await listAll(uploadId)).toEqual([1, 2, 3]);
});

test('an empty chunk is one', async () => {
  const uploadId = createId('upload');
  await put(uploadId, 1, '');
  expect(await readAll(uploadId, 1, 1)).toEqual(['']);
  expect(await store.count(uploadId)).toBe(1);
});

test('a chunk that is not there is told when its turn comes, and nothing else breaks of it', async () => {
  const uploadId = createId('upload');
  await put(uploadId, 1, 'one');
  await expect(readAll(uploadId, 1, 200)).rejects.toBeInstanceOf(MissingChunkError);
  expect(await readAll(uploadId, 1, 1)).toEqual(['one']);
});

test('chunks are removed with their upload, and no others', async () => {
  const [gone, other] = [createId('upload'), createId('upload')];
  for (const uploadId of [gone, other]) for (const sequence of [1, 2]) await put(uploadId, sequence, 'here');
  await store.purge(gone);
  expect([await listAll(gone), await listAll(other)]).toEqual([[], [1, 2]]);
});

test('thousands of chunks are listed', async () => {
  const uploadId = createId('upload');
  const sequences = Array.from({ length: 12_345 }, (_, index) => index);
  await Promise.all(sequences.map((sequence) => put(uploadId, sequence, '')));
  expect(await listAll(uploadId)).toEqual(sequences);
});

test('a full store refuses what is new, and drops nothing', async () => {
  const uploadId = createId('upload');
  const chunk = 'x'.repeat(mebibyte / 2);
  let stored = 0;
  const fill = async (): Promise<never> => {
    for (;;) {
      await put(uploadId, stored + 1, chunk);
      stored += 1;
    }
  };
  await expect(fill()).rejects.toMatchObject({ code: 'rate_limited' });
  expect(stored).toBeGreaterThan(100);
  expect(await store.count(uploadId)).toBe(stored);
  await put(uploadId, 1, 'replaced');
  expect((await readAll(uploadId, 1, 2))[0]).toBe('replaced');
  await store.purge(uploadId);
});

test('chunks are there after NATS was killed, and a store with other bounds takes them over', async () => {
  const uploadId = createId('upload');
  await put(uploadId, 1, 'one');
  await servers.nats!.kill();
  await servers.nats!.ready();
  await until('NATS is back', () =>
    store.ping().then(
      () => true,
      () => false,
    ),
  );
  store = await openStore(128 * mebibyte);
  expect(store.capacityBytes).toBe(128 * mebibyte);
  expect(await readAll(uploadId, 1, 1)).toEqual(['one']);
});

test('a store that the disk has no room for is made smaller', async () => {
  const huge = await openStore(2 ** 56);
  expect(huge.capacityBytes).toBeGreaterThan(64 * mebibyte);
  expect(huge.capacityBytes).toBeLessThan(2 ** 56);
  // It has the space that a second one like it would need.
  const again = await openStore(huge.capacityBytes);
  expect(again.capacityBytes).toBe(huge.capacityBytes);
  await openStore(64 * mebibyte);
});

test('a NATS that lost its data gets its stream again', async () => {
  await servers.nats!.stop();
  await rm(join(dataDir, 'nats'), { recursive: true });
  await servers.nats!.start();
  await servers.nats!.ready();
  const uploadId = createId('upload');
  await until('chunks are stored again', () =>
    put(uploadId, 1, 'one', 1_000).then(
      () => true,
      () => false,
    ),
  );
  expect(await readAll(uploadId, 1, 1)).toEqual(['one']);
});
