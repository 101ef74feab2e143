import { group } from '../check.ts';
import { aTime, expectLike, expectSame, expectThat, someText } from '../expect.ts';
import { isFields, list } from '../fields.ts';
import { NotApplicable } from '../failure.ts';
import { asFields } from '../stage.ts';
import { joinLine } from '../wires/join-wire.ts';

const many = 30;

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

const http = group('http', { section: 'Join dialect', dialects: ['join'] }, [
  {
    id: 'accounts',
    says: 'Accounts are made and logged in over HTTP; wrong credentials are 401, a request without a token too.',
    async run(stage) {
      const credentials = { username: stage.newName('anna'), password: 'long enough' };
      const made = await stage.http('POST', '/api/register', { body: credentials });
      expectLike('register', made, {
        status: 201,
        body: { status: 'success', username: credentials.username },
      });
      const again = await stage.http('POST', '/api/register', { body: credentials });
      expectLike('register again', again, { status: 409, body: { code: 'username_taken' } });
      const login = await stage.http('POST', '/api/login', { body: credentials });
      expectLike('login', login, { status: 200, body: { status: 'success', token: someText } });
      const wrong = await stage.http('POST', '/api/login', {
        body: { ...credentials, password: 'another one' },
      });
      expectLike('a wrong password', wrong, {
        status: 401,
        body: { status: 'error', code: 'invalid_credentials', message: someText },
      });
      expectLike('no token', await stage.http('GET', '/api/rooms'), {
        status: 401,
        body: { status: 'error', code: 'not_authenticated' },
      });
      const { token } = asFields(login.body);
      await stage.http('POST', '/api/logout', { token: String(token) });
      expectLike('after logout', await stage.http('GET', '/api/rooms', { token: String(token) }), {
        status: 401,
      });
    },
  },
  {
    id: 'rooms',
    says: 'Rooms are made in the name of the caller, listed, and joined.',
    async run(stage) {
      const [anna, ben] = [await stage.token('anna'), await stage.token('ben')];
      const roomName = stage.newName('room');
      const forged = await stage.http('POST', '/api/create-room', {
        token: anna.token,
        body: { roomName, creator: ben.name },
      });
      expectLike("in another's name", forged, { status: 403, body: { code: 'forbidden' } });
      const made = await stage.http('POST', '/api/create-room', {
        token: anna.token,
        body: { roomName, creator: anna.name },
      });
      expectLike('create-room', made, { status: 200, body: { status: 'success', roomId: someText } });
      const { roomId } = asFields(made.body);
      const joined = await stage.http('POST', '/api/join-room', {
        token: ben.token,
        body: { roomId, username: ben.name },
      });
      expectLike('join-room', joined, { status: 200, body: { message: `Joined room ${roomName}` } });
      let path = '/api/rooms?limit=1000';
      for (;;) {
        const { body, headers } = await stage.http('GET', path, { token: ben.token });
        expectThat('the rooms are no list', Array.isArray(body));
        if ((body as unknown[]).some((room) => isFields(room) && room['roomId'] === roomId)) return;
        const next = /<([^>]*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
        expectThat('the room is not in the list', next !== undefined);
        path = next!;
      }
    },
  },
  {
    id: 'history',
    says: 'The history of a room comes in the order of its ids, paged by `limit`, `after` and `before`.',
    async run(stage) {
      const owner = await stage.token('anna');
      const room = await stage.publicRoom(owner);
      const wire = await stage.connectJoin('anna', owner);
      await wire.ask('join', { username: owner.name, roomId: room.id });
      for (const n of upTo(12)) await wire.say(room.id, String(n));
      const pages: [string, number[]][] = [
        ['', upTo(12)],
        ['?limit=5', upTo(12, 8)],
        ['?before=8&limit=5', upTo(7, 3)],
        ['?after=7', upTo(12, 8)],
        ['?after=0&limit=5', upTo(5)],
      ];
      for (const [query, ids] of pages) {
        const path = `/api/chat-history/${room.id}${query}`;
        const { status, body } = await stage.http('GET', path, { token: owner.token });
        expectSame(`the status of ${path}`, status, 200);
        const lines = list(asFields(body), 'messages').map(joinLine);
        expectSame(
          path,
          lines.map(({ id }) => id),
          ids,
        );
        expectSame(
          'the contents',
          lines.map(({ content }) => content),
          ids.map(String),
        );
      }
    },
  },
]);

const webSocket = group('join', { section: 'Join dialect', dialects: ['join'] }, [
  {
    id: 'join',
    says: '`join` is answered with a welcome to the room by its name; the others are told with `user-joined`.',
    async run(stage) {
      const owner = await stage.token('anna');
      const room = await stage.publicRoom(owner);
      const anna = await stage.connectJoin('anna', owner);
      expectLike('the reply', await anna.ask('join', { username: owner.name, roomId: room.id }), {
        action: 'joined',
        roomId: room.id,
        message: `Welcome to ${room.name}!`,
      });
      const ben = await stage.join('ben', room.id);
      expectLike('what anna is told', (await anna.event('user-joined')).frame, {
        username: ben.username,
        roomId: room.id,
      });
      expectSame('what ben is told of himself', ben.all('user-joined').length, 0);
    },
  },
  {
    id: 'token',
    says: 'The token comes in the header of the upgrade, as `?token=`, or in `join`; a bad one is refused, and so is the name of an account without one.',
    async run(stage) {
      const anna = await stage.token('anna');
      const room = await stage.publicRoom(anna);
      const entry = { username: anna.name, roomId: room.id };
      const byQuery = await stage.connectJoin('anna', {
        path: `/chat?token=${encodeURIComponent(anna.token)}`,
      });
      await byQuery.ask('join', entry);
      await (await stage.connectJoin('anna')).ask('join', { ...entry, token: anna.token });
      expectSame('a bad token in the header', await stage.upgradeRefusal('/chat', 'x'.repeat(43)), 401);
      const bare = await stage.connectJoin('anna');
      expectLike('an account without a token', await bare.refusal('join', entry), {
        code: 'not_authenticated',
      });
      const wrong = await bare.refusal('join', { ...entry, token: 'x'.repeat(43) });
      expectLike('a bad token in `join`', wrong, { code: 'not_authenticated' });
      const other = await stage.connectJoin('ben', await stage.token('ben'));
      expectLike("another's name", await other.refusal('join', entry), { code: 'forbidden' });
    },
  },
  {
    id: 'guest',
    says: 'Without a token a name that is no account joins as a guest.',
    async run(stage) {
      const room = await stage.publicRoom(await stage.token('owner'));
      const guest = await stage.connectJoin('guest');
      const got = await guest.request('join', { username: stage.newName('guest'), roomId: room.id });
      if (got.frame['code'] === 'forbidden') throw new NotApplicable('guests are not allowed here');
      expectLike('the reply', got.frame, { action: 'joined', roomId: room.id });
      expectLike('what is said', await guest.say(room.id, 'hello'), { id: 1 });
    },
  },
  {
    id: 'errors',
    says: 'An error is flat: code, message, the action and the field; the connection stays open.',
    async run(stage) {
      const owner = await stage.token('anna');
      const wire = await stage.connectJoin('anna', owner);
      const missing = await wire.refusal('join', { username: owner.name });
      expectLike('a missing field', missing, {
        action: 'error',
        code: 'missing_field',
        message: someText,
        originalAction: 'join',
        field: 'roomId',
      });
      const [room, other] = [await stage.publicRoom(owner), await stage.publicRoom(owner)];
      await wire.ask('join', { username: owner.name, roomId: room.id });
      wire.send({ action: 'send-message', roomId: other.id, message: 'hello' });
      expectLike('a room one is not in', (await wire.event('error')).frame, { code: 'not_in_room' });
      const nowhere = await wire.refusal('join', { username: owner.name, roomId: 'nowhere' });
      expectLike('a room that is not there', nowhere, { code: 'room_not_found' });
    },
  },
  {
    id: 'send',
    says: 'A message comes to everyone present, the sender too, with the same id and time.',
    async run(stage) {
      const room = await stage.publicRoom(await stage.token('owner'));
      const [anna, ben] = [await stage.join('anna', room.id), await stage.join('ben', room.id)];
      const own = await anna.say(room.id, 'hello 💬');
      expectLike('the message', own, {
        roomId: room.id,
        sender: anna.username,
        message: 'hello 💬',
        timestamp: aTime,
        id: 1,
      });
      expectSame('what ben got', await ben.hears(room.id, 'hello 💬'), own);
    },
  },
  {
    id: 'order',
    says: 'Messages come to everyone as 1, 2, 3 ... in the order they were sent, each once.',
    section: 'Guarantees',
    async run(stage) {
      const room = await stage.publicRoom(await stage.token('owner'));
      const [anna, ben] = [await stage.join('anna', room.id), await stage.join('ben', room.id)];
      for (const n of upTo(many)) anna.send({ action: 'send-message', roomId: room.id, message: String(n) });
      await Promise.all([anna, ben].map((wire) => wire.hears(room.id, String(many))));
      for (const wire of [anna, ben]) {
        expectSame(
          `what ${wire.who} got`,
          wire.heard(room.id).map(({ id, content }) => [id, content]),
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
      const room = await stage.publicRoom(await stage.token('owner'));
      const [anna, ben] = [await stage.join('anna', room.id), await stage.join('ben', room.id)];
      const { id, timestamp } = await anna.say(room.id, 'once', { clientMessageId: 'the same' });
      const repeated = await anna.say(room.id, 'once', { clientMessageId: 'the same' });
      expectLike('the answer to the repetition', repeated, { id, timestamp, clientMessageId: 'the same' });
      await anna.say(room.id, 'the end');
      await ben.hears(room.id, 'the end');
      expectSame(
        'what ben got',
        ben.heard(room.id).map(({ content }) => content),
        ['once', 'the end'],
      );
    },
  },
  {
    id: 'resume',
    says: 'With `lastId` what followed that message comes after `joined`, then what is new: nothing twice, nothing missed.',
    section: 'Guarantees',
    async run(stage) {
      const room = await stage.publicRoom(await stage.token('owner'));
      const anna = await stage.join('anna', room.id);
      for (const n of upTo(8)) await anna.say(room.id, String(n));
      const ben = await stage.join('ben', room.id, { lastId: 3 });
      await anna.say(room.id, '9');
      await ben.hears(room.id, '9');
      expectSame(
        'the ids that came',
        ben.heard(room.id).map(({ id }) => id),
        upTo(9, 4),
      );
      expectSame('what came first', ben.received[0]?.action, 'joined');
    },
  },
  {
    id: 'leave',
    says: 'Who leaves, or is lost, hears nothing more; the others are told once with `user-left`.',
    async run(stage) {
      const room = await stage.publicRoom(await stage.token('owner'));
      const [anna, ben, carla] = [
        await stage.join('anna', room.id),
        await stage.join('ben', room.id),
        await stage.join('carla', room.id),
      ];
      const reply = await ben.ask('leave', { username: ben.username, roomId: room.id });
      expectLike('the reply', reply, { action: 'left', roomId: room.id });
      expectLike('what anna is told', (await anna.event('user-left')).frame, { username: ben.username });
      await anna.say(room.id, 'without ben');
      await ben.ask('join', { username: ben.username, roomId: room.id });
      await anna.say(room.id, 'with ben');
      await ben.hears(room.id, 'with ben');
      expectSame(
        'what ben got',
        ben.heard(room.id).map(({ content }) => content),
        ['with ben'],
      );
      carla.terminate();
      expectLike('of who is lost', (await anna.event('user-left')).frame, { username: carla.username });
      expectSame('how often anna was told', anna.all('user-left').length, 2);
    },
  },
]);

export const joinChecks = [...http, ...webSocket];
