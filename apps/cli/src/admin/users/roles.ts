import type { ArgumentsCamelCase, CommandModule } from 'yargs';
import { setRole } from '@parley/protocol';
import type { AccountRole } from '@parley/protocol';
import { aboutAccount, withAccount } from './account.ts';
import type { AccountOptions } from './account.ts';

export const grantCommand = roleCommand('grant', 'admin', {
  describe: 'Make an account an admin',
  effect: 'Makes an account an admin, who may delete any public room but `default`. It counts at once.',
  done: 'is an admin now.',
});

export const revokeCommand = roleCommand('revoke', 'member', {
  describe: 'Make an admin an ordinary account again',
  effect: 'Makes an account an ordinary one again. It counts at once.',
  done: 'is an ordinary account now.',
});

function roleCommand(
  verb: string,
  role: AccountRole,
  words: { describe: string; effect: string; done: string },
): CommandModule<object, AccountOptions> {
  return {
    command: `${verb} <name>`,
    describe: words.describe,
    builder: (command) =>
      aboutAccount(command, verb, words.effect).example(`$0 admin users ${verb} anna`, ''),
    handler: (options: ArgumentsCamelCase<AccountOptions>) =>
      withAccount(options, async ({ name, ask, output }) => {
        await ask(setRole, { name, role });
        await output.write({ name, role }, () => `${name} ${words.done}`);
      }),
  };
}
