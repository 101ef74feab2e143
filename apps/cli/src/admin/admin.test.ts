import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRoom, defaultRoomId, findRole, findUsers, register } from '@parley/protocol';
import type { AccountRecord, AccountRole, Room, RoomRecord, User } from '@parley/protocol';
import { createContext, createLog, Database } from '@parley/service-kit';
import { answerMs, contextOf, password, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { findNatsUrl, openOperatorBus } from '../operator-bus.ts';
import type { Overview } from './status/overview.ts';
import { Operator } from './testing.ts';

const opened = new AsyncDisposableStack();
let parley: Parley;
let operator: Operator;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'parley-admin-'));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  parley = opened.use(await startParley({ dataDir, gateways: 2 }));
  operator = new Operator(parley.stack.servers.addresses.natsUrl);
});
afterAll(() => opened.disposeAsync());

function signUp(name: string): Promise<User> {
  return parley.bus.call(register, { name, password, address: '192.0.2.1' }, createContext(answerMs));
}

async function roleOf({ userId }: User): Promise<AccountRole> {
  return (await parley.bus.call(findRole, { userId }, createContext(answerMs))).role;
}

function makeRoom(owner: User, name: string, visibility: 'private' | 'public' = 'private'): Promise<Room> {
  return parley.bus.call(
    createRoom,
    { name, visibility, participants: [], address: '192.0.2.1' },
    contextOf(owner),
  );
}

/** A command that did what it was asked for. */
const done = (stdout: string) => ({ code: 0, stdout, stderr: '' });
/** One that did not. */
const failed = (stderr: string) => ({ code: 1, stdout: '', stderr });

/** A server on a free port that takes connections and says nothing. */
async function silentServer(): Promise<Disposable & { natsUrl: string }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    natsUrl: `nats://127.0.0.1:${port}`,
    [Symbol.dispose]: () => {
      server.close();
    },
  };
}

describe('users', () => {
  test('are added with a password from stdin, and given another one, which ends their sessions', async () => {
    expect(await operator.run(['users', 'add', 'anna', '--password-stdin'], 'first password\nrest')).toEqual(
      done('anna has an account now.\n'),
    );
    const client = await parley.connect();
    await client.logIn('anna', { password: 'first password' });
    expect(
      await operator.run(['users', 'set-password', 'anna', '--password-stdin'], 'second password\r\n'),
    ).toEqual(done('anna has a new password; 1 session ended.\n'));
    expect(await client.closed).toBe(4003);
    const again = await parley.connect();
    const former = await again.request('login', { chatid: 'anna', password: 'first password' });
    expect(former).toMatchObject({ action: 'login_fail', code: 'invalid_credentials' });
    await again.logIn('anna', { password: 'second password' });
  });

  test('get their passwords typed at a terminal, twice, which never shows them', async () => {
    const typed = await operator.type(
      ['users', 'add', 'berta'],
      [
        ['New password: ', 'hidden from all'],
        ['New password again: ', 'hidden from all'],
      ],
    );
    expect(typed).toMatchObject({ code: 0, shown: expect.stringContaining('berta has an account now.') });
    expect(typed.shown).not.toContain('hidden');
    const client = await parley.connect();
    await client.logIn('berta', { password: 'hidden from all' });
    const differing = await operator.type(
      ['users', 'set-password', 'berta'],
      [
        ['New password: ', 'hidden from all'],
        ['New password again: ', 'hidden from some'],
      ],
    );
    expect(differing).toMatchObject({ code: 1, shown: expect.stringContaining('The passwords differ.') });
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  test('are not added without a password, with a bad one, or twice', async () => {
    const [missing, short] = await Promise.all([
      operator.run(['users', 'add', 'clara']),
      operator.run(['users', 'add', 'clara', '--password-stdin'], 'short\n'),
    ]);
    expect(missing).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('--password-stdin'),
    });
    expect(short).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/`password`.*\n$/) });
    const found = await parley.bus.call(findUsers, { names: ['clara'] }, createContext(answerMs));
    expect(found.users).toEqual([]);
    await signUp('clara');
    expect(await operator.run(['users', 'add', 'clara', '--password-stdin'], password)).toEqual(
      failed('This name is taken; choose another name.\n'),
    );
  });

  test('become admins and ordinary accounts again; names are taken as they are stored', async () => {
    const celine = await signUp('céline Ä');
    expect(await operator.run(['users', 'grant', ' ce\u0301line Ä'])).toEqual(
      done('céline Ä is an admin now.\n'),
    );
    expect(await roleOf(celine)).toBe('admin');
    expect(await operator.json('users', 'revoke', 'céline Ä')).toEqual([
      { name: 'céline Ä', role: 'member' },
    ]);
    expect(await roleOf(celine)).toBe('member');
  });

  test('are locked out at once, and let in again', async () => {
    const client = await parley.logIn('dora', 1);
    expect(await operator.run(['users', 'disable', 'dora'])).toEqual(
      done('dora is disabled now; 1 session ended.\n'),
    );
    expect(await client.closed).toBe(4003);
    const again = await parley.connect();
    const refused = await again.request('login', { chatid: 'dora', password });
    expect(refused).toMatchObject({ code: 'forbidden', message: 'This account is disabled.' });
    expect(await operator.json('users', 'disable', 'dora')).toEqual([
      { name: 'dora', isDisabled: true, endedSessions: 0 },
    ]);
    expect(await operator.run(['users', 'enable', 'dora'])).toEqual(done('dora may log in again.\n'));
    await again.logIn('dora', { password });
  });

  test('are logged out everywhere', async () => {
    const client = await parley.logIn('emil');
    await parley.getToken('emil');
    expect(await operator.run(['users', 'end-sessions', 'emil'])).toEqual(
      done('2 sessions of emil ended.\n'),
    );
    expect(await client.closed).toBe(4003);
  });

  test('are listed by name: as a table, or as JSON lines', async () => {
    const { userId } = await signUp('007');
    await operator.run(['users', 'disable', '007']);
    const record = {
      userId,
      name: '007',
      role: 'member',
      sessions: 0,
      createdAt: expect.stringMatching(/Z$/),
      disabledAt: expect.stringMatching(/Z$/),
    };
    const records = await operator.json<AccountRecord>('users', 'list');
    expect(records[0]).toEqual(record);
    const { code, stdout } = await operator.run(['users', 'list']);
    expect(code).toBe(0);
    const [heading, first, ...rest] = stdout.trimEnd().split('\n');
    expect(heading).toMatch(/^NAME +ROLE +SESSIONS +SINCE \(UTC\) +DISABLED \(UTC\)$/);
    expect(first).toMatch(/^007 +member +0 +\d{4}-\d\d-\d\d \d\d:\d\d +\d{4}-\d\d-\d\d \d\d:\d\d$/);
    expect(rest).toHaveLength(records.length - 1);
  });

  test('more than a page of them are all listed, each once', async () => {
    const names = Array.from(
      { length: 1_001 },
      (_, index) => `one of many ${String(index).padStart(4, '0')}`,
    );
    await insertAccounts(names);
    const listed = (await operator.json<AccountRecord>('users', 'list')).map(({ name }) => name);
    expect(listed.filter((name) => name.startsWith('one of many'))).toEqual(names);
  });

  test('without an account are told in one line', async () => {
    const stderr = 'There is no account called nobody.\n';
    expect(await operator.run(['users', 'grant', 'nobody'])).toEqual(failed(stderr));
  });
});

/** Makes accounts without passwords that anybody knows: as many by their hashes would take too long. */
async function insertAccounts(names: readonly string[]): Promise<void> {
  const { databaseUrl } = parley.stack.servers.addresses;
  const log = createLog('test', 'silent');
  await using database = new Database({ databaseUrl, connections: 1, timeoutMs: answerMs, log });
  await database.query({
    name: 'insertAccounts',
    text: `insert into auth.account (id, name, password_hash)
           select 'user_' || substr(md5(name), 1, 24), name, '' from unnest($1::text[]) as name`,
    values: [names],
  });
}

describe('rooms', () => {
  test('are listed by name, private ones too, and shown with their members, by name or id', async () => {
    const owner = await parley.logIn('fritz');
    const fritz = await userCalled('fritz');
    const { roomId } = await makeRoom(fritz, 'Attic');
    await until(
      'its owner is in',
      async () => (await operator.json<RoomRecord>('rooms', 'show', roomId))[0]!.users === 1,
    );
    const record = {
      roomId,
      name: 'Attic',
      visibility: 'private',
      owner: 'fritz',
      members: 1,
      users: 1,
      createdAt: expect.stringMatching(/Z$/),
    };
    const [[listed], [shown], { stdout: table }, { stdout: page }] = await Promise.all([
      operator.json('rooms', 'list'),
      operator.json('rooms', 'show', 'Attic'),
      operator.run(['rooms', 'list']),
      operator.run(['rooms', 'show', 'Attic']),
    ]);
    expect(listed).toEqual(record);
    expect(shown).toEqual({ ...record, memberList: [{ name: 'fritz', online: true, role: 'owner' }] });
    expect(table).toMatch(
      /^ID +NAME +VISIBILITY +MEMBERS +PRESENT +SINCE \(UTC\) +OWNER\nroom_\w{24} +Attic +private +1 +1 .* fritz\n/,
    );
    expect(table).toContain(defaultRoomId);
    expect(page).toContain('Name:     Attic\n');
    expect(page).toMatch(/\nMEMBER +ROLE +ONLINE\nfritz +owner +yes\n$/);
    await owner.close();
  });

  test('of which several have the name are told apart by their ids', async () => {
    const [gerd, hans] = [await signUp('gerd'), await signUp('hans')];
    const rooms = [await makeRoom(gerd, 'Cellar'), await makeRoom(hans, 'Cellar')];
    const { code, stderr } = await operator.run(['rooms', 'delete', 'Cellar', '--yes']);
    expect(code).toBe(1);
    for (const { roomId, owner } of rooms) expect(stderr).toContain(`${roomId} (owner ${owner!})`);
    expect(stderr).toMatch(/^Several rooms are called Cellar: .* Give the id\.\n$/);
    expect(await operator.json('rooms', 'show', rooms[1]!.roomId)).toMatchObject([{ owner: 'hans' }]);
  });

  test('are deleted, and those in them are told', async () => {
    const owner = await parley.logIn('ines');
    const { room_id: roomId } = await owner.ask('create_room', { participants: [], room_name: 'Shed' });
    expect(await operator.json('rooms', 'delete', 'Shed', '--yes')).toEqual([{ roomId, name: 'Shed' }]);
    expect(await owner.event('room_deleted')).toMatchObject({ data: { room_id: roomId } });
    expect(await operator.run(['rooms', 'show', 'Shed'])).toEqual(failed('There is no room Shed.\n'));
  });

  test('are deleted at a terminal once their names are typed', async () => {
    const jana = await signUp('jana');
    await makeRoom(jana, 'Barn', 'public');
    const question = 'Delete Barn (public, owner jana, 1 member) for ever? Type its name: ';
    const kept = await operator.type(['rooms', 'delete', 'Barn'], [[question, 'barn']]);
    expect(kept).toMatchObject({ code: 1, shown: expect.stringContaining('Not deleted') });
    const deleted = await operator.type(['rooms', 'delete', 'Barn'], [[question, 'Barn']]);
    expect(deleted).toMatchObject({ code: 0, shown: expect.stringContaining('Barn is deleted.') });
  });

  test('are not deleted unasked, and `default` never is', async () => {
    const [unasked, always] = await Promise.all([
      operator.run(['rooms', 'delete', 'default']),
      operator.run(['rooms', 'delete', 'default', '--yes', '--json']),
    ]);
    expect(unasked).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--yes') });
    expect(always).toMatchObject({ code: 1, stdout: '' });
    expect(JSON.parse(always.stderr)).toEqual({
      error: { code: 'cannot_delete_default', message: expect.any(String) },
    });
  });
});

async function userCalled(name: string): Promise<User> {
  const { users } = await parley.bus.call(findUsers, { names: [name] }, createContext(answerMs));
  return users[0]!;
}

describe('status', () => {
  test('has every instance, and what each gateway holds', async () => {
    await parley.logIn('karl', 1);
    const guest = await parley.connectIdentify(1);
    await guest.identify('a guest');
    const nobody = await parley.connect(1);
    const [{ services, gateways, missing }] = (await operator.json<Overview>('status')) as [Overview];
    expect(services.map(({ service }) => service)).toEqual([
      'auth',
      'files',
      'gateway',
      'gateway',
      'messages',
      'rooms',
    ]);
    const auth = services[0]!;
    expect(auth).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/), errors: 0 });
    expect(auth.requests).toBeGreaterThan(0);
    expect(auth.meanMs).toBeGreaterThan(0);
    expect(auth.uptimeMs).toBeGreaterThan(0);
    expect(missing).toEqual([]);
    const ids = services.filter(({ service }) => service === 'gateway').map(({ id }) => id);
    expect(gateways.map(({ gatewayId }) => gatewayId)).toEqual(ids);
    const holding = gateways.find(({ guests }) => guests === 1)!;
    expect(holding.connections).toMatchObject({ identify: 1 });
    expect(holding.connections.login).toBeGreaterThan(0);
    expect(holding.anonymous).toBeGreaterThan(0);
    expect(holding.rooms).toBeGreaterThan(0);
    await Promise.all([guest.close(), nobody.close()]);

    const { code, stdout } = await operator.run(['status']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^SERVICE +ID +VERSION +UP +REQUESTS +ERRORS +MEAN\nauth /);
    expect(stdout).toMatch(/\nGATEWAY +(?:[A-Z]+ +)*NOBODY YET +GUESTS +ROOMS\ngateway_\w{24} /);
  });

  test('fails where a service has no instance, and still has the others', async () => {
    const files = parley.stack.services.files[0]!;
    await files.stop();
    const { code, stdout, stderr } = await operator.run(['status', '--json']);
    await files.start();
    await files.ready();
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ missing: ['files'] });
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'unavailable', message: 'No instance answers of: files.' },
    });
  });
});

describe('what isn’t understood', () => {
  test.each([['users'], ['users', 'promote', 'anna'], ['users', 'grant']])(
    'is told with 2: %s %s',
    async (...args: string[]) => {
      const { code, stdout, stderr } = await operator.run(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('--help');
    },
  );

  test('a password is no argument', async () => {
    const outcomes = await Promise.all([
      operator.run(['users', 'add', 'lena', 'a password']),
      operator.run(['users', 'add', 'lena', '--password', 'a password']),
    ]);
    expect(outcomes.map(({ code }) => code)).toEqual([2, 2]);
  });

  test('what can’t be a name is told in one line', async () => {
    const { code, stdout, stderr } = await operator.run(['users', 'grant', 'a\nb']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^The field `name` is invalid: .*\n$/);
  });

  test('a bad address is told in one line, without what it may hold', async () => {
    const { code, stderr } = await new Operator('hunter2').run(['status']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^NATS_URL: expected a URL like nats:\/\/host:port\n/);
    expect(stderr).not.toContain('hunter2');
  });
});

describe('where nobody answers', () => {
  test('a NATS server that is not there, or says nothing, is told in one line', async () => {
    const silent = await silentServer();
    const elsewhere = new Operator(silent.natsUrl);
    const outcomes = [await elsewhere.run(['users', 'grant', 'anna'])];
    silent[Symbol.dispose]();
    outcomes.push(await elsewhere.run(['status']));
    for (const { code, stdout, stderr } of outcomes) {
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toMatch(/^The NATS server of Parley can't be reached: .*\.\n$/);
    }
  });

  test('without an address the Parley of this machine is found', async () => {
    expect(findNatsUrl({ NATS_URL: 'nats://nats.example:4222' }, dataDir)).toBe('nats://nats.example:4222');
    await using bus = await openOperatorBus(findNatsUrl({ NATS_URL: '' }, dataDir));
    const { userId } = await signUp('mona');
    expect(await bus.call(findRole, { userId })).toEqual({ role: 'member' });
  });

  test('a service that is away is named', async () => {
    await parley.stack.services.auth[0]!.stop();
    expect(await operator.run(['users', 'grant', 'anna'])).toEqual({
      code: 3,
      stdout: '',
      stderr: 'Parley does not answer; is its auth service running?\n',
    });
  });

  test('it is told that no Parley is running any more', async () => {
    await parley[Symbol.asyncDispose]();
    expect(() => findNatsUrl({}, dataDir)).toThrow(/^No Parley is running on this machine: /);
  });
});
