import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import {
  createId,
  everywhere,
  listMembers,
  listRooms,
  renewPresenceLease,
  reportPresence,
} from '@parley/protocol';
import type { GatewayId, RoomId, User } from '@parley/protocol';
import { createContext, createLog, openRedis } from '@parley/service-kit';
import type { RedisStore } from '@parley/service-kit';
import { startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, someone } from './testing.ts';
import type { RoomsClient } from './testing.ts';

const opened = new AsyncDisposableStack();
let parley: Parley;
let client: RoomsClient;
let redis: RedisStore;

beforeAll(async () => {
  const environment = { GATEWAY_LEASE_MS: '2000' };
  parley = opened.use(await startParley({ gateways: 0, instances: 2, environment }));
  const { redisUrl } = parley.stack.servers.addresses;
  redis = opened.use(await openRedis({ redisUrl, timeoutMs: 5_000, log: createLog('test', 'silent') }));
  client = clientOf(parley);
});
afterAll(() => opened.disposeAsync());

const living = new Map<GatewayId, NodeJS.Timeout>();
afterEach(() => {
  for (const gatewayId of living.keys()) die(gatewayId);
});

function renew(gatewayId: GatewayId) {
  return parley.bus.call(renewPresenceLease, { gatewayId }, createContext(5_000));
}

/** A gateway that renews its lease until it dies, or the test is over. */
async function openGateway(): Promise<GatewayId> {
  const gatewayId = createId('gateway');
  expect(await renew(gatewayId)).toMatchObject({ known: false });
  const timer = setInterval(() => {
    renew(gatewayId).catch(() => {
      // Redis is away; the next renewal may do better.
    });
  }, 250);
  living.set(gatewayId, timer);
  return gatewayId;
}

function die(gatewayId: GatewayId): void {
  clearInterval(living.get(gatewayId));
  living.delete(gatewayId);
}

function report(gatewayId: GatewayId, roomId: RoomId, users: { present?: User[]; absent?: User[] }) {
  const { present = [], absent = [] } = users;
  const inRoom = ({ userId }: User) => ({ roomId, userId });
  const request = { gatewayId, present: present.map(inRoom), absent: absent.map(inRoom) };
  return parley.bus.call(reportPresence, request, createContext(5_000));
}

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
  const gateway = await openGateway();
  const roomId = await openRoom(anna);
  await client.join(berta, roomId);
  expect(await report(gateway, roomId, { present: [anna, berta] })).toEqual({ known: true });
  expect(await report(gateway, roomId, { present: [anna] })).toEqual({ known: true });
  expect(await countIn(roomId)).toBe(2);
  expect(await onlineIn(roomId)).toEqual(['anna', 'berta']);
  await report(gateway, roomId, { absent: [anna] });
  await report(gateway, roomId, { absent: [anna] });
  expect(await countIn(roomId)).toBe(1);
  expect(await onlineIn(roomId)).toEqual(['berta']);
  await report(gateway, roomId, { absent: [berta] });
  expect(await countIn(roomId)).toBe(0);
});

test('a user on two gateways counts once, and until it has gone from both', async () => {
  const anna = someone('anna');
  const [first, second] = [await openGateway(), await openGateway()];
  const roomId = await openRoom(anna);
  await report(first, roomId, { present: [anna] });
  await report(second, roomId, { present: [anna] });
  expect(await countIn(roomId)).toBe(1);
  await report(first, roomId, { absent: [anna] });
  expect(await countIn(roomId)).toBe(1);
  expect(await onlineIn(roomId)).toEqual(['anna']);
  await report(second, roomId, { absent: [anna] });
  expect(await countIn(roomId)).toBe(0);
  expect(await onlineIn(roomId)).toEqual([]);
});

test('who is present everywhere is online in each room, and counted in those it was reported in', async () => {
  const anna = someone('anna');
  const gateway = await openGateway();
  const [seen, unseen] = [await openRoom(anna), await openRoom(anna)];
  await report(gateway, everywhere, { present: [anna] });
  await report(gateway, seen, { present: [anna] });
  expect(await onlineIn(seen)).toEqual(['anna']);
  expect(await onlineIn(unseen)).toEqual(['anna']);
  expect([await countIn(seen), await countIn(unseen)]).toEqual([1, 0]);
});

test('a gateway without a lease is told so, and nothing is counted', async () => {
  const anna = someone('anna');
  const roomId = await openRoom(anna);
  expect(await report(createId('gateway'), roomId, { present: [anna] })).toEqual({ known: false });
  expect(await countIn(roomId)).toBe(0);
});

test('public rooms are listed with the busiest first', async () => {
  const owner = someone('owner');
  const gateway = await openGateway();
  const rooms = [await openRoom(owner), await openRoom(owner), await openRoom(owner)] as const;
  const crowd = Array.from({ length: 30 }, (_, index) => someone(`guest ${index}`));
  await report(gateway, rooms[1], { present: crowd });
  await report(gateway, rooms[2], { present: crowd.slice(0, 29) });
  const listed = await client.ask(owner, listRooms, { scope: 'public' });
  expect(listed.rooms.slice(0, 2).map(({ roomId, users }) => [roomId, users])).toEqual([
    [rooms[1], 30],
    [rooms[2], 29],
  ]);
});

test('the share of a gateway that died is swept after its lease, and no other’s', async () => {
  const [anna, berta] = [someone('anna'), someone('berta')];
  const [dying, healthy] = [await openGateway(), await openGateway()];
  const roomId = await openRoom(anna);
  const crowd = Array.from({ length: 900 }, (_, index) => someone(`guest ${index}`));
  // More than one step of the sweep.
  await report(dying, roomId, { present: [anna, berta, ...crowd] });
  await report(dying, everywhere, { present: [anna, berta, ...crowd] });
  await report(healthy, roomId, { present: [berta] });
  expect(await countIn(roomId)).toBe(902);
  die(dying);
  await until('the share is swept', async () => (await countIn(roomId)) === 1);
  await client.join(berta, roomId);
  expect(await onlineIn(roomId)).toEqual(['berta']);
  expect(await report(dying, roomId, { present: [anna] })).toEqual({ known: false });
});

test('a gateway that was frozen beyond its lease is told so, though nobody has swept its share yet', async () => {
  const anna = someone('anna');
  const gatewayId = createId('gateway');
  const roomId = await openRoom(anna);
  const { leaseMs } = await renew(gatewayId);
  await report(gatewayId, roomId, { present: [anna] });
  expect(await renew(gatewayId)).toMatchObject({ known: true });
  // Its lease is moved into the past: what a sweep would meet next.
  await redis.run((commands) => commands.zadd('parley:presence:leases', Date.now() - leaseMs, gatewayId));
  expect(await renew(gatewayId)).toMatchObject({ known: false });
  expect(await report(gatewayId, roomId, { present: [anna] })).toEqual({ known: true });
  expect(await countIn(roomId)).toBe(1);
});

test('when Redis is emptied each gateway is told, and reporting anew makes the counts right', async () => {
  const anna = someone('anna');
  const gatewayId = createId('gateway');
  await renew(gatewayId);
  const roomId = await openRoom(anna);
  await report(gatewayId, roomId, { present: [anna] });
  await redis.run((commands) => commands.flushall());
  expect(await report(gatewayId, roomId, { present: [anna] })).toEqual({ known: false });
  expect(await renew(gatewayId)).toMatchObject({ known: false });
  expect(await countIn(roomId)).toBe(0);
  expect(await report(gatewayId, roomId, { present: [anna] })).toEqual({ known: true });
  expect(await countIn(roomId)).toBe(1);
});

test('while Redis is away presence is unavailable and rooms can still be made and joined', async () => {
  const [anna, berta] = [someone('anna'), someone('berta')];
  const gateway = await openGateway();
  const server = parley.stack.servers.redis!;
  await server.stop();
  const roomId = await openRoom(anna);
  await client.join(berta, roomId);
  const attempt = report(gateway, roomId, { present: [anna] });
  await expect(attempt).rejects.toMatchObject({ code: 'unavailable' });
  await server.start();
  // Its lease may have run out meanwhile: what is counted before it is renewed may be swept again.
  await until('presence can be reported again', async () => {
    try {
      await report(gateway, roomId, { present: [anna] });
      return (await onlineIn(roomId)).includes('anna');
    } catch {
      return false;
    }
  });
});
