import type { CommandModule } from 'yargs';
import { epilogue } from '../epilogue.ts';
import { deleteCommand } from './delete.ts';
import { listCommand } from './list.ts';
import { showCommand } from './show.ts';

export const roomsCommand: CommandModule = {
  command: 'rooms',
  describe: 'All rooms, private ones too: list, show, delete',
  builder: (command) =>
    command
      .usage('$0 admin rooms COMMAND\n\nAll rooms, private ones too, by their ids or names.')
      .command(listCommand)
      .command(showCommand)
      .command(deleteCommand)
      .demandCommand(1, 'What about rooms?')
      .example([
        ['$0 admin rooms list', 'all rooms'],
        ['$0 admin rooms show tea', 'one room with its members'],
      ])
      .epilogue(epilogue),
  handler: () => undefined,
};
