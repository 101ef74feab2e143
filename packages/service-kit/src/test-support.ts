import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { startServers } from '@parley/local-stack';
import type { ManagedProcess } from '@parley/local-stack';
import { pino } from 'pino';
import type { Log } from './log.ts';

/** Longest wait for anything a test of this package expects, in ms: only a bug reaches it. */
const patienceMs = 20_000;

export interface TestServer extends AsyncDisposable {
  url: string;
  process: ManagedProcess;
}

const addresses = { nats: 'natsUrl', redis: 'redisUrl', postgres: 'databaseUrl' } as const;

/** Starts one real server with its data in a folder that goes with it. */
export async function startServer(name: keyof typeof addresses): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-service-kit-'));
  const others = Object.entries(addresses).filter(([other]) => other !== name);
  const given = Object.fromEntries(others.map(([, address]) => [address, 'none:']));
  const servers = await startServers({ dataDir, given });
  return {
    url: servers.addresses[addresses[name]],
    process: servers[name]!,
    async [Symbol.asyncDispose]() {
      await servers[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Resolves once the condition holds. @throws Error naming what was waited for. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs} ms for: ${what}`);
    await delay(10);
  }
}

/** A log whose lines can be looked at. */
export function createTestLog(): { log: Log; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(line: Buffer, _encoding, done) {
      lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
      done();
    },
  });
  return { log: pino({ level: 'trace' }, stream), lines };
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** How long the promise took to settle, in ms. */
export async function msOf(promise: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await promise.catch(() => undefined);
  return performance.now() - start;
}
