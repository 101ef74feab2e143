import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  createId,
  defaultRoomId,
  deleteRoom,
  listRooms,
  readLobby,
  renameRoom,
  reportPresence,
} from '@parley/protocol';
import type { GatewayId, LobbyChanged, ReplyOf, RoomId, User, Visibility } from '@parley/protocol';
import { createContext, createLog, Database } from '@parley/service-kit';
import { answerMs, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, crowdOf, gatewaysOf, someone } from './testing.ts';
import type { RoomsClient } from './testing.ts';

const opened = new AsyncDisposableStack();
const anna = someone('anna');
let parley: Parley;
let client: RoomsClient;
let gateways: ReturnType<typeof gatewaysOf>;
let gatewayId: GatewayId;
let database: Database;

beforeAll(async () => {
  parley = opened.use(await startParley({ gateways: 0, instances: 2 }));
  const { databaseUrl } = parley.stack.servers.addresses;
  const log = createLog('test', 'silent');
  database = opened.use(new Database({ databaseUrl, connections: 1, timeoutMs: 10_000, log }));
  client = clientOf(parley);
  gateways = gatewaysOf(parley);
});
afterAll(() => opened.disposeAsync());

beforeEach(async () => {
  gatewayId = await gateways.open();
});
/** What the test reported, so that the next one begins with nobody present. */
const present = new Map<string, { roomId: RoomId; name: string }>();
afterEach(async () => {
  await reportAll({ absent: [...present.values()] });
  gateways.dieAll();
});

interface Presence {
  roomId: RoomId;
  name: string;
}

/** Reports any number of users in any number of rooms. */
async function reportAll(report: { present?: Presence[]; absent?: Presence[] }): Promise<number> {
  let last = 0;
  const all = [
    ...(report.present ?? []).map((share) => ({ isPresent: true, share })),
    ...(report.absent ?? []).map((share) => ({ isPresent: false, share })),
  ];
  for (let start = 0; start < all.length; start += 1_000) {
    const some = all.slice(start, start + 1_000);
    const [came, went] = [true, false].map((isPresent) =>
      some.filter((one) => one.isPresent === isPresent).map(({ share }) => share),
    );
    for (const share of came!) present.set(`${share.roomId}/${share.name}`, share);
    for (const share of went!) present.delete(`${share.roomId}/${share.name}`);
    const request = { gatewayId, present: came!, absent: went! };
    const { version } = await parley.bus.call(reportPresence, request, createContext(answerMs));
    last = version;
  }
  return last;
}

function inRoom(roomId: RoomId, users: User[]): Presence[] {
  return users.map(({ name }) => ({ roomId, name }));
}

function read(): Promise<ReplyOf<typeof readLobby>> {
  return parley.bus.call(readLobby, {}, createContext(answerMs));
}

async function openRoom(name: string, visibility: Visibility = 'public'): Promise<RoomId> {
  return (await client.create(anna, name, { visibility })).roomId;
}

/** Makes rooms without the service: a great many in no time. */
async function fill(visibility: Visibility, count: number): Promise<RoomId[]> {
  const text = `insert into rooms.room (id, name, visibility, owner_id, owner)
                select 'room_' || encode(substr(sha256((n || $1)::bytea), 1, 12), 'hex'), repeat($2, 50) || $1 || n, $3, $1, 'filler'
                from generate_series(1, $4::integer) as n returning id`;
  const values = [createId('room').slice(-8), '\u{1F600}', visibility, count];
  const rows = await database.query<{ id: RoomId }>({ name: 'fill', text, values });
  return rows.map(({ id }) => id);
}

async function unfill(): Promise<void> {
  await database.query({ name: 'unfill', text: `delete from rooms.room where owner = 'filler'` });
}

/** How the rooms are, of all that was told. */
function stateOf(events: readonly LobbyChanged[]): Map<RoomId, { name: string; users: number } | 'removed'> {
  const state = new Map<RoomId, { name: string; users: number } | 'removed'>();
  for (const { rooms, removed } of events.toSorted((a, b) => a.version - b.version)) {
    for (const { roomId, name, users } of rooms) state.set(roomId, { name, users });
    for (const roomId of removed) state.set(roomId, 'removed');
  }
  return state;
}

describe('reading the lobby', () => {
  test('it has the public rooms with their counts, the busiest first, then by name, and no private one', async () => {
    const [quiet, empty, busy] = [await openRoom('quiet'), await openRoom('empty'), await openRoom('busy')];
    const hidden = await openRoom('hidden', 'private');
    const crowd = crowdOf(3);
    const version = await reportAll({
      present: [
        ...inRoom(hidden, crowd),
        ...inRoom(busy, crowd),
        ...inRoom(quiet, crowd.slice(1)),
        ...inRoom(defaultRoomId, crowd.slice(1)),
      ],
    });
    const lobby = await read();
    expect(lobby.version).toBeGreaterThanOrEqual(version);
    expect(lobby.rooms.slice(0, 4)).toEqual([
      { roomId: busy, name: 'busy', users: 3 },
      { roomId: defaultRoomId, name: 'default', users: 2 },
      { roomId: quiet, name: 'quiet', users: 2 },
      { roomId: empty, name: 'empty', users: 0 },
    ]);
    expect(lobby.total).toBe(lobby.rooms.length);
    expect(lobby.rooms.map(({ roomId }) => roomId)).not.toContain(hidden);
  });

  test('of more than 1,000 public rooms it has those with the most users, with all counts right', async () => {
    const rooms = await fill('public', 3_000);
    // The last made have the most users: neither age nor name decides.
    const crowd = crowdOf(4);
    const shares = rooms.slice(-1_100).flatMap((roomId, index) => {
      return inRoom(roomId, crowd.slice(0, index < 200 ? 1 : index < 1_000 ? 2 : 4));
    });
    await reportAll({ present: shares });
    const lobby = await read();
    expect(lobby.total).toBeGreaterThan(3_000);
    expect(lobby.rooms).toHaveLength(1_000);
    expect(lobby.rooms.map(({ users }) => users)).toEqual([
      ...Array.from({ length: 100 }, () => 4),
      ...Array.from({ length: 800 }, () => 2),
      ...Array.from({ length: 100 }, () => 1),
    ]);
    const busiest = new Set(rooms.slice(-900));
    expect(lobby.rooms.slice(0, 900).every(({ roomId }) => busiest.has(roomId))).toBe(true);

    // Once all but five are empty, the rest comes by name.
    await reportAll({ absent: shares.slice(0, -20) });
    const later = await read();
    expect(later.rooms).toHaveLength(1_000);
    expect(later.rooms.filter(({ users }) => users > 0)).toHaveLength(5);
    const names = later.rooms.slice(5).map(({ name }) => name);
    expect(names).toEqual(names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    await unfill();
  });

  test('private rooms never take the place of public ones, however many there are', async () => {
    const rooms = await fill('private', 4_500);
    const roomId = await openRoom('lonely');
    const shares = rooms.flatMap((room) => inRoom(room, crowdOf(2)));
    await reportAll({ present: [...shares, ...inRoom(roomId, [anna])] });
    const lobby = await read();
    expect(lobby.rooms[0]).toEqual({ roomId, name: 'lonely', users: 1 });
    expect(lobby.rooms).toHaveLength(lobby.total);
    // Who comes and goes in a private room, while others stay and when it is empty again, changes nothing.
    await reportAll({ absent: shares.filter((_share, index) => index % 3 > 0) });
    await reportAll({ present: shares });
    expect((await read()).rooms).toEqual(lobby.rooms);
    await unfill();
  });

  test('a user’s list is the same, and says who owns the room and whether one is a member', async () => {
    const roomId = await openRoom('club');
    const berta = someone('berta');
    await client.join(berta, roomId);
    await reportAll({ present: inRoom(roomId, [berta]) });
    const { rooms } = await client.ask(berta, listRooms, { scope: 'public' });
    const club = { roomId, name: 'club', visibility: 'public', owner: 'anna' };
    expect(rooms[0]).toEqual({ ...club, member: true, users: 1 });
    expect(rooms.map((room) => room.roomId)).toEqual((await read()).rooms.map((room) => room.roomId));
    expect(rooms).toContainEqual({
      roomId: defaultRoomId,
      name: 'default',
      visibility: 'public',
      owner: null,
      member: false,
      users: 0,
    });
  });
});

describe('gateways are told', () => {
  let heard: LobbyChanged[];
  beforeEach(async () => {
    heard = await client.hearLobby();
  });

  /** Each instance tells in order what it learned: once these are told, so is all that was before. */
  async function allIsTold(): Promise<void> {
    const markers = await Promise.all(
      Array.from({ length: 16 }, () => openRoom(`marker ${createId('room')}`)),
    );
    await until('all is told', () => markers.every((marker) => stateOf(heard).has(marker)));
  }

  test('of a public room that is made, renamed, entered, left and deleted', async () => {
    const roomId = await openRoom('news');
    const isNow = (expected: unknown) => () =>
      JSON.stringify(stateOf(heard).get(roomId)) === JSON.stringify(expected);
    await until('it is made', isNow({ name: 'news', users: 0 }));
    await client.ask(anna, renameRoom, { roomId, newName: 'olds' });
    await until('it is renamed', isNow({ name: 'olds', users: 0 }));
    await reportAll({ present: inRoom(roomId, crowdOf(3)) });
    await until('it is entered', isNow({ name: 'olds', users: 3 }));
    await reportAll({ absent: inRoom(roomId, crowdOf(2)) });
    await until('it is left', isNow({ name: 'olds', users: 1 }));
    await client.ask(anna, deleteRoom, { roomId });
    await until('it is deleted', isNow('removed'));
    expect((await read()).rooms.map((room) => room.roomId)).not.toContain(roomId);
  });

  test('of no private room, whatever happens there', async () => {
    const roomId = await openRoom('secret', 'private');
    await reportAll({ present: inRoom(roomId, crowdOf(3)) });
    await client.ask(anna, renameRoom, { roomId, newName: 'more secret' });
    await reportAll({ absent: inRoom(roomId, crowdOf(1)) });
    await client.ask(anna, deleteRoom, { roomId });
    await allIsTold();
    const told = heard.flatMap(({ rooms }) => rooms.map(({ name }) => name));
    expect(told.filter((name) => name.includes('secret'))).toEqual([]);
  });

  test('nothing where a report says what is known already', async () => {
    const roomId = await openRoom('known');
    await reportAll({ present: inRoom(roomId, [anna]) });
    await allIsTold();
    const before = heard.length;
    for (let time = 0; time < 10; time += 1) await reportAll({ present: inRoom(roomId, [anna]) });
    await allIsTold();
    const told = heard.slice(before).flatMap(({ rooms }) => rooms.map((room) => room.roomId));
    expect(told).not.toContain(roomId);
  });

  test('of many changes at once together, and the last word is right', async () => {
    const roomId = await openRoom('flapping');
    const crowd = crowdOf(500);
    const reports = await Promise.all(
      crowd.map(async (user, index) => {
        const entered = await gateways.report(gatewayId, roomId, { present: [user] });
        if (index % 2 === 0) return entered;
        return gateways.report(gatewayId, roomId, { absent: [user] });
      }),
    );
    const last = reports.toSorted((a, b) => a.version - b.version).at(-1)!;
    expect(last.counts).toEqual([{ roomId, users: 250 }]);
    await until('the last change is told', () => heard.some(({ version }) => version > last.version));
    await until('the count is right', () => {
      const room = stateOf(heard).get(roomId);
      return typeof room === 'object' && room.users === 250;
    });
    const events = heard.filter(({ rooms }) => rooms.some((room) => room.roomId === roomId));
    expect(events.length).toBeLessThan(250);
    await reportAll({ absent: inRoom(roomId, crowd) });
  });

  test('of more than 1,000 rooms at once in several events, each of which fits the bus', async () => {
    const rooms = await fill('public', 2_500);
    await reportAll({ present: rooms.flatMap((roomId) => inRoom(roomId, [anna])) });
    await until('all are told', () => {
      const told = stateOf(heard);
      return rooms.every((roomId) => (told.get(roomId) as { users: number } | undefined)?.users === 1);
    });
    for (const event of heard) {
      expect(event.rooms.length + event.removed.length).toBeLessThanOrEqual(1_000);
      expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(1_048_576);
    }
    await unfill();
  });

  test('what the lobby could not be read for is told once Postgres is back, with what came after', async () => {
    const [first, second] = [await openRoom('before'), await openRoom('meanwhile')];
    const server = parley.stack.servers.postgres!;
    await server.stop();
    await reportAll({ present: inRoom(first, [anna]) });
    await reportAll({ present: inRoom(second, [anna]) });
    await server.start();
    await until('both are told', () =>
      [first, second].every((roomId) => {
        const room = stateOf(heard).get(roomId);
        return typeof room === 'object' && room.users === 1;
      }),
    );
  });

  test('what was gathered before an instance is stopped', async () => {
    const running = parley.stack.services.rooms;
    // Both hear of several: whichever was asked has something to tell when it is stopped.
    const rooms = await Promise.all(
      Array.from({ length: 12 }, (_, index) => openRoom(`late ${index} ${createId('room')}`)),
    );
    await Promise.all(running.map((instance) => instance.stop()));
    await until('all are told', () => rooms.every((roomId) => stateOf(heard).has(roomId)));
    await Promise.all(running.map((instance) => instance.start()));
    await Promise.all(running.map((instance) => instance.ready()));
  });
});
