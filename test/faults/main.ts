/** `npm run test:faults`: the whole system under faults and load, and the proof that it kept its promises. */
import { LocalStackError } from '@parley/local-stack';
import { parseArguments, usage, type FaultsArguments } from './arguments.ts';
import { describeViolations, summary } from './report.ts';
import { run } from './run.ts';

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopping.abort();
  });
}

process.exitCode = await main(process.argv.slice(2));

/** @returns The exit code: 1 where a promise was broken or the system did not start, 2 for a mistake in the command. */
async function main(args: readonly string[]): Promise<number> {
  let asked: FaultsArguments;
  try {
    asked = parseArguments(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  console.log(`Faults by seed ${asked.seed}, for ${asked.minutes} min ...`);
  try {
    const result = await run({ ...asked, abort: stopping.signal, log: console.log });
    console.log(summary(result, asked));
    if (result.violations.length === 0) return 0;
    console.log(`\n${describeViolations(result, asked)}`);
    return 1;
  } catch (error) {
    if (stopping.signal.aborted) return 130;
    console.error(error instanceof LocalStackError ? error.message : error);
    return 1;
  }
}
