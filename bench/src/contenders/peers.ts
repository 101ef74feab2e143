import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Servers } from '@parley/local-stack';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { HistoryMessage } from '../audit.ts';
import { startBenchServers } from '../bench-stack.ts';
import { processesOf } from '../cpu.ts';
import { markOf } from '../frames.ts';
import { readMachineFacts } from '../machine.ts';
import type { Seat } from '../wires/index.ts';
import { placeOf, type Contender, type ContenderName, type ContenderOptions } from './contender.ts';
import { nodeOptions } from './node-options.ts';

type PeerName = Exclude<ContenderName, 'parley'>;

interface PeerKind {
  /** In `bench/peers`. */
  program: string;
  wire: 'socket.io' | 'plain';
  /** Whether it can be several processes that share their rooms. */
  hasInstances: boolean;
  storesMessages: boolean;
}

const kinds: Readonly<Record<PeerName, PeerKind>> = {
  'socket.io-postgres': {
    program: 'socket-io-server.ts',
    wire: 'socket.io',
    hasInstances: true,
    storesMessages: true,
  },
  'socket.io': {
    program: 'socket-io-server.ts',
    wire: 'socket.io',
    hasInstances: true,
    storesMessages: false,
  },
  ws: { program: 'ws-server.ts', wire: 'plain', hasInstances: false, storesMessages: false },
  joined: { program: 'joined-server.ts', wire: 'plain', hasInstances: false, storesMessages: false },
};

const messagesTable = `create table message (
  id bigint generated always as identity primary key,
  room_id text not null,
  sender text not null,
  content text not null,
  sent_at timestamptz not null default now()
)`;

/** Starts a peer with the servers it needs. */
export async function startPeer(name: PeerName, options: ContenderOptions): Promise<Contender> {
  const { program, wire, hasInstances, storesMessages } = kinds[name];
  await using opened = new AsyncDisposableStack();
  const servers = opened.use(await startBenchServers(options.abort));
  const { addresses } = servers;
  if (storesMessages) await inPostgres(addresses.databaseUrl, (client) => client.query(messagesTable));
  const environment = {
    ...nodeOptions(options),
    REDIS_URL: addresses.redisUrl,
    ...(storesMessages && { DATABASE_URL: addresses.databaseUrl }),
  };
  const instances = await Promise.all(
    Array.from({ length: hasInstances ? options.gateways : 1 }, () => startInstance(program, environment)),
  );
  opened.defer(async () => {
    await Promise.all(instances.map(({ child }) => stopInstance(child)));
  });
  const holders = instances.map(({ child }) => child.pid!);
  let seatings = 0;
  const open = opened.move();
  return {
    name,
    wire,
    facts: readMachineFacts(servers),
    processes: new Map([[name, holders], ...serversBehind(name, servers)]),
    holders,
    isNumbered: wire === 'plain',

    async seat({ connections, rooms }) {
      seatings += 1;
      const seats: Seat[] = Array.from({ length: connections }, (_, number) => ({
        number,
        url: instances[placeOf(number, rooms, instances.length)]!.url,
        user: `bench-${seatings}-${number}`,
        key: randomBytes(32).toString('base64url'),
        roomId: `room_${seatings}_${String(number % rooms).padStart(22, '0')}`,
      }));
      if (wire === 'socket.io') await storeSessions(addresses.redisUrl, seats);
      return seats;
    },

    ...(storesMessages && { readHistory: (seat: Seat) => readHistory(addresses.databaseUrl, seat) }),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Those that work for it. */
function serversBehind(name: PeerName, servers: Servers): [string, number[]][] {
  if (kinds[name].wire === 'plain') return [];
  const redis: [string, number[]] = ['redis', processesOf([servers.redis])];
  return kinds[name].storesMessages ? [redis, ['postgres', processesOf([servers.postgres])]] : [redis];
}

/** As a team would keep them: what a token stands for. */
async function storeSessions(redisUrl: string, seats: readonly Seat[]): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    const commands = redis.pipeline();
    for (const { key, user } of seats) commands.hset(`session:${key}`, { user });
    await commands.exec();
  } finally {
    redis.disconnect();
  }
}

async function readHistory(databaseUrl: string, { roomId }: Seat): Promise<HistoryMessage[]> {
  return inPostgres(databaseUrl, async (client) => {
    const { rows } = await client.query<{ id: string; content: string }>(
      'select id, content from message where room_id = $1 order by id',
      [roomId],
    );
    return rows.map(({ id, content }) => ({ id: Number(id), mark: markOf(content) }));
  });
}

async function inPostgres<Result>(
  databaseUrl: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

interface Instance {
  child: ChildProcess;
  /** As `ws://127.0.0.1:20200`. */
  url: string;
}

/** A peer's program tells its port when it can be connected to. */
async function startInstance(program: string, environment: Record<string, string>): Promise<Instance> {
  const child = fork(fileURLToPath(new URL(`../../peers/${program}`, import.meta.url)), {
    env: { ...process.env, ...environment },
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${program} ended with code ${String(code)}`);
  });
  const told = once(child, 'message') as Promise<[{ port: number }]>;
  const [{ port }] = await Promise.race([told, ended]);
  ended.catch(() => undefined);
  return { child, url: `ws://127.0.0.1:${port}` };
}

async function stopInstance(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.disconnect();
  await exit;
}
