import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CliError } from '../cli-error.ts';

/**
 * Asks at the terminal; the question goes to stderr, so that stdout stays the results' alone.
 * @param options.isHidden Shows nothing of what is typed.
 * @throws CliError where the person leaves by Ctrl-C or Ctrl-D.
 */
export function prompt(question: string, { isHidden }: { isHidden: boolean }): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  // In terminal mode readline turns the terminal's own echo off and writes what is typed to its output.
  const output = isHidden
    ? new Writable({
        write: (_chunk, _encoding, done) => {
          done();
        },
      })
    : process.stderr;
  const line = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
  if (isHidden) process.stderr.write(question);
  line.question(isHidden ? '' : question, (answer) => {
    resolve(answer);
    line.close();
  });
  line.once('SIGINT', () => {
    line.close();
  });
  line.once('close', () => {
    if (isHidden) process.stderr.write('\n');
    reject(new CliError('Cancelled.'));
  });
  return promise;
}
