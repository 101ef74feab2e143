import type { ArgumentsCamelCase, CommandModule } from 'yargs';
import { showRoom } from '@parley/protocol';
import type { RoomId, RoomMember, RoomRecord } from '@parley/protocol';
import { jsonOption } from '../../options.ts';
import { Output } from '../../output.ts';
import { toPlainLine } from '../../text/plain-text.ts';
import { epilogue } from '../epilogue.ts';
import { tableLines } from '../../text/table.ts';
import type { Column } from '../../text/table.ts';
import { shortTime } from '../times.ts';
import { withOperatorBus } from '../with-operator-bus.ts';
import type { Ask } from '../with-operator-bus.ts';
import { findRoom } from './find-room.ts';

interface ShowOptions {
  room: string;
  json: boolean;
}

const columns: Column<RoomMember>[] = [
  { title: 'MEMBER', text: ({ name }) => name },
  { title: 'ROLE', text: ({ role }) => role },
  { title: 'ONLINE', text: ({ online }) => (online ? 'yes' : '') },
];

export const showCommand: CommandModule<object, ShowOptions> = {
  command: 'show <room>',
  describe: 'Show a room with its members',
  builder: (command) =>
    command
      .usage('$0 admin rooms show ROOM\n\nShows a room and its members, by its id or name.')
      .positional('room', { type: 'string', demandOption: true, describe: 'Its id or name' })
      .options(jsonOption)
      .example([
        ['$0 admin rooms show tea', ''],
        ["$0 admin rooms show tea --json | jq -r '.memberList[].name'", 'the names of its members'],
      ])
      .epilogue(epilogue),
  handler: (options: ArgumentsCamelCase<ShowOptions>) =>
    withOperatorBus(async (ask) => {
      const room = await findRoom(ask, options.room);
      const memberList = await readMembers(ask, room.roomId);
      await new Output(options.json).write({ ...room, memberList }, () => describeRoom(room, memberList));
    }),
};

async function readMembers(ask: Ask, roomId: RoomId): Promise<RoomMember[]> {
  const members: RoomMember[] = [];
  for (let hasMore = true; hasMore;) {
    const after = members.at(-1)?.name;
    const page = await ask(showRoom, { roomId, ...(after !== undefined && { after }) });
    members.push(...page.members);
    hasMore = page.hasMore;
  }
  return members;
}

function describeRoom(room: RoomRecord, members: readonly RoomMember[]): string {
  const facts = [
    `Name:     ${toPlainLine(room.name)}`,
    `Id:       ${room.roomId}`,
    `Owner:    ${toPlainLine(room.owner ?? 'nobody')}`,
    `Open to:  ${room.visibility === 'public' ? 'everybody (public)' : 'members (private)'}`,
    `Since:    ${shortTime(room.createdAt)} UTC`,
    `Present:  ${room.users}`,
    `Members:  ${room.members}`,
  ];
  return [...facts, ...(members.length > 0 ? ['', ...tableLines(columns, members)] : [])].join('\n');
}
