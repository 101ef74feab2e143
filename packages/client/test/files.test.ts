import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import type { Client, FileDownload, Room, UploadSource } from '../src/index.ts';
import { Line } from './line.ts';
import { logIn } from './peers.ts';

const mebibyte = 1_048_576;

let parley: Parley;
let line: Line;
let anna: Client;
let ben: Client;
let hers: Room;
let his: Room;
beforeAll(async () => {
  parley = await startParley();
  line = await Line.open(parley.stack.gateways[0]!.url);
  anna = await logIn(parley, 'anna', { url: line.url });
  ben = await logIn(parley, 'ben', { url: line.url });
  hers = await anna.createRoom('Files', { members: ['ben'] });
  await until('he is in the room', () => ben.rooms.length === 1);
  his = ben.room(hers.id);
});
afterAll(async () => {
  await Promise.all([anna.close(), ben.close()]);
  await line[Symbol.asyncDispose]();
  await parley[Symbol.asyncDispose]();
});

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function readHash({ stream }: FileDownload): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of stream) hash.update(bytes);
  return hash.digest('hex');
}

/** A source whose bytes from `from` on have to be waited for. */
function sourceOf(name: string, bytes: Uint8Array, from: number, waiting: Promise<unknown>): UploadSource {
  return {
    name,
    size: bytes.length,
    type: 'application/x-test',
    slice: async (start, end) => {
      if (end > from) await waiting;
      return bytes.subarray(start, end);
    },
  };
}

test('a file goes up and comes down, and is a message of the room for both', async () => {
  const bytes = randomBytes(mebibyte + 7);
  const [heard, seen] = [his.messages(), hers.messages()];
  const progress: number[] = [];
  const file = await hers.upload(new File([bytes], 'photo.png', { type: 'image/png' }), {
    onProgress: (now) => progress.push(now.bytes / now.total),
  });
  const facts = { name: 'photo.png', size: bytes.length, type: 'image/png', sha256: hashOf(bytes) };
  expect(file).toEqual(facts);
  expect(progress.at(-1)).toBe(1);
  expect(progress).toEqual(progress.toSorted((one, other) => one - other));
  const message = { id: 1, sender: 'anna', content: 'photo.png', file: facts };
  expect((await heard.next()).value).toMatchObject(message);
  expect((await seen.next()).value).toMatchObject(message);
  expect(await his.files()).toMatchObject([{ ...facts, sender: 'anna' }]);
  const download = await his.download('photo.png');
  expect(download.file).toEqual(facts);
  expect(await readHash(download)).toBe(facts.sha256);
});

test('an empty file is a file, too', async () => {
  await hers.upload(new Blob([]), { name: 'empty' });
  expect(await readHash(await his.download('empty'))).toBe(hashOf(new Uint8Array()));
});

test('an upload that is cut in the middle goes on where it was', async () => {
  const bytes = randomBytes(5 * mebibyte);
  const cut = Promise.withResolvers<undefined>();
  const asked: number[] = [];
  const source = sourceOf('cut.bin', bytes, 2.5 * mebibyte, cut.promise);
  const counted: UploadSource = {
    ...source,
    slice: (start, end) => {
      asked.push(start);
      return source.slice(start, end);
    },
  };
  const uploading = hers.upload(counted, {
    onProgress: (now) => {
      if (now.bytes !== 2.5 * mebibyte) return;
      line.cut();
      cut.resolve(undefined);
    },
  });
  expect((await uploading).sha256).toBe(hashOf(bytes));
  // What was confirmed is not read again.
  expect(asked.filter((start) => start < 2 * mebibyte)).toHaveLength(8);
  expect(await readHash(await his.download('cut.bin'))).toBe(hashOf(bytes));
});

test('of an unfinished upload of the same name nothing is kept', async () => {
  const [old, bytes] = [randomBytes(mebibyte), randomBytes(mebibyte)];
  const ending = new AbortController();
  const never = new Promise(() => undefined);
  const uploading = hers.upload(sourceOf('same.bin', old, mebibyte / 2, never), {
    signal: ending.signal,
    onProgress: (now) => {
      if (now.bytes === mebibyte / 2) ending.abort();
    },
  });
  await expect(uploading).rejects.toMatchObject({ code: 'aborted' });
  await hers.upload(new Blob([bytes]), { name: 'same.bin' });
  expect(await readHash(await his.download('same.bin'))).toBe(hashOf(bytes));
});

test('a download that is cut goes on where it was', async () => {
  const bytes = randomBytes(12 * mebibyte);
  await hers.upload(new Blob([bytes]), { name: 'big.bin' });
  let isCut = false;
  const download = await his.download('big.bin', {
    onProgress: (now) => {
      if (isCut || now.bytes < mebibyte) return;
      isCut = true;
      line.cut();
    },
  });
  expect(await readHash(download)).toBe(hashOf(bytes));
  expect(isCut).toBe(true);
});

test('a reader that is far behind is waited for', async () => {
  const bytes = new Uint8Array(40 * mebibyte).fill(7);
  await hers.upload(new Blob([bytes]), { name: 'huge.bin' });
  let received = 0;
  const download = await his.download('huge.bin', {
    onProgress: (now) => {
      received = now.bytes;
    },
  });
  const isRenewed = Promise.withResolvers<undefined>();
  ben.on('state', ({ status }) => {
    if (status === 'online') isRenewed.resolve(undefined);
  });
  await isRenewed.promise;
  expect(received).toBeLessThan(bytes.length);
  expect(await readHash(download)).toBe(hashOf(bytes));
});

test('transfers end with their signal, and by cancelling the stream', async () => {
  const ending = new AbortController();
  const download = await his.download('big.bin', { signal: ending.signal });
  ending.abort();
  await expect(readHash(download)).rejects.toMatchObject({ code: 'aborted' });
  await (await his.download('cut.bin')).stream.cancel();
  // A called off download is in nobody's way.
  expect(await readHash(await his.download('photo.png'))).toHaveLength(64);
  await expect(hers.upload(new Blob(['x']), { signal: ending.signal })).rejects.toMatchObject({
    code: 'aborted',
  });
});

test('what cannot be transferred is refused', async () => {
  await expect(his.download('nowhere.bin')).rejects.toMatchObject({ code: 'file_not_found' });
  await expect(hers.upload(new Blob(['x']), { name: 'a/b' })).rejects.toMatchObject({
    code: 'invalid_field',
    details: { field: 'file_path' },
  });
  const broken = { name: 'broken', size: 10, slice: () => Promise.reject(new Error('no disk')) };
  await expect(hers.upload(broken)).rejects.toThrow('no disk');
});
