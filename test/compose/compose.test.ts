import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { download, FileSender, LoginClient, password, until } from '@parley/test-kit';
import { identifyLines, joinLines, loginLines } from './lines.ts';
import type { Room, Told } from './lines.ts';
import { composeObstacle, startComposeProject } from './project.ts';
import type { ComposeProject } from './project.ts';
import { Talker } from './talker.ts';

/** Building the images takes most of it, where nothing of them is there yet. */
const startMs = 600_000;
const testMs = 600_000;

type DialectName = 'login' | 'identify' | 'join';

const obstacle = await composeObstacle();

if (obstacle === undefined) {
  describe('the system of docker-compose.yml', composeSuite);
} else {
  test.skip(`the system of docker-compose.yml: skipped, because ${obstacle}`, () => {});
}

function composeSuite(): void {
  let project: ComposeProject;
  let webSocketUrl: string;
  const opened = new AsyncDisposableStack();

  beforeAll(async () => {
    project = opened.use(await startComposeProject());
    webSocketUrl = project.url.replace('http', 'ws');
  }, startMs);
  afterAll(() => opened.disposeAsync(), startMs);

  test('runs Parley without root, on file systems that nobody can write to, without development packages', async () => {
    for (const service of ['gateway', 'auth', 'rooms', 'messages', 'files']) {
      expect(await project.runIn(service, 'id', '-u')).toBe('1000\n');
      const [mount] = (await project.runIn(service, 'cat', '/proc/mounts')).split('\n');
      expect(mount).toMatch(/^\S+ \/ \S+ ro,/);
      const packages = await project.runIn(service, 'ls', '/parley/node_modules/.pnpm');
      expect(packages).toContain('pino@');
      expect(packages).not.toMatch(/^(jest|typescript|eslint|testcontainers)@/m);
    }
  });

  test('knows each service as a user of its own, and tells no password in an argument', async () => {
    const sql = 'select distinct usename from pg_stat_activity where client_addr is not null order by 1';
    const ofPostgres = await project.runIn('postgres', 'psql', '-U', 'parley', '-Atc', sql);
    expect(ofPostgres.trim().split('\n')).toEqual([
      'parley_auth',
      'parley_files',
      'parley_messages',
      'parley_rooms',
    ]);
    const ofRedis = await project.runIn('redis', 'redis-cli', '--user', 'operator', 'client', 'list');
    expect(new Set(ofRedis.match(/(?<= user=)\w+/g))).toEqual(new Set(['auth', 'operator', 'rooms']));
    const commandLines = await project.commandLines();
    expect(commandLines).toMatch(/redis-server .*\n/);
    for (const password of project.passwords) expect(commandLines).not.toContain(password);
  });

  test('brings roles into a Postgres that has data', async () => {
    const script = ['psql', '-U', 'parley', '--quiet', '-f', '/docker-entrypoint-initdb.d/roles.sql'];
    expect(await project.runIn('postgres', ...script)).toBe('');
  });

  test('shows the web client', async () => {
    const page = await (await fetch(project.url)).text();
    const [script] = /\/assets\/[\w-]+\.js/.exec(page)!;
    expect(await fetch(project.url + script)).toMatchObject({ status: 200 });
  });

  test('plays the conversation in the three dialects', async () => {
    const room = await createRoom('conversation', 'host');
    using talkers = await enterAll(room, ['login', 'identify', 'join']);
    for (const text of ['Hello!', 'Grüße 😀', 'Bye.']) {
      for (const talker of talkers.all) await talker.say(`${text} I am ${talker.name}.`);
    }
    await expectAllToKnow(room, talkers.all);
    expect(await readRoom(room)).toHaveLength(9);
  });

  test('carries a file', async () => {
    const { client, room_id } = await openFileRoom('sender');
    using sender = client;
    const bytes = randomBytes(3_000_000);
    await new FileSender(sender, room_id, 'a file', bytes).send();
    const received = await download(sender, room_id, 'a file');
    expect(received.bytes.equals(bytes)).toBe(true);
  });

  describe('while 50 clients talk', () => {
    const crowd = new DisposableStack();
    const stop = new AbortController();
    let rooms: { room: Room; talkers: Talker[] }[];
    let all: Talker[];
    let talking: Promise<unknown>;

    beforeAll(async () => {
      const dialects: DialectName[] = [...times(4, 'login'), ...times(3, 'identify'), ...times(3, 'join')];
      rooms = [];
      for (let number = 1; number <= 5; number += 1) {
        const room = await createRoom(`crowd ${number}`, 'host');
        rooms.push({ room, talkers: crowd.use(await enterAll(room, dialects)).all });
      }
      all = rooms.flatMap(({ talkers }) => talkers);
      expect(all).toHaveLength(50);
      talking = Promise.all(all.map((talker) => talker.talk(stop.signal, 500)));
      await everybodyGoesOn();
    }, testMs);
    afterAll(() => {
      crowd.dispose();
    });

    /** Resolves once everybody is in, and has said something more. */
    async function everybodyGoesOn(): Promise<void> {
      const before = all.map(({ said }) => said.length);
      const silent = () =>
        all.filter(({ isConnected, said }, index) => !isConnected || said.length <= before[index]! + 1);
      await until('everybody goes on', () => silent().length === 0).catch((cause: unknown) => {
        const reasons = silent().map(
          (talker) => `${talker.name}: ${talker.isConnected ? 'in' : talker.obstacle}`,
        );
        throw new Error(`silent: ${reasons.join(', ')}`, { cause });
      });
    }

    test.each(['auth', 'rooms', 'messages', 'files', 'nats', 'redis', 'postgres', 'minio', 'loadbalancer'])(
      '%s is restarted, and they go on',
      async (service) => {
        await project.restart(service);
        await everybodyGoesOn();
      },
      testMs,
    );

    test(
      'both gateways are replaced, one after the other, and everybody moves on to another one',
      async () => {
        const endingsBefore = all.map(({ endings }) => endings.length);
        for (const container of await project.containersOf('gateway')) {
          await project.replace('gateway', container);
          await everybodyGoesOn();
        }
        for (const [index, { endings }] of all.entries()) {
          const newEndings = endings.slice(endingsBefore[index]);
          expect(newEndings.length).toBeGreaterThan(0);
          expect(new Set(newEndings)).toEqual(new Set([1001]));
        }
      },
      testMs,
    );

    test(
      'nothing is lost, doubled or out of order',
      async () => {
        stop.abort();
        await talking;
        for (const { room, talkers } of rooms) await expectAllToKnow(room, talkers);
        const messages = all.reduce((sum, { said }) => sum + said.length, 0);
        const reconnects = all.reduce((sum, { endings }) => sum + endings.length, 0);
        console.log(`${messages} messages of 50 clients, ${reconnects} reconnects: none lost, none doubled`);
      },
      testMs,
    );

    test('and nobody asked Redis or Postgres for anything that it may not', async () => {
      const logs = await project.logs('gateway', 'auth', 'rooms', 'messages', 'files');
      expect(logs).toContain('"service":"messages"');
      expect(logs).not.toMatch(/NOPERM|can't access|permission denied/);
    });
  });

  /** Lets users of the dialects into the room. */
  async function enterAll(
    room: Room,
    dialects: readonly DialectName[],
  ): Promise<Disposable & { all: Talker[] }> {
    const talkers = new DisposableStack();
    const all: Talker[] = [];
    for (const [index, dialect] of dialects.entries()) {
      const name = `${dialect} ${index} of ${room.name}`;
      const openers = {
        login: async () => {
          await registerAccount(name);
          return loginLines(webSocketUrl, room);
        },
        identify: () => identifyLines(webSocketUrl, room),
        join: async () => joinLines(webSocketUrl, room, await getToken(name)),
      };
      all.push(talkers.use(new Talker(name, await openers[dialect]())));
    }
    await Promise.all(all.map((talker) => talker.entered()));
    return {
      all,
      [Symbol.dispose]: () => {
        talkers.dispose();
      },
    };
  }

  /** What is stored is what was said, and everybody heard all of it, once, in order. */
  async function expectAllToKnow(room: Room, talkers: readonly Talker[]): Promise<void> {
    const history = await readRoom(room);
    expect(history.map(({ id }) => id)).toEqual(history.map((_, index) => index + 1));
    for (const { name, said } of talkers) {
      expect(history.filter(({ sender }) => sender === name).map(({ text }) => text)).toEqual(said);
    }
    for (const { name, heard } of talkers) {
      // In the login dialect a connection is not told what it says itself.
      const ofOthers = (all: readonly Told[]) =>
        name.startsWith('login') ? all.filter(({ sender }) => sender !== name) : all;
      const last = ofOthers(history).at(-1)?.id;
      await until(`${name} hears the last message`, () => ofOthers(heard).at(-1)?.id === last);
      expect(ofOthers(heard)).toEqual(ofOthers(history));
    }
  }

  async function readRoom({ id: roomId }: Room): Promise<Told[]> {
    const all: Told[] = [];
    const token = await getToken('reader');
    for (;;) {
      const path = `chat-history/${roomId}?after=${all.at(-1)?.id ?? 0}&limit=1000`;
      const { messages } = await request('GET', path, { token });
      if (messages.length === 0) return all;
      all.push(...messages.map(({ id, sender, message }: any) => ({ id, sender, text: message })));
    }
  }

  async function createRoom(name: string, owner: string): Promise<Room> {
    const token = await getToken(owner);
    const body = { roomName: name, creator: owner };
    return { name, id: (await request('POST', 'create-room', { token, body })).roomId };
  }

  async function openFileRoom(name: string): Promise<{ client: LoginClient; room_id: string }> {
    await registerAccount(name);
    const client = await new LoginClient(webSocketUrl).opened();
    await client.logIn(name, { password });
    const { room_id } = await client.ask('create_room', { room_name: 'files', participants: [] });
    return { client, room_id };
  }

  async function getToken(username: string): Promise<string> {
    await registerAccount(username);
    return (await request('POST', 'login', { body: { username, password } })).token;
  }

  async function registerAccount(username: string): Promise<void> {
    const { status, code } = await request('POST', 'register', { body: { username, password } });
    expect([status, code]).toContainEqual(code === undefined ? 'success' : 'username_taken');
  }

  async function request(
    method: string,
    path: string,
    { token, body }: { token?: string; body?: object },
  ): Promise<any> {
    const response = await fetch(`${project.url}/api/${path}`, {
      method,
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return response.json();
  }
}

function times(count: number, dialect: DialectName): DialectName[] {
  return Array.from({ length: count }, () => dialect);
}
