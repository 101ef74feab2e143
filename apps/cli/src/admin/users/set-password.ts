import type { ArgumentsCamelCase, CommandModule, InferredOptionTypes } from 'yargs';
import { setPassword } from '@parley/protocol';
import { count } from '../../text/quantities.ts';
import { newPasswordOptions, readNewPassword } from '../new-password.ts';
import { aboutAccount, withAccount } from './account.ts';
import type { AccountOptions } from './account.ts';

type SetPasswordOptions = AccountOptions & InferredOptionTypes<typeof newPasswordOptions>;

export const setPasswordCommand: CommandModule<object, SetPasswordOptions> = {
  command: 'set-password <name>',
  describe: 'Give an account another password; its sessions end',
  builder: (command) =>
    aboutAccount(
      command,
      'set-password',
      'Gives an account another password. All its sessions end: who is logged in has to log in with the new one.',
    )
      .options(newPasswordOptions)
      .example([
        ['$0 admin users set-password anna', 'asks for the password, twice'],
        ['openssl rand -base64 18 | tee pw | $0 admin users set-password anna --password-stdin', ''],
      ]),
  handler: async (options: ArgumentsCamelCase<SetPasswordOptions>) => {
    const password = await readNewPassword(options.passwordStdin);
    await withAccount(options, async ({ name, ask, output }) => {
      const { endedSessions } = await ask(setPassword, { name, password });
      await output.write(
        { name, endedSessions },
        () => `${name} has a new password; ${count(endedSessions, 'session')} ended.`,
      );
    });
  },
};
