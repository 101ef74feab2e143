import type { CommandModule } from 'yargs';
import { epilogue } from '../epilogue.ts';
import { addCommand } from './add.ts';
import { disableCommand, enableCommand } from './disable.ts';
import { endSessionsCommand } from './end-sessions.ts';
import { listCommand } from './list.ts';
import { grantCommand, revokeCommand } from './roles.ts';
import { setPasswordCommand } from './set-password.ts';

export const usersCommand: CommandModule = {
  command: 'users',
  describe: 'Accounts: list, add, passwords, admins, disable, end sessions',
  builder: (command) =>
    command
      .usage('$0 admin users COMMAND\n\nAccounts, by their names.')
      .command(listCommand)
      .command(addCommand)
      .command(setPasswordCommand)
      .command(grantCommand)
      .command(revokeCommand)
      .command(disableCommand)
      .command(enableCommand)
      .command(endSessionsCommand)
      .demandCommand(1, 'What about users?')
      .example([
        ['$0 admin users list', 'all accounts'],
        ['$0 admin users add anna', 'asks for the password'],
        ['$0 admin users grant anna', 'makes anna an admin'],
        ['$0 admin users disable mallory', 'locks mallory out, at once'],
      ])
      .epilogue(epilogue),
  handler: () => undefined,
};
