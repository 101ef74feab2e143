import { Readable } from 'node:stream';
import type { ArgumentsCamelCase, CommandModule } from 'yargs';
import { writeTable } from '../text/table.ts';
import type { Column } from '../text/table.ts';
import { clientOptions } from '../options.ts';
import type { ClientOptions } from '../options.ts';
import { Output } from '../output.ts';
import { withSession } from '../with-session.ts';

/** A room as it is listed. */
interface ListedRoom {
  id: string;
  name: string;
  visibility: 'private' | 'public';
  /** Those present now. */
  users: number;
  owner: string | null;
  isMember: boolean;
}

const columns: Column<ListedRoom>[] = [
  { title: 'ROOM', text: ({ name }) => name },
  { title: 'ID', text: ({ id }) => id },
  { title: 'FOR', text: ({ visibility }) => (visibility === 'public' ? 'all' : 'members') },
  { title: 'HERE', text: ({ users }) => String(users), isNumber: true },
  { title: 'YOURS', text: ({ isMember }) => (isMember ? 'yes' : '') },
];

export const roomsCommand: CommandModule<object, ClientOptions> = {
  command: 'rooms',
  describe: 'List your rooms and the public ones',
  builder: (command) =>
    command
      .usage(
        '$0 rooms\n\nLists your rooms and the public ones: id, name, who may enter, how many are there, whether you are in.',
      )
      .options(clientOptions)
      .example([
        ['$0 rooms --guest anna', 'all public rooms'],
        ["$0 rooms --json | jq -r 'select(.isMember).name'", 'the names of your rooms'],
      ]),
  handler: (options: ArgumentsCamelCase<ClientOptions>) =>
    withSession(options, async (client, signal) => {
      const output = new Output(options.json);
      const rooms = new Map<string, ListedRoom>();
      for (const { id, name, users, owner, isMember } of await client.listPublicRooms({ signal })) {
        rooms.set(id, { id, name, visibility: 'public', users, owner, isMember });
      }
      for (const { id, name, visibility = 'private', users = 0, owner = null } of client.rooms) {
        rooms.set(id, { id, name, visibility, users, owner, isMember: true });
      }
      const listed = [...rooms.values()].sort((a, b) => a.name.localeCompare(b.name, 'en'));
      await writeTable(output, columns, Readable.from([listed]));
    }),
};
