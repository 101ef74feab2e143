import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ServiceProcess } from '@parley/local-stack';
import { HandshakeClient, password, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { readExposition } from './metrics/exposition.ts';
import type { Family, Sample } from './metrics/exposition.ts';
import { readReference } from './metrics/reference.ts';
import type { DocumentedMetric } from './metrics/reference.ts';
import { useEverything } from './metrics/use-everything.ts';

/** All that a label may be about: what there are few of. `le` is a histogram's own; the second row is Node's. */
const allowedLabels = [
  ...['method', 'outcome', 'code', 'status', 'route', 'dialect', 'reason', 'statement', 'le'],
  ...['type', 'kind', 'space', 'version', 'major', 'minor', 'patch'],
];
/** Has no samples while nothing of that kind is under way. */
const seldom = ['parley_nodejs_active_requests'];

const [names, room] = [['alice', 'bob', 'carol', 'dave'], 'metrics of tea'];
const opened = new AsyncDisposableStack();
let parley: Parley;
let reference: DocumentedMetric[];
let ids: string[];

beforeAll(async () => {
  reference = await readReference();
  parley = opened.use(await startParley());
  ids = await useEverything(parley, room);
});
afterAll(() => opened.disposeAsync());

async function readMetrics({ healthUrl }: ServiceProcess): Promise<Family[]> {
  return readExposition(await (await fetch(`${healthUrl}/metrics`)).text());
}

/** By the names of the processes. */
async function readAll(): Promise<Map<string, Family[]>> {
  const processes = Object.entries({ gateway: parley.stack.gateways, ...parley.stack.services });
  return new Map(
    await Promise.all(
      processes.map(async ([name, [first]]) => [name, await readMetrics(first!)] as [string, Family[]]),
    ),
  );
}

async function allSamples(): Promise<Sample[]> {
  const families = [...(await readAll()).values()].flat();
  return families.flatMap(({ samples }) => samples);
}

/** What a process of that name says: the sum of the samples whose labels are these. */
async function read(process: string, name: string, labels: Record<string, string> = {}): Promise<number> {
  const families = (await readAll()).get(process)!;
  return families
    .flatMap(({ samples }) => samples)
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

describe('docs/metrics.md', () => {
  test.each(['gateway', 'auth', 'rooms', 'messages', 'files'])(
    'has what %s shows, and nothing else of it',
    async (process) => {
      const shown = (await readAll())
        .get(process)!
        .map(({ name, type, help }) => `${name} | ${type} | ${help}`);
      const documented = reference
        .filter(({ processes }) => processes.includes(process))
        .map(({ name, type, meaning }) => `${name} | ${type} | ${meaning}`);
      expect(documented.toSorted()).toEqual(shown.toSorted());
    },
  );

  test('has the labels of each', async () => {
    const shown = new Map<string, Set<string>>();
    for (const { name, samples } of [...(await readAll()).values()].flat()) {
      const labels = shown.get(name) ?? new Set();
      shown.set(name, labels);
      for (const sample of samples) for (const label of Object.keys(sample.labels)) labels.add(label);
      labels.delete('le');
    }
    for (const name of seldom) shown.delete(name);
    const listed = (labels: Iterable<string>) => [...labels].toSorted();
    const documented = reference
      .filter(({ name }) => !seldom.includes(name))
      .map(({ name, labels }) => [name, listed(labels)]);
    expect(Object.fromEntries(documented)).toEqual(
      Object.fromEntries([...shown].map(([name, labels]) => [name, listed(labels)])),
    );
  });

  test('has each once, and says what to do with it', () => {
    const all = reference.map(({ name }) => name);
    expect(all).toEqual([...new Set(all)]);
    expect(reference.filter(({ use }) => use === '')).toEqual([]);
  });
});

describe('labels', () => {
  test('are few', async () => {
    const used = new Set((await allSamples()).flatMap(({ labels }) => Object.keys(labels)));
    expect([...used].filter((label) => !allowedLabels.includes(label))).toEqual([]);
  });

  test('never hold who or what in particular it was about', async () => {
    const values = new Set((await allSamples()).flatMap(({ labels }) => Object.values(labels)));
    const looksLikeAnId = /[0-9a-f]{12}|\d{6}|\d+\.\d+\.\d+\.\d+$/;
    const tells = (value: string) =>
      (looksLikeAnId.test(value) && !value.startsWith('v')) ||
      [...names, room, ...ids].some((secret) => value.includes(secret));
    expect(values.size).toBeGreaterThan(50);
    expect([...values].filter(tells)).toEqual([]);
  });
});

describe('what is counted is what happened:', () => {
  test('messages, the frames they are sent in, and how long they took', async () => {
    const roomId = await parley.createPublicRoom('counted', 'alice');
    const token = await parley.getToken('alice');
    const [sender, ...readers] = await Promise.all([1, 2, 3].map(() => parley.connectJoin({ token })));
    for (const client of [sender!, ...readers]) await client.join('alice', roomId);
    const values = async () => ({
      deliveries: await read('gateway', 'parley_gateway_deliveries_total', { dialect: 'join' }),
      frames: await read('gateway', 'parley_gateway_frames_sent_total'),
      fanOuts: await read('gateway', 'parley_gateway_fan_out_connections_count'),
      reached: await read('gateway', 'parley_gateway_fan_out_connections_sum'),
      commits: await read('gateway', 'parley_gateway_send_to_commit_seconds_count'),
      written: await read('gateway', 'parley_gateway_commit_to_socket_seconds_count'),
      stored: await read('messages', 'parley_messages_commit_messages_sum'),
      sendToCommit: await read('gateway', 'parley_gateway_send_to_commit_seconds_sum'),
      commitToSocket: await read('gateway', 'parley_gateway_commit_to_socket_seconds_sum'),
    });
    const before = await values();
    const startedAt = performance.now();
    for (const message of ['one', 'two', 'three', 'four']) {
      sender!.send({ action: 'send-message', roomId, message });
      await Promise.all([sender!, ...readers].map((client) => client.event('new-message')));
    }
    const tookSeconds = (performance.now() - startedAt) / 1_000;
    const after = await values();
    const { frames, sendToCommit, commitToSocket, ...exact } = Object.fromEntries(
      Object.entries(after).map(([name, value]) => [name, value - before[name as keyof typeof before]]),
    );
    expect(exact).toEqual({ deliveries: 12, fanOuts: 4, reached: 12, commits: 4, written: 4, stored: 4 });
    // Somebody else may have been told of the new room.
    expect(frames).toBeGreaterThanOrEqual(12);
    expect(sendToCommit).toBeGreaterThan(0);
    // One behind the other they can't have taken longer than all together, but that their times are cut to whole ms.
    expect(sendToCommit).toBeLessThanOrEqual(tookSeconds);
    expect(commitToSocket).toBeLessThanOrEqual(tookSeconds + 0.004);
  });

  test('messages that are sent again, by either side', async () => {
    const dave = await parley.connect();
    await dave.request('register', { chatid: 'dave', password });
    let wrong = 1;
    const reader = new HandshakeClient(dave, { count: (text) => (wrong-- > 0 ? `${text}xyz` : text) });
    await reader.logIn('dave', { password });
    const sender = await parley.logIn('erin');
    const { room_id } = await sender.ask('create_room', { room_name: 'again', participants: ['dave'] });
    const resends = () => read('gateway', 'parley_gateway_resends_total', { reason: 'count' });
    const repeats = () => read('messages', 'parley_messages_repeats_total');
    const [resendsBefore, repeatsBefore] = [await resends(), await repeats()];
    const message = { room_id, content: 'hello', client_message_id: 'once' };
    await sender.ask('send_message', message);
    await until('it came twice', () => reader.client.messagesOf(room_id).length === 2);
    expect(await resends()).toBe(resendsBefore + 1);
    await sender.ask('send_message', message);
    expect(await repeats()).toBe(repeatsBefore + 1);
  });

  test('requests over HTTP, by their route', async () => {
    const labels = { route: 'GET /api/rooms', status: '401' };
    const count = () => read('gateway', 'parley_gateway_http_request_seconds_count', labels);
    const before = await count();
    await (await fetch(`${parley.stack.gateways[0]!.url}/api/rooms`)).text();
    await until('the reply is counted', async () => (await count()) === before + 1);
  });

  test('connections to servers', async () => {
    for (const process of ['gateway', 'auth', 'rooms', 'messages', 'files'])
      expect(await read(process, 'parley_bus_connected')).toBe(1);
    for (const process of ['auth', 'rooms']) expect(await read(process, 'parley_redis_connected')).toBe(1);
    for (const process of ['auth', 'rooms', 'messages', 'files']) {
      const [open, idle, most] = await Promise.all(
        ['connections', 'idle_connections', 'max_connections'].map((name) =>
          read(process, `parley_database_${name}`),
        ),
      );
      expect(open).toBeGreaterThanOrEqual(1);
      expect(idle).toBeLessThanOrEqual(open!);
      expect(open).toBeLessThanOrEqual(most!);
    }
  });
});
