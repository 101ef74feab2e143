import type { ArgumentsCamelCase, CommandModule } from 'yargs';
import { dropRoom, normalizeName } from '@parley/protocol';
import type { RoomRecord } from '@parley/protocol';
import { CliError, UsageError } from '../../cli-error.ts';
import { jsonOption } from '../../options.ts';
import { Output } from '../../output.ts';
import { prompt } from '../../sign-in/prompt.ts';
import { toPlainLine } from '../../text/plain-text.ts';
import { count } from '../../text/quantities.ts';
import { epilogue } from '../epilogue.ts';
import { withOperatorBus } from '../with-operator-bus.ts';
import { findRoom } from './find-room.ts';

interface DeleteOptions {
  room: string;
  yes: boolean;
  json: boolean;
}

export const deleteCommand: CommandModule<object, DeleteOptions> = {
  command: 'delete <room>',
  describe: 'Delete a room, whoever owns it',
  builder: (command) =>
    command
      .usage(
        '$0 admin rooms delete ROOM\n\nDeletes a room, by its id or name; those in it are told, as when its owner does it.',
      )
      .positional('room', { type: 'string', demandOption: true, describe: 'Its id or name' })
      .options({
        yes: { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask for confirmation' },
        ...jsonOption,
      })
      .example([
        ['$0 admin rooms delete tea', 'asks for the name of the room once more'],
        ['$0 admin rooms delete room_5f0c2a... --yes', 'from a script'],
      ])
      .epilogue(epilogue),
  handler: (options: ArgumentsCamelCase<DeleteOptions>) => {
    if (!options.yes && !process.stdin.isTTY) {
      throw new UsageError('There is no terminal to ask for confirmation: give --yes.');
    }
    return withOperatorBus(async (ask) => {
      const found = await findRoom(ask, options.room);
      if (!options.yes) await confirm(found);
      const { roomId, name } = await ask(dropRoom, { roomId: found.roomId });
      await new Output(options.json).write({ roomId, name }, () => `${toPlainLine(name)} is deleted.`);
    });
  },
};

/** @throws CliError where the person thinks better of it. */
async function confirm({ name, visibility, owner, members }: RoomRecord): Promise<void> {
  const facts = `${visibility}, owner ${owner ?? 'nobody'}, ${count(members, 'member')}`;
  const question = `Delete ${toPlainLine(`${name} (${facts})`)} for ever? Type its name: `;
  if (normalizeName(await prompt(question, { isHidden: false })) === name) return;
  throw new CliError('Not deleted: that is not its name.', undefined, { code: 'cancelled' });
}
