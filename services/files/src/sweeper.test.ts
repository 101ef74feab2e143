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
  const environment = { SWEEP_EVERY_MS: '100' };
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

/** As though what has been begun, and what is not listed any more, had been so for as long as it is kept. */
async function aDayPasses(): Promise<void> {
  for (const text of [
    "update files.upload set begun_at = begun_at - interval '1 day'",
    "update files.object set unlisted_since = unlisted_since - interval '1 day'",
  ])
    await database.query({ name: '', text });
}

test('an upload that is not finished in time goes with its chunks', async () => {
  const chunks = chunksOf(5_000, 1_000);
  const { uploadId } = await client.begin(anna, roomId, { name: 'forgotten', chunks });
  await client.putAll(anna, uploadId, chunks);
  await aDayPasses();
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
  await aDayPasses();
  await until('the former bytes are gone', async () => (await countStored()) === 1);
  await until('and what was noted of them', async () => (await countRows('object')) === 1);
  await expect(client.read(objectId, 0, 1)).rejects.toMatchObject({ code: 'file_not_found' });
  expect(await client.download(anna, roomId, 'replaced')).toEqual(Buffer.concat(second));
});

test('what an attempt left behind that could not be ended goes after a while', async () => {
  const chunks = chunksOf(32 * 2 ** 20, 2 ** 18);
  const before = await countStored();
  const unfinished = () => readdir(join(dataDir, 'files', 'unfinished'));
  const { files } = parley.stack.services;
  // What is asked of a process that dies is not answered: so long each time.
  const hasty = clientOf(parley, 2_000);
  let finishing: Promise<void> | undefined;
  let left: string[] = [];
  // It may get through before it is met in the middle, and is then given the file again.
  await until('bytes are left behind', async () => {
    const { uploadId } = await client.begin(anna, roomId, { name: 'aborted', chunks });
    await client.putAll(anna, uploadId, chunks);
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    finishing = hasty.finish(anna, roomId, 'aborted', chunks.length).then(over, over);
    await until('bytes are being written', async () => isOver || (await unfinished()).length > 0);
    await Promise.all(files.map((instance) => instance.kill()));
    left = await unfinished();
    await Promise.all(files.map((instance) => instance.ready()));
    return left.length > 0;
  });
  expect(left).toHaveLength(1);
  await aDayPasses();
  await until('what was written is gone', async () => !(await unfinished()).includes(left[0]!));
  await finishing;
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
