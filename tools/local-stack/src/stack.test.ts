import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { startStack } from './index.ts';

test('a busy port is named in one helpful line, before anything is started', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-stack-'));
  // The one before it has to be free, so neither is one that the system gives to who wants any, or that other tests take.
  const port = 32_100 + randomInt(600);
  const busy = createServer().listen(port, '127.0.0.1');
  await once(busy, 'listening');
  try {
    await expect(startStack({ dataDir, port: port - 1, gateways: 2 })).rejects.toThrow(
      new RegExp(`^Port ${port} is in use .*; stop it or choose another with PORT=\\d+ npm start\\.$`),
    );
    expect(readdirSync(join(dataDir, 'logs'))).toEqual([]);
  } finally {
    busy.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});
