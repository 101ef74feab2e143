import { CliError, UsageError } from '../cli-error.ts';
import { prompt } from './prompt.ts';
import { readLine } from './read-line.ts';

/** The options that say who somebody is. */
export interface IdentityOptions {
  user?: string | undefined;
  guest?: string | undefined;
  register: boolean;
  passwordStdin: boolean;
}

/** Who somebody is. */
export type Identity =
  { type: 'guest'; name: string } | { type: 'account'; name: string; password: string; isNew: boolean };

/**
 * Finds out who is at the keyboard: from the options, else from `PARLEY_USER` and `PARLEY_PASSWORD`, else by asking at the
 * terminal. The password is no argument: those are seen by every user of the machine.
 * @throws UsageError where nothing tells and nobody can be asked.
 */
export async function readIdentity(
  options: IdentityOptions,
  environment: NodeJS.ProcessEnv,
): Promise<Identity> {
  if (options.guest !== undefined) {
    if (options.user !== undefined) throw new UsageError('Give either --user or --guest.');
    if (options.register) throw new UsageError('--register is for accounts: guests need none.');
    return { type: 'guest', name: options.guest };
  }
  const name = options.user ?? (environment.PARLEY_USER || (await askName()));
  return {
    type: 'account',
    name,
    password: await readPassword(options, environment),
    isNew: options.register,
  };
}

async function askName(): Promise<string> {
  if (!process.stdin.isTTY)
    throw new UsageError('Who are you? Give --user NAME (or PARLEY_USER), or --guest NAME.');
  return prompt('User name: ', { isHidden: false });
}

async function readPassword(
  { register, passwordStdin }: IdentityOptions,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  if (passwordStdin) return readLine(process.stdin);
  if (environment.PARLEY_PASSWORD) return environment.PARLEY_PASSWORD;
  if (!process.stdin.isTTY) {
    throw new UsageError(
      'There is no terminal to ask for the password: give it by --password-stdin or PARLEY_PASSWORD.',
    );
  }
  const password = await prompt('Password: ', { isHidden: true });
  if (register && (await prompt('Password again: ', { isHidden: true })) !== password) {
    throw new CliError('The passwords differ.');
  }
  return password;
}
