/** `npm run test:fuzz`: what nobody should send, read in this process and sent to the whole system. */
import { LocalStackError } from '@parley/local-stack';
import { parseArguments, usage, type FuzzArguments } from './arguments.ts';
import type { Finding } from './findings.ts';
import { readFrames, readingSummary } from './reading.ts';
import { describeFindings, summary } from './report.ts';
import { run } from './run.ts';

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopping.abort();
  });
}
const msPerMinute = 60_000;
/** Of frames that are only read; and how much of a processor they may take, in ms. */
const mostRead = 1_000_000;
const mostReadingMs = 30_000;

process.exitCode = await main(process.argv.slice(2));

/** @returns The exit code: 1 where something was found or the system did not start, 2 for a mistake in the command. */
async function main(args: readonly string[]): Promise<number> {
  let asked: FuzzArguments;
  try {
    asked = parseArguments(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  try {
    const findings = [...(await read(asked)), ...(await send(asked))];
    if (stopping.signal.aborted) return 130;
    if (findings.length === 0) return 0;
    console.log(`\n${describeFindings(findings, asked)}`);
    return 1;
  } catch (error) {
    if (stopping.signal.aborted) return 130;
    console.error(error instanceof LocalStackError ? error.message : error);
    return 1;
  }
}

/** Frames are read in this process, where that is asked for. */
async function read(asked: FuzzArguments): Promise<readonly Finding[]> {
  if (!asked.reading) return [];
  console.log(`Reading frames by seed ${asked.seed} ...`);
  const enough = { mostFrames: mostRead, processorMs: mostReadingMs };
  const result = await readFrames({ seed: asked.seed, ...enough, abort: stopping.signal });
  console.log(readingSummary(result, asked));
  return result.findings;
}

/** The other parts, against a system. */
async function send(asked: FuzzArguments): Promise<readonly Finding[]> {
  const { seed, minutes, only } = asked;
  if (only.length === 0) return [];
  console.log(`Fuzzing ${only.join(', ')} by seed ${seed}, for ${minutes} min ...`);
  const forMs = minutes * msPerMinute;
  const result = await run({ seed, only, forMs, mostFrames: Infinity, abort: stopping.signal });
  console.log(summary(result, asked));
  return result.findings;
}
