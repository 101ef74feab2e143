import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { expectFree, freePath, localName, save } from './save.ts';
import { verified } from './verified.ts';

const opened = new AsyncDisposableStack();
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-save-'));
  const made = folder;
  opened.defer(() => rm(made, { recursive: true }));
  path = join(folder, 'tea.txt');
});
afterAll(() => opened.disposeAsync());

const sha256 = createHash('sha256').update('green tea').digest('hex');

function bytes(): Readable {
  return Readable.from([Buffer.from('green '), Buffer.from('tea')]);
}

test('the bytes are written, and nothing else is left', async () => {
  await save(verified(bytes(), { name: 'tea.txt', sha256 }), path, { replaces: false });
  expect(await readFile(path, 'utf8')).toBe('green tea');
  expect(await readdir(folder)).toEqual(['tea.txt']);
});

test('what is there is only replaced where that is wanted', async () => {
  await writeFile(path, 'old');
  await expect(save(bytes(), path, { replaces: false })).rejects.toThrow(/tea\.txt is there already/);
  expect(await readFile(path, 'utf8')).toBe('old');
  await save(bytes(), path, { replaces: true });
  expect(await readFile(path, 'utf8')).toBe('green tea');
  expect(await readdir(folder)).toEqual(['tea.txt']);
});

test('bytes that are not the right ones, or that break off, leave nothing', async () => {
  const wrong = verified(bytes(), { name: 'tea.txt', sha256: '0'.repeat(64) });
  await expect(save(wrong, path, { replaces: false })).rejects.toThrow(
    'tea.txt did not arrive as it was sent; try again.',
  );
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield* bytes() as AsyncIterable<Uint8Array>;
    throw new Error('broken off');
  }
  await expect(save(broken(), path, { replaces: false })).rejects.toThrow('broken off');
  expect(await readdir(folder)).toEqual([]);
});

test('that something is there is found out early, and a free name beside it', async () => {
  await expectFree(path, false);
  expect(await freePath(path)).toBe(path);
  await writeFile(path, 'old');
  await writeFile(join(folder, 'tea (1).txt'), 'old');
  await expect(expectFree(path, false)).rejects.toThrow(/tea\.txt is there already/);
  await expectFree(path, true);
  expect(await freePath(path)).toBe(join(folder, 'tea (2).txt'));
});

test('a folder that is not there is told in one line', async () => {
  await expect(save(bytes(), join(folder, 'none', 'tea.txt'), { replaces: false })).rejects.toThrow(
    /tea\.txt can't be written: ENOENT/,
  );
});

test('only a name is a name', () => {
  expect(localName('tea.txt')).toBe('tea.txt');
  for (const name of ['', '.', '..', '../tea', '/etc/passwd', 'a/b', 'a\\b']) {
    expect(() => localName(name)).toThrow(/is no name for a file here/);
  }
});
