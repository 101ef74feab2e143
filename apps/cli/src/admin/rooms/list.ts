import type { ArgumentsCamelCase, CommandModule } from 'yargs';
import { listAllRooms, maxRoomsPage } from '@parley/protocol';
import type { RoomRecord } from '@parley/protocol';
import { jsonOption } from '../../options.ts';
import { Output } from '../../output.ts';
import { epilogue } from '../epilogue.ts';
import { writeTable } from '../../text/table.ts';
import type { Column } from '../../text/table.ts';
import { shortTime } from '../times.ts';
import { withOperatorBus } from '../with-operator-bus.ts';
import type { Ask } from '../with-operator-bus.ts';

const columns: Column<RoomRecord>[] = [
  { title: 'ID', text: ({ roomId }) => roomId },
  { title: 'NAME', text: ({ name }) => name },
  { title: 'VISIBILITY', text: ({ visibility }) => visibility },
  { title: 'MEMBERS', text: ({ members }) => String(members), isNumber: true },
  { title: 'PRESENT', text: ({ users }) => String(users), isNumber: true },
  { title: 'SINCE (UTC)', text: ({ createdAt }) => shortTime(createdAt) },
  { title: 'OWNER', text: ({ owner }) => owner ?? '' },
];

export const listCommand: CommandModule<object, { json: boolean }> = {
  command: 'list',
  describe: 'List all rooms',
  builder: (command) =>
    command
      .usage(
        '$0 admin rooms list\n\nLists all rooms by name: id, who may enter, members, users present, since when, owner.',
      )
      .options(jsonOption)
      .example([
        ['$0 admin rooms list', ''],
        [
          "$0 admin rooms list --json | jq -r 'select(.members == 0).roomId'",
          'rooms that nobody is a member of',
        ],
      ])
      .epilogue(epilogue),
  handler: (options: ArgumentsCamelCase<{ json: boolean }>) =>
    withOperatorBus((ask) => writeTable(new Output(options.json), columns, pagesOf(ask))),
};

async function* pagesOf(ask: Ask): AsyncGenerator<RoomRecord[], void, void> {
  for (let last: RoomRecord | undefined, hasMore = true; hasMore;) {
    const after = last && { name: last.name, roomId: last.roomId };
    const page = await ask(listAllRooms, { limit: maxRoomsPage, ...(after && { after }) });
    yield page.rooms;
    last = page.rooms.at(-1);
    hasMore = page.hasMore;
  }
}
