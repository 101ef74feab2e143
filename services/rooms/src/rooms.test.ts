import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createId,
  createRoom,
  deleteRoom,
  describeRooms,
  findAccess,
  listMembers,
  listRooms,
  renameRoom,
  subjects,
} from '@parley/protocol';
import type { RoomId, User, UserEvent } from '@parley/protocol';
import { createContext, createLog, Database } from '@parley/service-kit';
import { answerMs, contextOf, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, guest, someone } from './testing.ts';
import type { RoomsClient } from './testing.ts';

/** For what many ask at once and is done one after the other, in ms. */
const burstMs = 30_000;

const opened = new AsyncDisposableStack();
let parley: Parley;
let client: RoomsClient;
let database: Database;
let anna: User;
let berta: User;
let carl: User;

beforeAll(async () => {
  const environment = {
    MAX_ROOMS_PER_USER: '40',
    MAX_MEMBERS_PER_ROOM: '4',
    REQUEST_TIMEOUT_MS: String(burstMs),
  };
  parley = opened.use(await startParley({ gateways: 0, instances: 2, environment }));
  const { databaseUrl } = parley.stack.servers.addresses;
  const log = createLog('test', 'silent');
  database = opened.use(new Database({ databaseUrl, connections: 1, timeoutMs: 5_000, log }));
  client = clientOf(parley);
  [anna, berta, carl] = (await Promise.all(['anna', 'berta', 'carl'].map(client.signUp))) as [
    User,
    User,
    User,
  ];
});
afterAll(() => opened.disposeAsync());

async function countRooms(name: string): Promise<number> {
  const text = 'select 1 from rooms.room where name = $1';
  return (await database.query({ name: 'count', text, values: [name] })).length;
}

async function countMembers(roomId: RoomId): Promise<number> {
  const text = 'select 1 from rooms.member where room_id = $1';
  return (await database.query({ name: 'countMembers', text, values: [roomId] })).length;
}

describe('making a room', () => {
  test('its maker owns it, and all who were named are members', async () => {
    const room = await client.create(anna, 'My Room', { participants: ['berta', 'carl'] });
    expect(room).toMatchObject({ name: 'My Room', visibility: 'private', owner: 'anna' });
    expect(await client.ask(carl, listMembers, { roomId: room.roomId })).toEqual({
      roomId: room.roomId,
      members: [
        { name: 'anna', online: false, role: 'owner' },
        { name: 'berta', online: false, role: 'member' },
        { name: 'carl', online: false, role: 'member' },
      ],
      hasMore: false,
    });
  });

  test('unknown participants are all named, and there is no room and nobody is told', async () => {
    const heard = await client.hearUser(berta);
    const participants = ['berta', 'ghost', 'phantom', 'ghost'];
    const refused = client.create(anna, 'Nobody Home', { participants });
    await expect(refused).rejects.toMatchObject({
      code: 'user_not_found',
      message: expect.stringContaining('ghost, phantom'),
      details: { users: ['ghost', 'phantom'] },
    });
    expect(await countRooms('Nobody Home')).toBe(0);
    expect(heard).toEqual([]);
  });

  test('whoever is named twice, or is the maker, is a member once', async () => {
    const heard = await client.hearUser(berta);
    const participants = ['berta', 'anna', 'berta', 'anna'];
    const { roomId } = await client.create(anna, 'Twice', { participants });
    expect(await countMembers(roomId)).toBe(2);
    expect(heard).toHaveLength(1);
  });

  test('the maker is a member once also where it comes under another name than its account has', async () => {
    const underAnother = { ...anna, name: 'not anna' };
    const { roomId } = await client.create(underAnother, 'Renamed', { participants: ['anna', 'berta'] });
    expect(await countMembers(roomId)).toBe(2);
  });

  test('each member is told who let it in, and the maker’s other connections that there is a room', async () => {
    const [annaHears, bertaHears] = [await client.hearUser(anna), await client.hearUser(berta)];
    const context = contextOf(anna);
    const { roomId } = await parley.bus.call(
      createRoom,
      { name: 'Told', visibility: 'private', participants: ['berta'], address: '192.0.2.1' },
      context,
    );
    const entry = { type: 'entered-room', roomId, sinceId: 0, origin: context.caller!.connectionId };
    const room = { roomId, roomName: 'Told', owner: 'anna' };
    expect(annaHears).toEqual([{ ...entry, change: { type: 'room-created', ...room } }]);
    expect(bertaHears).toEqual([{ ...entry, change: { type: 'member-added', ...room, user: berta } }]);
  });

  test('whoever is told finds it committed', async () => {
    const found = new Promise<unknown>((resolve) => {
      const subscription = parley.bus.subscribe(subjects.userEvents(carl.userId), (event) => {
        subscription.unsubscribe();
        const { roomId } = event as UserEvent & { type: 'entered-room' };
        const request = { roomId, userIds: [anna.userId, carl.userId] };
        resolve(parley.bus.call(findAccess, request, createContext(answerMs)));
      });
    });
    await parley.bus.flush();
    await client.create(anna, 'Committed', { participants: ['carl'] });
    expect(await found).toEqual({
      visibility: 'private',
      memberIds: expect.arrayContaining([anna.userId, carl.userId]),
    });
  });

  test('private names may be shared, also with a public room', async () => {
    const rooms = [
      await client.create(anna, 'Shared'),
      await client.create(anna, 'Shared'),
      await client.create(berta, 'Shared', { visibility: 'public' }),
    ];
    expect(new Set(rooms.map(({ roomId }) => roomId)).size).toBe(3);
  });

  test('of many who make a public room of one name at once, one does', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        client.create(someone(`maker ${index}`), 'Square', { visibility: 'public' }),
      ),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const attempt of attempts.filter(({ status }) => status === 'rejected')) {
      expect(attempt).toMatchObject({ reason: { code: 'room_exists' } });
    }
    expect(await countRooms('Square')).toBe(1);
  });

  test('public names are case-sensitive, and kept in NFC', async () => {
    await client.create(anna, 'Café', { visibility: 'public' });
    expect(await client.create(anna, 'café', { visibility: 'public' })).toMatchObject({ name: 'café' });
    const decomposed = client.create(anna, 'Cafe\u0301', { visibility: 'public' });
    await expect(decomposed).rejects.toMatchObject({ code: 'invalid_field', details: { field: 'name' } });
  });

  test('a room is not made with more members than one may have', async () => {
    await Promise.all(['dora', 'emil', 'frida'].map(client.signUp));
    const participants = ['berta', 'carl', 'dora', 'emil'];
    const crowd = client.create(anna, 'Crowd', { participants });
    await expect(crowd).rejects.toMatchObject({ code: 'forbidden' });
    expect(await countRooms('Crowd')).toBe(0);
    const four = await client.create(anna, 'Crowd', { participants: participants.slice(1) });
    expect(await countMembers(four.roomId)).toBe(4);
  });

  test('nobody gets into more rooms than one may be in, however many are made at once', async () => {
    const gustav = await client.signUp('gustav');
    const party = { visibility: 'private' as const, participants: ['gustav'], address: '192.0.2.1' };
    const attempts = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => {
        const request = { ...party, name: `Party ${index}` };
        return parley.bus.call(createRoom, request, contextOf(someone(`host ${index}`), burstMs));
      }),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(40);
    expect(await client.roomsOf(gustav)).toHaveLength(40);
    expect(attempts.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'forbidden', details: { users: ['gustav'] } },
    });
  });

  test('while the auth service is away no room is made with others', async () => {
    const running = parley.stack.services.auth;
    await Promise.all(running.map((instance) => instance.stop()));
    const attempt = client.create(anna, 'Alone', { participants: ['berta'] });
    await expect(attempt).rejects.toMatchObject({ code: 'unavailable' });
    expect(await countRooms('Alone')).toBe(0);
    await Promise.all(running.map((instance) => instance.start()));
    await Promise.all(running.map((instance) => instance.ready()));
    expect(await client.create(anna, 'Alone', { participants: ['berta'] })).toMatchObject({ owner: 'anna' });
  });
});

describe('what only the owner may do', () => {
  const rename = (user: User, roomId: RoomId) => client.ask(user, renameRoom, { roomId, newName: 'New' });
  const remove = (user: User, roomId: RoomId) => client.ask(user, deleteRoom, { roomId });

  test.each([
    ['renamed', rename],
    ['deleted', remove],
  ])('a private room is not %s by a member or an outsider', async (_what, attempt) => {
    const { roomId } = await client.create(anna, 'Old', { participants: ['berta'] });
    await expect(attempt(berta, roomId)).rejects.toMatchObject({ code: 'not_owner' });
    await expect(attempt(carl, roomId)).rejects.toMatchObject({ code: 'not_in_room' });
    const { rooms } = await client.ask(berta, listRooms, { scope: 'mine' });
    expect(rooms).toContainEqual(expect.objectContaining({ roomId, name: 'Old' }));
  });

  test.each([
    ['renamed', rename],
    ['deleted', remove],
  ])('a public room is not %s by anybody else', async (what, attempt) => {
    const { roomId } = await client.create(anna, `To be ${what}`, { visibility: 'public' });
    await expect(attempt(carl, roomId)).rejects.toMatchObject({ code: 'not_owner' });
    await client.join(berta, roomId);
    await expect(attempt(berta, roomId)).rejects.toMatchObject({ code: 'not_owner' });
    expect(await countRooms(`To be ${what}`)).toBe(1);
  });

  test.each([
    ['renamed', rename],
    ['deleted', remove],
  ])('a room that does not exist is not %s', async (_what, attempt) => {
    for (const roomId of [createId('room'), "'; drop table rooms.room; --" as RoomId, '*.>' as RoomId]) {
      await expect(attempt(anna, roomId)).rejects.toMatchObject({ code: 'room_not_found' });
    }
  });
});

describe('renaming', () => {
  test('everyone in the room is told, except the connection that asked', async () => {
    const { roomId } = await client.create(anna, 'Before', { participants: ['berta'] });
    const heard = await client.hearRoom(roomId);
    const context = contextOf(anna);
    const renamed = await parley.bus.call(renameRoom, { roomId, newName: 'After' }, context);
    expect(renamed).toEqual({ roomId, name: 'After', visibility: 'private', owner: 'anna' });
    expect(heard).toEqual([
      {
        change: { type: 'room-renamed', roomId, oldName: 'Before', newName: 'After' },
        origin: context.caller!.connectionId,
      },
    ]);
  });

  test('of many renames at once each tells the name that the one before gave', async () => {
    const { roomId } = await client.create(anna, 'Start');
    const heard = await client.hearRoom(roomId);
    const names = Array.from({ length: 20 }, (_, index) => `Name ${index}`);
    await Promise.all(
      names.map((newName) => parley.bus.call(renameRoom, { roomId, newName }, contextOf(anna, burstMs))),
    );
    const steps = new Map(
      heard.map(({ change }) =>
        change.type === 'room-renamed' ? [change.oldName, change.newName] : [change.type, ''],
      ),
    );
    const inOrder: string[] = [];
    for (let name = steps.get('Start'); name !== undefined; name = steps.get(name)) inOrder.push(name);
    expect(inOrder.toSorted()).toEqual(names.toSorted());
  });

  test('a public room can’t take the name of another, and nobody is told that it did', async () => {
    await client.create(anna, 'Taken', { visibility: 'public' });
    const { roomId } = await client.create(anna, 'Free', { visibility: 'public' });
    const heard = await client.hearRoom(roomId);
    const refused = client.ask(anna, renameRoom, { roomId, newName: 'Taken' });
    await expect(refused).rejects.toMatchObject({ code: 'room_exists' });
    expect(heard).toEqual([]);
    expect(await client.ask(anna, renameRoom, { roomId, newName: 'Free' })).toMatchObject({ name: 'Free' });
  });

  test('a private room may take any name', async () => {
    await client.create(anna, 'Public Name', { visibility: 'public' });
    const { roomId } = await client.create(anna, 'Private Name');
    const renamed = await client.ask(anna, renameRoom, { roomId, newName: 'Public Name' });
    expect(renamed).toMatchObject({ name: 'Public Name' });
  });

  test('a name that is free again can be taken', async () => {
    const { roomId } = await client.create(anna, 'Left Behind', { visibility: 'public' });
    await client.ask(anna, renameRoom, { roomId, newName: 'Moved On' });
    const heir = await client.create(berta, 'Left Behind', { visibility: 'public' });
    expect(heir).toMatchObject({ owner: 'berta' });
  });
});

describe('deleting', () => {
  test('the room is gone with its members, and all who were in it are told', async () => {
    const { roomId } = await client.create(anna, 'Gone', { participants: ['berta'] });
    const heard = await client.hearRoom(roomId);
    const context = contextOf(anna);
    expect(await parley.bus.call(deleteRoom, { roomId }, context)).toEqual({ roomId });
    expect(heard).toEqual([
      { change: { type: 'room-deleted', roomId, roomName: 'Gone' }, origin: context.caller!.connectionId },
    ]);
    expect(await client.roomsOf(berta)).not.toContain(roomId);
    expect(await countMembers(roomId)).toBe(0);
    const again = client.ask(anna, deleteRoom, { roomId });
    await expect(again).rejects.toMatchObject({ code: 'room_not_found' });
  });

  test('of two deletions at once one succeeds, and the room hears of it once', async () => {
    const { roomId } = await client.create(anna, 'Once', { participants: ['berta'] });
    const heard = await client.hearRoom(roomId);
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4].map(() => client.ask(anna, deleteRoom, { roomId })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(heard).toHaveLength(1);
  });
});

describe('lists of rooms', () => {
  test('mine are in the order of joining', async () => {
    const hans = await client.signUp('hans');
    const zoo = await client.create(hans, 'Zoo');
    const middle = await client.create(anna, 'Middle', { visibility: 'public' });
    const abbey = await client.create(anna, 'Abbey', { participants: ['hans'] });
    await client.join(hans, middle.roomId);
    const { rooms } = await client.ask(hans, listRooms, { scope: 'mine' });
    expect(rooms).toEqual([
      { ...zoo, member: true, users: 0 },
      { ...abbey, member: true, users: 0 },
      { ...middle, member: true, users: 0 },
    ]);
    expect(await client.roomsOf(hans)).toEqual([zoo.roomId, abbey.roomId, middle.roomId]);
  });

  test('public ones are for all to see, private ones are not; each says who owns it and whether one is in', async () => {
    const ida = someone('ida');
    const { roomId: open } = await client.create(anna, 'Open House', { visibility: 'public' });
    const { roomId: joined } = await client.create(anna, 'Club House', { visibility: 'public' });
    const { roomId: hidden } = await client.create(anna, 'My House');
    await client.join(ida, joined);
    const { rooms } = await client.ask(ida, listRooms, { scope: 'public' });
    const byId = new Map(rooms.map((room) => [room.roomId, room]));
    expect(byId.get(open)).toEqual({
      roomId: open,
      name: 'Open House',
      visibility: 'public',
      owner: 'anna',
      member: false,
      users: 0,
    });
    expect(byId.get(joined)).toMatchObject({ member: true });
    expect(byId.has(hidden)).toBe(false);
  });

  test('those that a gateway knows of are described, but neither what does not exist nor private ones to outsiders', async () => {
    const jana = someone('jana');
    const own = await client.create(jana, 'Known');
    const other = await client.create(anna, 'Known too', { visibility: 'public' });
    const secret = await client.create(anna, 'Secret');
    const roomIds = [own.roomId, createId('room'), secret.roomId, other.roomId];
    const { rooms } = await client.ask(jana, describeRooms, { roomIds });
    expect(rooms).toEqual([
      { ...own, member: true, users: 0 },
      { ...other, member: false, users: 0 },
    ]);
    expect(await client.ask(guest('visitor'), describeRooms, { roomIds })).toEqual({
      rooms: [{ ...other, member: false, users: 0 }],
    });
  });

  test('a list of a great many long names is cut so that it fits one frame', async () => {
    const jan = someone('jan');
    const text = `insert into rooms.room (id, name, visibility, owner_id, owner)
                  select 'room_' || lpad(to_hex(n), 24, '0'), repeat($1, 60) || n, 'public', $2, repeat($1, 64)
                  from generate_series(1000, 2999) as n`;
    const values = ['\u{1F600}', createId('user')];
    await database.query({ name: 'many', text, values });
    const reply = await client.ask(jan, listRooms, { scope: 'public' });
    expect(reply.rooms.length).toBeGreaterThan(500);
    expect(Buffer.byteLength(JSON.stringify(reply))).toBeLessThan(520 * 1_024);
    await database.query({
      name: 'fewer',
      text: 'delete from rooms.room where owner_id = $1',
      values: [values[1]],
    });
  });
});

test('while Postgres is away everything is unavailable; then all rooms are there', async () => {
  const { roomId } = await client.create(anna, 'Lasting', { participants: ['berta'] });
  const server = parley.stack.servers.postgres!;
  await server.stop();
  await Promise.all(
    [
      client.create(anna, 'Never'),
      client.join(anna, roomId),
      client.ask(anna, listRooms, { scope: 'mine' }),
    ].map((attempt) => expect(attempt).rejects.toMatchObject({ code: 'unavailable' })),
  );
  await server.start();
  await until('rooms can be listed again', () =>
    client.roomsOf(berta).then(
      (rooms) => rooms.includes(roomId),
      () => false,
    ),
  );
  expect(await countRooms('Never')).toBe(0);
});
