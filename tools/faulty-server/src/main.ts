/** `npm run faulty-server -- --fault cut`: a Parley on which things go wrong, for those who write clients. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStackError, startStack } from '@parley/local-stack';
import { parseArguments, usage } from './arguments.ts';
import type { FaultyServerArguments } from './arguments.ts';
import { openFaultyServer } from './faulty-server.ts';
import type { Injected } from './link.ts';
import { ScriptError } from './rules.ts';

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopping.abort();
  });
}

process.exitCode = await main(process.argv.slice(2));

/** @returns The exit code: 2 for a mistake in the command, 1 where it could not be started. */
async function main(args: readonly string[]): Promise<number> {
  try {
    await run(parseArguments(args, process.env['INIT_CWD'] ?? '.'));
    return 0;
  } catch (error) {
    if (stopping.signal.aborted) return 0;
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (error instanceof ScriptError || code.startsWith('ERR_PARSE_ARGS')) {
      console.error(`${message}\n\n${usage}`);
      return 2;
    }
    console.error(error instanceof LocalStackError || code === 'EADDRINUSE' ? message : error);
    return 1;
  }
}

async function run({ rules, seed, url, port }: FaultyServerArguments): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const target = url ?? (await startParley(opened));
  const server = opened.use(await openFaultyServer({ target, rules, seed, port, injected: report }));
  console.log(
    `Parley with faults is at ${server.url.replace('127.0.0.1', 'localhost')} (seed ${seed}); Ctrl-C stops it`,
  );
  if (!stopping.signal.aborted) await once(stopping.signal, 'abort');
}

/** A whole one on free ports, whose data are gone with it. */
async function startParley(opened: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-faulty-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  console.log('Starting Parley ...');
  const stack = opened.use(
    await startStack({ dataDir: folder, port: 0, log: console.log, abort: stopping.signal }),
  );
  return stack.gateways[0]!.webSocketUrl;
}

function report({ fault, connection, direction, action }: Injected): void {
  const where =
    direction === undefined ? 'at the upgrade' : `${direction.replace('-', ' ')}, at \`${action ?? ''}\``;
  console.log(`connection ${connection}: ${fault} ${where}`);
}
