import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { finishUpload, ParleyError, readHistory } from '@parley/protocol';
import type { RoomId } from '@parley/protocol';
import { contextOf, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { chunksOf, clientOf, sha256, someone } from './testing.ts';
import type { FilesClient } from './testing.ts';

const opened = new AsyncDisposableStack();
let dataDir: string;
let parley: Parley;
let client: FilesClient;
/** What is asked of a process that dies is not answered: so long each time, in ms. */
const hastyMs = 1_500;
let hasty: FilesClient;
const anna = someone('anna');
let roomId: RoomId;

beforeAll(async () => {
  dataDir = opened.adopt(await mkdtemp(join(tmpdir(), 'parley-files-')), (folder) =>
    rm(folder, { recursive: true, force: true }),
  );
  const environment = { SWEEP_EVERY_MS: '200' };
  parley = opened.use(await startParley({ dataDir, gateways: 0, instances: 2, environment }));
  client = clientOf(parley, 30_000);
  hasty = clientOf(parley, hastyMs);
  roomId = await client.openRoom(anna);
});
afterAll(() => opened.disposeAsync());

/** As a client does: again, after an answer that was lost. */
async function patiently<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  let result: { value: Result } | undefined;
  await until(what, async () => {
    try {
      result = { value: await work() };
    } catch (error) {
      if (ParleyError.from(error).code !== 'unavailable') throw error;
    }
    return result !== undefined;
  });
  return result!.value;
}

async function countAnnounced(name: string): Promise<number> {
  const request = { roomId, limit: 1_000 };
  const { messages } = await parley.bus.call(readHistory, request, contextOf(anna));
  return messages.filter(({ file }) => file?.name === name).length;
}

/** Sends what the service says that it has not got. */
async function resume(name: string, chunks: readonly Uint8Array[]): Promise<number> {
  const begun = await patiently('the upload is resumed', () =>
    hasty.begin(anna, roomId, { name, chunks: [...chunks] }),
  );
  const has = (number: number) => begun.received.some(([first, last]) => first <= number && number <= last);
  const missing = chunks
    .map((chunk, index) => [index + 1, chunk] as const)
    .filter(([number]) => !has(number));
  for (let at = 0; at < missing.length; at += 8) {
    const part = missing.slice(at, at + 8);
    expect(await client.put(anna, begun.uploadId, part)).toEqual([]);
  }
  return missing.length;
}

test('acknowledged chunks outlive the death of the service and of NATS in the middle of an upload', async () => {
  const chunks = chunksOf(4_000_000, 10_000);
  const { uploadId } = await client.begin(anna, roomId, { name: 'killed', chunks });
  let dying: Promise<unknown> = Promise.resolve();
  for (const [index, chunk] of chunks.slice(0, 300).entries()) {
    if (index === 100) dying = Promise.all(parley.stack.services.files.map((instance) => instance.kill()));
    if (index === 200) dying = parley.stack.servers.nats!.kill();
    await patiently(`chunk ${index + 1} is stored`, async () => {
      const [refused] = await hasty.put(anna, uploadId, [[index + 1, chunk]]);
      if (refused) throw new ParleyError(refused.code);
    });
  }
  await dying;
  expect(await resume('killed', chunks)).toBe(100);
  const file = await patiently('the file is there', () =>
    hasty.finish(anna, roomId, 'killed', chunks.length),
  );
  expect(file.sha256).toBe(sha256(chunks));
  expect(sha256([await client.download(anna, roomId, 'killed')])).toBe(sha256(chunks));
});

test('a file whose assembler is killed is put together by another instance, and announced once', async () => {
  const chunks = chunksOf(96 * 2 ** 20, 65_536);
  const { uploadId } = await client.begin(anna, roomId, { name: 'assembling', chunks });
  await client.putAll(anna, uploadId, chunks);
  const ask = () =>
    parley.bus.call(
      finishUpload,
      { roomId, name: 'assembling', packets: chunks.length },
      contextOf(anna, hastyMs),
    );
  const first = ask().catch((error: unknown) => ParleyError.from(error).code);
  await until('bytes are being written', async () => {
    return (await readdir(join(dataDir, 'files', 'unfinished'))).length > 0;
  });
  const killed = Promise.all(parley.stack.services.files.map((instance) => instance.kill()));
  // It is not answered, or was told before that it takes longer.
  expect(['unavailable', {}]).toContainEqual(await first);
  await killed;
  const listed = await patiently('the service is back', () => hasty.list(anna, roomId));
  expect(listed).not.toContainEqual(expect.objectContaining({ name: 'assembling' }));
  const file = await patiently('the file is there', () =>
    hasty.finish(anna, roomId, 'assembling', chunks.length),
  );
  expect(file.sha256).toBe(sha256(chunks));
  await until('it is announced', async () => (await countAnnounced('assembling')) > 0);
  expect(await countAnnounced('assembling')).toBe(1);
});

test('a file that is finished while messages are away is listed, and announced when they are back', async () => {
  const chunks = chunksOf(10_000, 1_000);
  const { messages } = parley.stack.services;
  await Promise.all(messages.map((instance) => instance.stop()));
  const file = await client.send(anna, roomId, { name: 'unannounced', chunks });
  expect(await client.list(anna, roomId)).toContainEqual(expect.objectContaining(file));
  await Promise.all(messages.map((instance) => instance.start()));
  await Promise.all(messages.map((instance) => instance.ready()));
  await until('it is announced', async () => (await countAnnounced('unannounced')) > 0);
  expect(await countAnnounced('unannounced')).toBe(1);
});

test('while Postgres is away everything is unavailable, and then goes on', async () => {
  const chunks = chunksOf(10_000, 1_000);
  const { uploadId } = await client.begin(anna, roomId, { name: 'database', chunks });
  const { postgres } = parley.stack.servers;
  await postgres!.stop();
  const unavailable = { code: 'unavailable' };
  await expect(hasty.put(anna, uploadId, [[1, chunks[0]!]])).rejects.toMatchObject(unavailable);
  await expect(hasty.begin(anna, roomId, { name: 'x', chunks })).rejects.toMatchObject(unavailable);
  await postgres!.start();
  await postgres!.ready();
  await patiently('chunks are stored', () => hasty.putAll(anna, uploadId, chunks));
  const file = await patiently('it is finished', () => hasty.finish(anna, roomId, 'database', 10));
  expect(file.sha256).toBe(sha256(chunks));
});
