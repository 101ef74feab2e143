import { appendFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LogFollower } from './log-follower.ts';

const time = new Date(2026, 0, 2, 3, 4, 5).getTime();
const line = `${JSON.stringify({ level: 40, time, service: 'auth', pid: 7, address: '10.0.0.7', msg: 'many failed logins' })}\n`;

let folder: string;
let file: string;
let shown: string;
let follower: LogFollower;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-logs-'));
  file = join(folder, 'auth-1.log');
  writeFileSync(file, '');
  shown = '';
  follower = new LogFollower((text) => (shown += text), { colorize: false });
});
afterEach(async () => {
  await follower[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('lines are shown in words, with who wrote them and the values beside', async () => {
  await follower.follow(file);
  appendFileSync(file, line);
  await follower.look();
  expect(shown).toBe('[03:04:05] WARN: auth: many failed logins {"address":"10.0.0.7"}\n');
});

test('a line is shown when it is whole, and once', async () => {
  await follower.follow(file);
  appendFileSync(file, line.slice(0, 30));
  await follower.look();
  expect(shown).toBe('');
  appendFileSync(file, line.slice(30));
  await follower.look();
  await follower.look();
  expect(shown.match(/many failed logins/g)).toHaveLength(1);
});

test('what is no line of a log is shown as it is', async () => {
  await follower.follow(file);
  appendFileSync(file, `Error: there is no tea\n    at brew (tea.ts:1:1)\n${line}`);
  await follower.look();
  expect(shown).toContain('Error: there is no tea\n    at brew (tea.ts:1:1)\n[03:04:05] WARN');
});

test('what was written before the end is shown, from all files', async () => {
  const other = join(folder, 'rooms-1.log');
  writeFileSync(other, line.replace('auth', 'rooms'));
  await follower.follow(file);
  await follower.follow(other);
  appendFileSync(file, line);
  await follower[Symbol.asyncDispose]();
  expect(shown).toContain('rooms: many failed logins');
  expect(shown).toContain('auth: many failed logins');
});
