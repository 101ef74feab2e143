/** `npm run conformance -- --url ws://HOST:PORT`: whether a server keeps what docs/protocol.md promises. */
import { parseArguments, usage, UsageError } from './arguments.ts';
import { count, describe, summary } from './report.ts';
import { chosen, runConformance } from './run.ts';
import type { Result } from './run.ts';

process.exitCode = await main(process.argv.slice(2));

/** @returns The exit code: 1 where a check failed, 2 for a mistake in the command. */
async function main(args: readonly string[]): Promise<number> {
  try {
    return await run(args);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (!(error instanceof UsageError) && !code.startsWith('ERR_PARSE_ARGS')) throw error;
    console.error(`${message}\n\n${usage}`);
    return 2;
  }
}

async function run(args: readonly string[]): Promise<number> {
  const options = parseArguments(args);
  if (options.list) {
    for (const { id, says, section } of chosen(options)) console.log(`${id}\n      ${says} ("${section}")`);
    return 0;
  }
  const results: Result[] = [];
  for await (const result of runConformance(options)) {
    results.push(result);
    if (!options.json) console.log(describe(result));
  }
  const { url } = options;
  console.log(
    options.json ? JSON.stringify({ url, ...count(results), results }, undefined, 2) : summary(results),
  );
  return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}
