import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  beginUpload,
  createId,
  deleteRoom,
  finishUpload,
  listFiles,
  maxChunkBytes,
  ParleyError,
  putChunks,
  readHistory,
  removeMember,
} from '@parley/protocol';
import type { ListedFile, Message, RoomId, UploadId, User } from '@parley/protocol';
import { contextOf, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { chunksOf, clientOf, sha256, someone } from './testing.ts';
import type { FilesClient } from './testing.ts';

const mebibyte = 2 ** 20;

const opened = new AsyncDisposableStack();
let parley: Parley;
let client: FilesClient;
const [anna, berta] = [someone('anna'), someone('berta')];
let roomId: RoomId;

beforeAll(async () => {
  const environment = {
    MAX_FILE_BYTES: String(128 * mebibyte),
    MAX_UNFINISHED_BYTES_PER_USER: String(256 * mebibyte),
  };
  parley = opened.use(await startParley({ gateways: 0, instances: 2, environment }));
  client = clientOf(parley);
  roomId = await client.openRoom(anna, [berta]);
});
afterAll(() => opened.disposeAsync());

/** The messages of the room that announce files, once there are so many: who asks twice may hear that it is finished before. */
async function announced(user: User, room: RoomId, count: number) {
  const request = { roomId: room, limit: 1_000 };
  let announcing: Message[] = [];
  await until('the files are announced', async () => {
    const { messages } = await parley.bus.call(readHistory, request, contextOf(user));
    announcing = messages.filter(({ file }) => file !== undefined);
    return announcing.length >= count;
  });
  return announcing;
}

/** The files of the room, once the list shows the times at which they were announced. */
async function listedLike(announcing: Message[], user: User, room: RoomId): Promise<ListedFile[]> {
  const timesOf = (files: { sentAt: string }[]) => files.map(({ sentAt }) => sentAt).sort();
  let files: ListedFile[] = [];
  await until('the list shows the times of the messages', async () => {
    files = await client.list(user, room);
    return timesOf(files).join() === timesOf(announcing).join();
  });
  return files;
}

/** Numbered as a client that counts from `first`. */
function numbered(chunks: readonly Uint8Array[], first = 1): [number, Uint8Array][] {
  return chunks.map((chunk, index) => [first + index, chunk]);
}

function fileOf(name: string, chunks: readonly Uint8Array[]) {
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  return { name, size, type: 'text/plain', sha256: sha256(chunks) };
}

describe('a file', () => {
  const sizes: [what: string, bytes: number, chunkBytes: number][] = [
    ['of the seed, 1,048,576 bytes in 1,024 packets', mebibyte, 1_024],
    ['of 100 MiB', 100 * mebibyte, 65_536],
    ['of chunks as large as they may be, and a rest', 3 * maxChunkBytes + 1, maxChunkBytes],
    ['of one byte', 1, 1],
    ['without a byte', 0, 1],
  ];
  test.each(sizes)('%s comes back as it was sent', async (what, bytes, chunkBytes) => {
    const chunks = chunksOf(bytes, chunkBytes);
    const file = await client.send(anna, roomId, { name: what, chunks });
    expect(file).toEqual(fileOf(what, chunks));
    expect(sha256([await client.download(berta, roomId, what)])).toBe(file.sha256);
  });

  test('is listed with its sender and the time of the message that announces it', async () => {
    const room = await client.openRoom(anna, [berta]);
    const chunks = chunksOf(5_000, 1_000);
    const file = await client.send(anna, room, { name: 'report.pdf', chunks });
    const announcing = await announced(berta, room, 1);
    const [message, ...others] = announcing;
    expect(others).toEqual([]);
    expect(message).toMatchObject({ sender: 'anna', senderId: anna.userId, content: 'report.pdf', file });
    const listed = await listedLike(announcing, berta, room);
    expect(listed).toEqual([{ ...file, sender: 'anna', sentAt: message!.sentAt }]);
  });

  test('in chunks that come out of order, several times and with a wrong one in between is put together of the last', async () => {
    const chunks = chunksOf(20_000, 1_000);
    const { uploadId } = await client.begin(anna, roomId, { name: 'shuffled', chunks });
    const wrong = Buffer.alloc(500, 'x');
    const all = numbered(chunks);
    const shuffled = all.toSorted(([a], [b]) => ((a * 7) % 20) - ((b * 7) % 20));
    await client.put(anna, uploadId, [[7, wrong], [9, wrong], ...shuffled.slice(0, 12)]);
    await client.put(anna, uploadId, shuffled.slice(3));
    await client.put(anna, uploadId, [...shuffled.slice(0, 5), ...shuffled.slice(0, 5)]);
    expect(await client.finish(anna, roomId, 'shuffled', 20)).toEqual(fileOf('shuffled', chunks));
  });

  test('counted from 0 is the same', async () => {
    const chunks = chunksOf(10_000, 999);
    const { uploadId } = await client.begin(anna, roomId, { name: 'from 0', chunks });
    await client.putAll(anna, uploadId, chunks, 0);
    const again = await client.begin(anna, roomId, { name: 'from 0', chunks });
    expect(again).toEqual({ uploadId, received: [[0, 10]] });
    expect(await client.finish(anna, roomId, 'from 0', 11)).toEqual(fileOf('from 0', chunks));
  });

  test('can be read from anywhere, up to its end', async () => {
    const chunks = chunksOf(10_000, 1_000);
    const bytes = Buffer.concat(chunks);
    await client.send(anna, roomId, { name: 'ranges', chunks });
    const { objectId } = await client.open(anna, roomId, 'ranges');
    expect(Buffer.from(await client.read(objectId, 0, 1))).toEqual(bytes.subarray(0, 1));
    expect(Buffer.from(await client.read(objectId, 4_321, 2_000))).toEqual(bytes.subarray(4_321, 6_321));
    expect(Buffer.from(await client.read(objectId, 9_999, 500))).toEqual(bytes.subarray(9_999));
    expect(await client.read(objectId, 10_000, 500)).toHaveLength(0);
    expect(await client.read(objectId, 5_000_000, 500)).toHaveLength(0);
    await expect(client.read('0'.repeat(24), 0, 1)).rejects.toMatchObject({ code: 'file_not_found' });
    await expect(client.open(anna, roomId, 'no such')).rejects.toMatchObject({ code: 'file_not_found' });
  });

  test('replaces the one that had its name; who is reading that one reads on', async () => {
    const room = await client.openRoom(anna, [berta]);
    const [first, second] = [chunksOf(3_000, 1_000, 'first'), chunksOf(2_000, 1_000, 'second')];
    await client.send(anna, room, { name: 'same', chunks: first });
    const { objectId } = await client.open(anna, room, 'same');
    const replacing = await client.send(berta, room, { name: 'same', chunks: second });
    expect(await client.list(anna, room)).toMatchObject([{ ...replacing, sender: 'berta' }]);
    expect(Buffer.from(await client.read(objectId, 0, 5_000))).toEqual(Buffer.concat(first));
    expect(await announced(anna, room, 2)).toHaveLength(2);
  });
});

describe('an upload', () => {
  test('is resumed where it was, by any connection and any instance', async () => {
    const chunks = chunksOf(10_000, 1_000);
    const sending = { name: 'resumed', chunks };
    const { uploadId, received } = await client.begin(anna, roomId, sending);
    expect(received).toEqual([]);
    await client.put(
      anna,
      uploadId,
      [1, 2, 3, 7, 9, 10].map((number) => [number, chunks[number - 1]!]),
    );
    const told = {
      uploadId,
      received: [
        [1, 3],
        [7, 7],
        [9, 10],
      ],
    };
    const answers = await Promise.all([1, 2, 3, 4].map(() => client.begin(anna, roomId, sending)));
    expect(answers).toEqual([told, told, told, told]);
  });

  test('with gaps is told which chunks are missing, and goes on', async () => {
    const chunks = chunksOf(10_000, 1_000);
    const { uploadId } = await client.begin(anna, roomId, { name: 'gaps', chunks });
    const all = numbered(chunks);
    await client.put(
      anna,
      uploadId,
      all.filter(([number]) => ![1, 5, 6, 10].includes(number)),
    );
    const finish = () => client.finish(anna, roomId, 'gaps', 10);
    const missing = (...ranges: number[][]) => ({ code: 'chunks_missing', details: { missing: ranges } });
    await expect(finish()).rejects.toMatchObject(missing([1, 1], [5, 6], [10, 10]));
    await client.put(anna, uploadId, [all[9]!, all[4]!]);
    await expect(finish()).rejects.toMatchObject(missing([1, 1], [6, 6]));
    await client.put(anna, uploadId, [all[0]!, all[5]!]);
    expect(await finish()).toEqual(fileOf('gaps', chunks));
  });

  test('counted from 0 is told what is missing in its own numbers', async () => {
    const chunks = chunksOf(3_000, 1_000);
    const { uploadId } = await client.begin(anna, roomId, { name: 'gaps from 0', chunks });
    await client.put(anna, uploadId, [[0, chunks[0]!]]);
    const refused = client.finish(anna, roomId, 'gaps from 0', 3);
    await expect(refused).rejects.toMatchObject({ details: { missing: [[1, 2]] } });
  });

  test('begun with another size, count or hash starts afresh, and its former chunks have no place any more', async () => {
    const chunks = chunksOf(3_000, 1_000);
    const sending = { name: 'afresh', chunks };
    const hash = sha256(chunks);
    let former = (await client.begin(anna, roomId, sending)).uploadId;
    for (const change of [{ size: 2_999 }, { packets: 4 }, { sha256: hash }, {}]) {
      await client.put(anna, former, [[1, chunks[0]!]]);
      const { uploadId, received } = await client.begin(anna, roomId, sending, change);
      expect(received).toEqual([]);
      expect(uploadId).not.toBe(former);
      const late = client.put(anna, former, [[2, chunks[1]!]]);
      await expect(late).rejects.toMatchObject({ code: 'upload_not_found' });
      former = uploadId;
    }
    await client.putAll(anna, former, chunks);
    expect(await client.finish(anna, roomId, 'afresh', 3)).toMatchObject({ sha256: hash });
  });

  test('is finished once, however often, at once and later it is asked for', async () => {
    const room = await client.openRoom(anna);
    const chunks = chunksOf(4 * mebibyte, 65_536);
    const { uploadId } = await client.begin(anna, room, { name: 'once', chunks });
    await client.putAll(anna, uploadId, chunks);
    const finish = () => client.finish(anna, room, 'once', chunks.length);
    const files = await Promise.all([finish(), finish(), finish(), finish(), finish(), finish()]);
    expect(new Set(files.map((file) => JSON.stringify(file)))).toEqual(
      new Set([JSON.stringify(fileOf('once', chunks))]),
    );
    expect(await finish()).toEqual(files[0]);
    expect(await announced(anna, room, 1)).toHaveLength(1);
    const late = client.put(anna, uploadId, [[1, chunks[0]!]]);
    await expect(late).rejects.toMatchObject({ code: 'upload_not_found' });
  });

  test('of two users under one name are two; the room lists one of them and was told of both', async () => {
    const room = await client.openRoom(anna, [berta]);
    const sent = [anna, berta].map((user) => ({ user, chunks: chunksOf(mebibyte, 10_000, user.name) }));
    const files = await Promise.all(
      sent.map(({ user, chunks }) => client.send(user, room, { name: 'both', chunks })),
    );
    const [listed, ...others] = await client.list(anna, room);
    expect(others).toEqual([]);
    expect(files.map((file) => file.sha256)).toContain(listed!.sha256);
    expect(sha256([await client.download(anna, room, 'both')])).toBe(listed!.sha256);
    const told = await announced(anna, room, 2);
    expect(told.map(({ sender }) => sender).sort()).toEqual(['anna', 'berta']);
  });

  test('of one user over two connections is one: each sends a half', async () => {
    const chunks = chunksOf(100_000, 1_000);
    const sending = { name: 'shared', chunks };
    const begun = await Promise.all([1, 2].map(() => client.begin(anna, roomId, sending)));
    expect(begun[0]!.uploadId).toBe(begun[1]!.uploadId);
    const all = numbered(chunks);
    await Promise.all(
      begun.map(({ uploadId }, half) => client.put(anna, uploadId, all.slice(half * 50, half * 50 + 50))),
    );
    expect(await client.finish(anna, roomId, 'shared', 100)).toEqual(fileOf('shared', chunks));
  });
});

describe('what is wrong is refused, and the upload stays usable', () => {
  async function begun(name: string, packets = 3) {
    const chunks = chunksOf(packets * 1_000, 1_000);
    const { uploadId } = await client.begin(anna, roomId, { name, chunks });
    const finish = async () => {
      await client.putAll(anna, uploadId, chunks);
      expect(await client.finish(anna, roomId, name, packets)).toEqual(fileOf(name, chunks));
    };
    return { uploadId, chunks, finish };
  }

  test('a number beyond the last', async () => {
    const { uploadId, chunks, finish } = await begun('beyond');
    const refused = await client.put(anna, uploadId, [
      [4, chunks[0]!],
      [1, chunks[0]!],
    ]);
    expect(refused).toMatchObject([{ index: 0, code: 'invalid_field', field: 'sequence' }]);
    await finish();
  });

  test('both 0 and the greatest number, in whichever order', async () => {
    const upward = await begun('0 first');
    await client.put(anna, upward.uploadId, [[0, upward.chunks[0]!]]);
    const last: [number, Uint8Array] = [3, upward.chunks[2]!];
    const both = [{ index: 0, code: 'invalid_field', field: 'sequence' }];
    expect(await client.put(anna, upward.uploadId, [last])).toMatchObject(both);
    await client.putAll(anna, upward.uploadId, upward.chunks, 0);
    expect(await client.finish(anna, roomId, '0 first', 3)).toEqual(fileOf('0 first', upward.chunks));

    const downward = await begun('greatest first');
    await client.put(anna, downward.uploadId, [last]);
    expect(await client.put(anna, downward.uploadId, [[0, downward.chunks[0]!]])).toMatchObject(both);
    await downward.finish();

    const together = await begun('together');
    const refused = await client.put(anna, together.uploadId, [last, [0, together.chunks[0]!]]);
    expect(refused).toMatchObject([{ index: 1, code: 'invalid_field' }]);
    await together.finish();
  });

  test('a chunk that is too large', async () => {
    const { uploadId, finish } = await begun('too large');
    const refused = await client.put(anna, uploadId, [[1, Buffer.alloc(maxChunkBytes + 1)]]);
    expect(refused).toMatchObject([{ index: 0, code: 'too_large' }]);
    await finish();
  });

  test('more bytes than were announced', async () => {
    const { uploadId, chunks, finish } = await begun('too many');
    await client.put(anna, uploadId, [[1, chunks[0]!]]);
    const refused = await client.put(anna, uploadId, [[2, Buffer.alloc(3_001)]]);
    expect(refused).toMatchObject([
      { index: 0, code: 'too_large', message: expect.stringContaining('3000') },
    ]);
    await finish();
  });

  test('sizes that are not those of the bytes', async () => {
    const { uploadId, finish } = await begun('sizes');
    const { bus } = parley;
    for (const sizes of [[5], [1, 2], [3, 0, 0]]) {
      const request = { uploadId, sequences: [1, 2], sizes };
      const refused = bus.callWithBytes(putChunks, request, Buffer.alloc(4), contextOf(anna));
      await expect(refused).rejects.toMatchObject({ code: 'invalid_field', details: { field: 'sizes' } });
    }
    await finish();
  });

  test('chunks that have less bytes together than were announced', async () => {
    const { uploadId, chunks, finish } = await begun('too few');
    await client.put(anna, uploadId, [
      [1, chunks[0]!],
      [2, chunks[1]!],
      [3, Buffer.alloc(999)],
    ]);
    const refused = client.finish(anna, roomId, 'too few', 3);
    await expect(refused).rejects.toMatchObject({ code: 'invalid_field', details: { field: 'size' } });
    await finish();
  });

  test('bytes that have not the hash that was announced', async () => {
    const chunks = chunksOf(3_000, 1_000);
    const wrong = chunksOf(3_000, 1_000, 'other');
    const more = { sha256: sha256(chunks) };
    const { uploadId } = await client.begin(anna, roomId, { name: 'hash', chunks }, more);
    await client.putAll(anna, uploadId, wrong);
    const refused = client.finish(anna, roomId, 'hash', 3);
    await expect(refused).rejects.toMatchObject({ code: 'invalid_field', details: { field: 'sha256' } });
    await client.putAll(anna, uploadId, chunks);
    expect(await client.finish(anna, roomId, 'hash', 3)).toEqual(fileOf('hash', chunks));
  });

  test('an end with another count than the beginning', async () => {
    const { finish } = await begun('count');
    const refused = client.finish(anna, roomId, 'count', 4);
    await expect(refused).rejects.toMatchObject({ code: 'invalid_field', details: { field: 'packets' } });
    await finish();
  });

  test.each<[what: string, more: object, code: string, field: string]>([
    ['a file that is too large', { size: 128 * mebibyte + 1, packets: 1_000 }, 'too_large', 'size'],
    ['fewer chunks than the bytes need', { size: maxChunkBytes + 1, packets: 1 }, 'invalid_field', 'packets'],
    ['bytes without chunks', { size: 1, packets: 0 }, 'invalid_field', 'packets'],
    ['more chunks than there may be', { packets: 2 ** 20 + 1 }, 'invalid_field', 'packets'],
    ['a size below nothing', { size: -1 }, 'invalid_field', 'size'],
    ['a name that is a path', { name: 'a/b' }, 'invalid_field', 'name'],
    ['a name that is a way up', { name: '..' }, 'invalid_field', 'name'],
    ['a hash that is none', { sha256: 'abc' }, 'invalid_field', 'sha256'],
  ])('%s', async (_what, more, code, field) => {
    const refused = client.begin(anna, roomId, { name: 'bad', chunks: [] }, more);
    await expect(refused).rejects.toMatchObject({ code, details: { field } });
  });

  test("another user's upload, one that never was, and an end without a beginning", async () => {
    const { uploadId, chunks, finish } = await begun("anna's");
    const notFound = { code: 'upload_not_found' };
    await expect(client.put(berta, uploadId, [[1, chunks[0]!]])).rejects.toMatchObject(notFound);
    await expect(client.finish(berta, roomId, "anna's", 3)).rejects.toMatchObject(notFound);
    const unknown: UploadId = createId('upload');
    await expect(client.put(anna, unknown, [[1, chunks[0]!]])).rejects.toMatchObject(notFound);
    await expect(client.finish(anna, roomId, 'never begun', 3)).rejects.toMatchObject(notFound);
    await finish();
  });

  test('too many bytes in unfinished uploads, until some are finished', async () => {
    const carl = someone('carl');
    const room = await client.openRoom(carl);
    const large = { size: 100 * mebibyte, packets: 1_000 };
    const begin = (name: string) => client.begin(carl, room, { name, chunks: [] }, large);
    await Promise.all([begin('one'), begin('two')]);
    await expect(begin('three')).rejects.toMatchObject({
      code: 'rate_limited',
      details: { retryAfterMs: expect.any(Number) },
    });
    await expect(begin('one')).resolves.toMatchObject({ received: [] });
    await client.begin(carl, room, { name: 'one', chunks: [] });
    await client.finish(carl, room, 'one', 0);
    await expect(begin('three')).resolves.toMatchObject({ received: [] });
  });
});

describe('who may', () => {
  const outsider = someone('outsider');
  const guest: User = { userId: createId('guest'), name: 'guest' };

  test('send: members of the room, and nobody else', async () => {
    const begin = (user: User, room: RoomId) => client.begin(user, room, { name: 'x', chunks: [] });
    await expect(begin(outsider, roomId)).rejects.toMatchObject({ code: 'not_in_room' });
    await expect(begin(guest, roomId)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(begin(anna, createId('room'))).rejects.toMatchObject({ code: 'room_not_found' });
    await expect(begin(anna, "' or 1=1" as RoomId)).rejects.toMatchObject({ code: 'room_not_found' });
    const anonymous = { roomId, name: 'x', size: 0, packets: 0, type: '' };
    await expect(parley.bus.call(beginUpload, anonymous)).rejects.toMatchObject({
      code: 'not_authenticated',
    });
  });

  test('finish: who is still a member then', async () => {
    const room = await client.openRoom(anna, [berta]);
    const chunks = chunksOf(100, 100);
    const { uploadId } = await client.begin(berta, room, { name: 'removed', chunks });
    await client.putAll(berta, uploadId, chunks);
    await parley.bus.call(removeMember, { roomId: room, user: 'berta' }, contextOf(anna));
    const refused = client.finish(berta, room, 'removed', 1);
    await expect(refused).rejects.toMatchObject({ code: 'not_in_room' });
    expect(await client.list(anna, room)).toEqual([]);
  });

  test('list and read: of a public room everybody, of a private one its members', async () => {
    const secret = await client.openRoom(anna, [], 'private');
    const chunks = chunksOf(100, 100);
    for (const room of [roomId, secret]) await client.send(anna, room, { name: 'readable', chunks });
    for (const user of [outsider, guest]) {
      expect(await client.list(user, roomId)).toContainEqual(expect.objectContaining({ name: 'readable' }));
      expect(Buffer.from(await client.download(user, roomId, 'readable'))).toEqual(chunks[0]);
      await expect(client.list(user, secret)).rejects.toMatchObject({ code: 'not_in_room' });
      await expect(client.open(user, secret, 'readable')).rejects.toMatchObject({ code: 'not_in_room' });
    }
  });
});

test('a long list comes in pages, in the order of the names', async () => {
  const room = await client.openRoom(anna);
  const names = Array.from({ length: 30 }, (_, number) =>
    createHash('md5').update(`${number}`).digest('hex'),
  );
  await Promise.all(names.map((name) => client.send(anna, room, { name, chunks: [] })));
  const all = await listedLike(await announced(anna, room, names.length), anna, room);
  expect(all.map(({ name }) => name)).toEqual(names.toSorted());
  const request = { roomId: room, after: all[9]!.name };
  const { files, hasMore } = await parley.bus.call(listFiles, request, contextOf(anna));
  expect(files).toEqual(all.slice(10));
  expect(hasMore).toBe(false);
});

test('what belongs to a room goes with it', async () => {
  const room = await client.openRoom(anna);
  const chunks = chunksOf(2_000, 1_000);
  await client.send(anna, room, { name: 'finished', chunks });
  const { uploadId } = await client.begin(anna, room, { name: 'unfinished', chunks });
  await parley.bus.call(deleteRoom, { roomId: room }, contextOf(anna));
  await until('the upload is gone', async () => {
    const late = client.put(anna, uploadId, [[1, chunks[0]!]]);
    return late.then(
      () => false,
      (error: unknown) => ParleyError.from(error).code === 'upload_not_found',
    );
  });
  const request = { roomId: room, name: 'unfinished', packets: 2 };
  const finishing = parley.bus.call(finishUpload, request, contextOf(anna));
  await expect(finishing).rejects.toMatchObject({ code: 'room_not_found' });
});
