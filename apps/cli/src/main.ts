#!/usr/bin/env node
/** `parley`: the terminal client, and the operator's tool. */
import { hideBin } from 'yargs/helpers';
import { exitCodes } from './cli-error.ts';
import { failureOf } from './failure.ts';
import { createProgram } from './program.ts';
import { toJsonLine, toPlainText } from './text/plain-text.ts';

// Who reads only the beginning of our output, as `head` does, has what it wants.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  process.exit(code === 'EPIPE' ? exitCodes.ok : exitCodes.failed);
});

const args = hideBin(process.argv);
const exitCode = await main();
// What is written is out by then; what may still be under way, such as a connection that is being tried, holds nobody up.
process.stdout.write('', () => process.exit(exitCode));

async function main(): Promise<number> {
  try {
    await (await createProgram(args)).parseAsync();
    return exitCodes.ok;
  } catch (error) {
    const { exitCode, code, message } = failureOf(error);
    const line = args.includes('--json') ? toJsonLine({ error: { code, message } }) : toPlainText(message);
    console.error(line);
    if (exitCode === exitCodes.usage && !args.includes('--json')) {
      console.error('`parley --help` and `parley COMMAND --help` tell more.');
    }
    return exitCode;
  }
}
