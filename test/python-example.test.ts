import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openFaultyServer, readRule } from '@parley/faulty-server';
import type { FaultyServer, Injected } from '@parley/faulty-server';
import { FileSender, inTime, password, startParley, until } from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';

const run = promisify(execFile);
const client = fileURLToPath(new URL('../examples/python/parley_client.py', import.meta.url));

/** That of the PATH may be another than the one that Debian packages are for. */
const pythons = ['python3', '/usr/bin/python3'];
const debianPackage = 'python3-websockets';

/** A Python, 3.11 or newer, that has `websockets`; on Debian and its kin, as root, it is installed where there is none. */
async function findPython(): Promise<string | undefined> {
  return (await pythonWithWebsockets()) ?? ((await install()) ? pythonWithWebsockets() : undefined);
}

async function pythonWithWebsockets(): Promise<string | undefined> {
  for (const python of pythons)
    if (await succeeds(python, '-c', 'import websockets; from asyncio import timeout')) return python;
  return undefined;
}

async function install(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  await succeeds('apt-get', 'update');
  return succeeds('apt-get', 'install', '-y', '--no-install-recommends', debianPackage);
}

async function succeeds(command: string, ...args: string[]): Promise<boolean> {
  return run(command, args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).then(
    () => true,
    () => false,
  );
}

/** The example, talking. */
class Talker implements Disposable {
  readonly lines: string[] = [];
  complaint = '';
  readonly #process;

  constructor(python: string, name: string, room: string, url: string, ownPassword = password) {
    const env = { ...process.env, PARLEY_PASSWORD: ownPassword };
    this.#process = spawn(python, [client, name, room, url], { env });
    this.#process.stderr.on('data', (text: Buffer) => (this.complaint += text.toString()));
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.lines.push(line));
  }

  say(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  endInput(): void {
    this.#process.stdin.end();
  }

  /** Resolves with the exit code. */
  async ended(): Promise<number | null> {
    if (this.#process.exitCode === null) await inTime('the end of the client', once(this.#process, 'close'));
    return this.#process.exitCode;
  }

  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL');
  }
}

const python = await findPython();
if (python === undefined) {
  test.skip(`the client in Python: skipped, because no Python 3.11 here has websockets (apt-get install ${debianPackage})`, () => {});
} else {
  describe('the client in Python', () => {
    let parley: Parley;
    beforeAll(async () => {
      parley = await startParley({ gateways: 2 });
    });
    afterAll(async () => {
      await parley[Symbol.asyncDispose]();
    });

    const url = (gateway: number) => `${parley.stack.gateways[gateway]!.webSocketUrl}/ws`;

    test('two of them print the same lines, each once and in order, though their gateways are killed', async () => {
      using anna = new Talker(python, 'anna', 'Kitchen', url(0));
      using ben = new Talker(python, 'ben', 'Kitchen', url(1));
      const talkers = { anna, ben };
      const rounds = 3;
      const linesEach = 25;
      const said: Record<string, string[]> = { anna: [], ben: [] };
      for (let round = 0; round < rounds; round += 1) {
        const before = anna.lines.length;
        for (let line = 0; line < linesEach; line += 1) {
          for (const [name, talker] of Object.entries(talkers)) {
            said[name]!.push(`${name}: grüßt 💬 ${said[name]!.length}`);
            talker.say(said[name]!.at(-1)!.slice(`${name}: `.length));
          }
        }
        await until('some of it was said', () => anna.lines.length > before + 5);
        await parley.stack.gateways[round % 2]!.kill('SIGKILL');
      }
      const all = 2 * rounds * linesEach;
      await until('both have heard all', () => [anna, ben].every(({ lines }) => lines.length >= all));
      for (const talker of [anna, ben]) talker.endInput();
      expect(await Promise.all([anna.ended(), ben.ended()])).toEqual([0, 0]);
      for (const { complaint } of [anna, ben]) expect(complaint).toMatch(/^(\(away: .*\)\n)+$/);

      const history = await readHistory('Kitchen');
      expect(anna.lines).toEqual(history);
      expect(ben.lines).toEqual(history);
      for (const [name, lines] of Object.entries(said)) {
        expect(history.filter((line) => line.startsWith(`${name}: `))).toEqual(lines);
      }
    }, 120_000);

    test('connections that break, stall, are closed and refused cost it nothing', async () => {
      const injected: Injected[] = [];
      const rules = [
        { fault: 'cut', action: 'ack', after: 3, times: 3 },
        { fault: 'cut', direction: 'to-server', action: 'send_message', passes: true, after: 4, times: 2 },
        { fault: 'duplicate', action: 'receive_message', chance: 0.5, times: 5 },
        { fault: 'reorder', action: 'receive_message', chance: 0.3, times: 5 },
        { fault: 'drain', action: 'receive_message', after: 5, times: 1, ms: 100 },
        { fault: 'refuse', after: 3, times: 2 },
      ];
      await using server = await openFaultyServer({
        target: parley.stack.gateways[0]!.webSocketUrl,
        rules: rules.map((rule) => readRule(rule)),
        seed: 1,
        injected: (fault) => injected.push(fault),
      });
      using carla = new Talker(python, 'carla', 'Storm', server.url);
      using dora = new Talker(python, 'dora', 'Storm', server.url);
      const talkers = [carla, dora];
      let said = 0;
      await until('all has gone wrong that is to', () => {
        // One more line for each that was heard: there is always something to say, and an end.
        if (talkers.every(({ lines }) => lines.length >= said - 8)) {
          for (const talker of talkers) talker.say(`line ${(said += 1)}`);
        }
        return injected.length >= 18;
      });
      await until('all is heard', () => talkers.every(({ lines }) => lines.length >= said));
      for (const talker of talkers) talker.endInput();
      expect(await Promise.all(talkers.map((talker) => talker.ended()))).toEqual([0, 0]);
      const history = await readHistory('Storm');
      expect(history).toHaveLength(said);
      expect(new Set(history).size).toBe(said);
      for (const { lines } of talkers) expect(lines).toEqual(history);
    }, 120_000);

    test('who comes later reads first what was said before, files among it', async () => {
      using early = new Talker(python, 'early', 'Hall', url(0));
      for (const line of ['one', 'two']) early.say(line);
      await until('both are said', () => early.lines.length === 2);
      const sender = await parley.logIn('sender');
      const room_id = await roomId(sender, 'Hall');
      await sender.ask('join_room', { room_id });
      await new FileSender(sender, room_id, 'notes.txt', Buffer.from('tea\n')).send();
      await until('the file is heard of', () => early.lines.length === 3);
      using late = new Talker(python, 'late', 'Hall', url(1));
      late.say('three');
      late.endInput();
      expect(await late.ended()).toBe(0);
      expect(late.lines).toEqual(['early: one', 'early: two', 'sender: notes.txt', 'late: three']);
      await until('it is heard', () => early.lines.length === 4);
      expect(early.lines).toEqual(late.lines);
    });

    test('a wrong password ends it with what the server says', async () => {
      await parley.getToken('owner');
      using wrong = new Talker(python, 'owner', 'Kitchen', url(1), 'another password');
      expect(await wrong.ended()).toBe(1);
      expect(wrong.complaint).toBe('Invalid credentials or user already logged in\n');
    });

    test('who is logged in elsewhere gets in when that one goes', async () => {
      const refusals: Injected[] = [];
      await using server = await faulty(
        { fault: 'delay', action: 'login_fail', times: 'always', ms: 1 },
        refusals,
      );
      using first = new Talker(python, 'twin', 'Porch', url(0));
      first.say('one');
      await until('the first is in', () => first.lines.length === 1);
      using second = new Talker(python, 'twin', 'Porch', server.url);
      second.say('two');
      second.endInput();
      await until('the second is refused', () => refusals.length > 0);
      first.endInput();
      expect(await Promise.all([first.ended(), second.ended()])).toEqual([0, 0]);
      expect(second.lines).toEqual(['twin: one', 'twin: two']);
    });

    test('whose session was taken over does not come back', async () => {
      await using server = await faulty({ fault: 'close', action: 'ack', code: 4001 });
      using talker = new Talker(python, 'ella', 'Porch', server.url);
      talker.say('my last words');
      expect(await talker.ended()).toBe(1);
      expect(talker.complaint).toMatch(/^\(away: .*4001.*\)\n$/);
    });

    async function faulty(rule: object, injected: Injected[] = []): Promise<FaultyServer> {
      return openFaultyServer({
        target: parley.stack.gateways[0]!.webSocketUrl,
        rules: [readRule(rule)],
        seed: 1,
        injected: (fault) => injected.push(fault),
      });
    }

    async function roomId(client: LoginClient, room: string): Promise<string> {
      const { rooms } = await client.ask('get_rooms', { scope: 'public' });
      return rooms.find(({ name }: { name: string }) => name === room).id;
    }

    async function readHistory(room: string): Promise<string[]> {
      const reader = await parley.logIn(`reader of ${room}`);
      const room_id = await roomId(reader, room);
      const { messages } = await reader.ask('get_messages', { room_id, preview: true });
      return messages.map(
        ({ sender_chatid, content }: Record<string, string>) => `${sender_chatid!}: ${content!}`,
      );
    }
  });
}
