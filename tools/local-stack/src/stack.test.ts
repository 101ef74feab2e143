import { mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { startStack } from './index.ts';

test('a busy port is named in one helpful line, before anything is started', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-stack-'));
  const busy = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => busy.once('listening', resolve));
  const { port } = busy.address() as AddressInfo;
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
