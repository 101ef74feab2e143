import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServers } from '@parley/local-stack';
import {
  acknowledge,
  announceFile,
  beginReading,
  commitSends,
  createId,
  createRoom,
  describeRooms,
  findAccess,
  findMemberships,
  findRole,
  findRooms,
  findUsers,
  listReceipts,
  noteEntry,
  replay,
  subjects,
} from '@parley/protocol';
import type { Caller, Method, ReplyOf, RequestOf, Room } from '@parley/protocol';
import { createContext, createLog, Database, openBus, openRedis } from '@parley/service-kit';
import type { Bus } from '@parley/service-kit';
import { download, FileSender, sha256, startParley, until } from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';
import * as operators from '../packages/protocol/src/contract/operators.ts';
import { readRedisUsers, runRolesScript } from './server-users.ts';

const services = ['gateway', 'auth', 'rooms', 'messages', 'files'] as const;
type Service = (typeof services)[number];
type User = Service | 'operator';

const timeoutMs = 5_000;
const log = createLog('test', 'silent');
/** What NATS, Redis and Postgres say, as it is logged. */
const refusal = /bus refused|Permissions Violation|NOPERM|can't access|permission denied/;

const roomId = createId('room');
const gatewayId = createId('gateway');
const opened = new AsyncDisposableStack();
const buses = new Map<User, Bus>();
let dataDir: string;
let natsUrlOf: (user: User) => string;
let parley: Parley;

/**
 * A whole Parley on a NATS with the users of deploy/nats, a Redis with those of deploy/redis and a Postgres with the roles of
 * deploy/postgres; and a connection to NATS as each of its users.
 */
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'parley-least-privilege-'));
  opened.defer(() => rm(dataDir, { recursive: true }));
  const { addresses } = opened.use(
    await startServers({ dataDir: join(dataDir, 'servers'), natsConfig: await writeNatsConfig() }),
  );
  await makeRoles(addresses.databaseUrl);
  await makeRedisUsers(addresses.redisUrl);
  natsUrlOf = (user) => urlAs(addresses.natsUrl, user);
  const settingsOf = (service: Service) => ({
    NATS_URL: natsUrlOf(service),
    REDIS_URL: urlAs(addresses.redisUrl, service),
    DATABASE_URL: urlAs(addresses.databaseUrl, `parley_${service}`, passwordOf(service)),
    DATABASE_OWNER_URL: urlAs(addresses.databaseUrl, `parley_${service}_owner`, passwordOf(service)),
  });
  parley = opened.use(
    await startParley({
      gateways: 2,
      dataDir: join(dataDir, 'parley'),
      given: { ...addresses, natsUrl: natsUrlOf('operator') },
      environmentOf: Object.fromEntries(services.map((service) => [service, settingsOf(service)])),
    }),
  );
  for (const user of [...services, 'operator'] as const) {
    const name = `parley-${user}`;
    const bus = await openBus({ natsUrl: natsUrlOf(user), name, requestTimeoutMs: timeoutMs, log });
    buses.set(user, opened.use(bus));
  }
});
afterAll(() => opened.disposeAsync());

describe('with the rights of its users', () => {
  let anna: LoginClient;
  let bob: LoginClient;
  let room: { room_id: string };
  beforeAll(async () => {
    anna = await parley.logIn('anna', 0);
    bob = await parley.logIn('bob', 1);
    room = await anna.ask('create_room', { room_name: 'tea', participants: ['bob'] });
  });

  test('people talk, over two gateways', async () => {
    await anna.ask('send_message', { room_id: room.room_id, content: 'hello' });
    await until('bob has it', () => JSON.stringify(bob.received).includes('hello'));
  });

  test('a file goes up and comes down', async () => {
    const bytes = randomBytes(100_000);
    const sender = new FileSender(anna, room.room_id, 'tea.pdf', bytes, { chunkBytes: 10_000 });
    await sender.init();
    await sender.putAll();
    await sender.fin();
    expect(sha256((await download(bob, room.room_id, 'tea.pdf')).bytes)).toBe(sha256(bytes));
  });

  test('an operator sees all', async () => {
    const { accounts } = await busOf('operator').call(operators.listAccounts, { limit: 10 });
    expect(accounts.map(({ name }) => name)).toEqual(expect.arrayContaining(['anna', 'bob']));
  });

  test('no process asked for anything that it may not', async () => {
    const folder = join(dataDir, 'parley', 'logs');
    const files = (await readdir(folder)).filter((file) => services.some((name) => file.startsWith(name)));
    expect(files).toHaveLength(6);
    for (const file of files) {
      expect(await readFile(join(folder, file), 'utf8')).not.toMatch(refusal);
    }
  });
});

/** All methods of operators that services answer. */
const operatorMethods = Object.values(operators).filter(
  (value): value is (typeof operators)['setRole'] =>
    typeof value === 'object' && 'endpoint' in value && (value as Method).service !== 'gateway',
);

test.each([
  ['auth', 'parley:presence:leases'],
  ['rooms', 'parley:session:1'],
])('with the rights of %s in Redis, nothing but what it does can be done', async (user, keyOfOther) => {
  const redisUrl = urlAs(parley.stack.servers.addresses.redisUrl, user);
  await using redis = await openRedis({ redisUrl, timeoutMs, log });
  for (const command of [
    ['CONFIG', 'GET', '*'],
    ['FLUSHALL'],
    ['KEYS', '*'],
    ['SCAN', '0'],
    ['RANDOMKEY'],
    ['ACL', 'LIST'],
    ['CLIENT', 'LIST'],
    ['FUNCTION', 'LIST'],
    ['SCRIPT', 'FLUSH'],
    ['SUBSCRIBE', 'all'],
    ['SHUTDOWN'],
    ['TYPE', keyOfOther],
    ['DEL', keyOfOther],
  ]) {
    const [name = '', ...args] = command;
    await expect(redis.run((commands) => commands.call(name, ...args))).rejects.toThrow(/NOPERM/);
  }
  const script = `return redis.call('type', '${keyOfOther}')`;
  await expect(redis.run((commands) => commands.eval(script, 0))).rejects.toThrow(/can't access/);
});

test('a service has no right to the tables of another', async () => {
  const { databaseUrl: address } = parley.stack.servers.addresses;
  const databaseUrl = urlAs(address, 'parley_messages', passwordOf('messages'));
  await using database = new Database({ databaseUrl, connections: 1, timeoutMs, log });
  for (const text of ['select from auth.account', 'select from rooms.room', 'drop table messages.message']) {
    await expect(database.query({ name: '', text })).rejects.toThrow(/permission denied|must be owner/);
  }
});

describe.each(services)('as %s', (user) => {
  test('nothing that operators ask for can be asked', async () => {
    const asked = operatorMethods.map((method) => subjects.method(method));
    expect(asked.length).toBeGreaterThan(5);
    expect(await refusedTo(user, { publish: asked })).toEqual(asked);
    const { endpoint } = operators.readGatewayStatus;
    const status = `parley.rpc.gateway.${gatewayId}.${endpoint}`;
    expect(await refusedTo(user, { publish: [status] })).toEqual([status]);
  });

  test('neither all of the bus can be heard, nor replies to others, nor requests to others', async () => {
    const others = services.filter((other) => other !== user);
    const heard = [
      '>',
      'parley.>',
      '_INBOX.>',
      '_INBOX.*.>',
      'parley.chunk.>',
      ...[...others, 'operator', 'admin'].map((other) => `_INBOX.parley-${other}.>`),
      ...others.map((other) => (other === 'gateway' ? 'parley.rpc.gateway.*.*' : `parley.rpc.${other}.*`)),
    ];
    expect(await refusedTo(user, { subscribe: heard })).toEqual(heard);
  });

  test('only files can change or read what JetStream keeps', async () => {
    const asked = [
      'STREAM.DELETE',
      'STREAM.MSG.DELETE',
      'STREAM.MSG.GET',
      'STREAM.PURGE',
      'STREAM.UPDATE',
    ].map((request) => `$JS.API.${request}.PARLEY_CHUNKS`);
    const refused = user === 'files' ? asked.slice(0, 2) : asked;
    expect(await refusedTo(user, { publish: refused })).toEqual(refused);
  });
});

test('a gateway can neither tell what happens in rooms nor ask what only services ask', async () => {
  const published = [
    subjects.roomMessages(roomId),
    subjects.roomChange(roomId),
    subjects.roomPresence(roomId),
    subjects.lobby,
    subjects.userEvents(createId('user')),
    subjects.chunk(createId('upload'), 1),
    ...[announceFile, findAccess, findRole, findUsers, noteEntry].map((method) => subjects.method(method)),
  ];
  expect(await refusedTo('gateway', { publish: published })).toEqual(published);
  expect(await refusedTo('gateway', { subscribe: ['parley.event.room.*.*', 'parley.event.lobby'] })).toEqual(
    [],
  );
});

describe('a gateway that is mistaken about who somebody is or where', () => {
  const outsider = { userId: createId('user'), name: 'outsider' };
  const visitor = { userId: createId('guest'), name: 'visitor' };
  let owner: Caller;
  let secret: Room;
  beforeAll(async () => {
    await parley.getToken('owner');
    const found = await busOf('operator').call(findUsers, { names: ['owner'] }, createContext(timeoutMs));
    owner = found.users[0]!;
    const room = { name: 'secret', visibility: 'private' as const, participants: [], address: '192.0.2.1' };
    secret = await ask(owner, createRoom, room);
    await ask(owner, commitSends, {
      roomId: secret.roomId,
      sends: [{ content: 'the treasure is in the shed' }],
    });
  });

  /** As user `gateway` of NATS, in the name of a user. */
  function ask<M extends Method>(
    user: Caller | undefined,
    method: M,
    request: RequestOf<M>,
  ): Promise<ReplyOf<M>> {
    return busOf('gateway').call(method, request, createContext(timeoutMs, user));
  }

  const replayFor = (user: Caller, roomId = secret.roomId) =>
    ask(undefined, replay, { roomId, readerId: user.userId, after: 0 });

  test('reads nothing of a private room for who is outside', async () => {
    expect((await replayFor(owner)).messages).toMatchObject([{ id: 1, senderId: owner.userId }]);
    for (const user of [outsider, visitor]) {
      await expect(replayFor(user)).rejects.toMatchObject({ code: 'not_in_room' });
    }
    await expect(replayFor(owner, createId('room'))).rejects.toMatchObject({ code: 'room_not_found' });
  });

  test('finds no name or owner of a private room for who is outside', async () => {
    const { roomId } = secret;
    const find = ({ userId }: Caller) => ask(undefined, findRooms, { rooms: [{ roomId, userId }] });
    expect(await find(owner)).toEqual({ rooms: [secret], closed: [] });
    for (const user of [outsider, visitor]) {
      expect(await find(user)).toEqual({ rooms: [], closed: [roomId] });
      expect(await ask(user, describeRooms, { roomIds: [roomId] })).toEqual({ rooms: [] });
    }
  });

  test('lists the rooms of who asks, and of nobody else', async () => {
    expect(await ask(owner, findMemberships, {})).toEqual({ rooms: [{ ...secret, sinceId: 0 }] });
    const ofAnother = { userId: owner.userId };
    expect(await ask(outsider, findMemberships, ofAnother)).toEqual({ rooms: [] });
    await expect(ask(undefined, findMemberships, ofAnother)).rejects.toMatchObject({
      code: 'not_authenticated',
    });
  });

  test('sends in the name of who asks only, into rooms that it may be in, and no file', async () => {
    const room = { name: 'open', visibility: 'public' as const, participants: [], address: '192.0.2.1' };
    const { roomId } = await ask(owner, createRoom, room);
    const file = { name: 'tea.pdf', size: 1, type: 'text/plain', sha256: 'f'.repeat(64) };
    const send = { content: 'hello', sender: owner, origin: createId('connection'), file };
    await ask(visitor, commitSends, { roomId, sends: [send] });
    const { messages } = await replayFor(owner, roomId);
    expect(messages).toEqual([
      { id: 1, senderId: visitor.userId, sender: 'visitor', content: 'hello', sentAt: expect.any(String) },
    ]);
    for (const user of [outsider, visitor]) {
      const { results } = await ask(user, commitSends, { roomId: secret.roomId, sends: [send] });
      expect(results).toEqual([{ error: 'not_in_room' }]);
    }
    const byNobody = ask(undefined, commitSends, { roomId, sends: [send] });
    await expect(byNobody).rejects.toMatchObject({ code: 'not_authenticated' });
  });

  test('acknowledges nothing for who is outside, and learns nothing of what it read', async () => {
    const { roomId } = secret;
    const acknowledgements = [outsider, visitor].map((user) => ({
      ...{ roomId, user },
      ranges: [[1, 1] as [number, number]],
    }));
    await ask(undefined, acknowledge, { acknowledgements });
    expect(await ask(owner, listReceipts, { roomId })).toEqual({ roomId, receipts: [] });
    expect(await ask(outsider, beginReading, { roomIds: [roomId] })).toEqual({ rooms: [] });
    const asNobody = ask(undefined, beginReading, { roomIds: [roomId] });
    await expect(asNobody).rejects.toMatchObject({ code: 'not_authenticated' });
  });
});

test.each([
  ['auth', ['parley.event.room.*.*', 'parley.event.user.*', 'parley.event.lobby']],
  ['rooms', ['parley.event.room.*.messages', 'parley.event.user.*']],
  ['messages', ['parley.event.room.*.messages', 'parley.event.room.*.*']],
  ['files', ['parley.event.room.*.messages', 'parley.event.user.*']],
] as const)('%s does not hear what is said', async (user, heard) => {
  expect(await refusedTo(user, { subscribe: heard })).toEqual(heard);
});

/** The users of deploy/nats, with their passwords. */
async function writeNatsConfig(): Promise<string> {
  const users = await readFile(new URL('../deploy/nats/users.conf', import.meta.url), 'utf8');
  const passwords = [...services, 'operator'].map(
    (user) => `NATS_${user.toUpperCase()}_PASSWORD: ${passwordOf(user)}`,
  );
  const file = join(dataDir, 'nats.conf');
  await writeFile(file, [...passwords, users].join('\n'));
  return file;
}

async function makeRoles(databaseUrl: string): Promise<void> {
  const passwords = Object.fromEntries(services.map((service) => [service, passwordOf(service)]));
  expect(await runRolesScript(databaseUrl, passwords)).toMatchObject({ status: 0, stderr: '' });
}

async function makeRedisUsers(redisUrl: string): Promise<void> {
  await using redis = await openRedis({ redisUrl, timeoutMs, log });
  for (const [user, rights] of await readRedisUsers()) {
    await redis.run((commands) => commands.acl('SETUSER', user, 'on', `>${passwordOf(user)}`, ...rights));
  }
}

function passwordOf(user: string): string {
  return `of-${user}`;
}

function urlAs(address: string, user: string, password = passwordOf(user)): string {
  const url = new URL(address);
  Object.assign(url, { username: user, password });
  return url.href;
}

function busOf(user: User): Bus {
  return buses.get(user)!;
}

/** Which of the subjects the server does not let the user have, in their order. */
async function refusedTo(
  user: User,
  { publish = [], subscribe = [] }: { publish?: readonly string[]; subscribe?: readonly string[] },
): Promise<string[]> {
  const { connection } = busOf(user);
  const refused = new Set<unknown>();
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'error') refused.add((status.error as { subject?: string }).subject);
    }
  })();
  for (const subject of publish) connection.publish(subject);
  const subscriptions = subscribe.map((subject) =>
    connection.subscribe(subject, { callback: () => undefined }),
  );
  await connection.flush();
  // What the server said before it answered is told to whoever listens a turn later.
  await new Promise((resolve) => setImmediate(resolve));
  for (const subscription of subscriptions) subscription.unsubscribe();
  return [...publish, ...subscribe].filter((subject) => refused.has(subject));
}
