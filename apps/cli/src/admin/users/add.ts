import type { ArgumentsCamelCase, CommandModule, InferredOptionTypes } from 'yargs';
import { addAccount } from '@parley/protocol';
import { newPasswordOptions, readNewPassword } from '../new-password.ts';
import { aboutAccount, withAccount } from './account.ts';
import type { AccountOptions } from './account.ts';

type AddOptions = AccountOptions & InferredOptionTypes<typeof newPasswordOptions>;

export const addCommand: CommandModule<object, AddOptions> = {
  command: 'add <name>',
  describe: 'Make an account',
  builder: (command) =>
    aboutAccount(command, 'add', 'Makes an account; asks for its password.')
      .options(newPasswordOptions)
      .example([
        ['$0 admin users add anna', 'asks for the password, twice'],
        ['pass parley/bot | $0 admin users add bot --password-stdin', 'from a script'],
      ]),
  handler: async (options: ArgumentsCamelCase<AddOptions>) => {
    const password = await readNewPassword(options.passwordStdin);
    await withAccount(options, async ({ name, ask, output }) => {
      const user = await ask(addAccount, { name, password });
      await output.write(user, () => `${name} has an account now.`);
    });
  },
};
