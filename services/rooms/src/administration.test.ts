import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  createId,
  defaultRoomId,
  dropRoom,
  findExistingRooms,
  listAllRooms,
  showRoom,
} from '@parley/protocol';
import type { Method, ReplyOf, RequestOf, RoomRecord } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import { answerMs, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, gatewaysOf, guest, someone } from './testing.ts';
import type { RoomsClient } from './testing.ts';

const opened = new AsyncDisposableStack();
let parley: Parley;
let client: RoomsClient;

beforeAll(async () => {
  parley = opened.use(await startParley({ gateways: 0, instances: 2 }));
  client = clientOf(parley);
});
afterAll(() => opened.disposeAsync());

/** As an operator does: for nobody. */
function ask<M extends Method>(method: M, request: RequestOf<M>): Promise<ReplyOf<M>> {
  return parley.bus.call(method, request, createContext(answerMs));
}

test('all rooms are listed by name, private ones too, page by page, each once', async () => {
  const anna = someone('anna');
  const names = ['Zoo', 'Abbey', 'Abbey', 'Äpfel'];
  const made = [];
  for (const name of names) made.push(await client.create(anna, name));
  made.push(await client.create(anna, 'Abbey', { visibility: 'public' }));

  const { rooms: all, hasMore } = await ask(listAllRooms, { limit: 250 });
  expect(hasMore).toBe(false);
  const listed: RoomRecord[] = [];
  for (let isMore = true; isMore;) {
    const last = listed.at(-1);
    const after = last && { name: last.name, roomId: last.roomId };
    const page = await ask(listAllRooms, { limit: 2, ...(after && { after }) });
    expect(page.rooms.length).toBeLessThanOrEqual(2);
    listed.push(...page.rooms);
    isMore = page.hasMore;
  }
  expect(listed).toEqual(all);
  const keys = listed.map(({ name, roomId }) => `${name}\n${roomId}`);
  expect(keys).toEqual([...keys].sort());
  const ids = listed.map(({ roomId }) => roomId);
  expect(ids).toEqual(expect.arrayContaining([defaultRoomId, ...made.map(({ roomId }) => roomId)]));
});

test('the rooms of a name are found, page by page', async () => {
  const name = `Twins ${createId('room')}`;
  const twins = [await client.create(someone('anna'), name), await client.create(someone('berta'), name)];
  const ids = twins.map(({ roomId }) => roomId).sort();
  const first = await ask(listAllRooms, { name, limit: 1 });
  expect(first).toMatchObject({ rooms: [{ roomId: ids[0], name }], hasMore: true });
  const after = { name, roomId: ids[0]! };
  expect(await ask(listAllRooms, { name, after, limit: 1 })).toMatchObject({
    rooms: [{ roomId: ids[1] }],
    hasMore: false,
  });
  expect(await ask(listAllRooms, { name: name.toUpperCase(), limit: 1 })).toEqual({
    rooms: [],
    hasMore: false,
  });
});

test('a room is shown with its members, who is there, and since when', async () => {
  await client.signUp('dora');
  const emil = someone('emil');
  const room = await client.create(emil, 'Study', { participants: ['dora'] });
  const { roomId } = room;
  const gateways = gatewaysOf(parley);
  const gatewayId = await gateways.open();
  opened.defer(() => {
    gateways.dieAll();
  });
  await gateways.report(gatewayId, roomId, { present: [emil] });
  const shown = {
    room: { ...room, members: 2, users: 1, createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) },
    members: [
      { name: 'dora', online: false, role: 'member' },
      { name: 'emil', online: true, role: 'owner' },
    ],
    hasMore: false,
  };
  expect(await ask(showRoom, { roomId })).toEqual(shown);
  expect(await ask(showRoom, { roomId, after: 'dora' })).toEqual({ ...shown, members: [shown.members[1]] });
  expect(await ask(showRoom, { roomId: defaultRoomId })).toMatchObject({
    room: { owner: null },
    members: [],
  });
  await expect(ask(showRoom, { roomId: createId('room') })).rejects.toMatchObject({ code: 'room_not_found' });
});

test.each(['private', 'public'] as const)(
  'a %s room is deleted, whoever owns it, and its members are told as by its owner',
  async (visibility) => {
    const fritz = someone('fritz');
    const room = await client.create(fritz, `Den ${createId('room')}`, { visibility });
    const { roomId, name } = room;
    const [heard, lobby] = [await client.hearRoom(roomId), await client.hearLobby()];
    expect(await ask(dropRoom, { roomId })).toEqual(room);
    // Without an origin: nobody in the room asked, so nobody is left out.
    expect(heard).toEqual([{ change: { type: 'room-deleted', roomId, roomName: name } }]);
    if (visibility === 'public') {
      await until('the lobby is told', () => lobby.some(({ removed }) => removed.includes(roomId)));
    }
    expect(await client.roomsOf(fritz)).toEqual([]);
    expect(await ask(findExistingRooms, { roomIds: [roomId] })).toEqual({ roomIds: [] });
    await expect(ask(dropRoom, { roomId })).rejects.toMatchObject({ code: 'room_not_found' });
  },
);

test('a room that a guest left behind can be deleted, `default` can’t', async () => {
  const { roomId } = await client.create(guest('gone'), 'Left behind', { visibility: 'public' });
  expect(await ask(dropRoom, { roomId })).toMatchObject({ roomId, owner: 'gone' });
  const refused = ask(dropRoom, { roomId: defaultRoomId });
  await expect(refused).rejects.toMatchObject({ code: 'cannot_delete_default' });
});
