import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  addMember,
  createId,
  defaultRoomId,
  deleteRoom,
  findAccess,
  findExistingRooms,
  findMemberships,
  findPublicRoom,
  findRooms,
  leaveRoom,
  listMembers,
  listReachable,
  listRooms,
  removeMember,
  renameRoom,
  setRole,
} from '@parley/protocol';
import type { Room, RoomId, User } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import { answerMs, contextOf, startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, guest, someone } from './testing.ts';
import type { RoomsClient } from './testing.ts';

const maxRooms = 6;
const defaultRoom = { roomId: defaultRoomId, name: 'default', visibility: 'public', owner: null };

const opened = new AsyncDisposableStack();
let parley: Parley;
let client: RoomsClient;
let anna: User;
let berta: User;
let admin: User;

beforeAll(async () => {
  const environment = { MAX_ROOMS_PER_USER: `${maxRooms}` };
  parley = opened.use(await startParley({ gateways: 0, instances: 2, environment }));
  client = clientOf(parley);
  [berta, admin] = (await Promise.all(['berta', 'admin'].map(client.signUp))) as [User, User];
});
afterAll(() => opened.disposeAsync());

/** A room of an anna of its own, so that no test brings another nearer to its limit. */
function openRoom(visibility: 'private' | 'public' = 'public'): Promise<Room> {
  anna = someone('anna');
  return client.create(anna, `Room ${createId('room')}`, { visibility });
}

function accessOf(roomId: RoomId, ...users: User[]) {
  const request = { roomId, userIds: users.map(({ userId }) => userId) };
  return parley.bus.call(findAccess, request, createContext(answerMs));
}

const rename = (user: User, roomId: RoomId) => client.ask(user, renameRoom, { roomId, newName: 'New' });
const remove = (user: User, roomId: RoomId) => client.ask(user, deleteRoom, { roomId });

describe('the room `default`', () => {
  test('is there from the start, public and nobody’s', async () => {
    const found = await parley.bus.call(findPublicRoom, { name: 'default' }, createContext(answerMs));
    expect(found).toEqual(defaultRoom);
  });

  test('keeps its name to itself', async () => {
    const again = client.create(someone('copycat'), 'default', { visibility: 'public' });
    await expect(again).rejects.toMatchObject({ code: 'room_exists' });
  });

  test('can’t be renamed or deleted, by an admin neither', async () => {
    await parley.bus.call(setRole, { name: 'admin', role: 'admin' }, createContext(answerMs));
    await client.join(berta, defaultRoomId);
    for (const user of [berta, admin, guest('visitor')]) {
      await expect(rename(user, defaultRoomId)).rejects.toMatchObject({
        code: 'forbidden',
        message: 'The room `default` cannot be renamed.',
      });
      await expect(remove(user, defaultRoomId)).rejects.toMatchObject({ code: 'cannot_delete_default' });
    }
    await client.ask(berta, leaveRoom, { roomId: defaultRoomId });
    expect(await client.join(berta, defaultRoomId)).toMatchObject({ room: defaultRoom });
    await client.ask(berta, leaveRoom, { roomId: defaultRoomId });
  });

  test('is joined and left like others, and shown without an owner', async () => {
    const dora = someone('dora');
    const heard = await client.hearUser(dora);
    expect(await client.join(dora, defaultRoomId)).toEqual({ room: defaultRoom, user: dora });
    expect(heard).toMatchObject([{ type: 'entered-room', roomId: defaultRoomId }]);
    const { rooms } = await client.ask(dora, listRooms, { scope: 'mine' });
    expect(rooms).toEqual([{ ...defaultRoom, member: true, users: 0 }]);
    expect(await client.ask(dora, findMemberships, {})).toEqual({ rooms: [{ ...defaultRoom, sinceId: 0 }] });
    const { members } = await client.ask(dora, listMembers, { roomId: defaultRoomId });
    expect(members).toEqual([{ name: 'dora', online: false, role: 'member' }]);
    await client.ask(dora, leaveRoom, { roomId: defaultRoomId });
    expect(await client.roomsOf(dora)).toEqual([]);
  });

  test('has no owner who could add or remove', async () => {
    await client.join(berta, defaultRoomId);
    for (const method of [addMember, removeMember]) {
      const attempt = client.ask(someone('meddler'), method, { roomId: defaultRoomId, user: 'berta' });
      await expect(attempt).rejects.toMatchObject({ code: 'not_owner' });
    }
    await client.ask(berta, leaveRoom, { roomId: defaultRoomId });
  });
});

describe('a guest', () => {
  test('is told a public room when it joins, becomes no member, and nobody is told', async () => {
    const { roomId, name } = await openRoom();
    const visitor = guest('visitor');
    const [visitorHears, roomHears] = [await client.hearUser(visitor), await client.hearRoom(roomId)];
    expect(await client.join(visitor, roomId)).toEqual({
      room: { roomId, name, visibility: 'public', owner: 'anna' },
      user: visitor,
    });
    expect(await client.join(visitor, defaultRoomId)).toEqual({ room: defaultRoom, user: visitor });
    expect(visitorHears).toEqual([]);
    expect(roomHears).toEqual([]);
    const { members } = await client.ask(visitor, listMembers, { roomId });
    expect(members.map((member) => member.name)).toEqual(['anna']);
    expect(await client.roomsOf(visitor)).toEqual([]);
  });

  test('stays out of private rooms, and does not find them', async () => {
    const { roomId } = await openRoom('private');
    const visitor = guest('visitor');
    await expect(client.join(visitor, roomId)).rejects.toMatchObject({ code: 'not_in_room' });
    const members = client.ask(visitor, listMembers, { roomId });
    await expect(members).rejects.toMatchObject({ code: 'not_in_room' });
    const unknown = client.join(visitor, createId('room'));
    await expect(unknown).rejects.toMatchObject({ code: 'room_not_found' });
  });

  test('may write in public rooms only', async () => {
    const visitor = guest('visitor');
    const open = await openRoom();
    expect(await accessOf(open.roomId, visitor, anna, berta)).toEqual({
      visibility: 'public',
      memberIds: [anna.userId, visitor.userId],
    });
    const closed = await openRoom('private');
    expect(await accessOf(closed.roomId, visitor, anna, berta)).toEqual({
      visibility: 'private',
      memberIds: [anna.userId],
    });
  });

  test('makes a public room that it owns without being a member; others can’t touch it', async () => {
    const visitor = guest('visitor');
    const heard = await client.hearUser(visitor);
    const room = await client.create(visitor, 'Guest House', { visibility: 'public' });
    expect(room).toMatchObject({ name: 'Guest House', visibility: 'public', owner: 'visitor' });
    const { roomId } = room;
    expect(heard).toEqual([]);
    expect((await client.ask(visitor, listMembers, { roomId })).members).toEqual([]);
    // Somebody else under the same name is somebody else.
    for (const other of [guest('visitor'), berta]) {
      await expect(rename(other, roomId)).rejects.toMatchObject({ code: 'not_owner' });
      await expect(remove(other, roomId)).rejects.toMatchObject({ code: 'not_owner' });
    }
    const renamed = await client.ask(visitor, renameRoom, { roomId, newName: 'Inn' });
    expect(renamed).toMatchObject({ name: 'Inn', owner: 'visitor' });
    expect(await remove(visitor, roomId)).toEqual({ roomId });
  });

  test('can’t make a private room', async () => {
    const refused = client.create(guest('visitor'), 'Den', { visibility: 'private' });
    await expect(refused).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('log in'),
    });
  });

  test('makes no more rooms than one may be in, however many at once, until it deletes one', async () => {
    const visitor = guest('visitor');
    const make = (index: number) =>
      client.create(visitor, `Room ${index} of ${visitor.userId}`, { visibility: 'public' });
    const outcomes = await Promise.allSettled(
      Array.from({ length: maxRooms + 4 }, (_, index) => make(index)),
    );
    const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(made).toHaveLength(maxRooms);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused.map((outcome) => (outcome as { reason: { code: string } }).reason.code)).toEqual(
      refused.map(() => 'forbidden'),
    );
    await remove(visitor, made[0]!.roomId);
    expect(await make(100)).toMatchObject({ owner: 'visitor' });
  });

  test('can’t leave what it is no member of, not even for a member of its name', async () => {
    const { roomId } = await openRoom();
    const namesake = someone('visitor');
    await client.join(namesake, roomId);
    const left = client.ask(guest('visitor'), leaveRoom, { roomId });
    await expect(left).rejects.toMatchObject({ code: 'not_in_room' });
    expect(await client.roomsOf(namesake)).toEqual([roomId]);
  });
});

describe('an admin', () => {
  beforeAll(() => parley.bus.call(setRole, { name: 'admin', role: 'admin' }, createContext(answerMs)));

  test('deletes any public room, and those in it are told', async () => {
    const { roomId, name } = await openRoom();
    const heard = await client.hearRoom(roomId);
    const context = contextOf(admin);
    expect(await parley.bus.call(deleteRoom, { roomId }, context)).toEqual({ roomId });
    expect(heard).toEqual([
      {
        change: { type: 'room-deleted', roomId, roomName: name },
        origin: context.caller!.connectionId,
      },
    ]);
    await expect(remove(admin, roomId)).rejects.toMatchObject({ code: 'room_not_found' });
  });

  test('neither renames a public room nor touches a private one', async () => {
    const open = await openRoom();
    await expect(rename(admin, open.roomId)).rejects.toMatchObject({ code: 'not_owner' });
    const closed = await openRoom('private');
    await expect(remove(admin, closed.roomId)).rejects.toMatchObject({ code: 'not_in_room' });
    await client.add(anna, closed.roomId, 'admin');
    await expect(remove(admin, closed.roomId)).rejects.toMatchObject({ code: 'not_owner' });
    expect(await client.roomsOf(anna)).toEqual([closed.roomId]);
  });

  test('who is one no more, or never was, deletes its own rooms only', async () => {
    const { roomId } = await openRoom();
    await expect(remove(berta, roomId)).rejects.toMatchObject({ code: 'not_owner' });
    await expect(remove(guest('visitor'), roomId)).rejects.toMatchObject({ code: 'not_owner' });
    await parley.bus.call(setRole, { name: 'admin', role: 'member' }, createContext(answerMs));
    await expect(remove(admin, roomId)).rejects.toMatchObject({ code: 'not_owner' });
    expect(await remove(anna, roomId)).toEqual({ roomId });
  });

  test('is asked for only where somebody else’s public room is deleted: without the auth service owners still do', async () => {
    const [other, mine] = [await openRoom(), await openRoom()];
    const running = parley.stack.services.auth;
    await Promise.all(running.map((instance) => instance.stop()));
    await expect(remove(anna, other.roomId)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await remove(anna, mine.roomId)).toEqual({ roomId: mine.roomId });
    await Promise.all(running.map((instance) => instance.start()));
    await Promise.all(running.map((instance) => instance.ready()));
  });
});

describe('finding rooms', () => {
  test('by id, each for a user: private ones for their members only', async () => {
    const [closed, open] = [await openRoom('private'), await openRoom()];
    const own = await client.create(anna, 'Own');
    const find = async (user: User, ...roomIds: RoomId[]) => {
      const rooms = roomIds.map((roomId) => ({ roomId, userId: user.userId }));
      const found = await parley.bus.call(findRooms, { rooms }, createContext(answerMs));
      const byId = new Map(found.rooms.map((room) => [room.roomId, room]));
      return { rooms: roomIds.flatMap((roomId) => byId.get(roomId) ?? []), closed: found.closed.toSorted() };
    };
    const asked = [
      createId('room'),
      own.roomId,
      "'; --" as RoomId,
      closed.roomId,
      open.roomId,
      defaultRoomId,
    ];
    expect(await find(anna, ...asked)).toEqual({ rooms: [own, open, defaultRoom], closed: [closed.roomId] });
    for (const user of [berta, guest('visitor')]) {
      const hidden = [own.roomId, closed.roomId].toSorted();
      expect(await find(user, ...asked)).toEqual({ rooms: [open, defaultRoom], closed: hidden });
    }
  });

  test('that exist, and nothing else of them', async () => {
    const [open, closed] = [await openRoom(), await openRoom('private')];
    const roomIds = [createId('room'), closed.roomId, "'; --" as RoomId, open.roomId];
    const existing = await parley.bus.call(findExistingRooms, { roomIds }, createContext(answerMs));
    expect({ roomIds: existing.roomIds.toSorted() }).toEqual({
      roomIds: [open.roomId, closed.roomId].toSorted(),
    });
  });

  test('of a user: its own, whoever asks without being anybody', async () => {
    const { roomId } = await openRoom('private');
    expect(await client.roomsOf(anna)).toEqual([roomId]);
    expect(await client.roomsOf(someone('outsider'))).toEqual([]);
    const asNobody = parley.bus.call(findMemberships, {}, createContext(answerMs));
    await expect(asNobody).rejects.toMatchObject({ code: 'not_authenticated' });
  });

  test('a public one by its name, exactly; a private one of that name is not in the way', async () => {
    const name = `Café ${createId('room')}`;
    const find = (wanted: string) =>
      parley.bus.call(findPublicRoom, { name: wanted }, createContext(answerMs));
    await client.create(someone('anna'), name);
    await expect(find(name)).rejects.toMatchObject({ code: 'room_not_found' });
    const room = await client.create(someone('anna'), name, { visibility: 'public' });
    expect(await find(name)).toEqual(room);
    await expect(find(name.toUpperCase())).rejects.toMatchObject({ code: 'room_not_found' });
  });

  test('those within reach page by page: public ones, one’s own private ones, each once', async () => {
    const reader = someone('reader');
    const open = [await openRoom(), await openRoom(), await openRoom()];
    const closed = [await openRoom('private'), await client.create(reader, 'mine')];
    await client.join(reader, open[0]!.roomId);
    const found: Room[] = [];
    for (let hasMore = true; hasMore;) {
      const after = found.at(-1)?.roomId;
      const request = { limit: 2, ...(after !== undefined && { after }) };
      const page = await client.ask(reader, listReachable, request);
      expect(page.rooms.length).toBeLessThanOrEqual(2);
      found.push(...page.rooms);
      hasMore = page.hasMore;
    }
    const ids = found.map(({ roomId }) => roomId);
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(found).toEqual(expect.arrayContaining([defaultRoom, ...open, closed[1]!]));
    expect(ids).not.toContain(closed[0]!.roomId);
    const all = await client.ask(reader, listReachable, { limit: found.length });
    expect(all).toEqual({ rooms: found, hasMore: false });
    const byGuest = await client.ask(guest('visitor'), listReachable, { limit: 1_000 });
    expect(byGuest.rooms).toEqual(found.filter(({ visibility }) => visibility === 'public'));
  });
});
