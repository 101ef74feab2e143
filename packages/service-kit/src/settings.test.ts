import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  commonSettings,
  databaseSettings,
  integer,
  oneOf,
  optional,
  orFile,
  readSettings,
  redisSettings,
  SettingsError,
  text,
  url,
} from './settings.ts';
import type { Settings } from './settings.ts';

const settings = {
  port: integer('PORT', { default: 20_200, max: 65_535, doc: 'The port.' }),
  timeoutMs: integer('TIMEOUT_MS', { default: 5_000, min: 100, doc: 'Longest wait, in ms.' }),
  policy: oneOf('POLICY', ['single', 'multi'], { default: 'single', doc: 'Logins at once.' }),
  host: text('HOST', { default: '0.0.0.0', doc: 'The address.' }),
  storeUrl: url('STORE_URL', ['redis', 'rediss'], { doc: 'The store.' }),
};
const storeUrl = 'redis://127.0.0.1:6379';

test('what is not set, or empty, has its default', () => {
  const defaults = { port: 20_200, timeoutMs: 5_000, policy: 'single', host: '0.0.0.0', storeUrl };
  expect(readSettings(settings, { STORE_URL: storeUrl })).toEqual(defaults);
  expect(readSettings(settings, { STORE_URL: storeUrl, PORT: '', POLICY: '', HOST: '' })).toEqual(defaults);
});

test('what is set is read as its kind', () => {
  const environment = {
    PORT: '0',
    TIMEOUT_MS: '100',
    POLICY: 'multi',
    HOST: 'chat.example',
    STORE_URL: 'rediss://a:b@c/1',
  };
  expect(readSettings(settings, environment)).toEqual({
    port: 0,
    timeoutMs: 100,
    policy: 'multi',
    host: 'chat.example',
    storeUrl: 'rediss://a:b@c/1',
  });
});

describe('a bad setting is told in one line with its meaning:', () => {
  test.each([
    ['PORT', '65536', "PORT: expected a whole number from 0 to 65535, got '65536' (The port.)"],
    ['PORT', '-1', "PORT: expected a whole number from 0 to 65535, got '-1' (The port.)"],
    [
      'TIMEOUT_MS',
      '5s',
      "TIMEOUT_MS: expected a whole number of at least 100, got '5s' (Longest wait, in ms.)",
    ],
    [
      'TIMEOUT_MS',
      '99',
      "TIMEOUT_MS: expected a whole number of at least 100, got '99' (Longest wait, in ms.)",
    ],
    [
      'TIMEOUT_MS',
      '1e3',
      "TIMEOUT_MS: expected a whole number of at least 100, got '1e3' (Longest wait, in ms.)",
    ],
    [
      'TIMEOUT_MS',
      ' 500',
      "TIMEOUT_MS: expected a whole number of at least 100, got ' 500' (Longest wait, in ms.)",
    ],
    ['TIMEOUT_MS', '99999999999999999999', /^TIMEOUT_MS: expected a whole number/],
    ['POLICY', 'Single', "POLICY: expected one of single, multi, got 'Single' (Logins at once.)"],
    ['STORE_URL', 'localhost', 'STORE_URL: expected a URL like redis://host:port (The store.)'],
    ['STORE_URL', undefined, 'STORE_URL: it is required (The store.)'],
    ['STORE_URL', '', 'STORE_URL: it is required (The store.)'],
  ])('%s=%s', (variable, value, line) => {
    expect(linesOf(settings, { STORE_URL: storeUrl, [variable]: value })).toEqual([
      typeof line === 'string' ? line : expect.stringMatching(line),
    ]);
  });

  test('and all of them at once', () => {
    const environment = { PORT: 'x', TIMEOUT_MS: 'y', POLICY: 'z', STORE_URL: 'http://a' };
    const lines = linesOf(settings, environment);
    expect(lines.map((line) => line.split(':')[0])).toEqual(['PORT', 'TIMEOUT_MS', 'POLICY', 'STORE_URL']);
    for (const line of lines) expect(line).not.toContain('\n');
  });
});

test.each(['http://user:hunter2@host', 'user:hunter2@host:6379', 'redis://:hunter2@[host', 'hunter2'])(
  'a bad URL is never repeated, as it may hold a password: %s',
  (bad) => {
    const lines = linesOf(settings, { STORE_URL: bad });
    expect(lines).toHaveLength(1);
    expect(lines.join()).not.toContain('hunter2');
  },
);

describe('what may be in a file', () => {
  const secretSettings = {
    key: orFile(optional(text('KEY', { doc: 'The key.' }))),
    storeUrl: orFile(url('STORE_URL', ['redis'], { default: storeUrl, doc: 'The store.' })),
  };
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'parley-settings-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function fileWith(contents: string): string {
    const file = join(folder, 'secret');
    writeFileSync(file, contents);
    return file;
  }

  test('is read from there, without the line end of an editor', () => {
    const file = fileWith('redis://:hunter2@host:6379\n');
    expect(readSettings(secretSettings, { STORE_URL_FILE: file }).storeUrl).toBe(
      'redis://:hunter2@host:6379',
    );
    expect(readSettings(secretSettings, { STORE_URL_FILE: file, STORE_URL: '' }).storeUrl).toContain(
      'hunter2',
    );
    expect(readSettings(secretSettings, { KEY_FILE: '', STORE_URL_FILE: '' })).toEqual({
      key: undefined,
      storeUrl,
    });
  });

  test('is not given twice', () => {
    expect(linesOf(secretSettings, { KEY: 'a', KEY_FILE: fileWith('a') })).toEqual([
      'KEY: it is given twice, also as KEY_FILE (The key.)',
    ]);
  });

  test('stops the start where it is not there or empty, and neither path nor contents are repeated', () => {
    expect(linesOf(secretSettings, { KEY_FILE: join(folder, 'hunter2') })).toEqual([
      "KEY: the file of KEY_FILE can't be read: ENOENT (The key.)",
    ]);
    expect(linesOf(secretSettings, { KEY_FILE: folder })).toEqual([
      "KEY: the file of KEY_FILE can't be read: EISDIR (The key.)",
    ]);
    expect(linesOf(secretSettings, { KEY_FILE: fileWith(' \n') })).toEqual([
      'KEY: the file of KEY_FILE is empty (The key.)',
    ]);
    expect(linesOf(secretSettings, { STORE_URL_FILE: fileWith('hunter2') })).toEqual([
      'STORE_URL: expected a URL like redis://host:port (The store.)',
    ]);
  });

  test('is nothing that is no secret', () => {
    expect(readSettings(settings, { STORE_URL: storeUrl, HOST_FILE: fileWith('elsewhere') }).host).toBe(
      '0.0.0.0',
    );
  });
});

test('everything common has a default; only the address of Postgres must be given', () => {
  expect(readSettings(commonSettings, {})).toMatchObject({
    natsUrl: 'nats://127.0.0.1:4222',
    logLevel: 'info',
    // It tells much to whoever asks: this machine only, unless said otherwise.
    healthHost: '127.0.0.1',
    requestTimeoutMs: 5_000,
    drainMs: 10_000,
  });
  expect(readSettings(redisSettings, {})).toEqual({ redisUrl: 'redis://127.0.0.1:6379' });
  expect(linesOf(databaseSettings, {})).toEqual([expect.stringMatching(/^DATABASE_URL: it is required/)]);
});

test('NATS may be a cluster of several servers', () => {
  const cluster = 'nats://a:4222,nats://b:4222';
  expect(readSettings(commonSettings, { NATS_URL: cluster }).natsUrl).toBe(cluster);
  expect(linesOf(commonSettings, { NATS_URL: 'nats://a:4222,http://b' })).toHaveLength(1);
  expect(linesOf(commonSettings, { NATS_URL: 'nats://a:4222,' })).toHaveLength(1);
});

function linesOf(read: Settings, environment: Record<string, string | undefined>): readonly string[] {
  try {
    readSettings(read, environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.lines;
  }
  throw new Error('no SettingsError was thrown');
}
