import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '@parley/client';
import { faultKinds, Judge, openFaultyServer, readRule, readScript, readyMade } from '@parley/faulty-server';
import type { Injected, Rule } from '@parley/faulty-server';
import { freePort } from '@parley/local-stack';
import { IdentifyClient, password, patienceMs, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { backoff, readAll, talk, told } from '../packages/client/test/peers.ts';

let parley: Parley;
beforeAll(async () => {
  parley = await startParley();
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

let names = 0;
const newName = (what: string) => `${what} ${(names += 1)}`;

/** A server with faults that remembers what it did. */
async function openFaulty(rules: readonly object[], seed = 1) {
  const injected: Injected[] = [];
  const server = await openFaultyServer({
    target: parley.stack.gateways[0]!.webSocketUrl,
    rules: rules.map((rule) => readRule(rule)),
    seed,
    injected: (fault) => injected.push(fault),
  });
  return Object.assign(server, { injected });
}

/** A guest that is connected to the server itself, or through its faults, in a room. */
async function guest(url: string, what: string, room?: string): Promise<IdentifyClient> {
  const client = await new IdentifyClient(url).opened();
  await client.identify(newName(what));
  if (room !== undefined) await client.ask('joinRoom', { room });
  return client;
}

function heard(client: IdentifyClient, room: string): string[] {
  return client
    .all('message')
    .filter(({ payload }) => payload.room === room)
    .map(({ payload }) => payload.message as string);
}

/** Somebody says five things while somebody else listens through the faults. */
async function listen(...rules: object[]) {
  const server = await openFaulty(rules);
  const speaker = await parley.connectIdentify();
  await speaker.identify(newName('speaker'));
  const room = newName('room');
  await speaker.ask('createRoom', { room });
  await speaker.ask('joinRoom', { room });
  const listener = await guest(server.url, 'listener', room);
  for (const message of ['1', '2', '3', '4', '5']) {
    speaker.send({ action: 'sendMessage', payload: { room, message } });
  }
  await until('all is said', () => heard(speaker, room).length === 5);
  return {
    server,
    speaker,
    listener,
    room,
    heard: () => heard(listener, room),
    async [Symbol.asyncDispose]() {
      listener[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const second = { action: 'message', after: 1 };

describe('on the wire', () => {
  test.each([
    ['drop', {}, ['1', '3', '4', '5']],
    ['duplicate', {}, ['1', '2', '2', '3', '4', '5']],
    // The next one follows, however late.
    ['reorder', { ms: patienceMs }, ['1', '3', '2', '4', '5']],
    ['delay', { ms: 50 }, ['1', '2', '3', '4', '5']],
    ['stall', { ms: 50 }, ['1', '2', '3', '4', '5']],
  ])('%s', async (fault, more, expected) => {
    await using scene = await listen({ fault, ...second, ...more });
    await until('the last message', () => scene.heard().includes('5'));
    expect(scene.heard()).toEqual(expected);
    expect(scene.server.injected).toEqual([
      { fault, connection: 1, direction: 'to-client', action: 'message' },
    ]);
    expect(scene.listener.socket.readyState).toBe(WebSocket.OPEN);
  });

  test('reorder lets a frame go after a while where no other follows', async () => {
    await using scene = await listen({ fault: 'reorder', action: 'message', after: 4, ms: 20 });
    await until('the last message', () => scene.heard().length === 5);
    expect(scene.heard()).toEqual(['1', '2', '3', '4', '5']);
  });

  test.each([
    ['cut', {}, 1006, ['1']],
    ['cut', { passes: true }, 1006, ['1', '2']],
    ['close', {}, 1001, ['1', '2']],
    ['close', { code: 1012, passes: false }, 1012, ['1']],
    ['drain', {}, 1001, ['1', '2']],
  ])('%s %j', async (fault, more, code, expected) => {
    await using scene = await listen({ fault, ...second, ...more });
    expect(await scene.listener.closed).toBe(code);
    expect(scene.heard()).toEqual(expected);
  });

  test('drain sends everybody away and lets nobody in for a while', async () => {
    await using server = await openFaulty([{ fault: 'drain', action: 'left', ms: 3_000 }]);
    const [one, other] = [await guest(server.url, 'one'), await guest(server.url, 'other')];
    one.send({ action: 'leaveRoom', payload: { room: 'default' } });
    expect(await Promise.all([one.closed, other.closed])).toEqual([1001, 1001]);
    const early = new IdentifyClient(server.url);
    await expect(early.opened()).rejects.toThrow('503');
    await until('somebody is let in', async () => {
      const client = new IdentifyClient(server.url);
      const isIn = await client.opened().then(
        () => true,
        () => false,
      );
      client[Symbol.dispose]();
      return isIn;
    });
  });

  test('stall without an end: nothing comes, nothing is answered, and the connection stays', async () => {
    await using scene = await listen({ fault: 'stall', ...second });
    await until('the first message', () => scene.heard().includes('1'));
    scene.listener.send({ action: 'roomsList', payload: {} });
    scene.listener.socket.ping();
    await scene.speaker.ask('history', { room: scene.room });
    expect(scene.heard()).toEqual(['1']);
    expect(scene.listener.socket.readyState).toBe(WebSocket.OPEN);
  });

  test('refuse and ignore: an upgrade gets a status, or no answer; the next one is let in', async () => {
    await using server = await openFaulty([
      { fault: 'refuse', code: 429 },
      { fault: 'ignore', ms: 50 },
    ]);
    await expect(new IdentifyClient(server.url).opened()).rejects.toThrow('429');
    await expect(new IdentifyClient(server.url).opened()).rejects.toThrow('socket hang up');
    (await guest(server.url, 'patient'))[Symbol.dispose]();
    expect(server.injected.map(({ fault }) => fault)).toEqual(['refuse', 'ignore']);
  });

  test('what clients send is lost or doubled, too', async () => {
    const sends = { direction: 'to-server', action: 'sendMessage' };
    await using server = await openFaulty([
      { fault: 'drop', after: 1, ...sends },
      { fault: 'duplicate', after: 2, ...sends },
    ]);
    const room = newName('room');
    using client = await guest(server.url, 'speaker');
    await client.ask('createRoom', { room });
    await client.ask('joinRoom', { room });
    for (const message of ['a', 'b', 'c', 'd'])
      client.send({ action: 'sendMessage', payload: { room, message } });
    await until('the last message', () => heard(client, room).includes('d'));
    expect(heard(client, room)).toEqual(['a', 'c', 'c', 'd']);
  });

  test('what has no fault goes through: HTTP, tokens, refusals, pings, close codes', async () => {
    await using server = await openFaulty([{ fault: 'cut', connection: 99 }]);
    const response = await fetch(`${server.url.replace('ws', 'http')}/api/rooms`);
    expect(response.status).toBe(401);
    const token = await parley.getToken('owner');
    const room = await parley.createPublicRoom(newName('room'), 'owner');
    const headers = { authorization: `Bearer ${token}` };
    const { socket } = new IdentifyClient(`${server.url}/chat`, { headers });
    await once(socket, 'open');
    socket.send(JSON.stringify({ action: 'join', username: 'owner', roomId: room }));
    const [reply] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(reply.toString())).toMatchObject({ action: 'joined' });
    socket.send(Buffer.from('{}'));
    expect((await once(socket, 'close'))[0]).toBe(1003);
    const bad = new IdentifyClient(`${server.url}/chat`, { headers: { authorization: 'Bearer nothing' } });
    await expect(bad.opened()).rejects.toThrow('401');
  });
});

/** What a client can notice: missing, doubled and swapped ids, and everything that ends or holds up a connection. */
const badDays: [what: string, rules: object[], faults: number][] = [
  [
    'deliveries that are lost, doubled and out of order',
    [
      { fault: 'drop', action: 'receive_message', chance: 0.05, times: 10 },
      { fault: 'duplicate', action: 'receive_message', chance: 0.1, times: 20 },
      { fault: 'reorder', action: 'receive_message', chance: 0.1, times: 20 },
    ],
    50,
  ],
  [
    'connections that break at any frame, before or after it',
    [
      { fault: 'cut', chance: 0.05, times: 6 },
      { fault: 'cut', action: 'ack', chance: 0.2, times: 4 },
      { fault: 'cut', direction: 'to-server', action: 'send_message', passes: true, chance: 0.1, times: 4 },
    ],
    14,
  ],
  [
    'drains, restarts, slow-reader closes, refused and unanswered upgrades',
    [
      { fault: 'drain', chance: 0.05, times: 2, ms: 100 },
      { fault: 'close', code: 1012, chance: 0.05, times: 2 },
      { fault: 'close', code: 1013, chance: 0.05, times: 2 },
      { fault: 'refuse', after: 2, times: 2 },
      { fault: 'ignore', after: 4, times: 1, ms: 200 },
    ],
    9,
  ],
  [
    'stalls, delays, requests and answers that are lost',
    [
      { fault: 'stall', chance: 0.05, times: 2, ms: 300 },
      { fault: 'delay', chance: 0.1, times: 10, ms: 50 },
      { fault: 'drop', action: 'ack', chance: 0.1, times: 2 },
      { fault: 'drop', action: 'send_message', direction: 'to-server', chance: 0.1, times: 2 },
    ],
    16,
  ],
];

describe('our own SDK loses and doubles nothing behind', () => {
  test.each(badDays)(
    '%s',
    async (_what, rules, faults) => {
      await using server = await openFaulty(rules);
      const host = await parley.logIn(newName('host'));
      const both = [newName('anna'), newName('ben')];
      for (const name of both) await parley.getToken(name);
      const { room_id } = await host.ask('create_room', { room_name: 'Storm', participants: both });
      const options = { url: server.url, backoff, requestTimeoutMs: 5_000 };
      await using anna = createClient(options);
      await using ben = createClient(options);
      const clients = [anna, ben];
      await Promise.all(clients.map((client, index) => client.logIn(both[index]!, password)));
      await until('both are in the room', () => clients.every((client) => client.room(room_id).lastId === 0));
      const stop = new AbortController();
      const talks = clients.map((client) => talk(client, client.room(room_id), stop.signal));
      await until('all has gone wrong that is to, and both still talk', () => {
        return server.injected.length >= faults && talks.every(({ confirmed }) => confirmed.length > 30);
      });
      stop.abort();
      await Promise.all(talks.map(({ done }) => done));
      // What goes last is missed by nobody as long as nothing follows it: a client can't know of it.
      await host.ask('send_message', { room_id, content: 'the end' });

      const history = (await readAll(anna.room(room_id))).map(told);
      expect(history.map(({ id }) => id)).toEqual(history.map((_, index) => index + 1));
      for (const { heard, events, confirmed } of talks) {
        await until('all is heard', () => heard.length >= history.length && events.length >= history.length);
        expect(heard.map(told)).toEqual(history);
        expect(events.map(told)).toEqual(history);
        for (const message of confirmed) expect(history[message.id - 1]).toEqual(told(message));
      }
      const sent = talks.flatMap(({ confirmed }) => confirmed.map(({ content }) => content));
      expect(history.map(({ content }) => content).toSorted()).toEqual([...sent, 'the end'].toSorted());
    },
    120_000,
  );
});

describe('docs/clients.md', () => {
  const page = readFileSync(new URL('../docs/clients.md', import.meta.url), 'utf8');
  const firstColumn = (title: string) => {
    const [, table = ''] = page.split(`| ${title} |`);
    return [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  };

  test('says what each fault does, and when', () => {
    expect(firstColumn('fault').toSorted()).toEqual([...faultKinds].toSorted());
    const whats = new Set(['fault', 'ms', 'code', 'passes']);
    const whens = Object.keys(readRule({ fault: 'cut' })).filter((field) => !whats.has(field));
    expect(firstColumn('when').toSorted()).toEqual(whens.toSorted());
  });

  test('has a script that can be run', () => {
    const [, script] = /```json\n(.*?)```/s.exec(page) ?? [];
    expect(readScript(script!).rules).toHaveLength(4);
  });
});

describe('npm run faulty-server', () => {
  const command = fileURLToPath(new URL('../tools/faulty-server/src/main.ts', import.meta.url));
  const start = (...args: string[]) =>
    spawn(process.execPath, ['--disable-warning=ExperimentalWarning', command, ...args]);

  test('says where it is and what it does, until it is stopped', async () => {
    const port = await freePort();
    const { webSocketUrl } = parley.stack.gateways[0]!;
    const tool = start('--fault', 'taken-over', '--seed', '5', '--url', webSocketUrl, '--port', String(port));
    try {
      let output = '';
      tool.stdout.on('data', (text: Buffer) => (output += text.toString()));
      await until('it is there', () => output.includes(`ws://localhost:${port} (seed 5)`));
      using client = await guest(`ws://127.0.0.1:${port}`, 'client');
      for (let n = 0; n < 60; n += 1) client.send({ action: 'roomsList', payload: {} });
      expect(await client.closed).toBe(4001);
      await until('it says so', () => output.includes('connection 1: close to client, at `roomsList`'));
      const ended = once(tool, 'exit');
      tool.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    } finally {
      tool.kill('SIGKILL');
    }
  });

  test.each([
    ['nothing', [], 'say what is to go wrong'],
    ['a fault that there is not', ['--fault', 'fire'], 'there is no "fire"'],
    ['a script that is not there', ['--script', 'nowhere.json'], '--script: ENOENT'],
  ])('explains itself where it is given %s', async (_what, args, explanation) => {
    const tool = start(...args);
    let complaint = '';
    tool.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
    expect(await once(tool, 'close')).toEqual([2, null]);
    expect(complaint).toContain(explanation);
  });
});

describe('a script', () => {
  test('has what its rules leave out', () => {
    expect(
      readScript(
        '{"seed": 7, "rules": [{"fault": "cut"}, {"fault": "drop", "times": "always", "chance": 0.5}]}',
      ),
    ).toEqual({
      seed: 7,
      rules: [
        expect.objectContaining({ fault: 'cut', direction: 'to-client', after: 0, times: 1, chance: 1 }),
        expect.objectContaining({ fault: 'drop', times: Infinity, chance: 0.5 }),
      ],
    });
  });

  test.each([
    ['no JSON', '{', 'the script is no JSON'],
    ['no rules', '{"faults": []}', 'the script is as'],
    ['a field that there is not', '{"rules": [], "speed": 3}', 'no field "speed" in a script'],
    ['a rule without a fault', '{"rules": [{"times": 1}]}', 'rule 1 has no "fault"'],
    ['another fault', '{"rules": [{"fault": "explode"}]}', 'rule 1: `fault` is one of drop, '],
    [
      'a field of a rule that there is not',
      '{"rules": [{"fault": "cut", "when": 1}]}',
      'rule 1 has no field "when"',
    ],
    [
      'a chance above 1',
      '{"rules": [{"fault": "cut"}, {"fault": "cut", "chance": 2}]}',
      'rule 2: `chance` is a number from 0 to 1',
    ],
  ])('with %s is refused with a reason', (_what, text, reason) => {
    expect(() => readScript(text)).toThrow(reason);
  });

  test('leaves upgrades alone first, as many as it says', () => {
    const judge = new Judge([readRule({ fault: 'refuse', after: 1, times: 2 })], 1);
    const refused = [1, 2, 3, 4].map(
      (connection) => judge.forConnection(connection).onUpgrade() !== undefined,
    );
    expect(refused).toEqual([false, true, true, false]);
  });

  test('decides by its seed and the frames of the connection, and by nothing else', () => {
    const rules = [readRule({ fault: 'drop', chance: 0.3, times: 'always' })];
    const decisions = (seed: number, connection: number) => {
      const judge = new Judge(rules, seed).forConnection(connection);
      return Array.from({ length: 1_000 }, () => (judge.onFrame('to-client', 'message') ? 1 : 0));
    };
    expect(decisions(1, 1)).toEqual(decisions(1, 1));
    expect(decisions(1, 1)).not.toEqual(decisions(2, 1));
    expect(decisions(1, 1)).not.toEqual(decisions(1, 2));
    const dropped = decisions(1, 1).reduce<number>((sum, one) => sum + one, 0);
    expect(dropped).toBeGreaterThan(200);
    expect(dropped).toBeLessThan(400);
  });

  test('can say all that is ready-made, and all kinds of faults are', () => {
    const kinds = new Set([...readyMade.values()].map(({ fault }: Rule) => fault));
    expect(kinds).toEqual(new Set(faultKinds));
  });
});
