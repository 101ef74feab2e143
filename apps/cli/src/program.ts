import yargs from 'yargs';
import type { Argv } from 'yargs';
import { UsageError } from './cli-error.ts';
import { chatCommand } from './commands/chat.ts';
import { downloadCommand } from './commands/download.ts';
import { roomsCommand } from './commands/rooms.ts';
import { sendCommand } from './commands/send.ts';
import { tailCommand } from './commands/tail.ts';
import { uploadCommand } from './commands/upload.ts';

const widestHelp = 100;

/** The program for these arguments; parsing runs the command, and rejects with what it fails with. */
export async function createProgram(args: readonly string[]): Promise<Argv> {
  // It takes along what services are made of: who just chats need not wait for that.
  const adminCommands = args.includes('admin') ? (await import('./admin/index.ts')).adminCommands : [];
  const program = yargs([...args])
    .scriptName('parley')
    .usage('$0 COMMAND\n\nChat on a Parley server from the terminal.')
    .command(chatCommand)
    .command(sendCommand)
    .command(tailCommand)
    .command(roomsCommand)
    .command(uploadCommand)
    .command(downloadCommand)
    .command('admin', 'What operators do: accounts, rooms, the state of the services', (admin) =>
      admin
        .usage('$0 admin COMMAND')
        .command([...adminCommands])
        .demandCommand(1, 'Which admin command?'),
    )
    .completion('completion', 'Print a script that lets the shell complete commands and options')
    .demandCommand(1, 'Which command?')
    .strict()
    .example([
      ['$0 chat --guest anna', 'look around, without an account'],
      ['$0 chat --user anna --register', 'make an account, then chat'],
      ['uptime | $0 send ops - --user bot', 'say something from a script; PARLEY_PASSWORD has the password'],
      ['$0 tail ops --json | jq .content', 'read along'],
    ])
    .epilogue(
      'Settings: PARLEY_URL, PARLEY_USER, PARLEY_PASSWORD (a password is never an argument), NO_COLOR.\n' +
        'Exit codes: 0 done, 1 refused or failed, 2 not understood, 3 nobody answers.',
    )
    .alias('help', 'h')
    .version(false)
    .detectLocale(false)
    .parserConfiguration({ 'parse-numbers': false, 'parse-positional-numbers': false, 'populate--': true })
    .fail((message: string | null, error: Error | undefined) => {
      // The parser's own errors have no class that it exports; those of the commands come along as they are.
      throw error === undefined || error.name === 'YError' ? new UsageError(message ?? 'What?') : error;
    })
    .exitProcess(false);
  return program.wrap(Math.min(widestHelp, program.terminalWidth()));
}
