import type { ArgumentsCamelCase, CommandModule } from 'yargs';
import { endAccountSessions } from '@parley/protocol';
import { count } from '../../text/quantities.ts';
import { aboutAccount, withAccount } from './account.ts';
import type { AccountOptions } from './account.ts';

export const endSessionsCommand: CommandModule<object, AccountOptions> = {
  command: 'end-sessions <name>',
  describe: 'Log an account out everywhere',
  builder: (command) =>
    aboutAccount(
      command,
      'end-sessions',
      'Ends all sessions and connections of an account, at once. It may log in again.',
    ).example('$0 admin users end-sessions anna', 'after a phone was lost'),
  handler: (options: ArgumentsCamelCase<AccountOptions>) =>
    withAccount(options, async ({ name, ask, output }) => {
      const { endedSessions } = await ask(endAccountSessions, { name });
      await output.write(
        { name, endedSessions },
        () => `${count(endedSessions, 'session')} of ${name} ended.`,
      );
    }),
};
