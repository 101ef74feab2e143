import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  acknowledge,
  beginReading,
  createId,
  joinRoom,
  leaveRoom,
  listReceipts,
  noteEntry,
  subjects,
} from '@parley/protocol';
import type { IdRange, MessageId, ReplyOf, RequestOf, RoomId, User, UserEvent } from '@parley/protocol';
import { createContext, createLog, Database } from '@parley/service-kit';
import { answerMs, contextOf, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import fc from 'fast-check';
import { clientOf, guest, idsOf, oneTo, sendOf, someone } from './testing.ts';
import type { MessagesClient } from './testing.ts';

type Acknowledgement = RequestOf<typeof acknowledge>['acknowledgements'][number];
type Delivered = Extract<UserEvent, { type: 'message-delivered' }>;

const opened = new AsyncDisposableStack();
let parley: Parley;
let client: MessagesClient;
let database: Database;

beforeAll(async () => {
  parley = opened.use(await startParley({ gateways: 0, instances: 2 }));
  const { databaseUrl } = parley.stack.servers.addresses;
  const log = createLog('test', 'silent');
  database = opened.use(new Database({ databaseUrl, connections: 1, timeoutMs: 100_000, log }));
  client = clientOf(parley);
});
afterAll(() => opened.disposeAsync());

/** What the user has acknowledged of the room, as a login with the handshake finds it; undefined where it is not in the room. */
async function read(user: User, roomId: RoomId): Promise<IdRange[] | undefined> {
  const { rooms } = await parley.bus.call(beginReading, { roomIds: [roomId] }, contextOf(user));
  expect(rooms.filter((room) => room.roomId !== roomId)).toEqual([]);
  return rooms[0]?.ranges;
}

/** As the rooms service does it: first it is noted, then the user is a member. */
async function enter(user: User, roomId: RoomId): Promise<MessageId> {
  const { lastId } = await parley.bus.call(noteEntry, { roomId, user }, createContext(answerMs));
  await admit(roomId, user);
  return lastId;
}

/** Makes users members without a word. */
async function admit(roomId: RoomId, ...users: User[]): Promise<void> {
  await database.query({
    name: 'test.members',
    text: `insert into rooms.member (room_id, user_id, name)
           select id, member.user_id, member.name
           from rooms.room, unnest($2::text[], $3::text[]) as member (user_id, name) where id = $1
           on conflict do nothing`,
    values: [roomId, users.map(({ userId }) => userId), users.map(({ name }) => name)],
  });
}

function acknowledgeAll(...acknowledgements: Acknowledgement[]): Promise<ReplyOf<typeof acknowledge>> {
  return parley.bus.call(acknowledge, { acknowledgements }, createContext(answerMs));
}

function ack(user: User, roomId: RoomId, ...ranges: IdRange[]): Promise<unknown> {
  return acknowledgeAll({ user, roomId, ranges });
}

async function list(user: User, roomId: RoomId) {
  return (await parley.bus.call(listReceipts, { roomId }, contextOf(user))).receipts;
}

async function positions(user: User, roomId: RoomId): Promise<Record<string, MessageId>> {
  return Object.fromEntries((await list(user, roomId)).map(({ name, position }) => [name, position]));
}

/** Sends as many messages to the room. */
async function send(sender: User, roomId: RoomId, count: number): Promise<void> {
  const sends = oneTo(count).map((number) => sendOf(sender, `${number}`));
  idsOf(await client.commit(roomId, sends));
}

/** What the user is told of deliveries from now on. An acknowledgement is answered after the events it causes. */
async function hearDeliveries({ userId }: User): Promise<Delivered[]> {
  const heard: Delivered[] = [];
  parley.bus.subscribe(subjects.userEvents(userId), (event) => {
    if ((event as UserEvent).type === 'message-delivered') heard.push(event as Delivered);
  });
  await parley.bus.flush();
  return heard;
}

/** A room of anna's with as many of her messages, and a reader of it to whom all of them are owed. */
async function openOwedRoom(count: number): Promise<{ anna: User; berta: User; roomId: RoomId }> {
  const [anna, berta] = [someone('anna'), someone('berta')];
  const roomId = await client.openRoom(anna, berta);
  expect(await read(berta, roomId)).toEqual([[0, 0]]);
  if (count > 0) await send(anna, roomId, count);
  return { anna, berta, roomId };
}

/** Fills a room without the service: a long one in a second. */
async function fill(roomId: RoomId, sender: User, count: number): Promise<void> {
  await database.query({
    name: 'test.fill',
    text: `insert into messages.message (room_id, id, sender_id, sender, content, sent_at, origin)
           select $1, id, $2, $3, 'x', now(), 'test' from generate_series(1, $4::bigint) as id`,
    values: [roomId, sender.userId, sender.name, count],
  });
  const text = 'insert into messages.room (room_id, last_id, last_sent_at) values ($1, $2, now())';
  await database.query({ name: 'test.filled', text, values: [roomId, count] });
  await database.query({ name: 'test.analyze', text: 'analyze messages.message' });
}

async function stopAndStart(running: Parley['stack']['services']['messages']): Promise<void> {
  await Promise.all(running.map((instance) => instance.stop()));
  await Promise.all(running.map((instance) => instance.start()));
  await Promise.all(running.map((instance) => instance.ready()));
}

describe('what is owed', () => {
  test('begins with the first login under the handshake, and with no later one', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomId = await client.openRoom(anna, berta);
    await send(anna, roomId, 3);
    expect(await read(berta, roomId)).toEqual([[0, 3]]);
    await send(anna, roomId, 2);
    expect(await read(berta, roomId)).toEqual([[0, 3]]);
    await ack(berta, roomId, [5, 5]);
    expect(await read(berta, roomId)).toEqual([
      [0, 3],
      [5, 5],
    ]);
  });

  test('is told of many rooms in the order they were asked for', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomIds = await Promise.all(oneTo(5).map(() => client.openRoom(anna, berta)));
    for (const [index, roomId] of roomIds.entries()) if (index > 0) await send(anna, roomId, index);
    const request = { roomIds: [...roomIds, roomIds[4]!].reverse() };
    const { rooms } = await parley.bus.call(beginReading, request, contextOf(berta));
    expect(rooms).toEqual(
      [4, 4, 3, 2, 1, 0].map((lastId) => ({ roomId: roomIds[lastId], ranges: [[0, lastId]] })),
    );
    const none = await parley.bus.call(beginReading, { roomIds: [] }, contextOf(berta));
    expect(none).toEqual({ rooms: [] });
  });

  test('is not told of rooms that one is not in, and to nobody who is nobody', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const [own, others] = [await client.openRoom(anna, berta), await client.openPrivateRoom(anna)];
    const roomIds = [others, own, createId('room')];
    const { rooms } = await parley.bus.call(beginReading, { roomIds }, contextOf(berta));
    expect(rooms).toEqual([{ roomId: own, ranges: [[0, 0]] }]);
    const asNobody = parley.bus.call(beginReading, { roomIds }, createContext(answerMs));
    await expect(asNobody).rejects.toMatchObject({ code: 'not_authenticated' });
  });

  test('of a room made afterwards is everything', async () => {
    const { anna, berta } = await openOwedRoom(0);
    const later = await client.openRoom(anna, berta);
    await send(anna, later, 3);
    expect(await read(berta, later)).toEqual([[0, 0]]);
  });

  test('of a room that was empty at the first login is everything', async () => {
    const { berta, roomId } = await openOwedRoom(3);
    expect(await read(berta, roomId)).toEqual([[0, 0]]);
  });

  test('does not reach back behind the first login, though the room was not named at that login', async () => {
    const [anna, berta, carl] = ['anna', 'berta', 'carl'].map(someone) as [User, User, User];
    const [named, other] = await Promise.all([1, 2].map(() => client.openRoom(anna, berta, carl)));
    await send(anna, other!, 4);
    const sentAt = (await client.read(anna, other!)).messages.at(-1)!.sentAt;
    await until('the clock has moved on', () => Date.now() > Date.parse(sentAt) + 1);
    await Promise.all([read(berta, named!), read(carl, named!)]);
    await send(anna, other!, 2);
    expect(await read(berta, other!)).toEqual([[0, 4]]);
    await ack(carl, other!, [6, 6]);
    expect(await read(carl, other!)).toEqual([
      [0, 4],
      [6, 6],
    ]);
  });

  test('keeps what was acknowledged before the first login, and reaches no further back for it', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomId = await client.openRoom(anna, berta);
    await send(anna, roomId, 5);
    await ack(berta, roomId, [4, 4]);
    expect(await positions(anna, roomId)).toEqual({ berta: 0 });
    expect(await read(berta, roomId)).toEqual([[0, 5]]);
  });

  test('first logins at once, on both instances, agree', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomId = await client.openRoom(anna, berta);
    await send(anna, roomId, 2);
    const [, ...answers] = await Promise.all([
      send(anna, roomId, 1),
      ...oneTo(8).map(() => read(berta, roomId)),
    ]);
    expect(new Set(answers.map((ranges) => JSON.stringify(ranges))).size).toBe(1);
  });
});

describe('entering a room', () => {
  test('a reader is not owed what was sent before, nor while it was away', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomId = await client.openRoom(anna);
    await read(berta, roomId);
    await send(anna, roomId, 3);
    expect(await enter(berta, roomId)).toBe(3);
    await send(anna, roomId, 2);
    expect(await read(berta, roomId)).toEqual([[0, 3]]);
    await ack(berta, roomId, [5, 5]);
    await send(anna, roomId, 2);
    expect(await enter(berta, roomId)).toBe(7);
    expect(await read(berta, roomId)).toEqual([[0, 7]]);
  });

  test('through the rooms service, that asks before the user is in', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomId = await client.openRoom(anna);
    await read(berta, roomId);
    await send(anna, roomId, 3);
    await parley.bus.call(joinRoom, { roomId }, contextOf(berta));
    await send(anna, roomId, 1);
    expect(await read(berta, roomId)).toEqual([[0, 3]]);
    await parley.bus.call(leaveRoom, { roomId }, contextOf(berta));
    await send(anna, roomId, 2);
    await parley.bus.call(joinRoom, { roomId }, contextOf(berta));
    await send(anna, roomId, 1);
    expect(await read(berta, roomId)).toEqual([[0, 6]]);
  });

  test('notes nothing of users who never logged in under the handshake', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomId = await client.openRoom(anna, berta);
    await send(anna, roomId, 3);
    expect(await enter(berta, roomId)).toBe(3);
    expect(await list(anna, roomId)).toEqual([]);
    await ack(berta, roomId, [2, 2]);
    expect(await positions(anna, roomId)).toEqual({ berta: 0 });
  });

  test('an empty room and one that does not exist have no last message', async () => {
    const { berta, roomId } = await openOwedRoom(0);
    expect(await enter(berta, roomId)).toBe(0);
    expect(await enter(berta, createId('room'))).toBe(0);
    expect(await read(berta, roomId)).toEqual([[0, 0]]);
  });
});

describe('acknowledging', () => {
  test('in any order: holes are remembered, neighbours become one, nothing is taken back', async () => {
    const { anna, berta, roomId } = await openOwedRoom(10);
    const steps: [IdRange[], IdRange[], number][] = [
      [
        [[3, 3]],
        [
          [0, 0],
          [3, 3],
        ],
        0,
      ],
      [
        [[4, 4]],
        [
          [0, 0],
          [3, 4],
        ],
        0,
      ],
      [
        [[3, 4]],
        [
          [0, 0],
          [3, 4],
        ],
        0,
      ],
      [
        [
          [8, 9],
          [6, 6],
        ],
        [
          [0, 0],
          [3, 4],
          [6, 6],
          [8, 9],
        ],
        0,
      ],
      [
        [[1, 1]],
        [
          [0, 1],
          [3, 4],
          [6, 6],
          [8, 9],
        ],
        1,
      ],
      [
        [[2, 2]],
        [
          [0, 4],
          [6, 6],
          [8, 9],
        ],
        4,
      ],
      [
        [[0, 1]],
        [
          [0, 4],
          [6, 6],
          [8, 9],
        ],
        4,
      ],
      [
        [
          [5, 7],
          [6, 8],
        ],
        [[0, 9]],
        9,
      ],
      [[[10, 10]], [[0, 10]], 10],
    ];
    for (const [ranges, expected, position] of steps) {
      await ack(berta, roomId, ...ranges);
      expect(await read(berta, roomId)).toEqual(expected);
      expect(await positions(anna, roomId)).toEqual({ berta: position });
    }
  });

  test('one’s own messages count where they lie between, in whatever order the others are acknowledged', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomId = await client.openRoom(anna, berta);
    await send(anna, roomId, 2);
    await send(berta, roomId, 3);
    await send(anna, roomId, 1);
    await send(berta, roomId, 1);
    await send(anna, roomId, 2);
    await ack(berta, roomId, [1, 2]);
    expect(await positions(anna, roomId)).toEqual({ berta: 2 });
    await ack(berta, roomId, [6, 6]);
    expect(await positions(anna, roomId)).toEqual({ berta: 6 });
    await ack(berta, roomId, [9, 9]);
    expect(await positions(anna, roomId)).toEqual({ berta: 6 });
    await ack(berta, roomId, [8, 8]);
    expect(await positions(anna, roomId)).toEqual({ berta: 9 });
    await ack(anna, roomId, [3, 3], [5, 5]);
    expect(await positions(anna, roomId)).toEqual({ anna: 3, berta: 9 });
  });

  test('the time is that of the last acknowledgement which brought something new', async () => {
    const { anna, berta, roomId } = await openOwedRoom(2);
    const begun = Date.now();
    await ack(berta, roomId, [2, 2]);
    const [first] = await list(anna, roomId);
    expect(Date.parse(first!.at)).toBeGreaterThanOrEqual(begun);
    expect(Date.parse(first!.at)).toBeLessThanOrEqual(Date.now());
    await until('the clock has moved on', () => Date.now() > Date.parse(first!.at) + 1);
    await ack(berta, roomId, [2, 2]);
    expect(await list(anna, roomId)).toEqual([first]);
    await ack(berta, roomId, [1, 1]);
    const [last] = await list(anna, roomId);
    expect(Date.parse(last!.at)).toBeGreaterThan(Date.parse(first!.at));
  });

  const lastId = 40;
  const range = fc
    .tuple(fc.integer({ min: 0, max: lastId + 5 }), fc.integer({ min: 0, max: 6 }))
    .map(([from, more]): IdRange => [from, from + more]);
  const requests = fc.array(
    fc.array(fc.record({ reader: fc.nat(1), ranges: fc.array(range, { minLength: 1, maxLength: 5 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    { minLength: 1, maxLength: 8 },
  );

  test('any batches, all at once on both instances, come to their union, and each message is told of once', async () => {
    await fc.assert(
      fc.asyncProperty(requests, fc.boolean(), async (batches, isBegun) => {
        const users = ['anna', 'berta', 'carl'].map(someone) as [User, User, User];
        const [anna, ...readers] = users;
        const roomId = await client.openRoom(...users);
        // A reader who never began has no row yet when its first acknowledgements meet.
        if (isBegun) for (const reader of readers) await read(reader, roomId);
        await send(anna, roomId, lastId - 1);
        await send(readers[0], roomId, 1);
        const heard = await hearDeliveries(anna);
        const bertaHears = await hearDeliveries(readers[0]);
        await Promise.all(
          batches.map((batch) =>
            acknowledgeAll(
              ...batch.map(({ reader, ranges }) => ({ user: readers[reader]!, roomId, ranges })),
            ),
          ),
        );

        const found = await positions(anna, roomId);
        for (const [index, reader] of readers.entries()) {
          const all = batches.flat().filter((acknowledgement) => acknowledgement.reader === index);
          const isIn = (id: number) =>
            id === 0 || all.some(({ ranges }) => ranges.some(([from, to]) => from <= id && id <= to));
          const union = oneTo(lastId).filter(isIn);
          const position = union.findIndex((id, place) => id !== place + 1);
          if (union.length > 0) expect(found[reader.name]).toBe(position === -1 ? union.length : position);
          const told = [...heard, ...bertaHears].filter((event) => event.reader === reader.name);
          const others = index === 0 ? union.filter((id) => id !== lastId) : union;
          expect(told.map(({ messageId }) => messageId).sort((a, b) => a - b)).toEqual(others);
          if (isBegun) expect(await read(reader, roomId)).toEqual(rangesOf([0, ...union]));
        }
      }),
      { numRuns: 40 },
    );
    const served = await Promise.all(parley.stack.services.messages.map(countServed));
    expect(Math.min(...served)).toBeGreaterThan(0);
  });

  test('several of one user and room in one request are one', async () => {
    const { anna, berta, roomId } = await openOwedRoom(6);
    const carl = someone('carl');
    await admit(roomId, carl);
    const heard = await hearDeliveries(anna);
    await acknowledgeAll(
      { user: berta, roomId, ranges: [[1, 2]] },
      { user: carl, roomId, ranges: [[1, 1]] },
      {
        user: berta,
        roomId,
        ranges: [
          [2, 3],
          [6, 6],
        ],
      },
      { user: berta, roomId, ranges: [[1, 2]] },
    );
    expect(await read(berta, roomId)).toEqual([
      [0, 3],
      [6, 6],
    ]);
    const told = heard.map(({ reader, messageId }) => `${reader} ${messageId}`).sort();
    expect(told).toEqual(['berta 1', 'berta 2', 'berta 3', 'berta 6', 'carl 1']);
  });

  test('batches with the same users and rooms in opposite orders do not block each other', async () => {
    const users = oneTo(20).map((number) => someone(`user ${number}`));
    const rooms = await Promise.all(oneTo(3).map(() => client.openRoom(users[0]!, ...users.slice(1))));
    for (const roomId of rooms) await send(users[0]!, roomId, 10);
    const forth = rooms.flatMap((roomId) => users.map((user) => ({ user, roomId })));
    const batches = oneTo(10).map((id) => {
      const batch = forth.map((key) => ({ ...key, ranges: [[id, id] as IdRange] }));
      return id % 2 === 0 ? batch : batch.reverse();
    });
    await Promise.all(batches.map((batch) => acknowledgeAll(...batch)));
    for (const roomId of rooms) {
      expect(Object.values(await positions(users[0]!, roomId))).toEqual(users.map(() => 10));
    }
  });

  test('ids beyond the last one are left out: they can still be owed', async () => {
    const { anna, berta, roomId } = await openOwedRoom(2);
    const heard = await hearDeliveries(anna);
    await ack(berta, roomId, [2, Number.MAX_SAFE_INTEGER], [7, 8]);
    expect(await read(berta, roomId)).toEqual([
      [0, 0],
      [2, 2],
    ]);
    await ack(berta, roomId, [3, 3]);
    await send(anna, roomId, 1);
    expect(await read(berta, roomId)).toEqual([
      [0, 0],
      [2, 2],
    ]);
    await ack(berta, roomId, [3, 3]);
    expect(heard.map(({ messageId }) => messageId)).toEqual([2, 3]);
  });

  test('a room without messages, or that is none, keeps nothing and harms no other', async () => {
    const { anna, berta, roomId } = await openOwedRoom(1);
    const empty = await client.openRoom(anna, berta);
    await acknowledgeAll(
      { user: berta, roomId: empty, ranges: [[1, 5]] },
      { user: berta, roomId: createId('room'), ranges: [[1, 5]] },
      { user: berta, roomId: 'no room' as RoomId, ranges: [[0, 0]] },
      { user: berta, roomId, ranges: [[1, 1]] },
    );
    expect(await read(berta, roomId)).toEqual([[0, 1]]);
    expect(await read(berta, empty)).toEqual([[0, 0]]);
    expect(await list(anna, empty)).toEqual([]);
    await acknowledgeAll();
  });

  test('of who is not in the room is left out, nobody is told, and others are not harmed', async () => {
    const { anna, berta, roomId } = await openOwedRoom(3);
    const closed = await client.openPrivateRoom(anna);
    await send(anna, closed, 3);
    const [outsider, visitor] = [someone('outsider'), guest('visitor')];
    const heard = await hearDeliveries(anna);
    await acknowledgeAll(
      { user: outsider, roomId, ranges: [[1, 3]] },
      { user: berta, roomId, ranges: [[1, 2]] },
      { user: outsider, roomId: closed, ranges: [[1, 3]] },
      { user: berta, roomId: closed, ranges: [[1, 3]] },
      { user: visitor, roomId: closed, ranges: [[1, 3]] },
    );
    expect(heard.map(({ reader, messageId }) => `${reader} ${messageId}`)).toEqual(['berta 1', 'berta 2']);
    // What was not stored does not count once they are in.
    await admit(roomId, outsider);
    await admit(closed, outsider, berta);
    expect(await positions(anna, roomId)).toEqual({ berta: 2 });
    expect(await positions(anna, closed)).toEqual({});
  });

  test('a range that ends before it begins is refused, and nothing of its request is stored', async () => {
    const { anna, berta, roomId } = await openOwedRoom(3);
    const heard = await hearDeliveries(anna);
    const refused = acknowledgeAll(
      { user: berta, roomId, ranges: [[1, 1]] },
      {
        user: berta,
        roomId,
        ranges: [
          [3, 3],
          [3, 2],
        ],
      },
    );
    const other = ack(berta, roomId, [2, 2]);
    await expect(refused).rejects.toMatchObject({ code: 'invalid_field', details: { field: 'ranges' } });
    await other;
    expect(await read(berta, roomId)).toEqual([
      [0, 0],
      [2, 2],
    ]);
    expect(heard.map(({ messageId }) => messageId)).toEqual([2]);
  });

  test('a thousand in one request are stored at once', async () => {
    const users = oneTo(100).map((number) => someone(`user ${number}`));
    const roomIds = await Promise.all(oneTo(10).map(() => client.openRoom(users[0]!)));
    for (const roomId of roomIds) {
      await admit(roomId, ...users);
      await fill(roomId, users[0]!, 10_000);
    }
    const took: number[] = [];
    for (const from of [1, 3_001, 6_001]) {
      const acknowledgements = roomIds.flatMap((roomId) =>
        users.map((user) => ({ user, roomId, ranges: [[from, from] as IdRange] })),
      );
      const begun = performance.now();
      await acknowledgeAll(...acknowledgements);
      took.push(Math.round(performance.now() - begun));
    }
    console.log(`1,000 acknowledgements in one request, three times: ${took.join(', ')} ms`);
    expect(Math.min(...took)).toBeLessThan(2_500);
  });

  test('in a room of 300,000 messages only what is new is looked at, however much was acknowledged', async () => {
    const [anna, berta, carl] = ['anna', 'berta', 'carl'].map(someone) as [User, User, User];
    const roomId = await client.openRoom(anna, berta, carl);
    await fill(roomId, anna, 300_000);
    const elsewhere = await client.openRoom(carl);
    const heard = await hearDeliveries(anna);
    const timed = async (what: string, work: () => Promise<unknown>) => {
      const begun = performance.now();
      await work();
      return `${what} ${Math.round(performance.now() - begun)} ms`;
    };
    const took = [
      await timed('first login', () => read(berta, roomId)),
      await timed('first login elsewhere', () => read(carl, elsewhere)),
      await timed('entry', () => enter(carl, roomId)),
      await timed('acknowledging all again', () => ack(berta, roomId, [0, 300_000])),
    ];
    await send(anna, roomId, 20);
    // More often than Postgres tries plans made for the values at hand.
    for (const id of oneTo(20)) {
      took.push(await timed(`message ${id}`, () => ack(berta, roomId, [200_000, 300_000 + id])));
    }
    console.log(`In a room of 300,000 messages: ${took.join(', ')}`);
    expect(heard.map(({ messageId }) => messageId)).toEqual(oneTo(20).map((id) => 300_000 + id));
    expect(await read(berta, roomId)).toEqual([[0, 300_020]]);
    expect(await read(carl, roomId)).toEqual([[0, 300_000]]);
  });
});

describe('telling the senders', () => {
  test('each is told once of each of its messages, with the reader’s name, and no reader of its own', async () => {
    const users = ['anna', 'berta', 'carl'].map(someone) as [User, User, User];
    const [anna, berta, carl] = users;
    const roomId = await client.openRoom(...users);
    await Promise.all(users.map((user) => read(user, roomId)));
    for (const [index, sender] of [anna, berta, anna].entries()) {
      idsOf(await client.commit(roomId, [sendOf(sender, `${index + 1}`)]));
    }
    const [annaHears, bertaHears, carlHears] = await Promise.all(users.map(hearDeliveries));
    const told = (messageId: number, reader: string) => ({
      type: 'message-delivered',
      roomId,
      messageId,
      reader,
    });
    await ack(berta, roomId, [1, 2]);
    expect(annaHears).toEqual([told(1, 'berta')]);
    await ack(berta, roomId, [1, 3]);
    await ack(berta, roomId, [1, 3]);
    expect(annaHears).toEqual([told(1, 'berta'), told(3, 'berta')]);
    await ack(carl, roomId, [1, 3]);
    await ack(anna, roomId, [1, 3]);
    expect(annaHears!.slice(2)).toEqual([told(1, 'carl'), told(3, 'carl')]);
    expect(bertaHears).toEqual([told(2, 'carl'), told(2, 'anna')]);
    expect(carlHears).toEqual([]);
    expect(await positions(anna, roomId)).toEqual({ anna: 3, berta: 3, carl: 3 });
  });

  test('a guest is told too, and has no receipt of its own', async () => {
    const [anna, berta, visitor] = [someone('anna'), someone('berta'), guest('visitor')];
    const roomId = await client.openRoom(anna, berta);
    await read(berta, roomId);
    const visitorHears = await hearDeliveries(visitor);
    await send(visitor, roomId, 2);
    await send(anna, roomId, 1);
    await ack(berta, roomId, [1, 3]);
    expect(visitorHears).toEqual(
      [1, 2].map((messageId) => ({ type: 'message-delivered', roomId, messageId, reader: 'berta' })),
    );
    expect(await positions(anna, roomId)).toEqual({ berta: 3 });
  });

  test('what counts as acknowledged from the start or at an entry is nobody’s delivery', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomId = await client.openRoom(anna, berta);
    await send(anna, roomId, 3);
    const heard = await hearDeliveries(anna);
    await read(berta, roomId);
    await send(anna, roomId, 3);
    await enter(berta, roomId);
    await ack(berta, roomId, [1, 6]);
    expect(heard).toEqual([]);
  });

  test('of several devices that acknowledge a room’s first message at once, one is told of', async () => {
    const [anna, berta] = [someone('anna'), someone('berta')];
    const roomId = await client.openRoom(anna, berta);
    await send(anna, roomId, 1);
    const heard = await hearDeliveries(anna);
    let acknowledged: Promise<unknown> | undefined;
    // They all meet at a row that is not committed yet.
    await database.transaction(async ({ query }) => {
      const row = `insert into messages.receipt (room_id, user_id, name, acknowledged, at)
                   values ($1, $2, $3, '{[0,0]}', now())`;
      await query({ name: 'test.row', text: row, values: [roomId, berta.userId, berta.name] });
      acknowledged = Promise.all(oneTo(6).map(() => ack(berta, roomId, [1, 1])));
      const text = 'select count(*)::integer as waiting from pg_locks where not granted';
      await until('all of them wait', async () => {
        const [locks] = await query<{ waiting: number }>({ name: 'test.locks', text });
        return locks!.waiting >= 6;
      });
    });
    await acknowledged;
    expect(heard.map(({ messageId }) => messageId)).toEqual([1]);
  });
});

describe('listing', () => {
  test('is for members, of those who still are, by name', async () => {
    const users = ['dora', 'anna', 'Carl', 'berta'].map(someone) as [User, User, User, User];
    const [dora, anna, carl, berta] = users;
    const roomId = await client.openRoom(...users);
    await send(dora, roomId, 2);
    await ack(anna, roomId, [1, 1]);
    await ack(carl, roomId, [1, 2]);
    await ack(berta, roomId, [2, 2]);
    expect(await list(dora, roomId)).toEqual([
      { name: 'Carl', position: 2, at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/) },
      { name: 'anna', position: 1, at: expect.any(String) },
      { name: 'berta', position: 0, at: expect.any(String) },
    ]);
    await parley.bus.call(leaveRoom, { roomId }, contextOf(anna));
    for (let asked = 0; asked < 8; asked += 1) {
      expect(Object.keys(await positions(dora, roomId))).toEqual(['Carl', 'berta']);
      await expect(list(anna, roomId)).rejects.toMatchObject({ code: 'not_in_room' });
    }
    await parley.bus.call(joinRoom, { roomId }, contextOf(anna));
    expect(await positions(dora, roomId)).toMatchObject({ anna: 1 });
  });

  test('outsiders are refused, and a room that is none is not found', async () => {
    const { roomId } = await openOwedRoom(1);
    const outsider = someone('outsider');
    await expect(list(outsider, roomId)).rejects.toMatchObject({ code: 'not_in_room' });
    await expect(list(outsider, createId('room'))).rejects.toMatchObject({ code: 'room_not_found' });
  });

  test('is cut at 512 KiB', async () => {
    const anna = someone('anna');
    const roomId = await client.openRoom(anna);
    await send(anna, roomId, 1);
    // Names of 256 bytes: 2,000 of them are too many.
    const members = oneTo(2_200).map((number) => someone(`${10_000 + number}${'\u{1F600}'.repeat(59)}`));
    await admit(roomId, ...members);
    for (const start of [0, 1_000, 2_000]) {
      const some = members.slice(start, start + 1_000);
      await acknowledgeAll(...some.map((user) => ({ user, roomId, ranges: [[1, 1] as IdRange] })));
    }
    const receipts = await list(anna, roomId);
    const bytes = Buffer.byteLength(JSON.stringify(receipts));
    expect(bytes).toBeLessThanOrEqual(512 * 1_024 + receipts.length + 2);
    expect(bytes).toBeGreaterThan(512 * 1_024 - 1_000);
    expect(receipts.map(({ name }) => name)).toEqual(
      members.slice(0, receipts.length).map(({ name }) => name),
    );
  });
});

describe('when something dies', () => {
  test('receipts outlive the messages service', async () => {
    const { anna, berta, roomId } = await openOwedRoom(5);
    await ack(berta, roomId, [1, 2], [4, 4]);
    const heard = await hearDeliveries(anna);
    await stopAndStart(parley.stack.services.messages);
    expect(await read(berta, roomId)).toEqual([
      [0, 2],
      [4, 4],
    ]);
    await ack(berta, roomId, [1, 5]);
    expect(await read(berta, roomId)).toEqual([[0, 5]]);
    expect(heard.map(({ messageId }) => messageId)).toEqual([3, 5]);
  });

  test.each([
    ['Postgres', () => parley.stack.servers.postgres!],
    ['an instance', () => parley.stack.services.messages[0]!],
  ])('%s is killed amid acknowledgements: all that was answered is there', async (_what, victim) => {
    const { anna, berta, roomId } = await openOwedRoom(500);
    await send(anna, roomId, 500);
    const answered: number[] = [];
    const errors: string[] = [];
    const ids = oneTo(1_000).values();
    let isStopped = false;
    async function run(): Promise<void> {
      for (const id of ids) {
        while (!isStopped && !(await isAnswered(id)));
        if (isStopped) return;
      }
    }
    async function isAnswered(id: number): Promise<boolean> {
      try {
        const acknowledgements: Acknowledgement[] = [{ user: berta, roomId, ranges: [[id, id]] }];
        await parley.bus.call(acknowledge, { acknowledgements }, createContext(1_000));
        answered.push(id);
        return true;
      } catch (error) {
        errors.push((error as { code: string }).code);
        return false;
      }
    }
    const running = Promise.all(oneTo(4).map(run));
    await until('acknowledgements are answered', () => answered.length >= 20);
    await victim().kill();
    await victim().ready();
    const before = answered.length;
    await until('they are answered again', () => answered.length >= Math.min(before + 20, 900));
    isStopped = true;
    await running;
    await until('the service answers', () => positions(anna, roomId).then(Boolean, () => false));

    const ranges = (await read(berta, roomId)) ?? [];
    const isIn = (id: number) => ranges.some(([from, to]) => from <= id && id <= to);
    expect(answered.filter((id) => !isIn(id))).toEqual([]);
    expect(errors.filter((code) => code !== 'unavailable')).toEqual([]);
    await ack(berta, roomId, [1, 1_000]);
    expect(await read(berta, roomId)).toEqual([[0, 1_000]]);
  });
});

/** Sorted ids as ranges that do not touch. */
function rangesOf(ids: readonly number[]): IdRange[] {
  const ranges: [number, number][] = [];
  for (const id of ids) {
    const last = ranges.at(-1);
    if (last?.[1] === id - 1) last[1] = id;
    else ranges.push([id, id]);
  }
  return ranges;
}

/** How many requests to acknowledge the instance has answered. */
async function countServed({ healthUrl }: { healthUrl: string }): Promise<number> {
  const metrics = await (await fetch(`${healthUrl}/metrics`)).text();
  const line = metrics
    .split('\n')
    .find((text) => text.startsWith('parley_bus_serve_seconds_count') && text.includes(acknowledge.name));
  return Number(line?.split(' ').at(-1) ?? 0);
}
