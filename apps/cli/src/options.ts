import type { ArgumentsCamelCase, InferredOptionTypes, Options } from 'yargs';
import { UsageError } from './cli-error.ts';
import type { Identity } from './sign-in/identity.ts';
import { readIdentity } from './sign-in/identity.ts';

export const defaultUrl = 'ws://localhost:20200';

export const jsonOption = {
  json: { type: 'boolean', default: false, describe: 'Write JSON, one value a line; errors too, on stderr' },
} as const satisfies Record<string, Options>;

/** What every command takes that talks to a server as somebody. */
export const clientOptions = {
  url: {
    type: 'string',
    requiresArg: true,
    describe: `The server; else PARLEY_URL, else ${defaultUrl}`,
    group: 'Server and user:',
  },
  user: {
    alias: 'u',
    type: 'string',
    requiresArg: true,
    describe: 'Your user name; else PARLEY_USER, else you are asked',
    group: 'Server and user:',
  },
  'password-stdin': {
    type: 'boolean',
    default: false,
    describe: 'The password is the first line of stdin; else PARLEY_PASSWORD, else you are asked',
    group: 'Server and user:',
  },
  guest: {
    type: 'string',
    requiresArg: true,
    describe: 'Come as a guest of this name, without an account',
    group: 'Server and user:',
  },
  register: {
    type: 'boolean',
    default: false,
    describe: 'Make the account first',
    group: 'Server and user:',
  },
  ...jsonOption,
} as const satisfies Record<string, Options>;

export type ClientOptions = InferredOptionTypes<typeof clientOptions>;

/** Which server, and as whom. @throws UsageError where that can't be told. */
export async function readClientOptions(
  options: ArgumentsCamelCase<ClientOptions>,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<{ url: string; identity: Identity }> {
  const url = readUrl(options.url ?? (environment.PARLEY_URL || defaultUrl));
  return { url, identity: await readIdentity(options, environment) };
}

function readUrl(given: string): string {
  const protocol = URL.parse(given)?.protocol;
  if (protocol !== undefined && ['ws:', 'wss:', 'http:', 'https:'].includes(protocol)) return given;
  throw new UsageError(`The server has to be a URL like ${defaultUrl}, not '${given}'.`);
}
