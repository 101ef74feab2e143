/** `npm run bench -- <scenario> [options]`: measures a Parley of its own on this machine and prints what it found. */
import { LocalStackError } from '@parley/local-stack';
import { LoadError } from './load-process.ts';
import { UsageError } from './options.ts';
import { writeReport } from './report.ts';
import { resultsFolder } from './results.ts';
import { runScenario, usageOf } from './scenario.ts';
import { scenarios } from './scenarios/index.ts';

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopping.abort();
  });
}

process.exitCode = await main(process.argv.slice(2));

/** @returns The exit code: 1 where the audit failed or nothing could be measured, 2 for a mistake in the command. */
async function main([name = '', ...args]: string[]): Promise<number> {
  if (name === 'report') {
    console.log(`Written: ${writeReport(args[0] ?? resultsFolder)}`);
    return 0;
  }
  const scenario = scenarios.find((known) => known.name === name);
  if (!scenario || args.includes('--help')) {
    console.error(scenario ? usageOf(scenario) : usage());
    return scenario ? 0 : 2;
  }
  try {
    return (await runScenario(scenario, args, stopping.signal)) ? 0 : 1;
  } catch (error) {
    if (stopping.signal.aborted) return 130;
    if (isUsage(error)) {
      console.error(`${error.message}\n\n${usageOf(scenario)}`);
      return 2;
    }
    const isPlain = error instanceof LocalStackError || error instanceof LoadError;
    console.error(isPlain ? error.message : error);
    return 1;
  }
}

function usage(): string {
  const lines = scenarios.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`);
  return [
    'Usage: npm run bench -- <scenario> [options], npm run bench -- <scenario> --help, npm run bench -- report [FOLDER]',
    ...lines,
    `  ${'report'.padEnd(10)} writes the page of all results that are kept`,
  ].join('\n');
}

/** Ours, and what `parseArgs` throws. */
function isUsage(error: unknown): error is Error {
  const { code = '' } = error as NodeJS.ErrnoException;
  return error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS');
}
