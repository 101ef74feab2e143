import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createId, everywhere, listMembers, listRooms, reportPresence } from '@parley/protocol';
import type { GatewayId, RoomId, User } from '@parley/protocol';
import { createContext, createLog, openRedis } from '@parley/service-kit';
import type { RedisStore } from '@parley/service-kit';
import { answerMs, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, crowdOf, gatewaysOf, guest, someone } from './testing.ts';
import type { RoomsClient } from './testing.ts';

const opened = new AsyncDisposableStack();
let parley: Parley;
let client: RoomsClient;
let gateways: ReturnType<typeof gatewaysOf>;
let redis: RedisStore;

beforeAll(async () => {
  parley = opened.use(await startParley({ gateways: 0, instances: 2 }));
  const { redisUrl } = parley.stack.servers.addresses;
  redis = opened.use(await openRedis({ redisUrl, timeoutMs: 5_000, log: createLog('test', 'silent') }));
  client = clientOf(parley);
  gateways = gatewaysOf(parley);
});
afterAll(() => opened.disposeAsync());
afterEach(() => {
  gateways.dieAll();
});

/** A public room of this user. */
async function openRoom(owner: User): Promise<RoomId> {
  return (await client.create(owner, `Room ${createId('room')}`, { visibility: 'public' })).roomId;
}

/** Users present, as the list of rooms tells. */
async function countIn(roomId: RoomId): Promise<number | undefined> {
  const { rooms } = await client.ask(someone('reader'), listRooms, { scope: 'public' });
  return rooms.find((room) => room.roomId === roomId)?.users;
}

async function onlineIn(roomId: RoomId): Promise<string[]> {
  const { members } = await client.ask(someone('reader'), listMembers, { roomId });
  return members.filter(({ online }) => online).map(({ name }) => name);
}

test('who is reported is counted once, as often as it is said, until it is absent', async () => {
  const [anna, berta] = [someone('anna'), someone('berta')];
  const gateway = await gateways.open();
  const roomId = await openRoom(anna);
  await client.join(berta, roomId);
  const first = await gateways.report(gateway, roomId, { present: [anna, berta] });
  expect(first).toEqual({ known: true, version: expect.any(Number), counts: [{ roomId, users: 2 }] });
  const again = await gateways.report(gateway, roomId, { present: [anna] });
  expect(again).toEqual({ known: true, version: expect.any(Number), counts: [{ roomId, users: 2 }] });
  expect(again.version).toBeGreaterThan(first.version);
  expect(await countIn(roomId)).toBe(2);
  expect(await onlineIn(roomId)).toEqual(['anna', 'berta']);
  await gateways.report(gateway, roomId, { absent: [anna] });
  await gateways.report(gateway, roomId, { absent: [anna] });
  expect(await countIn(roomId)).toBe(1);
  expect(await onlineIn(roomId)).toEqual(['berta']);
  const last = await gateways.report(gateway, roomId, { absent: [berta] });
  expect(last.counts).toEqual([{ roomId, users: 0 }]);
  expect(await countIn(roomId)).toBe(0);
});

test('of what is no room nothing is counted, nor of anything beside it', async () => {
  const anna = someone('anna');
  const gateway = await gateways.open();
  const roomId = await openRoom(anna);
  const present = [roomId, 'a room > or *' as RoomId].map((each) => ({ roomId: each, name: anna.name }));
  const refused = parley.bus.call(reportPresence, { gatewayId: gateway, present, absent: [] });
  await expect(refused).rejects.toMatchObject({ code: 'invalid_field' });
  expect(await countIn(roomId)).toBe(0);
});

test('a user on two gateways counts once, and until it has gone from both', async () => {
  const anna = someone('anna');
  const [first, second] = [await gateways.open(), await gateways.open()];
  const roomId = await openRoom(anna);
  await gateways.report(first, roomId, { present: [anna] });
  await gateways.report(second, roomId, { present: [anna] });
  expect(await countIn(roomId)).toBe(1);
  await gateways.report(first, roomId, { absent: [anna] });
  expect(await countIn(roomId)).toBe(1);
  expect(await onlineIn(roomId)).toEqual(['anna']);
  await gateways.report(second, roomId, { absent: [anna] });
  expect(await countIn(roomId)).toBe(0);
  expect(await onlineIn(roomId)).toEqual([]);
});

test('one report may tell of many rooms, and is answered with the count of each', async () => {
  const owner = someone('owner');
  const gatewayId = await gateways.open();
  const [tea, coffee] = [await openRoom(owner), await openRoom(owner)];
  const present = [
    { roomId: tea, name: 'dora' },
    { roomId: everywhere, name: 'dora' },
    { roomId: coffee, name: 'dora' },
    { roomId: tea, name: 'berta' },
  ];
  const request = { gatewayId, present, absent: [] };
  expect(await parley.bus.call(reportPresence, request, createContext(answerMs))).toMatchObject({
    known: true,
    counts: [
      { roomId: tea, users: 2 },
      { roomId: coffee, users: 1 },
    ],
  });
});

test('who is present everywhere is online in each room, and counted in those it was reported in', async () => {
  const eva = someone('eva');
  const gateway = await gateways.open();
  const [seen, unseen] = [await openRoom(eva), await openRoom(eva)];
  expect(await gateways.report(gateway, everywhere, { present: [eva] })).toMatchObject({ counts: [] });
  await gateways.report(gateway, seen, { present: [eva] });
  expect(await onlineIn(seen)).toEqual(['eva']);
  expect(await onlineIn(unseen)).toEqual(['eva']);
  expect([await countIn(seen), await countIn(unseen)]).toEqual([1, 0]);
});

test('a gateway without a lease is told so, and nothing is counted or told', async () => {
  const anna = someone('anna');
  const roomId = await openRoom(anna);
  const heard = await client.hearPresence(roomId);
  const answer = await gateways.report(createId('gateway'), roomId, { present: [anna] });
  expect(answer).toEqual({ known: false, version: 0, counts: [] });
  expect(await countIn(roomId)).toBe(0);
  expect(heard).toEqual([]);
});

test('public rooms are listed with the busiest first', async () => {
  const owner = someone('owner');
  const gateway = await gateways.open();
  const rooms = [await openRoom(owner), await openRoom(owner), await openRoom(owner)] as const;
  const crowd = crowdOf(30);
  await gateways.report(gateway, rooms[1], { present: crowd });
  await gateways.report(gateway, rooms[2], { present: crowd.slice(0, 29) });
  const listed = await client.ask(owner, listRooms, { scope: 'public' });
  expect(listed.rooms.slice(0, 2).map(({ roomId, users }) => [roomId, users])).toEqual([
    [rooms[1], 30],
    [rooms[2], 29],
  ]);
});

describe('the room is told', () => {
  let roomId: RoomId;
  let anna: User;

  async function open(): Promise<[GatewayId, GatewayId]> {
    anna = someone('anna');
    roomId = await openRoom(anna);
    return [await gateways.open(), await gateways.open()];
  }

  test('who came and who went, once, before the gateway is answered', async () => {
    const [gateway] = await open();
    const [berta, carl] = [someone('berta'), someone('carl')];
    const heard = await client.hearPresence(roomId);
    await gateways.report(gateway, roomId, { present: [berta, anna] });
    expect(heard).toEqual([{ roomId, joined: ['berta', 'anna'], left: [] }]);
    await gateways.report(gateway, roomId, { present: [anna, carl], absent: [berta] });
    expect(heard.slice(1)).toEqual([{ roomId, joined: ['carl'], left: ['berta'] }]);
    await gateways.report(gateway, roomId, { present: [anna], absent: [berta] });
    expect(heard).toHaveLength(2);
  });

  test('of a user on two gateways when it comes to the first and when it goes from the last', async () => {
    const [first, second] = await open();
    const heard = await client.hearPresence(roomId);
    await gateways.report(first, roomId, { present: [anna] });
    await gateways.report(second, roomId, { present: [anna] });
    expect(heard).toEqual([{ roomId, joined: ['anna'], left: [] }]);
    await gateways.report(first, roomId, { absent: [anna] });
    expect(heard).toHaveLength(1);
    await gateways.report(second, roomId, { absent: [anna] });
    expect(heard.slice(1)).toEqual([{ roomId, joined: [], left: ['anna'] }]);
  });

  test('of many who come to two gateways at once, of each once', async () => {
    const [first, second] = await open();
    const crowd = crowdOf(200);
    const heard = await client.hearPresence(roomId);
    await Promise.all(
      crowd.flatMap((user) =>
        [first, second].map((gateway) => gateways.report(gateway, roomId, { present: [user] })),
      ),
    );
    expect(heard.flatMap(({ joined }) => joined).sort()).toEqual(crowd.map(({ name }) => name));
    expect(heard.flatMap(({ left }) => left)).toEqual([]);
    expect(await countIn(roomId)).toBe(200);
  });

  test('nothing of a guest who is there again, as somebody else of the same name', async () => {
    const [first, second] = await open();
    const heard = await client.hearPresence(roomId);
    await gateways.report(first, roomId, { present: [guest('gast')] });
    await gateways.report(second, roomId, { present: [guest('gast')] });
    await gateways.report(first, roomId, { absent: [guest('gast')] });
    expect(heard).toEqual([{ roomId, joined: ['gast'], left: [] }]);
    expect(await countIn(roomId)).toBe(1);
  });

  test.each(['a/b', '/', '//x', '🐈🐈', 'käse / 茶'])('of %s by its whole name', async (name) => {
    const [gateway] = await open();
    const heard = await client.hearPresence(roomId);
    await gateways.report(gateway, roomId, { present: [someone(name)] });
    await gateways.report(gateway, roomId, { absent: [someone(name)] });
    expect(heard).toEqual([
      { roomId, joined: [name], left: [] },
      { roomId, joined: [], left: [name] },
    ]);
  });

  test('of as many as a report may name, with the longest names', async () => {
    const [gateway] = await open();
    const longest = Array.from({ length: 2_000 }, (_, index) =>
      someone(`${'🐈'.repeat(60)}${String(index).padStart(4, '0')}`),
    );
    const heard = await client.hearPresence(roomId);
    await gateways.report(gateway, roomId, { present: longest.slice(0, 1_000) });
    await gateways.report(gateway, roomId, {
      present: longest.slice(1_000),
      absent: longest.slice(0, 1_000),
    });
    expect(heard.map(({ joined, left }) => [joined.length, left.length])).toEqual([
      [1_000, 0],
      [1_000, 1_000],
    ]);
  });
});

test('the share of a gateway that died is swept after its lease and told of, and no other’s', async () => {
  const [anna, berta] = [someone('anna'), someone('berta')];
  const [dying, healthy] = [createId('gateway'), await gateways.open()];
  const { leaseMs } = await gateways.renew(dying);
  const roomId = await openRoom(anna);
  // More than one step of the sweep.
  const crowd = crowdOf(900);
  await gateways.report(dying, roomId, { present: [anna, berta, ...crowd] });
  await gateways.report(dying, everywhere, { present: [anna, berta, ...crowd] });
  await gateways.report(healthy, roomId, { present: [berta] });
  expect(await countIn(roomId)).toBe(902);
  const heard = await client.hearPresence(roomId);
  const lobbyHeard = await client.hearLobby();
  // It does not renew its lease, which is moved into the past.
  await redis.run((commands) => commands.zadd('parley:presence:leases', Date.now() - leaseMs, dying));
  await until('the share is swept', async () => (await countIn(roomId)) === 1);
  await until('all have left', () => heard.flatMap(({ left }) => left).length >= 901);
  const left = heard.flatMap((event) => event.left);
  expect(left.sort()).toEqual(['anna', ...crowd.map(({ name }) => name)]);
  expect(heard.flatMap(({ joined }) => joined)).toEqual([]);
  await until('the lobby is told', () =>
    lobbyHeard.some(({ rooms }) => rooms.some((room) => room.roomId === roomId && room.users === 1)),
  );
  await client.join(berta, roomId);
  await until('nobody else is online', async () => (await onlineIn(roomId)).join() === 'berta');
  expect(await gateways.report(dying, roomId, { present: [anna] })).toMatchObject({ known: false });
});

test('a gateway that was frozen beyond its lease is told so, though nobody has swept its share yet', async () => {
  const anna = someone('anna');
  const gatewayId = createId('gateway');
  const roomId = await openRoom(anna);
  const { leaseMs } = await gateways.renew(gatewayId);
  await gateways.report(gatewayId, roomId, { present: [anna] });
  expect(await gateways.renew(gatewayId)).toMatchObject({ known: true });
  // Its lease is moved into the past: what a sweep would meet next.
  await redis.run((commands) => commands.zadd('parley:presence:leases', Date.now() - leaseMs, gatewayId));
  expect(await gateways.renew(gatewayId)).toMatchObject({ known: false });
  expect(await gateways.report(gatewayId, roomId, { present: [anna] })).toMatchObject({ known: true });
  expect(await countIn(roomId)).toBe(1);
});

test('when Redis is emptied each gateway is told, reporting anew makes the counts right, and versions still grow', async () => {
  const anna = someone('anna');
  const gatewayId = createId('gateway');
  await gateways.renew(gatewayId);
  const roomId = await openRoom(anna);
  const before = await gateways.report(gatewayId, roomId, { present: [anna] });
  await redis.run((commands) => commands.flushall());
  expect(await gateways.report(gatewayId, roomId, { present: [anna] })).toMatchObject({ known: false });
  expect(await gateways.renew(gatewayId)).toMatchObject({ known: false });
  expect(await countIn(roomId)).toBe(0);
  const after = await gateways.report(gatewayId, roomId, { present: [anna] });
  expect(after).toMatchObject({ known: true, counts: [{ roomId, users: 1 }] });
  expect(after.version).toBeGreaterThan(before.version);
  expect(await countIn(roomId)).toBe(1);
});

test('while Redis is away presence is unavailable and rooms can still be made and joined', async () => {
  const [anna, berta] = [someone('anna'), someone('berta')];
  const gateway = await gateways.open();
  const server = parley.stack.servers.redis!;
  await server.stop();
  const roomId = await openRoom(anna);
  await client.join(berta, roomId);
  const attempt = gateways.report(gateway, roomId, { present: [anna] });
  await expect(attempt).rejects.toMatchObject({ code: 'unavailable' });
  await server.start();
  // Its lease may have run out meanwhile: what is counted before it is renewed may be swept again.
  await until('presence can be reported again', async () => {
    try {
      await gateways.report(gateway, roomId, { present: [anna] });
      return (await onlineIn(roomId)).includes('anna');
    } catch {
      return false;
    }
  });
});
