import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { password, startParley, until } from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';
import { guessedNames, startAttack } from '@parley/test-kit/attacks';
import type { AttackName, Force, Sightings } from '@parley/test-kit/attacks';

const limits = {
  CONNECTIONS_PER_ADDRESS: 40,
  GUESTS_PER_ADDRESS: 30,
  ROOMS_PER_ADDRESS: 10,
  LOGINS_PER_ADDRESS: 50,
  MAX_BUFFERED_BYTES_TOTAL: 4_194_304,
  REQUESTS_BURST: 100,
};
/** Sockets and files of a gateway that come and go by themselves, generously. */
const spareFiles = 20;

const opened = new AsyncDisposableStack();
let parley: Parley;
let neighbours: Neighbours;
let attackers = 1;

beforeAll(async () => {
  const numbers = Object.entries(limits).map(([name, value]) => [name, String(value)]);
  parley = opened.use(
    await startParley({ environment: { RATE_LIMITS: 'on', ...Object.fromEntries(numbers) } }),
  );
  neighbours = opened.use(await Neighbours.open());
});
afterAll(async () => {
  await opened.disposeAsync();
});

/** Two well-behaved users, one of whom talks all the time at a pace that is everybody's right. */
class Neighbours implements AsyncDisposable {
  readonly #talker: LoginClient;
  readonly #listener: LoginClient;
  readonly #roomId: string;
  readonly #confirmed: number[] = [];
  #isEnding = false;
  readonly #talking: Promise<void>;

  private constructor(talker: LoginClient, listener: LoginClient, roomId: string) {
    this.#talker = talker;
    this.#listener = listener;
    this.#roomId = roomId;
    this.#talking = this.#talk();
  }

  static async open(): Promise<Neighbours> {
    const [talker, listener] = [await parley.logIn('talker'), await parley.logIn('listener')];
    const room = { room_name: 'Over the fence', participants: ['listener'] };
    const { room_id } = await talker.ask('create_room', room);
    return new Neighbours(talker, listener, room_id);
  }

  async #talk(): Promise<void> {
    while (!this.#isEnding) {
      const message = { room_id: this.#roomId, content: String(this.#confirmed.length + 1) };
      this.#confirmed.push((await this.#talker.ask('send_message', message)).message_id);
      await delay(25);
    }
  }

  /** Some more is said, and all that was said so far was confirmed in order and heard in order, once. */
  async goOn(): Promise<void> {
    const goal = this.#confirmed.length + 10;
    await Promise.race([
      this.#talking,
      until('more is said and heard', () => this.#confirmed.length >= goal && this.#heard.length >= goal),
    ]);
    const heard = this.#heard;
    expect(heard).toEqual(heard.map((_, index) => [index + 1, String(index + 1)]));
    expect(this.#confirmed).toEqual(this.#confirmed.map((_, index) => index + 1));
  }

  get #heard(): [number, string][] {
    return this.#listener.messagesOf(this.#roomId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    await this.#talking;
  }
}

/** Attacks from addresses that nobody has used yet until the condition holds; the neighbours go on beside it. */
async function underAttack(
  name: AttackName,
  { addresses = 1, ...force }: Force & { addresses?: number },
  condition: (seen: Sightings) => boolean | Promise<boolean>,
): Promise<Sightings> {
  attackers += 1;
  const target = {
    webSocketUrl: parley.stack.gateways[0]!.webSocketUrl,
    addresses: Array.from({ length: addresses }, (_, host) => `127.0.${attackers}.${host + 1}`),
  };
  await using attack = startAttack(name, target, force);
  try {
    await until(`the bound of ${name}`, async () => condition(attack.seen));
  } catch (cause) {
    throw new Error(`${name} went on: ${JSON.stringify(attack.seen)}`, { cause });
  }
  await neighbours.goOn();
  return structuredClone(attack.seen);
}

/** What the process says of itself: all samples of that name whose labels are these. */
async function metricOf(process: { healthUrl: string }, name: string, labels = ''): Promise<number> {
  const page = await (await fetch(`${process.healthUrl}/metrics`)).text();
  const samples = page.split('\n').filter((line) => line.startsWith(`${name}${labels ? '{' : ' '}`));
  const fitting = samples.filter((line) => line.includes(labels));
  return fitting.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, each) => total + each, 0);
}

const ofGateway = (name: string, labels?: string) => metricOf(parley.stack.gateways[0]!, name, labels);
const ofAuth = (name: string, labels?: string) => metricOf(parley.stack.services.auth[0]!, name, labels);
const served = (service: 'auth' | 'rooms', method: string, outcome: string) =>
  metricOf(
    parley.stack.services[service][0]!,
    'parley_bus_serve_seconds_count',
    `method="${service}.${method}",outcome="${outcome}"`,
  );

describe('connections', () => {
  test('of one address are as many as it may have, and the rest keep nothing open', async () => {
    const filesBefore = await ofGateway('parley_process_open_fds');
    const limitedBefore = await ofGateway('parley_gateway_rate_limited_total');
    const tries = 400;
    const most = limits.CONNECTIONS_PER_ADDRESS;
    const seen = await underAttack('connectionFlood', { connections: tries, everyMs: 0 }, ({ refused }) => {
      return sum(refused) >= tries - most;
    });
    expect(seen).toMatchObject({ tried: tries, opened: most, closed: {} });
    const refusals = 'parley_gateway_refused_upgrades_total';
    expect(await ofGateway(refusals, 'reason="address_full"')).toBeGreaterThan(0);
    // Those that come all at once are cut off before they have asked for anything; that is all that is not answered.
    expect(await ofGateway(refusals, 'reason=')).toBe(seen.refused[429]);
    const limited = await ofGateway('parley_gateway_rate_limited_total');
    expect(limited - limitedBefore).toBeGreaterThanOrEqual(tries - most);
    await until('what was refused is gone', async () => {
      return (await ofGateway('parley_process_open_fds')) <= filesBefore + most + spareFiles;
    });
  });

  test('that ask for an upgrade a byte at a time are as many, and end', async () => {
    const force = { connections: 60, everyMs: 100 };
    const filesBefore = await ofGateway('parley_process_open_fds');
    const before = await ofGateway('parley_gateway_rate_limited_total');
    const seen = await underAttack('slowRequests', force, ({ closed }) => (closed[400] ?? 0) > 0);
    const cutOff = await ofGateway('parley_gateway_rate_limited_total');
    expect(cutOff - before).toBeGreaterThanOrEqual(force.connections - limits.CONNECTIONS_PER_ADDRESS);
    expect(seen.opened).toBeGreaterThanOrEqual(force.connections);
    const files = await ofGateway('parley_process_open_fds');
    expect(files).toBeLessThanOrEqual(filesBefore + limits.CONNECTIONS_PER_ADDRESS + spareFiles);
  });
});

describe('frames', () => {
  test('that are too large close with 1009', async () => {
    const seen = await underAttack('hugeFrames', { connections: 5, everyMs: 20 }, ({ closed }) => {
      return (closed[1009] ?? 0) >= 20;
    });
    expect(Object.keys(seen.closed)).toEqual(['1009']);
    expect(seen.answers).toEqual({});
    const closed = await ofGateway('parley_gateway_closed_total', 'code="1009"');
    expect(closed).toBeGreaterThanOrEqual(seen.closed[1009]!);
  });

  test('that nest as deeply as they can are errors of those who send them', async () => {
    const before = await ofGateway('parley_gateway_frames_received_total');
    const seen = await underAttack('deepFrames', { connections: 2, everyMs: 20 }, ({ answers }) => {
      return (answers.invalid_json ?? 0) >= 5;
    });
    expect(seen.closed).toEqual({});
    expect(Object.keys(seen.answers)).toEqual(['invalid_json']);
    const received = await ofGateway('parley_gateway_frames_received_total');
    expect(received - before).toBeGreaterThanOrEqual(seen.answers.invalid_json!);
  });

  test('are never unpacked, whatever compression a client offers', async () => {
    const memoryBefore = await ofGateway('parley_process_resident_memory_bytes');
    const seen = await underAttack('compressedFrames', { connections: 5, everyMs: 20 }, ({ closed }) => {
      return (closed[1002] ?? 0) >= 20;
    });
    expect(Object.keys(seen.closed)).toEqual(['1002']);
    // Also an extension that was agreed on would be among the answers.
    expect(seen.answers).toEqual({});
    const closed = await ofGateway('parley_gateway_closed_total', 'code="1002"');
    expect(closed).toBeGreaterThanOrEqual(seen.closed[1002]!);
    const memory = await ofGateway('parley_process_resident_memory_bytes');
    // Unpacked, five of them at once would be 320 MiB.
    expect(memory - memoryBefore).toBeLessThan(128 * 1_024 * 1_024);
  });

  test('that are pings count as requests, and too many end the connection', async () => {
    const before = await ofGateway('parley_gateway_rate_limited_total');
    const force = { connections: 3, everyMs: 20 };
    const seen = await underAttack('pingFlood', force, ({ closed }) => sum(closed) >= force.connections);
    // After 10 s of too much; or, where too many pongs wait, `ws` cuts the connection before, without a code.
    expect(Object.keys(seen.closed).filter((code) => !['1006', '1008'].includes(code))).toEqual([]);
    expect(await ofGateway('parley_gateway_rate_limited_total')).toBeGreaterThan(before);
  });
});

test('what nobody reads is bounded for all connections together', async () => {
  const enough = 4;
  let most = 0;
  const counters = async () => ({
    slow: await ofGateway('parley_gateway_slow_readers_total'),
    closed: await ofGateway('parley_gateway_closed_total', 'code="1013"'),
  });
  const before = await counters();
  await underAttack('unreadHistory', { connections: 10, everyMs: 15_000 }, async () => {
    most = Math.max(most, await ofGateway('parley_gateway_buffered_bytes'));
    return (await counters()).slow - before.slow >= enough;
  });
  expect((await counters()).closed - before.closed).toBeGreaterThanOrEqual(enough);
  expect(most).toBeGreaterThan(0);
  // What is too much is told before it is given up: some pages more. Each connection by itself might have as much as all.
  expect(most).toBeLessThan(limits.MAX_BUFFERED_BYTES_TOTAL * 1.5);
});

test('of passwords only so many are looked at, and who knows the own one comes in', async () => {
  const [victim] = guessedNames as [string];
  await parley.getToken(victim);
  const seen = await underAttack('passwordGuessing', { connections: 5, everyMs: 20 }, ({ answers }) => {
    return (answers.rate_limited ?? 0) >= 50;
  });
  expect(Object.keys(seen.answers).sort()).toEqual(['invalid_credentials', 'rate_limited']);
  expect(seen.answers.invalid_credentials).toBeLessThanOrEqual(limits.LOGINS_PER_ADDRESS);
  const refused = await ofAuth('parley_auth_logins_total', 'outcome="rate_limited"');
  expect(refused).toBeGreaterThanOrEqual(seen.answers.rate_limited!);
  const owner = await parley.connect();
  await owner.logIn(victim, { password });
});

test('guests of one address are so many a minute', async () => {
  const before = await served('auth', 'openGuest', 'ok');
  const seen = await underAttack('guestFlood', { connections: 5, everyMs: 20 }, ({ answers }) => {
    return (answers.rate_limited ?? 0) >= 50;
  });
  expect(seen.answers.login_success).toBeLessThanOrEqual(limits.GUESTS_PER_ADDRESS);
  expect((await served('auth', 'openGuest', 'ok')) - before).toBeLessThanOrEqual(limits.GUESTS_PER_ADDRESS);
  expect(await served('auth', 'openGuest', 'rate_limited')).toBeGreaterThanOrEqual(50);
});

test('rooms of one address are so many a minute, whoever makes them', async () => {
  const before = await served('rooms', 'create', 'ok');
  const seen = await underAttack('roomFlood', { connections: 5, everyMs: 20 }, ({ answers }) => {
    return (answers.rate_limited ?? 0) >= 50;
  });
  expect(seen.answers.joined).toBe(5);
  expect((await served('rooms', 'create', 'ok')) - before).toBe(limits.ROOMS_PER_ADDRESS);
  expect(await served('rooms', 'create', 'rate_limited')).toBeGreaterThanOrEqual(50);
});

test('a crowd is told of rooms at most four times a second, however they change', async () => {
  const force = { connections: 60, everyMs: 200, addresses: 6 };
  const startedAt = performance.now();
  const seen = await underAttack('lobbyCrowd', force, async ({ answers }) => {
    const there = await ofGateway('parley_gateway_dialect_connections', 'dialect="identify"');
    return there >= force.connections && (answers.left ?? 0) >= force.connections / 2;
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  expect(seen).toMatchObject({ opened: force.connections, closed: {} });
  // One comes at once, and one as the answer to each room that it makes.
  const asked = seen.answers.joined! + limits.ROOMS_PER_ADDRESS * force.addresses;
  expect(seen.answers.roomsList).toBeLessThanOrEqual(force.connections * (4 * seconds + 1) + asked);
});
