import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commitSends, createId, deleteRoom, findLastIds, joinRoom, removeMember } from '@parley/protocol';
import type { Message, RoomId, SendResult, User } from '@parley/protocol';
import { createContext, createLog, Database } from '@parley/service-kit';
import { answerMs, contextOf, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, guest, idsOf, oneTo, sendOf, someone } from './testing.ts';
import type { MessagesClient } from './testing.ts';

const opened = new AsyncDisposableStack();
let parley: Parley;
let client: MessagesClient;
let database: Database;

beforeAll(async () => {
  parley = opened.use(await startParley({ gateways: 0, instances: 2 }));
  const { databaseUrl } = parley.stack.servers.addresses;
  const log = createLog('test', 'silent');
  database = opened.use(new Database({ databaseUrl, connections: 1, timeoutMs: 5_000, log }));
  client = clientOf(parley);
});
afterAll(() => opened.disposeAsync());

async function restartMessages(): Promise<void> {
  const running = parley.stack.services.messages;
  await Promise.all(running.map((instance) => instance.stop()));
  await Promise.all(running.map((instance) => instance.start()));
  await Promise.all(running.map((instance) => instance.ready()));
}

/** Where a send ended up, whether then or before. */
function placeOf(result: SendResult): { id: number; sentAt: string } {
  if ('error' in result) throw new Error(`a send was refused: ${result.error}`);
  return { id: result.id, sentAt: result.sentAt };
}

async function lastIdOf(roomId: RoomId): Promise<number> {
  const { lastIds } = await parley.bus.call(findLastIds, { roomIds: [roomId] }, createContext(answerMs));
  return lastIds[0]!;
}

describe('numbering', () => {
  test('two instances give many senders ids without a hole, in the order of each, and tell each message once', async () => {
    const users = ['anna', 'berta', 'carl', 'dora'].map(someone);
    const [anna, ...others] = users as [User, ...User[]];
    const rooms = await Promise.all([1, 2, 3].map(() => client.openRoom(anna, ...others)));
    const heard = await Promise.all(rooms.map((roomId) => client.hear(roomId)));
    const [requests, perRequest] = [15, 7];

    // Each user is in each room at once, and there one request after another, as through a gateway's lane.
    const streams = rooms.flatMap((roomId) => users.map((user) => ({ roomId, user })));
    const results = await Promise.all(
      streams.map(async ({ roomId, user }) => {
        const confirmed: SendResult[] = [];
        for (let request = 0; request < requests; request += 1) {
          const sends = oneTo(perRequest).map((number) =>
            sendOf(user, `${user.name} ${request * perRequest + number}`),
          );
          confirmed.push(...(await client.commit(roomId, sends)));
        }
        return { roomId, user, ids: idsOf(confirmed) };
      }),
    );

    const total = users.length * requests * perRequest;
    for (const [index, roomId] of rooms.entries()) {
      const history = await client.readAll(anna, roomId);
      expect(history.map(({ id }) => id)).toEqual(oneTo(total));
      const times = history.map(({ sentAt }) => sentAt);
      expect(times).toEqual(times.toSorted());
      for (const { user, ids } of results.filter((result) => result.roomId === roomId)) {
        expect(ids).toEqual(ids.toSorted((a, b) => a - b));
        const sent = ids.map((id) => history[id - 1]!.content);
        expect(sent).toEqual(oneTo(requests * perRequest).map((number) => `${user.name} ${number}`));
      }
      expect(heard[index]!.map(({ id }) => id).sort((a, b) => a - b)).toEqual(oneTo(total));
      expect(byId(heard[index]!)).toMatchObject(history);
    }
    const served = await Promise.all(parley.stack.services.messages.map(countServed));
    expect(Math.min(...served)).toBeGreaterThan(0);
  });

  test('times do not go back, even when the clock of the database did', async () => {
    const anna = someone('anna');
    const roomId = await client.openRoom(anna);
    await client.commit(roomId, [sendOf(anna, 'first')]);
    // As if the first had been sent by a clock an hour ahead.
    const text = `update messages.room set last_sent_at = last_sent_at + interval '1 hour' where room_id = $1
                  returning last_sent_at as "lastSentAt"`;
    const [row] = await database.query<{ lastSentAt: Date }>({ name: 'ahead', text, values: [roomId] });
    const [second] = await client.commit(roomId, [sendOf(anna, 'second')]);
    expect(second).toEqual({ id: 2, sentAt: row!.lastSentAt.toISOString(), repeated: false });
  });

  test('a room is told of what was committed together in the order of its ids, with sender and origin', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomId = await client.openRoom(anna, berta);
    const heard = await client.hear(roomId);
    const sends = [sendOf(anna, 'one'), sendOf(anna, 'two'), sendOf(berta, 'three')];
    const results = [
      ...(await client.commit(roomId, sends.slice(0, 2))),
      ...(await client.commit(roomId, sends.slice(2))),
    ];
    expect(heard).toEqual(
      sends.map(({ sender, content, origin }, index) => ({
        ...placeOf(results[index]!),
        senderId: sender.userId,
        sender: sender.name,
        content,
        origin,
      })),
    );
  });

  test('what the room is told is committed', async () => {
    const anna = someone('anna');
    const roomId = await client.openRoom(anna);
    const heard = await client.hear(roomId);
    const sent = client.commit(roomId, [sendOf(anna, 'hello')]);
    await until('the room is told', () => heard.length > 0);
    const { messages } = await client.read(anna, roomId);
    expect(messages).toMatchObject([{ id: 1, content: 'hello' }]);
    await sent;
  });

  test('content is kept exactly as it was sent', async () => {
    const anna = someone('anna');
    const roomId = await client.openRoom(anna);
    const contents = [
      ' ',
      'e\u0301 is not \u00e9',
      '\u{1F600}'.repeat(8_192),
      '"\\\u0001\u2028',
      "'; drop table x; --",
    ];
    const sends = contents.map((content) => sendOf(anna, content));
    idsOf(await client.commit(roomId, sends));
    const { messages } = await client.read(anna, roomId);
    expect(messages.map(({ content }) => content)).toEqual(contents);
  });

  test.each([
    ['empty', ''],
    ['longer than 8,192 characters', '\u{1F600}'.repeat(8_193)],
    ['not storable for a NUL in it', 'a\0b'],
    ['not storable for half a surrogate pair', 'a\uD83D'],
  ])('content that is %s is refused, with all that came along', async (_what, content) => {
    const anna = someone('anna');
    const roomId = await client.openRoom(anna);
    const refused = client.commit(roomId, [sendOf(anna, 'fine'), sendOf(anna, content)]);
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_field',
      details: { field: 'sends.1.content' },
    });
    expect(await lastIdOf(roomId)).toBe(0);
  });

  test('last ids come in the order asked, 0 where nothing was sent', async () => {
    const anna = someone('anna');
    const rooms = [await client.openRoom(anna), await client.openRoom(anna), createId('room')];
    await client.commit(rooms[1]!, [sendOf(anna, 'a'), sendOf(anna, 'b')]);
    const request = { roomIds: [rooms[2]!, rooms[1]!, rooms[0]!, rooms[1]!] };
    const found = await parley.bus.call(findLastIds, request, createContext(answerMs));
    expect(found).toEqual({ lastIds: [0, 2, 0, 2] });
  });
});

describe('a client’s own id for a message', () => {
  const clientMessageId = 'my-message-1';

  test('used again in one request, it is one message', async () => {
    const anna = someone('anna');
    const roomId = await client.openRoom(anna);
    const heard = await client.hear(roomId);
    const results = await client.commit(roomId, [
      sendOf(anna, 'hello', { clientMessageId }),
      sendOf(anna, 'between'),
      sendOf(anna, 'hello again', { clientMessageId }),
    ]);
    expect(idsOf(results)).toEqual([1, 2, 1]);
    expect(results[2]).toEqual({ ...results[0], repeated: true });
    expect(heard.map(({ content }) => content)).toEqual(['hello', 'between']);
  });

  test('used again later, it is confirmed with the first’s id and time, and nobody is told again', async () => {
    const anna = someone('anna');
    const roomId = await client.openRoom(anna);
    const [first] = await client.commit(roomId, [sendOf(anna, 'hello', { clientMessageId })]);
    await client.commit(roomId, [sendOf(anna, 'between')]);
    const heard = await client.hear(roomId);
    const sends = [sendOf(anna, 'new'), sendOf(anna, 'hello', { clientMessageId }), sendOf(anna, 'newer')];
    const results = await client.commit(roomId, sends);
    expect(idsOf(results)).toEqual([3, 1, 4]);
    expect(results[1]).toEqual({ ...first, repeated: true });
    expect(heard.map(({ id }) => id)).toEqual([3, 4]);
  });

  test('used in many requests at once, to two instances, it is one message', async () => {
    const anna = someone('anna');
    const roomId = await client.openRoom(anna);
    const heard = await client.hear(roomId);
    for (let round = 1; round <= 10; round += 1) {
      const send = () => sendOf(anna, `round ${round}`, { clientMessageId: `${round}` });
      const results = await Promise.all([1, 2, 3, 4, 5, 6].map(() => client.commit(roomId, [send()])));
      expect(idsOf(results.flat())).toEqual(results.map(() => round));
      expect(new Set(results.flat().map((result) => JSON.stringify(placeOf(result)))).size).toBe(1);
      expect(results.flat().filter((result) => 'repeated' in result && !result.repeated)).toHaveLength(1);
    }
    expect(heard.map(({ id }) => id)).toEqual(oneTo(10));
    expect(await client.readAll(anna, roomId)).toHaveLength(10);
  });

  test('it is good for ever: also after a restart', async () => {
    const anna = someone('anna');
    const roomId = await client.openRoom(anna);
    const [first] = await client.commit(roomId, [sendOf(anna, 'hello', { clientMessageId })]);
    await restartMessages();
    const again = await client.commit(roomId, [sendOf(anna, 'hello', { clientMessageId })]);
    expect(again).toEqual([{ ...first, repeated: true }]);
    expect(await lastIdOf(roomId)).toBe(1);
  });

  test('another user’s same id, and the same in another room, are messages of their own', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const [room, other] = [await client.openRoom(anna, berta), await client.openRoom(anna, berta)];
    expect(idsOf(await client.commit(room, [sendOf(anna, 'mine', { clientMessageId })]))).toEqual([1]);
    expect(idsOf(await client.commit(room, [sendOf(berta, 'mine too', { clientMessageId })]))).toEqual([2]);
    expect(idsOf(await client.commit(other, [sendOf(anna, 'there', { clientMessageId })]))).toEqual([1]);
    const { messages } = await client.read(anna, room);
    expect(messages.map(({ sender, content }) => [sender, content])).toEqual([
      ['anna', 'mine'],
      ['berta', 'mine too'],
    ]);
  });

  test('many repeats among many fresh sends, from all sides at once, leave neither hole nor double', async () => {
    const users = ['anna', 'berta', 'carl'].map(someone);
    const roomId = await client.openRoom(users[0]!, ...users.slice(1));
    const heard = await client.hear(roomId);
    // Requests overlap by half: each message is sent twice, by requests that may be under way together.
    const requests = users.flatMap((user) =>
      oneTo(20).map((request) =>
        oneTo(10).map((number) => {
          const text = `${request * 5 + number}`;
          return sendOf(user, text, { clientMessageId: text });
        }),
      ),
    );
    const results = await Promise.all(requests.map((sends) => client.commit(roomId, sends)));
    const places = new Map<string, string>();
    for (const [index, sends] of requests.entries()) {
      for (const [position, { sender, content }] of sends.entries()) {
        const key = `${sender.name} ${content}`;
        const place = JSON.stringify(placeOf(results[index]![position]!));
        expect(places.get(key) ?? place).toBe(place);
        places.set(key, place);
      }
    }
    expect(places.size).toBe(users.length * 105);
    const history = await client.readAll(users[0]!, roomId);
    expect(history.map(({ id }) => id)).toEqual(oneTo(places.size));
    expect(byId(heard)).toMatchObject(history);
  });
});

describe('who may send', () => {
  test('who is not in the room is refused, without harm to those who are', async () => {
    const [anna, outsider] = [someone('anna'), someone('outsider')];
    const roomId = await client.openRoom(anna);
    const heard = await client.hear(roomId);
    const sends = [sendOf(outsider, 'x'), sendOf(anna, 'a'), sendOf(outsider, 'y'), sendOf(anna, 'b')];
    expect(await client.commit(roomId, sends)).toMatchObject([
      { error: 'not_in_room' },
      { id: 1 },
      { error: 'not_in_room' },
      { id: 2 },
    ]);
    expect(heard.map(({ content }) => content)).toEqual(['a', 'b']);
    expect((await client.read(anna, roomId)).messages).toHaveLength(2);
  });

  test.each([createId('room'), 'room' as RoomId, 'a.*.>' as RoomId])(
    'there is no room %s',
    async (roomId) => {
      const anna = someone('anna');
      expect(await client.commit(roomId, [sendOf(anna, 'a'), sendOf(anna, 'b')])).toEqual([
        { error: 'room_not_found' },
        { error: 'room_not_found' },
      ]);
      await expect(client.read(anna, roomId)).rejects.toMatchObject({ code: 'room_not_found' });
      expect(await lastIdOf(roomId)).toBe(0);
    },
  );

  /** Asks so often that each instance has answered. */
  async function commitOnBoth(roomId: RoomId, sender: User): Promise<SendResult[]> {
    const results = await Promise.all(oneTo(16).map(() => client.commit(roomId, [sendOf(sender, 'x')])));
    return results.flat();
  }

  test('who was removed is refused from then on, by each instance', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomId = await client.openRoom(anna, berta);
    idsOf(await commitOnBoth(roomId, berta));
    await parley.bus.call(removeMember, { roomId, user: 'berta' }, contextOf(anna));
    expect(await commitOnBoth(roomId, berta)).toEqual(oneTo(16).map(() => ({ error: 'not_in_room' })));
    await expect(client.read(berta, roomId)).rejects.toMatchObject({ code: 'not_in_room' });
    idsOf(await commitOnBoth(roomId, anna));
  });

  test('who joins may send at once, at each instance, though it was refused just before', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomId = await client.openRoom(anna);
    expect(await commitOnBoth(roomId, berta)).toEqual(oneTo(16).map(() => ({ error: 'not_in_room' })));
    await parley.bus.call(joinRoom, { roomId }, contextOf(berta));
    expect(idsOf(await commitOnBoth(roomId, berta)).sort((a, b) => a - b)).toEqual(oneTo(16));
  });

  test('a deleted room is not found, for its former members too', async () => {
    const anna = someone('anna');
    const roomId = await client.openRoom(anna);
    idsOf(await commitOnBoth(roomId, anna));
    await parley.bus.call(deleteRoom, { roomId }, contextOf(anna));
    expect(await commitOnBoth(roomId, anna)).toEqual(oneTo(16).map(() => ({ error: 'room_not_found' })));
    await expect(client.read(anna, roomId)).rejects.toMatchObject({ code: 'room_not_found' });
  });

  test('guests write in public rooms without being members, at each instance, until the room is deleted', async () => {
    const [anna, visitor] = [someone('anna'), guest('visitor')];
    const roomId = await client.openRoom(anna);
    expect(idsOf(await commitOnBoth(roomId, visitor)).sort((a, b) => a - b)).toEqual(oneTo(16));
    const { messages } = await client.browse(visitor, roomId);
    expect(messages.map(({ senderId, sender }) => [senderId, sender])).toEqual(
      oneTo(16).map(() => [visitor.userId, 'visitor']),
    );
    await parley.bus.call(deleteRoom, { roomId }, contextOf(anna));
    expect(await commitOnBoth(roomId, visitor)).toEqual(oneTo(16).map(() => ({ error: 'room_not_found' })));
  });

  test('guests are refused in private rooms', async () => {
    const anna = someone('anna');
    const roomId = await client.openPrivateRoom(anna);
    expect(await commitOnBoth(roomId, guest('visitor'))).toEqual(
      oneTo(16).map(() => ({ error: 'not_in_room' })),
    );
  });

  test('what a frozen service finds after its deadline is not stored', async () => {
    const anna = someone('anna');
    const roomId = await client.openRoom(anna);
    idsOf(await commitOnBoth(roomId, anna));
    const running = parley.stack.services.messages;
    for (const instance of running) instance.signal('SIGSTOP');
    const late = client.commit(roomId, [sendOf(anna, 'late')], 300);
    await expect(late).rejects.toMatchObject({ code: 'unavailable' });
    for (const instance of running) instance.signal('SIGCONT');
    // Each instance answers in order: whatever it held back has been dealt with.
    idsOf(await commitOnBoth(roomId, anna));
    const contents = (await client.readAll(anna, roomId)).map(({ content }) => content);
    expect(contents).toEqual(oneTo(32).map(() => 'x'));
  });

  test('while the rooms service is away sends of those not yet known are unavailable, and not stored', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomId = await client.openRoom(anna, berta);
    const running = parley.stack.services.rooms;
    await Promise.all(running.map((instance) => instance.stop()));
    const refused = client.commit(roomId, [sendOf(berta, 'x')]);
    await expect(refused).rejects.toMatchObject({ code: 'unavailable' });
    expect(await lastIdOf(roomId)).toBe(0);
    await Promise.all(running.map((instance) => instance.start()));
    await Promise.all(running.map((instance) => instance.ready()));
    expect(idsOf(await client.commit(roomId, [sendOf(berta, 'x')]))).toEqual([1]);
  });
});

describe('history', () => {
  const anna = someone('anna');
  let roomId: RoomId;
  let all: Message[];

  beforeAll(async () => {
    roomId = await client.openRoom(anna);
    // Ten at once share a time, so that times repeat as they do under load.
    for (let batch = 0; batch < 5; batch += 1) {
      await client.commit(
        roomId,
        oneTo(10).map((number) => sendOf(anna, `${batch * 10 + number}`)),
      );
      const { messages } = await client.read(anna, roomId, { limit: 1 });
      await until('the clock has moved on', () => Date.now() > Date.parse(messages[0]!.sentAt) + 1);
    }
    ({ messages: all } = await client.read(anna, roomId));
  });

  test('all of it is a page of 50', () => {
    expect(all.map(({ id }) => id)).toEqual(oneTo(50));
    expect(all[6]).toEqual({
      id: 7,
      senderId: anna.userId,
      sender: 'anna',
      content: '7',
      sentAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
  });

  test.each<[string, { after?: number; before?: number; limit?: number }, number[], boolean]>([
    ['the newest', { limit: 3 }, [48, 49, 50], true],
    ['all, exactly', { limit: 50 }, oneTo(50), false],
    ['all, with room to spare', { limit: 51 }, oneTo(50), false],
    ['the newest before an id', { before: 48, limit: 3 }, [45, 46, 47], true],
    ['the first before an id', { before: 4, limit: 3 }, [1, 2, 3], false],
    ['nothing before the first', { before: 1 }, [], false],
    ['what follows an id', { after: 10, limit: 3 }, [11, 12, 13], true],
    ['what follows from the start', { after: 0, limit: 2 }, [1, 2], true],
    ['what follows, up to the end', { after: 47, limit: 3 }, [48, 49, 50], false],
    ['nothing after the last', { after: 50 }, [], false],
    ['nothing after an id that is not there yet', { after: 1_000 }, [], false],
    ['between two ids, the oldest first', { after: 10, before: 20, limit: 5 }, [11, 12, 13, 14, 15], true],
    ['between two ids, up to the second', { after: 10, before: 14, limit: 5 }, [11, 12, 13], false],
  ])('%s', async (_what, bounds, ids, hasMore) => {
    const page = await client.read(anna, roomId, bounds);
    expect(page).toEqual({ roomId, messages: ids.map((id) => all[id - 1]), hasMore });
  });

  test('from a time on, the oldest first', async () => {
    const from = all[20]!.sentAt;
    expect(all[19]!.sentAt < from).toBe(true);
    const idsFrom = async (bounds: object) => {
      const { messages, hasMore } = await client.read(anna, roomId, { from, ...bounds });
      return [messages.map(({ id }) => id), hasMore];
    };
    expect(await idsFrom({})).toEqual([oneTo(50).slice(20), false]);
    expect(await idsFrom({ limit: 2 })).toEqual([[21, 22], true]);
    expect(await idsFrom({ after: 30, limit: 2 })).toEqual([[31, 32], true]);
    expect(await idsFrom({ after: 5, limit: 2 })).toEqual([[21, 22], true]);
    expect(await idsFrom({ before: 23 })).toEqual([[21, 22], false]);
    expect(await idsFrom({ after: 21, before: 40, limit: 3 })).toEqual([[22, 23, 24], true]);
    expect(await idsFrom({ from: new Date(Date.parse(from) - 1).toISOString(), limit: 1 })).toEqual([
      [21],
      true,
    ]);
    expect(await idsFrom({ from: new Date(Date.parse(all[49]!.sentAt) + 1).toISOString() })).toEqual([
      [],
      false,
    ]);
    expect(await idsFrom({ from: '0001-01-01T00:00:00.000Z', limit: 1 })).toEqual([[1], true]);
    expect(await idsFrom({ from: '9999-12-31T23:59:59.999Z' })).toEqual([[], false]);
  });

  test('going back page by page, and forth again, meets each message once', async () => {
    const back: number[] = [];
    for (let before: number | undefined, more = true; more; before = back[0]) {
      const page = await client.read(anna, roomId, { limit: 7, ...(before !== undefined && { before }) });
      back.unshift(...page.messages.map(({ id }) => id));
      more = page.hasMore;
    }
    expect(back).toEqual(oneTo(50));
    const forth: number[] = [];
    for (let more = true; more;) {
      const page = await client.read(anna, roomId, { limit: 7, after: forth.at(-1) ?? 0 });
      forth.push(...page.messages.map(({ id }) => id));
      more = page.hasMore;
    }
    expect(forth).toEqual(oneTo(50));
  });

  test('a limit above 1,000 or below 1 is refused here; dialects cap it', async () => {
    for (const limit of [0, 1_001]) {
      const refused = client.read(anna, roomId, { limit });
      await expect(refused).rejects.toMatchObject({ code: 'invalid_field', details: { field: 'limit' } });
    }
  });

  test('only members read', async () => {
    const refused = client.read(someone('outsider'), roomId);
    await expect(refused).rejects.toMatchObject({ code: 'not_in_room' });
  });

  test('into a public room everybody may look without joining, into a private one only members', async () => {
    const outsiders = [someone('outsider'), guest('visitor')];
    for (const user of [anna, ...outsiders]) {
      expect(await client.browse(user, roomId)).toEqual({ roomId, messages: all, hasMore: false });
    }
    const closed = await client.openPrivateRoom(anna);
    await client.commit(closed, [sendOf(anna, 'secret')]);
    expect((await client.browse(anna, closed)).messages).toMatchObject([{ id: 1, content: 'secret' }]);
    for (const user of outsiders) {
      await expect(client.browse(user, closed)).rejects.toMatchObject({ code: 'not_in_room' });
    }
    const gone = client.browse(anna, createId('room'));
    await expect(gone).rejects.toMatchObject({ code: 'room_not_found' });
  });

  test('gateways read what follows an id, with the connection that each message came from', async () => {
    const { messages, hasMore } = await client.replay(anna, roomId, 48);
    expect(hasMore).toBe(false);
    expect(messages).toEqual(all.slice(48).map((message) => ({ ...message, origin: expect.any(String) })));
    const one = await client.replay(anna, roomId, 47, 1);
    expect(one).toMatchObject({ messages: [{ id: 48 }], hasMore: true });
    expect(one.messages).toHaveLength(1);
  });

  test('gateways read for members only, and for guests where the room is public', async () => {
    const closed = await client.openPrivateRoom(anna);
    await client.commit(closed, [sendOf(anna, 'secret')]);
    expect((await client.replay(anna, closed, 0)).messages).toMatchObject([{ content: 'secret' }]);
    const [outsider, visitor] = [someone('outsider'), guest('visitor')];
    for (const [reader, room] of [
      [outsider, closed],
      [visitor, closed],
      [outsider, roomId],
    ] as const) {
      await expect(client.replay(reader, room, 0)).rejects.toMatchObject({ code: 'not_in_room' });
    }
    expect((await client.replay(visitor, roomId, 49)).messages).toMatchObject([{ id: 50 }]);
    const gone = client.replay(anna, createId('room'), 0);
    await expect(gone).rejects.toMatchObject({ code: 'room_not_found' });
  });

  test.each([
    ['8,192 characters that JSON spells with six', '\u0001'.repeat(8_192)],
    ['8,192 characters of four bytes', '\u{1F600}'.repeat(8_192)],
    ['8,192 quotes', '"'.repeat(8_192)],
    ['600 characters that JSON spells with six', '\u0001'.repeat(600)],
  ])('pages of messages of %s are cut at 512 KiB, either way, and never empty', async (_what, content) => {
    const sender = someone('\u{1F600}'.repeat(64));
    const count = 250;
    const room = await client.openRoom(sender);
    for (let sent = 0; sent < count; sent += 10) {
      idsOf(
        await client.commit(
          room,
          oneTo(10).map((number) => sendOf(sender, `${content.slice(10)}${sent + number}`)),
        ),
      );
    }
    const maxBytes = 512 * 1_024;
    const back: number[] = [];
    for (let before: number | undefined, more = true; more; before = back[0]) {
      const page = await client.read(sender, room, before === undefined ? {} : { before });
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThanOrEqual(maxBytes);
      expect(page.messages.length).toBeGreaterThan(0);
      back.unshift(...page.messages.map(({ id }) => id));
      more = page.hasMore;
    }
    expect(back).toEqual(oneTo(count));
    const forth: number[] = [];
    for (let more = true; more;) {
      const page = await client.replay(sender, room, forth.at(-1) ?? 0);
      // What stands around the messages comes on top.
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThanOrEqual(maxBytes + 2_048);
      expect(page.messages.length).toBeGreaterThan(0);
      forth.push(...page.messages.map(({ id }) => id));
      more = page.hasMore;
    }
    expect(forth).toEqual(oneTo(count));
  });
});

describe('a message that', () => {
  const anna = someone('anna');
  const file = { name: 'käse "1".pdf', size: 2 ** 30, type: 'application/pdf', sha256: 'a0'.repeat(32) };

  test('announces a file is told, kept and read back with it, among others that do not', async () => {
    const roomId = await client.openRoom(anna);
    const heard = await client.hear(roomId);
    idsOf(await client.commit(roomId, [sendOf(anna, 'before')]));
    idsOf([await client.announce(roomId, anna, file)]);
    idsOf(await client.commit(roomId, [sendOf(anna, 'after')]));
    expect(heard.map((message) => message.file)).toEqual([undefined, file, undefined]);
    const { messages } = await client.read(anna, roomId);
    expect(heard).toMatchObject(messages);
    expect(messages.map((message) => 'file' in message)).toEqual([false, true, false]);
    expect((await client.replay(anna, roomId, 0)).messages).toEqual(heard);
  });

  test('announces a file is one message, however often and wherever it is asked for, and none of who is outside', async () => {
    const roomId = await client.openRoom(anna);
    const heard = await client.hear(roomId);
    const uploadId = createId('upload');
    const results = await Promise.all(oneTo(6).map(() => client.announce(roomId, anna, file, uploadId)));
    expect(idsOf(results)).toEqual(oneTo(6).map(() => 1));
    expect(heard).toMatchObject([{ id: 1, content: file.name, file }]);
    expect(await client.announce(roomId, someone('outsider'), file)).toEqual({ error: 'not_in_room' });
    expect(await client.announce(createId('room'), anna, file)).toEqual({ error: 'room_not_found' });
  });

  test('comes from no connection is told, kept and read back without one', async () => {
    const roomId = await client.openRoom(anna);
    const heard = await client.hear(roomId);
    expect(idsOf(await client.commit(roomId, [{ sender: anna, content: 'over HTTP' }]))).toEqual([1]);
    expect(idsOf(await client.commit(roomId, [sendOf(anna, 'from a connection')]))).toEqual([2]);
    expect(heard.map((message) => 'origin' in message)).toEqual([false, true]);
    expect((await client.replay(anna, roomId, 0)).messages).toEqual(heard);
  });

  test('comes from nobody is refused', async () => {
    const roomId = await client.openRoom(anna);
    const request = { roomId, sends: [{ content: 'x' }] };
    const sent = parley.bus.call(commitSends, request, createContext(answerMs));
    await expect(sent).rejects.toMatchObject({ code: 'not_authenticated' });
  });

  test('announces a file counts with it where pages are cut at 512 KiB', async () => {
    const roomId = await client.openRoom(anna);
    const long = { ...file, name: '"'.repeat(255), type: '\u0001'.repeat(128) };
    for (let request = 0; request < 2; request += 1) {
      idsOf(await Promise.all(oneTo(500).map(() => client.announce(roomId, anna, long))));
    }
    const ids: number[] = [];
    for (let hasMore = true; hasMore;) {
      const page = await client.replay(anna, roomId, ids.at(-1) ?? 0);
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThanOrEqual(520 * 1_024);
      ids.push(...page.messages.map(({ id }) => id));
      hasMore = page.hasMore;
    }
    expect(ids).toEqual(oneTo(1_000));
  });
});

describe('when something dies', () => {
  /** Sends one message after another until told to stop; keeps what was confirmed and what was not. */
  function createSender(user: User, roomId: RoomId) {
    const confirmed: { id: number; content: string }[] = [];
    const errors: string[] = [];
    let stopped = false;
    async function run(): Promise<void> {
      for (let number = 1; !stopped; number += 1) {
        const content = `${user.name} ${number}`;
        try {
          const [id] = idsOf(await client.commit(roomId, [sendOf(user, content)], 1_000));
          confirmed.push({ id: id!, content });
        } catch (error) {
          errors.push((error as { code: string }).code);
          // What is refused at once leaves no time for anything else.
          await new Promise(setImmediate);
        }
      }
    }
    const running = run();
    return {
      confirmed,
      errors,
      stop: () => {
        stopped = true;
        return running;
      },
    };
  }

  test.each([
    ['Postgres', () => parley.stack.servers.postgres!],
    ['an instance', () => parley.stack.services.messages[0]!],
    ['the bus', () => parley.stack.servers.nats!],
  ])('%s is killed amid sends: all that was confirmed is there, without a hole', async (_what, victim) => {
    const users = oneTo(8).map((number) => someone(`user ${number}`));
    const roomId = await client.openRoom(users[0]!, ...users.slice(1));
    const senders = users.map((user) => createSender(user, roomId));
    const confirmedByAll = (least: number) => () =>
      senders.every(({ confirmed }) => confirmed.length >= least);
    await until('all are sending', confirmedByAll(5));
    await victim().kill();
    await victim().ready();
    const before = Math.max(...senders.map(({ confirmed }) => confirmed.length));
    await until('all are sending again', confirmedByAll(before + 5));
    await Promise.all(senders.map(({ stop }) => stop()));

    const history = await client.readAll(users[0]!, roomId);
    expect(history.map(({ id }) => id)).toEqual(oneTo(history.length));
    const confirmed = senders.flatMap((sender) => sender.confirmed);
    expect(confirmed.map(({ id }) => history[id - 1]?.content)).toEqual(
      confirmed.map(({ content }) => content),
    );
    expect(new Set(confirmed.map(({ id }) => id)).size).toBe(confirmed.length);
    const errors = new Set(senders.flatMap((sender) => sender.errors));
    expect([...errors].filter((code) => code !== 'unavailable')).toEqual([]);
  });

  test('while Postgres is away sending and reading are unavailable, within the deadline', async () => {
    const anna = someone('anna');
    const roomId = await client.openRoom(anna);
    idsOf(
      await Promise.all(oneTo(8).map(() => client.commit(roomId, [sendOf(anna, 'x')]))).then((all) =>
        all.flat(),
      ),
    );
    const server = parley.stack.servers.postgres!;
    await server.stop();
    await Promise.all(
      [client.commit(roomId, [sendOf(anna, 'y')]), client.read(anna, roomId)].map((attempt) =>
        expect(attempt).rejects.toMatchObject({ code: 'unavailable' }),
      ),
    );
    await server.start();
    await until('sending works again', () =>
      client.commit(roomId, [sendOf(anna, 'z', { clientMessageId: 'z' })]).then(
        () => true,
        () => false,
      ),
    );
    const { messages } = await client.read(anna, roomId);
    expect(messages.map(({ content }) => content)).toEqual([...oneTo(8).map(() => 'x'), 'z']);
  });
});

function byId<M extends { id: number }>(messages: readonly M[]): M[] {
  return messages.toSorted((a, b) => a.id - b.id);
}

/** How many requests to commit sends the instance has answered. */
async function countServed({ healthUrl }: { healthUrl: string }): Promise<number> {
  const metrics = await (await fetch(`${healthUrl}/metrics`)).text();
  const line = metrics
    .split('\n')
    .find((text) => text.startsWith('parley_bus_serve_seconds_count') && text.includes(commitSends.name));
  return Number(line?.split(' ').at(-1) ?? 0);
}
