import type { Options } from 'yargs';
import { CliError, UsageError } from '../cli-error.ts';
import { prompt } from '../sign-in/prompt.ts';
import { readLine } from '../sign-in/read-line.ts';

export const newPasswordOptions = {
  'password-stdin': {
    type: 'boolean',
    default: false,
    describe: 'The password is the first line of stdin; else you are asked',
  },
} as const satisfies Record<string, Options>;

/**
 * The password that an account is to have. It is no argument: those are seen by every user of the machine.
 * @throws UsageError where nobody can be asked; CliError where the person leaves, or types two different ones.
 */
export async function readNewPassword(isOnStdin: boolean): Promise<string> {
  if (isOnStdin) return readLine(process.stdin);
  if (!process.stdin.isTTY) {
    throw new UsageError('There is no terminal to ask for the password: give it by --password-stdin.');
  }
  const password = await prompt('New password: ', { isHidden: true });
  if ((await prompt('New password again: ', { isHidden: true })) === password) return password;
  throw new CliError('The passwords differ.');
}
