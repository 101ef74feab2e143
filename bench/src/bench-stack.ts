import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServers, startStack, type Servers, type Stack } from '@parley/local-stack';
import type { ContenderOptions } from './contenders/contender.ts';
import { nodeOptions } from './contenders/node-options.ts';

const prefix = 'parley-bench-';

/** A Parley of its own for one run: no rate limits, free ports, data in a temporary folder that is removed at the end. */
export async function startBenchStack(options: ContenderOptions): Promise<Stack> {
  const { gateways, log, abort } = options;
  await using opened = new AsyncDisposableStack();
  const stack = opened.use(
    await startStack({
      dataDir: await temporaryFolder(opened),
      gateways,
      port: 0,
      restart: false,
      environment: { RATE_LIMITS: 'off', LOG_LEVEL: 'warn', ...nodeOptions(options), ...options.environment },
      ...(log && { log }),
      abort,
    }),
  );
  const open = opened.move();
  return { ...stack, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** The same servers without Parley, for a peer. */
export async function startBenchServers(abort: AbortSignal): Promise<Servers> {
  await using opened = new AsyncDisposableStack();
  const servers = opened.use(
    await startServers({ dataDir: await temporaryFolder(opened), restart: false, abort }),
  );
  const open = opened.move();
  return { ...servers, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

async function temporaryFolder(opened: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
