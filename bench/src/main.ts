/** `npm run bench -- <scenario> [options]`: measures a Parley of its own on this machine and prints what it found. */
import { LocalStackError } from '@parley/local-stack';
import { drain } from './drain.ts';
import { files } from './files.ts';
import { handshake } from './handshake.ts';
import { lobby } from './lobby.ts';
import { LoadError } from './load-process.ts';
import { UsageError } from './options.ts';
import type { Scenario } from './scenario.ts';
import { send } from './send.ts';

const scenarios: Record<string, Scenario> = { send, handshake, lobby, files, drain };

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopping.abort();
  });
}

process.exitCode = await main(process.argv.slice(2));

/** @returns The exit code: 1 where the audit failed or nothing could be measured, 2 for a mistake in the command. */
async function main([name = '', ...args]: string[]): Promise<number> {
  const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;
  if (!scenario || args.includes('--help')) {
    console.error(usage());
    return scenario ? 0 : 2;
  }
  try {
    return (await scenario.run(args, stopping.signal)) ? 0 : 1;
  } catch (error) {
    if (stopping.signal.aborted) return 130;
    if (isUsage(error)) {
      console.error(`${error.message}\n\n${scenario.usage}`);
      return 2;
    }
    const isPlain = error instanceof LocalStackError || error instanceof LoadError;
    console.error(isPlain ? error.message : error);
    return 1;
  }
}

function usage(): string {
  const lines = Object.entries(scenarios).map(
    ([name, { summary, usage: options }]) => `${name}: ${summary}\n${options}`,
  );
  return ['Usage: npm run bench -- <scenario> [options]', ...lines].join('\n\n');
}

/** Ours, and what `parseArgs` throws. */
function isUsage(error: unknown): error is Error {
  const { code = '' } = error as NodeJS.ErrnoException;
  return error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS');
}
