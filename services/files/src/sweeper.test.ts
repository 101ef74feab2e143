import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deleteRoom } from '@parley/protocol';
import type { RoomId } from '@parley/protocol';
import { createLog, Database } from '@parley/service-kit';
import { contextOf, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { chunksOf, clientOf, someone } from './testing.ts';
import type { FilesClient } from './testing.ts';

const opened = new AsyncDisposableStack();
let dataDir: string;
let parley: Parley;
let client: FilesClient;
let database: Database;
const anna = someone('anna');
let roomId: RoomId;

beforeAll(async () => {
  dataDir = opened.adopt(await mkdtemp(join(tmpdir(), 'parley-files-')), (folder) =>
    rm(folder, { recursive: true, force: true }),
  );
  const environment = { SWEEP_EVERY_MS: '100', UPLOAD_KEEP_MS: '5000', ASSEMBLY_TIMEOUT_MS: '1000' };
  parley = opened.use(await startParley({ dataDir, gateways: 0, instances: 2, environment }));
  client = clientOf(parley);
  const { databaseUrl } = parley.stack.servers.addresses;
  const log = createLog('test', 'silent');
  database = opened.use(new Database({ databaseUrl, connections: 1, timeoutMs: 5_000, log }));
  roomId = await client.openRoom(anna);
});
afterAll(() => opened.disposeAsync());

async function countChunks(): Promise<number> {
  const manager = await jetstreamManager(parley.bus.connection);
  return (await manager.streams.info('PARLEY_CHUNKS')).state.messages;
}

async function countStored(): Promise<number> {
  const entries = await readdir(join(dataDir, 'files'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}

async function countRows(table: string): Promise<number> {
  const text = `select count(*)::int as rows from files.${table}`;
  return (await database.query<{ rows: number }>({ name: '', text }))[0]!.rows;
}

test('an upload that is not finished in time goes with its chunks', async () => {
  const chunks = chunksOf(5_000, 1_000);
  const { uploadId } = await client.begin(anna, roomId, { name: 'forgotten', chunks });
  await client.putAll(anna, uploadId, chunks);
  await until('the upload is gone', async () => (await countRows('upload')) === 0);
  await until('its chunks are gone', async () => (await countChunks()) === 0);
  const refused = client.finish(anna, roomId, 'forgotten', 5);
  await expect(refused).rejects.toMatchObject({ code: 'upload_not_found' });
});

test('the bytes of a file that was replaced go after a while, those of the listed one stay', async () => {
  const [first, second] = [chunksOf(5_000, 1_000, 'first'), chunksOf(5_000, 1_000, 'second')];
  await client.send(anna, roomId, { name: 'replaced', chunks: first });
  const { objectId } = await client.open(anna, roomId, 'replaced');
  await client.send(anna, roomId, { name: 'replaced', chunks: second });
  expect(await client.read(objectId, 0, 1)).toHaveLength(1);
  await until('the former bytes are gone', async () => (await countStored()) === 1);
  await expect(client.read(objectId, 0, 1)).rejects.toMatchObject({ code: 'file_not_found' });
  expect(await client.download(anna, roomId, 'replaced')).toEqual(Buffer.concat(second));
  expect(await countRows('object')).toBe(1);
});

test('what an attempt left behind that could not be ended goes after a while', async () => {
  const chunks = chunksOf(32 * 2 ** 20, 2 ** 18);
  const before = await countStored();
  const { uploadId } = await client.begin(anna, roomId, { name: 'aborted', chunks });
  await client.putAll(anna, uploadId, chunks);
  const lost = client.finish(anna, roomId, 'aborted', chunks.length).catch(() => undefined);
  const unfinished = () => readdir(join(dataDir, 'files', 'unfinished'));
  await until('bytes are being written', async () => (await unfinished()).length > 0);
  const { files } = parley.stack.services;
  await Promise.all(files.map((instance) => instance.kill()));
  expect(await unfinished()).toHaveLength(1);
  await Promise.all(files.map((instance) => instance.ready()));
  await until('what was written is gone', async () => (await unfinished()).length === 0);
  await lost;
  await until('only what is listed is stored', async () => (await countStored()) <= before + 1);
});

test('what belongs to a room goes, also where nobody heard that the room was deleted', async () => {
  const room = await client.openRoom(anna);
  const chunks = chunksOf(2_000, 1_000);
  await client.send(anna, room, { name: 'file', chunks });
  const { files } = parley.stack.services;
  await Promise.all(files.map((instance) => instance.stop()));
  await parley.bus.call(deleteRoom, { roomId: room }, contextOf(anna));
  await Promise.all(files.map((instance) => instance.start()));
  await Promise.all(files.map((instance) => instance.ready()));
  const text = 'select count(*)::int as rows from files.file where room_id = $1';
  await until('its files are gone', async () => {
    const [row] = await database.query<{ rows: number }>({ name: '', text, values: [room] });
    return row!.rows === 0;
  });
});
