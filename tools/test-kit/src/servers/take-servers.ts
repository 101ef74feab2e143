import { randomBytes } from 'node:crypto';
import { natsAnswers, postgresAnswers, redisAnswers } from '@parley/local-stack';
import type { ServerAddresses, Servers } from '@parley/local-stack';
import { createLog, Database } from '@parley/service-kit';
import { ContainerProcess } from './container-process.ts';
import { emptyBus, emptyRedis } from './emptying.ts';
import { GivenProcess } from './given-process.ts';
import { addressOf, serverKinds, serversUrlVariable } from './server-set.ts';
import type { ServerKind, ServerSet } from './server-set.ts';

/** Servers for one Parley, with nothing on them; closing them gives them back. */
export interface TakenServers extends AsyncDisposable {
  addresses: ServerAddresses;
  processes: Pick<Servers, ServerKind>;
  /** Settings of the files service. */
  s3: Record<string, string>;
}

const log = createLog('test', 'silent');
const timeoutMs = 20_000;
const ports: Record<ServerKind, number> = { nats: 4222, redis: 6379, postgres: 5432 };
const probes = { nats: natsAnswers, redis: redisAnswers, postgres: postgresAnswers };

/** Takes servers of the test run; undefined where it has none (left), and whoever asks starts its own. */
export async function takeServers(): Promise<TakenServers | undefined> {
  const runUrl = process.env[serversUrlVariable];
  if (runUrl === undefined) return undefined;
  const set = await ask<ServerSet | null>(runUrl, 'POST');
  if (!set) return undefined;
  await using opened = new AsyncDisposableStack();
  opened.defer(() => ask(runUrl, 'DELETE', set));
  const { processes, addresses } = set.containers
    ? { processes: containerProcesses(set.addresses, set.containers), addresses: set.addresses }
    : await givenProcesses(set.addresses, opened);
  await Promise.all(serverKinds.map((kind) => processes[kind].ready()));
  const name = `parley_test_${randomBytes(6).toString('hex')}`;
  await inDatabase(addresses.databaseUrl, `create database ${name} template template0`);
  opened.defer(async () => {
    for (const kind of serverKinds) {
      // A test may have left it stopped.
      await processes[kind].start();
      await processes[kind].ready();
    }
    await inDatabase(addresses.databaseUrl, `drop database ${name} with (force)`);
    await Promise.all([emptyBus(addresses.natsUrl), emptyRedis(addresses.redisUrl)]);
  });
  const databaseUrl = new URL(addresses.databaseUrl);
  databaseUrl.pathname = name;
  const open = opened.move();
  return {
    addresses: { ...addresses, databaseUrl: databaseUrl.href },
    processes,
    s3: Object.keys(set.s3).length > 0 ? { ...set.s3, S3_BUCKET: name.replaceAll('_', '-') } : {},
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function ask<Answer>(url: string, method: string, body?: object): Promise<Answer> {
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(`no servers for the test: ${await response.text()}`);
  return (await response.json()) as Answer;
}

function containerProcesses(
  addresses: ServerAddresses,
  containers: Record<ServerKind, string>,
): Record<ServerKind, ContainerProcess> {
  const processOf = (kind: ServerKind) => {
    const port = Number(new URL(addresses[addressOf[kind]]).port);
    return new ContainerProcess(kind, containers[kind], () => probes[kind](port));
  };
  return { nats: processOf('nats'), redis: processOf('redis'), postgres: processOf('postgres') };
}

async function givenProcesses(given: ServerAddresses, opened: AsyncDisposableStack) {
  const open = async (kind: ServerKind) =>
    opened.use(await GivenProcess.open(kind, given[addressOf[kind]], ports[kind]));
  const [nats, redis, postgres] = await Promise.all([open('nats'), open('redis'), open('postgres')]);
  return {
    processes: { nats, redis, postgres },
    addresses: { natsUrl: nats.url, redisUrl: redis.url, databaseUrl: postgres.url },
  };
}

async function inDatabase(databaseUrl: string, text: string): Promise<void> {
  await using database = new Database({ databaseUrl, connections: 1, timeoutMs, log });
  await database.query({ name: '', text });
}
