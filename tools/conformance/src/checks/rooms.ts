import { askUntil } from '../ask-until.ts';
import { group } from '../check.ts';
import { expectLike, expectSame, expectThat, someText } from '../expect.ts';
import { list, text } from '../fields.ts';
import type { Stage } from '../stage.ts';
import type { LoginWire } from '../wires/login-wire.ts';

/** An owner, a member, and somebody outside. */
async function three(stage: Stage): Promise<[LoginWire, LoginWire, LoginWire, string]> {
  const owner = await stage.logIn('owner');
  const member = await stage.logIn('member');
  const outsider = await stage.logIn('outsider');
  return [owner, member, outsider, await stage.room(owner, member)];
}

async function roomIds(wire: LoginWire): Promise<string[]> {
  return list(await wire.ask('get_rooms'), 'rooms').map((room) => text(room, 'id'));
}

export const roomChecks = group('rooms', { section: 'Login dialect', dialects: ['login'] }, [
  {
    id: 'create',
    says: '`create_room` answers `room_created`; each participant is told with `user_added`, with the name of the room and its owner.',
    async run(stage) {
      const [owner, member] = [await stage.logIn('owner'), await stage.logIn('member')];
      const room_name = stage.newName('room');
      const { frame } = await owner.request('create_room', { participants: [member.name], room_name });
      expectLike('the reply', frame, {
        action: 'room_created',
        status: 'success',
        data: { room_id: someText },
      });
      expectLike('the notification', (await member.event('user_added')).frame, {
        status: 'success',
        data: { user_added: member.name, room_name, owner: owner.name },
      });
      for (const wire of [owner, member]) {
        const [room] = list(await wire.ask('get_rooms'), 'rooms');
        expectLike(`the list of ${wire.who}`, room, { id: someText, name: room_name });
      }
    },
  },
  {
    id: 'unknown-participants',
    says: 'A room with unknown participants is not made: `user_not_found` names all of them.',
    async run(stage) {
      const owner = await stage.logIn('owner');
      const participants = [stage.newName('nobody'), owner.name, stage.newName('nobody')];
      const refused = await owner.refusal('create_room', { participants, room_name: 'x' });
      expectLike('the refusal', refused, { code: 'user_not_found' });
      for (const index of [0, 2]) {
        expectThat('not all are named', JSON.stringify(refused['data']).includes(participants[index]!));
      }
      expectSame('the rooms', await roomIds(owner), []);
    },
  },
  {
    id: 'owner-only',
    says: 'Only the owner adds, removes, renames and deletes: others are `not_owner`, those outside `not_in_room`.',
    async run(stage) {
      const [owner, member, outsider, room_id] = await three(stage);
      const requests: [string, object][] = [
        ['add_user_to_room', { room_id, user_to_add: outsider.name }],
        ['remove_user_from_room', { room_id, user_to_remove: owner.name }],
        ['rename_room', { room_id, new_room_name: 'mine' }],
        ['delete_room', { room_id }],
      ];
      for (const [action, data] of requests) {
        expectLike(`${action} by a member`, await member.refusal(action, data), { code: 'not_owner' });
        expectLike(`${action} from outside`, await outsider.refusal(action, data), { code: 'not_in_room' });
      }
      const leaving = await owner.refusal('leave_room', { room_id });
      expectLike('the owner leaving', leaving, { code: 'forbidden' });
    },
  },
  {
    id: 'outside',
    says: 'A private room answers those outside with `not_in_room`, whatever they ask.',
    async run(stage) {
      const [, , outsider, room_id] = await three(stage);
      const requests: [string, object][] = [
        ['send_message', { room_id, content: 'let me in' }],
        ['get_messages', { room_id }],
        ['join_room', { room_id }],
        ['leave_room', { room_id }],
        ['get_room_users', { room_id }],
      ];
      for (const [action, data] of requests) {
        expectLike(action, await outsider.refusal(action, data), { code: 'not_in_room' });
      }
    },
  },
  {
    id: 'changes',
    says: 'Who asks for a change gets its reply only; the others present, and who is added or removed, get the same frame.',
    async run(stage) {
      const [owner, member, newcomer, room_id] = await three(stage);
      const before = owner.received.length;
      const changes: [string, object, string, object, LoginWire[]][] = [
        [
          'add_user_to_room',
          { user_to_add: newcomer.name },
          'user_added',
          { user_added: newcomer.name },
          [member, newcomer],
        ],
        [
          'rename_room',
          { new_room_name: 'renamed' },
          'room_renamed',
          { new_room_name: 'renamed' },
          [member, newcomer],
        ],
        [
          'remove_user_from_room',
          { user_to_remove: newcomer.name },
          'user_removed',
          { user_removed: newcomer.name },
          [member, newcomer],
        ],
        ['delete_room', {}, 'room_deleted', {}, [member]],
      ];
      for (const [action, data, told, fields, others] of changes) {
        const expected = { action: told, status: 'success', data: { room_id, ...fields } };
        expectLike('the reply', (await owner.request(action, { room_id, ...data })).frame, expected);
        for (const other of others)
          expectLike(`what ${other.who} is told`, (await other.event(told)).frame, expected);
      }
      const gone = await owner.refusal('get_messages', { room_id });
      expectLike('the room afterwards', gone, { code: 'room_not_found' });
      expectSame('how much came to the owner', owner.received.length - before, changes.length + 1);
    },
  },
  {
    id: 'removed',
    says: 'Who was removed hears nothing more and may do nothing there.',
    async run(stage) {
      const [owner, member, , room_id] = await three(stage);
      await owner.say(room_id, 'before');
      await member.hears(room_id, 'before');
      await owner.ask('remove_user_from_room', { room_id, user_to_remove: member.name });
      await member.event('user_removed');
      await owner.say(room_id, 'after');
      expectLike('reading', await member.refusal('get_messages', { room_id }), { code: 'not_in_room' });
      expectSame('the rooms', await roomIds(member), []);
      expectSame(
        'what was heard',
        member.heard(room_id).map(({ content }) => content),
        ['before'],
      );
    },
  },
  {
    id: 'public',
    says: 'Anybody joins a public room and leaves it; those present are told, and it is listed with its users.',
    async run(stage) {
      const [owner, visitor] = [await stage.logIn('owner'), await stage.logIn('visitor')];
      const room_name = stage.newName('room');
      const made = { participants: [], room_name, visibility: 'public' };
      const room_id = text(await owner.ask('create_room', made), 'room_id');
      const again = await visitor.refusal('create_room', made);
      expectLike('a second one of that name', again, { code: 'room_exists' });
      const entry = { room_id, chatid: visitor.name };
      expectLike('the reply', await visitor.ask('join_room', { room_id }), { ...entry, room_name });
      expectLike('the notification', (await owner.event('room_joined')).frame, { data: entry });
      const ask = async () => {
        const listed = list(await visitor.ask('get_rooms', { scope: 'public' }), 'rooms');
        return listed.find(({ id }) => id === room_id);
      };
      const room = await askUntil(stage, ask, (told) => told?.['users'] === 2);
      expectLike('the listed room', room, { name: room_name, owner: owner.name, users: 2, member: true });
      const users = list(await visitor.ask('get_room_users', { room_id }), 'users');
      expectSame('the users', users.map(({ chatid }) => chatid).sort(), [owner.name, visitor.name].sort());
      expectLike('the reply', await visitor.ask('leave_room', { room_id }), entry);
      expectLike('the notification', (await owner.event('room_left')).frame, { data: entry });
      const unheard = await visitor.refusal('send_message', { room_id, content: 'x' });
      expectLike('speaking afterwards', unheard, { code: 'not_in_room' });
    },
  },
]);
