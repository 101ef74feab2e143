import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  addMember,
  beginReading,
  createId,
  findAccess,
  findMemberships,
  joinRoom,
  leaveRoom,
  listMembers,
  removeMember,
  subjects,
} from '@parley/protocol';
import type { RoomId, User, UserEvent, UserId } from '@parley/protocol';
import { createContext, createLog, Database } from '@parley/service-kit';
import { answerMs, contextOf, startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, someone } from './testing.ts';
import type { RoomsClient } from './testing.ts';

const maxRooms = 12;
const maxMembers = 25;

/** For what many ask at once and is done one after the other, in ms. */
const burstMs = 30_000;

const opened = new AsyncDisposableStack();
let parley: Parley;
let client: RoomsClient;
let anna: User;
let berta: User;
let carl: User;

beforeAll(async () => {
  const environment = {
    MAX_ROOMS_PER_USER: `${maxRooms}`,
    MAX_MEMBERS_PER_ROOM: `${maxMembers}`,
    REQUEST_TIMEOUT_MS: `${burstMs}`,
  };
  parley = opened.use(await startParley({ gateways: 0, instances: 2, environment }));
  client = clientOf(parley);
  [berta, carl] = (await Promise.all(['berta', 'carl'].map(client.signUp))) as [User, User];
});
afterAll(() => opened.disposeAsync());

/** A room of an anna of its own, so that no test brings another nearer to its limit. */
async function openRoom(visibility: 'private' | 'public' = 'private'): Promise<RoomId> {
  anna = someone('anna');
  const { roomId } = await client.create(anna, `Room ${createId('room')}`, { visibility });
  return roomId;
}

/** As one of many at once. */
function joinInBurst(user: User, roomId: RoomId) {
  return parley.bus.call(joinRoom, { roomId }, contextOf(user, burstMs));
}

function remove(caller: User, roomId: RoomId, user: string) {
  return client.ask(caller, removeMember, { roomId, user });
}

function leave(caller: User, roomId: RoomId) {
  return client.ask(caller, leaveRoom, { roomId });
}

async function membersOf(roomId: RoomId): Promise<string[]> {
  const { members } = await client.ask(anna, listMembers, { roomId });
  return members.map(({ name }) => name);
}

function codeOf(outcome: PromiseSettledResult<unknown>): string {
  return outcome.status === 'fulfilled' ? 'ok' : (outcome.reason as { code: string }).code;
}

describe('adding', () => {
  test('the user is in, and is told; so are the others, with who asked', async () => {
    const roomId = await openRoom();
    await client.send(anna, roomId, 'first');
    await client.send(anna, roomId, 'second');
    const [bertaHears, roomHears] = [await client.hearUser(berta), await client.hearRoom(roomId)];
    const context = contextOf(anna);
    const origin = context.caller!.connectionId;
    const added = await parley.bus.call(addMember, { roomId, user: 'berta' }, context);
    expect(added).toEqual({ roomId, user: berta });
    const change = {
      type: 'member-added',
      roomId,
      roomName: expect.any(String),
      owner: 'anna',
      user: berta,
    };
    expect(bertaHears).toEqual([{ type: 'entered-room', roomId, sinceId: 2, change, origin }]);
    const { rooms } = await client.ask(berta, findMemberships, {});
    expect(rooms.find((room) => room.roomId === roomId)).toMatchObject({ sinceId: 2 });
    expect(roomHears).toEqual([{ change, origin }]);
    expect(await membersOf(roomId)).toEqual(['anna', 'berta']);
  });

  test('somebody who is in already is confirmed, and nobody hears of it again', async () => {
    const roomId = await openRoom();
    await client.add(anna, roomId, 'berta');
    const [bertaHears, roomHears] = [await client.hearUser(berta), await client.hearRoom(roomId)];
    expect(await client.add(anna, roomId, 'berta')).toEqual({ roomId, user: berta });
    expect(bertaHears).toEqual([]);
    expect(roomHears).toEqual([]);
    expect(await membersOf(roomId)).toEqual(['anna', 'berta']);
  });

  test('an unknown user is not found, and named', async () => {
    const roomId = await openRoom();
    const refused = client.add(anna, roomId, 'ghost');
    await expect(refused).rejects.toMatchObject({ code: 'user_not_found', details: { users: ['ghost'] } });
  });
});

describe('removing', () => {
  test('the user is out, and is told; so are the others, with who asked', async () => {
    const roomId = await openRoom();
    await client.add(anna, roomId, 'berta');
    const [bertaHears, roomHears] = [await client.hearUser(berta), await client.hearRoom(roomId)];
    const context = contextOf(anna);
    const origin = context.caller!.connectionId;
    expect(await parley.bus.call(removeMember, { roomId, user: 'berta' }, context)).toEqual({
      roomId,
      user: berta,
    });
    const change = { type: 'member-removed', roomId, user: berta };
    expect(bertaHears).toEqual([{ type: 'left-room', roomId, change, origin }]);
    expect(roomHears).toEqual([{ change, origin }]);
    expect(await membersOf(roomId)).toEqual(['anna']);
    expect(await client.roomsOf(berta)).not.toContain(roomId);
  });

  test.each(['carl', 'ghost'])('%s, who is no member, is not found, and nobody hears of it', async (name) => {
    const roomId = await openRoom();
    const heard = await client.hearRoom(roomId);
    const refused = remove(anna, roomId, name);
    await expect(refused).rejects.toMatchObject({ code: 'user_not_found', details: { users: [name] } });
    expect(heard).toEqual([]);
  });

  test('the owner can’t be removed', async () => {
    const roomId = await openRoom();
    await expect(remove(anna, roomId, 'anna')).rejects.toMatchObject({ code: 'forbidden' });
    expect(await membersOf(roomId)).toEqual(['anna']);
  });

  test('of several removals at once one succeeds, and the room hears of it once', async () => {
    const roomId = await openRoom();
    await client.add(anna, roomId, 'berta');
    const heard = await client.hearRoom(roomId);
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => remove(anna, roomId, 'berta')));
    expect(outcomes.map(codeOf).sort()).toEqual(['ok', 'user_not_found', 'user_not_found', 'user_not_found']);
    expect(heard).toHaveLength(1);
  });
});

describe('what only the owner may do', () => {
  const adding = (caller: User, roomId: RoomId) => client.add(caller, roomId, 'carl');
  const removing = (caller: User, roomId: RoomId) => remove(caller, roomId, 'berta');

  test.each([
    ['added to', adding],
    ['removed from', removing],
  ])('nobody is %s a private room by a member or an outsider', async (_what, attempt) => {
    const roomId = await openRoom();
    await client.add(anna, roomId, 'berta');
    await expect(attempt(berta, roomId)).rejects.toMatchObject({ code: 'not_owner' });
    await expect(attempt(carl, roomId)).rejects.toMatchObject({ code: 'not_in_room' });
    expect(await membersOf(roomId)).toEqual(['anna', 'berta']);
  });

  test.each([
    ['added to', adding],
    ['removed from', removing],
  ])('nobody is %s a public room by anybody else', async (_what, attempt) => {
    const roomId = await openRoom('public');
    await client.join(berta, roomId);
    await expect(attempt(berta, roomId)).rejects.toMatchObject({ code: 'not_owner' });
    await expect(attempt(carl, roomId)).rejects.toMatchObject({ code: 'not_owner' });
    expect(await membersOf(roomId)).toEqual(['anna', 'berta']);
  });

  test('an outsider does not learn who is in a private room', async () => {
    const roomId = await openRoom();
    await client.add(anna, roomId, 'berta');
    const answers = await Promise.allSettled([
      client.add(carl, roomId, 'berta'),
      client.add(carl, roomId, 'ghost'),
      remove(carl, roomId, 'berta'),
      remove(carl, roomId, 'ghost'),
      remove(carl, roomId, 'anna'),
    ]);
    expect(answers.map(codeOf)).toEqual(answers.map(() => 'not_in_room'));
  });
});

describe('joining', () => {
  test('a public room is open to all; who joins is told where to go on, and the others who it is', async () => {
    const roomId = await openRoom('public');
    await client.send(anna, roomId, 'before');
    const dora = someone('dora');
    const [doraHears, roomHears] = [await client.hearUser(dora), await client.hearRoom(roomId)];
    const context = contextOf(dora);
    const origin = context.caller!.connectionId;
    expect(await parley.bus.call(joinRoom, { roomId }, context)).toMatchObject({
      room: { roomId, visibility: 'public', owner: 'anna' },
      user: dora,
    });
    const change = { type: 'member-joined', roomId, roomName: expect.any(String), user: dora };
    expect(doraHears).toEqual([{ type: 'entered-room', roomId, sinceId: 1, change, origin }]);
    expect(roomHears).toEqual([{ change, origin }]);
    expect(await membersOf(roomId)).toEqual(['anna', 'dora']);
  });

  test('a member who joins again is confirmed, and nobody hears of it', async () => {
    const roomId = await openRoom('public');
    await client.join(berta, roomId);
    const heard = await client.hearRoom(roomId);
    expect(await client.join(berta, roomId)).toMatchObject({ room: { roomId }, user: berta });
    expect(heard).toEqual([]);
  });

  test('a private room is closed to those outside, and its members are told that they are in', async () => {
    const roomId = await openRoom();
    await client.add(anna, roomId, 'berta');
    await expect(client.join(carl, roomId)).rejects.toMatchObject({ code: 'not_in_room' });
    expect(await client.join(berta, roomId)).toMatchObject({ room: { roomId }, user: berta });
    expect(await membersOf(roomId)).toEqual(['anna', 'berta']);
  });

  test('who was removed from a public room may join again, and from a private one may not', async () => {
    const open = await openRoom('public');
    await client.join(berta, open);
    await remove(anna, open, 'berta');
    await client.join(berta, open);
    expect(await membersOf(open)).toEqual(['anna', 'berta']);

    const closed = await openRoom();
    await client.add(anna, closed, 'berta');
    await remove(anna, closed, 'berta');
    await expect(client.join(berta, closed)).rejects.toMatchObject({ code: 'not_in_room' });
  });

  test('twenty who join at once are all in, and each is told of once', async () => {
    const roomId = await openRoom('public');
    const heard = await client.hearRoom(roomId);
    const crowd = Array.from({ length: 20 }, (_, index) => someone(`guest ${index + 10}`));
    await Promise.all(crowd.map((user) => joinInBurst(user, roomId)));
    const names = crowd.map(({ name }) => name);
    expect(await membersOf(roomId)).toEqual(['anna', ...names]);
    const joined = heard.map(({ change }) =>
      change.type === 'member-joined' ? change.user.name : change.type,
    );
    expect(joined.sort()).toEqual(names);
  });

  test('who joins many times at once is in once, and told of once', async () => {
    const roomId = await openRoom('public');
    const emil = someone('emil');
    const [emilHears, roomHears] = [await client.hearUser(emil), await client.hearRoom(roomId)];
    await Promise.all(Array.from({ length: 8 }, () => joinInBurst(emil, roomId)));
    expect(await membersOf(roomId)).toEqual(['anna', 'emil']);
    expect(emilHears).toHaveLength(1);
    expect(roomHears).toHaveLength(1);
  });

  test('a room takes as many as it may, however many join at once, and one more when one has left', async () => {
    const roomId = await openRoom('public');
    const crowd = Array.from({ length: maxMembers + 5 }, (_, index) => someone(`guest ${index + 10}`));
    const outcomes = await Promise.allSettled(crowd.map((user) => joinInBurst(user, roomId)));
    expect(outcomes.map(codeOf).filter((code) => code === 'ok')).toHaveLength(maxMembers - 1);
    expect(outcomes.map(codeOf).filter((code) => code === 'forbidden')).toHaveLength(6);
    expect(await membersOf(roomId)).toHaveLength(maxMembers);
    const inside = crowd[outcomes.findIndex(({ status }) => status === 'fulfilled')]!;
    const outside = crowd[outcomes.findIndex(({ status }) => status === 'rejected')]!;
    expect(await client.join(inside, roomId)).toMatchObject({ user: inside });
    await leave(inside, roomId);
    expect(await client.join(outside, roomId)).toMatchObject({ user: outside });
  });

  test('a user gets into as many rooms as it may, however many it joins at once', async () => {
    const frida = someone('frida');
    const rooms: RoomId[] = [];
    for (let count = 0; count < maxRooms + 5; count += 1) rooms.push(await openRoom('public'));
    const outcomes = await Promise.allSettled(rooms.map((roomId) => joinInBurst(frida, roomId)));
    expect(await client.roomsOf(frida)).toHaveLength(maxRooms);
    expect(outcomes.map(codeOf).filter((code) => code === 'forbidden')).toHaveLength(5);
    const inside = rooms[outcomes.findIndex(({ status }) => status === 'fulfilled')]!;
    const outside = rooms[outcomes.findIndex(({ status }) => status === 'rejected')]!;
    expect(await client.join(frida, inside)).toMatchObject({ user: frida });
    await leave(frida, inside);
    expect(await client.join(frida, outside)).toMatchObject({ user: frida });
  });

  test('whoever is told finds it committed', async () => {
    const roomId = await openRoom('public');
    const gustav = someone('gustav');
    const found = new Promise<unknown>((resolve) => {
      parley.bus.subscribe(subjects.userEvents(gustav.userId), (event) => {
        expect((event as UserEvent).type).toBe('entered-room');
        const request = { roomId, userIds: [gustav.userId] };
        resolve(parley.bus.call(findAccess, request, createContext(answerMs)));
      });
    });
    await parley.bus.flush();
    await client.join(gustav, roomId);
    expect(await found).toEqual({ visibility: 'public', memberIds: [gustav.userId] });
  });

  test('while the messages service is away joining and adding are unavailable and nothing is half done', async () => {
    const roomId = await openRoom('public');
    const heard = await client.hearRoom(roomId);
    const running = parley.stack.services.messages;
    await Promise.all(running.map((instance) => instance.stop()));
    const attempts = await Promise.allSettled([client.join(carl, roomId), client.add(anna, roomId, 'berta')]);
    expect(attempts.map(codeOf)).toEqual(['unavailable', 'unavailable']);
    expect(await membersOf(roomId)).toEqual(['anna']);
    expect(heard).toEqual([]);
    await Promise.all(running.map((instance) => instance.start()));
    await Promise.all(running.map((instance) => instance.ready()));
    await client.join(carl, roomId);
    expect(await membersOf(roomId)).toEqual(['anna', 'carl']);
  });
});

describe('what is owed to a reader', () => {
  let reader: User;
  beforeEach(async () => {
    reader = await client.signUp(createId('user'));
    await acknowledgedBy(reader);
  });

  /** What it has acknowledged of the room, as its next login with the handshake finds it. */
  async function acknowledgedBy(user: User, ...roomIds: RoomId[]): Promise<[number, number][] | undefined> {
    const { rooms } = await client.ask(user, beginReading, { roomIds });
    return rooms[0]?.ranges;
  }

  const entries: [string, 'private' | 'public', (roomId: RoomId) => Promise<unknown>][] = [
    ['joins', 'public', (roomId) => client.join(reader, roomId)],
    ['is added', 'private', (roomId) => client.add(anna, roomId, reader.name)],
  ];

  test.each(entries)('one who %s is owed nothing older, then everything', async (_how, visibility, enter) => {
    const roomId = await openRoom(visibility);
    for (const content of ['one', 'two', 'three']) await client.send(anna, roomId, content);
    await enter(roomId);
    await client.send(anna, roomId, 'four');
    expect(await acknowledgedBy(reader, roomId)).toEqual([[0, 3]]);
  });

  test.each(entries)(
    'one who %s again is owed nothing of the time between',
    async (_how, visibility, enter) => {
      const roomId = await openRoom(visibility);
      await enter(roomId);
      await client.send(anna, roomId, 'one');
      await leave(reader, roomId);
      await client.send(anna, roomId, 'two');
      await enter(roomId);
      await client.send(anna, roomId, 'three');
      expect(await acknowledgedBy(reader, roomId)).toEqual([[0, 2]]);
    },
  );

  test.each(entries)(
    'a member who %s once more is still owed what it was',
    async (_how, visibility, enter) => {
      const roomId = await openRoom(visibility);
      await enter(roomId);
      await client.send(anna, roomId, 'one');
      await enter(roomId);
      expect(await acknowledgedBy(reader, roomId)).toEqual([[0, 0]]);
    },
  );

  test('who was in a room from its beginning is owed all of it', async () => {
    anna = someone('anna');
    const { roomId } = await client.create(anna, 'from the beginning', { participants: [reader.name] });
    await client.send(anna, roomId, 'one');
    expect(await acknowledgedBy(reader, roomId)).toEqual([[0, 0]]);
  });

  test('begins where gateways are told that it entered, whatever is sent meanwhile', async () => {
    const roomId = await openRoom('public');
    const readerHears = await client.hearUser(reader);
    const sending = Array.from({ length: 20 }, (_, index) => client.send(anna, roomId, `${index}`));
    await Promise.all([client.join(reader, roomId), ...sending]);
    const entered = readerHears.find((event) => event.type === 'entered-room' && event.roomId === roomId);
    expect(await acknowledgedBy(reader, roomId)).toEqual([[0, (entered as { sinceId: number }).sinceId]]);
  });
});

describe('leaving', () => {
  test('the user is out, and is told; so are the others, with who asked', async () => {
    const roomId = await openRoom();
    await client.add(anna, roomId, 'berta');
    const [bertaHears, roomHears] = [await client.hearUser(berta), await client.hearRoom(roomId)];
    const context = contextOf(berta);
    const origin = context.caller!.connectionId;
    expect(await parley.bus.call(leaveRoom, { roomId }, context)).toEqual({ roomId, user: berta });
    const change = { type: 'member-left', roomId, user: berta };
    expect(bertaHears).toEqual([{ type: 'left-room', roomId, change, origin }]);
    expect(roomHears).toEqual([{ change, origin }]);
    expect(await membersOf(roomId)).toEqual(['anna']);
  });

  test('an owner can’t leave', async () => {
    const roomId = await openRoom('public');
    await expect(leave(anna, roomId)).rejects.toMatchObject({ code: 'forbidden' });
    expect(await membersOf(roomId)).toEqual(['anna']);
  });

  test.each(['private', 'public'] as const)('who is not in a %s room can’t leave it', async (visibility) => {
    const roomId = await openRoom(visibility);
    await expect(leave(carl, roomId)).rejects.toMatchObject({ code: 'not_in_room' });
  });
});

test('a room that does not exist is not found, whatever is asked of it', async () => {
  const roomId = createId('room');
  const answers = await Promise.allSettled([
    client.add(berta, roomId, 'carl'),
    client.add(berta, roomId, 'ghost'),
    remove(berta, roomId, 'carl'),
    client.join(berta, roomId),
    leave(berta, roomId),
    client.ask(berta, listMembers, { roomId }),
    parley.bus.call(findAccess, { roomId, userIds: [berta.userId] }, createContext(answerMs)),
  ]);
  expect(answers.map(codeOf)).toEqual(answers.map(() => 'room_not_found'));
});

describe('the list of members', () => {
  test('a private room’s is for members only, a public room’s for all', async () => {
    const closed = await openRoom();
    const refused = client.ask(carl, listMembers, { roomId: closed });
    await expect(refused).rejects.toMatchObject({ code: 'not_in_room' });
    const open = await openRoom('public');
    const { members } = await client.ask(carl, listMembers, { roomId: open });
    expect(members).toEqual([{ name: 'anna', online: false, role: 'owner' }]);
  });

  test('it comes in the order of the names, page by page, without a gap', async () => {
    const roomId = await openRoom('public');
    const { databaseUrl } = parley.stack.servers.addresses;
    const options = { databaseUrl, connections: 1, timeoutMs: 10_000, log: createLog('test', 'silent') };
    await using database = new Database(options);
    // 4,000 names of 64 characters are about 1.2 MB: more than two pages.
    const text = `insert into rooms.member (room_id, user_id, name)
                  select $1, 'user_' || lpad(to_hex(n), 24, '0'), lpad(n::text, 64, $2) from generate_series(1, 4000) as n`;
    await database.query({ name: 'many', text, values: [roomId, '\u{1F600}'] });
    const names: string[] = [];
    let pages = 0;
    for (let hasMore = true; hasMore; pages += 1) {
      const after = names.at(-1);
      const page = await client.ask(anna, listMembers, { roomId, ...(after !== undefined && { after }) });
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(520 * 1_024);
      names.push(...page.members.map(({ name }) => name));
      hasMore = page.hasMore;
    }
    expect(pages).toBeGreaterThan(2);
    expect(names).toHaveLength(4_001);
    expect(new Set(names).size).toBe(4_001);
    const byBytes = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(names).toEqual(byBytes);
  });
});

test('access tells who of those asked about are members', async () => {
  const roomId = await openRoom();
  await client.add(anna, roomId, 'berta');
  const userIds = [carl.userId, berta.userId, anna.userId, createId('user')];
  const access = await parley.bus.call(findAccess, { roomId, userIds }, createContext(answerMs));
  expect(access.visibility).toBe('private');
  expect(access.memberIds.sort()).toEqual([anna.userId, berta.userId].sort());
});

test('access to many rooms asked about at once is told of each, and of none that does not exist', async () => {
  const guestId = createId('guest');
  const roomIds = [await openRoom(), createId('room'), await openRoom('public'), await openRoom()];
  await client.add(anna, roomIds[3]!, 'berta');
  const userIds = [berta.userId, guestId];
  const answers = await Promise.allSettled(
    [...roomIds, ...roomIds].map((roomId, index) =>
      parley.bus.callTogether(
        findAccess,
        { roomId, userIds: index < roomIds.length ? userIds : [] },
        createContext(answerMs),
      ),
    ),
  );
  const told = (visibility: string, memberIds: UserId[]) => ({ value: { visibility, memberIds } });
  const notFound = { reason: { code: 'room_not_found' } };
  expect(answers).toMatchObject([
    ...[told('private', []), notFound, told('public', [guestId]), told('private', [berta.userId])],
    ...[told('private', []), notFound, told('public', []), told('private', [])],
  ]);
});
