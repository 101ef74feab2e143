import type { ArgumentsCamelCase, CommandModule } from 'yargs';
import { disableAccount, enableAccount } from '@parley/protocol';
import { count } from '../../text/quantities.ts';
import { aboutAccount, withAccount } from './account.ts';
import type { AccountOptions } from './account.ts';

export const disableCommand: CommandModule<object, AccountOptions> = {
  command: 'disable <name>',
  describe: 'Lock an account out; its sessions end',
  builder: (command) =>
    aboutAccount(
      command,
      'disable',
      'Keeps an account from logging in. All its sessions and connections end at once; what it wrote and owns stays.',
    ).example('$0 admin users disable mallory', ''),
  handler: (options: ArgumentsCamelCase<AccountOptions>) =>
    withAccount(options, async ({ name, ask, output }) => {
      const { endedSessions } = await ask(disableAccount, { name });
      await output.write(
        { name, isDisabled: true, endedSessions },
        () => `${name} is disabled now; ${count(endedSessions, 'session')} ended.`,
      );
    }),
};

export const enableCommand: CommandModule<object, AccountOptions> = {
  command: 'enable <name>',
  describe: 'Let a disabled account log in again',
  builder: (command) =>
    aboutAccount(
      command,
      'enable',
      'Lets a disabled account log in again, with the password it has.',
    ).example('$0 admin users enable mallory', ''),
  handler: (options: ArgumentsCamelCase<AccountOptions>) =>
    withAccount(options, async ({ name, ask, output }) => {
      await ask(enableAccount, { name });
      await output.write({ name, isDisabled: false }, () => `${name} may log in again.`);
    }),
};
