import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openDataFolder } from './data-folder.ts';
import { announceStack, findRunningStack } from './running-stack.ts';

function temporaryFolder(): AsyncDisposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'parley-running-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const stack = { natsUrl: 'nats://operator:secret@127.0.0.1:4222' };

test('a stack is found from when it is announced until it is closed, and its address is its user’s only', async () => {
  await using folder = temporaryFolder();
  expect(findRunningStack(folder.path)).toBeUndefined();
  using data = await openDataFolder(folder.path);
  expect(findRunningStack(folder.path)).toBeUndefined();
  const announced = announceStack(data, stack);
  expect(findRunningStack(folder.path)).toEqual(stack);
  expect(statSync(join(folder.path, 'running.json')).mode & 0o777).toBe(0o600);
  announced[Symbol.dispose]();
  expect(findRunningStack(folder.path)).toBeUndefined();
});

test('a stack that was killed is not found, though its file is still there', async () => {
  await using folder = temporaryFolder();
  {
    using data = await openDataFolder(folder.path);
    announceStack(data, stack);
  }
  expect(findRunningStack(folder.path)).toBeUndefined();
  writeFileSync(
    join(folder.path, 'run', 'local-stack.json'),
    '{"pid":1,"identity":"another","stopSignal":"SIGTERM"}',
  );
  expect(findRunningStack(folder.path)).toBeUndefined();
});
