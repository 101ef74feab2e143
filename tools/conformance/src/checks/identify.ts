import { group } from '../check.ts';
import { aTime, expectLike, expectSame, expectThat, someText } from '../expect.ts';
import { list } from '../fields.ts';
import type { Stage } from '../stage.ts';
import { identifyLine, payloadOf, roomsIn } from '../wires/identify-wire.ts';
import type { IdentifyWire } from '../wires/identify-wire.ts';

const many = 30;

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** A new room with everybody in it. */
async function newRoom(stage: Stage, creator: IdentifyWire, ...others: IdentifyWire[]): Promise<string> {
  const room = stage.newName('room');
  await creator.ask('createRoom', { room });
  for (const wire of [creator, ...others]) await wire.ask('joinRoom', { room });
  return room;
}

export const identifyChecks = group('identify', { section: 'Identify dialect', dialects: ['identify'] }, [
  {
    id: 'identify',
    says: '`identify` makes a guest in room `default`: `joined`, then `roomsList` with the users present.',
    async run(stage) {
      const wire = await stage.connectIdentify('anna');
      await wire.identify(stage.newName('anna'));
      expectLike('the first frame', wire.received[0]?.frame, {
        action: 'joined',
        payload: { room: 'default' },
      });
      const rooms = roomsIn(await wire.event('roomsList'));
      expectThat('`default` has nobody in it', Number(rooms['default']) >= 1);
    },
  },
  {
    id: 'identify-first',
    says: 'Any other action before it is `not_authenticated`.',
    async run(stage) {
      const wire = await stage.connectIdentify();
      const refused = await wire.refusal('joinRoom', { room: 'default' });
      expectLike('the error', refused, { reason: 'not_authenticated', detail: someText });
    },
  },
  {
    id: 'errors',
    says: 'An error has the code as its reason and a detail, and says which field is wrong; the connection stays open.',
    async run(stage) {
      const wire = await stage.identify('anna');
      expectLike('a missing field', await wire.refusal('joinRoom', {}), {
        reason: 'missing_field',
        detail: someText,
        originalAction: 'joinRoom',
        field: 'room',
      });
      expectLike('a wrong type', await wire.refusal('joinRoom', { room: 5 }), { reason: 'invalid_field' });
      expectLike('a room that is not there', await wire.refusal('joinRoom', { room: stage.newName('no') }), {
        reason: 'room_not_found',
      });
      await wire.ask('joinRoom', { room: 'default', colour: 'blue' });
    },
  },
  {
    id: 'names',
    says: 'The name of a guest who is online is taken; a second `identify` and `rename` give another name.',
    async run(stage) {
      const anna = await stage.identify('anna');
      const rival = await stage.connectIdentify('rival');
      expectLike('the same name', await rival.refusal('identify', { username: anna.name }), {
        reason: 'username_taken',
      });
      const [second, third] = [stage.newName('anna'), stage.newName('anna')];
      expectLike('a second identify', await anna.ask('identify', { username: second }, 'renamed'), {
        username: second,
      });
      expectLike('rename', await anna.ask('rename', { newUsername: third }), { username: third });
      expectLike('what is said', await anna.say('default', stage.newName('hello')), { from: third });
    },
  },
  {
    id: 'rooms',
    says: '`createRoom` makes a public room without joining it, and answers `roomsList` with it; its name is unique.',
    async run(stage) {
      const wire = await stage.identify('anna');
      const room = stage.newName('room');
      const { rooms } = await wire.ask('createRoom', { room });
      expectLike('the list', rooms, { [room]: 0 });
      expectLike('again', await wire.refusal('createRoom', { room }), { reason: 'room_exists' });
      wire.send({ action: 'sendMessage', payload: { room, message: 'hello' } });
      expectLike('who is not in it', payloadOf(await wire.event('error')), { reason: 'not_in_room' });
      expectLike('the reply', await wire.ask('joinRoom', { room }), { room });
      const listed = await wire.next('the list with one in it', (got) => roomsIn(got)[room] === 1);
      expectSame('the action', listed.action, 'roomsList');
    },
  },
  {
    id: 'send',
    says: 'A message comes to everyone present, the sender too, with the same id and time.',
    async run(stage) {
      const [anna, ben] = [await stage.identify('anna'), await stage.identify('ben')];
      const room = await newRoom(stage, anna, ben);
      const own = await anna.say(room, 'hello 💬');
      expectLike('the message', own, { from: anna.name, room, message: 'hello 💬', id: 1, timestamp: aTime });
      expectSame('what ben got', await ben.hears(room, 'hello 💬'), own);
    },
  },
  {
    id: 'order',
    says: 'Messages come to everyone as 1, 2, 3 ... in the order they were sent, each once.',
    section: 'Guarantees',
    async run(stage) {
      const [anna, ben] = [await stage.identify('anna'), await stage.identify('ben')];
      const room = await newRoom(stage, anna, ben);
      for (const n of upTo(many)) anna.send({ action: 'sendMessage', payload: { room, message: String(n) } });
      await Promise.all([anna, ben].map((wire) => wire.hears(room, String(many))));
      for (const wire of [anna, ben]) {
        expectSame(
          `what ${wire.who} got`,
          wire.heard(room).map(({ id, content }) => [id, content]),
          upTo(many).map((n) => [n, String(n)]),
        );
      }
    },
  },
  {
    id: 'idempotent',
    says: 'A `clientMessageId` that is used again is answered with the first message, to the sender alone.',
    section: 'Guarantees',
    async run(stage) {
      const [anna, ben] = [await stage.identify('anna'), await stage.identify('ben')];
      const room = await newRoom(stage, anna, ben);
      const first = await anna.say(room, 'once', { clientMessageId: 'the same' });
      const { id, timestamp } = first;
      expectLike(
        'the answer to the repetition',
        await anna.say(room, 'once', { clientMessageId: 'the same' }),
        {
          id,
          timestamp,
          clientMessageId: 'the same',
        },
      );
      await anna.say(room, 'the end');
      await ben.hears(room, 'the end');
      expectSame(
        'what ben got',
        ben.heard(room).map(({ content }) => content),
        ['once', 'the end'],
      );
    },
  },
  {
    id: 'history',
    says: '`history` pages through any public room, also from outside it: that is how a client goes on after a reconnect.',
    async run(stage) {
      const [anna, outside] = [await stage.identify('anna'), await stage.identify('outside')];
      const room = await newRoom(stage, anna);
      for (const n of upTo(12)) await anna.say(room, String(n));
      const pages: [object, number[], boolean][] = [
        [{}, upTo(12), false],
        [{ limit: 5 }, upTo(12, 8), true],
        [{ before: 8, limit: 5 }, upTo(7, 3), true],
        [{ before: 3 }, upTo(2), false],
        [{ after: 7 }, upTo(12, 8), false],
        [{ after: 0, limit: 5 }, upTo(5), true],
      ];
      for (const [page, ids, more] of pages) {
        const payload = await outside.ask('history', { room, ...page });
        const lines = list(payload, 'messages').map(identifyLine);
        expectSame(
          `history ${JSON.stringify(page)}`,
          lines.map(({ id }) => id),
          ids,
        );
        expectSame('has_more', payload['has_more'], more);
        expectSame(
          'the contents',
          lines.map(({ content }) => content),
          ids.map(String),
        );
      }
    },
  },
  {
    id: 'leave',
    says: 'Who has left a room hears nothing more of it.',
    async run(stage) {
      const [anna, ben] = [await stage.identify('anna'), await stage.identify('ben')];
      const room = await newRoom(stage, anna, ben);
      expectLike('the reply', await ben.ask('leaveRoom', { room }), { room });
      await anna.say(room, 'alone');
      await ben.ask('joinRoom', { room });
      await anna.say(room, 'together');
      await ben.hears(room, 'together');
      expectSame(
        'what ben got',
        ben.heard(room).map(({ content }) => content),
        ['together'],
      );
    },
  },
  {
    id: 'delete',
    says: 'Only its creator deletes a room, nobody `default`; everyone in it is told with `left`.',
    async run(stage) {
      const [anna, ben] = [await stage.identify('anna'), await stage.identify('ben')];
      const room = await newRoom(stage, anna, ben);
      expectLike('another guest', await ben.refusal('deleteRoom', { room }), { reason: 'not_owner' });
      expectLike('default', await anna.refusal('deleteRoom', { room: 'default' }), {
        reason: 'cannot_delete_default',
      });
      expectLike('the reply', await anna.ask('deleteRoom', { room }), { room });
      expectLike('what ben is told', payloadOf(await ben.event('left')), { room });
      expectLike('afterwards', await ben.refusal('joinRoom', { room }), { reason: 'room_not_found' });
    },
  },
]);
