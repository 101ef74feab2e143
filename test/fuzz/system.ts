import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServers, startStack } from '@parley/local-stack';
import type { GatewayProcess, ManagedProcess, ServiceProcess } from '@parley/local-stack';
import { createLog, Database, openRedis } from '@parley/service-kit';

const services = ['gateway', 'auth', 'rooms', 'messages', 'files'] as const;
type Service = (typeof services)[number];
export type BusUser = Service | 'operator';

/** A whole Parley whose servers ask everybody for a password, so that none of these can be told without being found. */
export interface System extends AsyncDisposable {
  readonly gateway: GatewayProcess;
  /** Parley's own processes. */
  readonly processes: readonly ServiceProcess[];
  /** All of them, and the servers. */
  readonly all: readonly ManagedProcess[];
  /** The passwords of the servers. */
  readonly secrets: readonly string[];
  natsUrlOf(user: BusUser): string;
  /** Everything that any process has said so far, by process. */
  readLogs(): Promise<{ name: string; text: string }[]>;
}

const timeoutMs = 5_000;
const quiet = createLog('fuzz', 'silent');
const collector = fileURLToPath(new URL('../../bench/src/contenders/collect-on-signal.ts', import.meta.url));

/** How long a request waits for its handshake, in ms: so short that what was left unconfirmed is over within a round. */
const handshakeTimeoutMs = 1_000;
/** Of a request: more than even a busy machine takes, so that whatever is `unavailable` is a fault. In ms. */
export const requestTimeoutMs = 15_000;

/**
 * Starts one of each part on servers of its own. Processes that end stay away, and collect their garbage on SIGUSR2.
 * @throws LocalStackError what stands in the way.
 */
export async function startSystem(abort: AbortSignal): Promise<System> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'parley-fuzz-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const passwords = new Map([...services, 'operator', 'owner', 'redis'].map((user) => [user, newPassword()]));
  const natsConfig = await writeNatsConfig(folder, passwords);
  const dataDir = join(folder, 'servers');
  const servers = opened.use(await startServers({ dataDir, natsConfig, restart: false, abort }));
  const { natsUrl, redisUrl, databaseUrl } = servers.addresses;
  await makeRoles(databaseUrl, passwords);
  await setRedisPassword(redisUrl, passwords.get('redis')!);
  const urlAs = (address: string, user: string, password = passwords.get(user)!): string =>
    Object.assign(new URL(address), { username: user, password }).href;
  const settingsOf = (service: Service) => ({
    NATS_URL: urlAs(natsUrl, service),
    REDIS_URL: urlAs(redisUrl, 'default', passwords.get('redis')),
    DATABASE_URL: urlAs(databaseUrl, service),
    DATABASE_OWNER_URL: urlAs(databaseUrl, 'owner'),
  });
  const stack = opened.use(
    await startStack({
      dataDir: join(folder, 'parts'),
      port: 0,
      restart: false,
      given: { ...servers.addresses, natsUrl: urlAs(natsUrl, 'operator') },
      environment: {
        NODE_OPTIONS: `--import=${collector}`,
        RATE_LIMITS: 'off',
        LOG_LEVEL: 'debug',
        LOGIN_POLICY: 'takeover',
        REQUEST_TIMEOUT_MS: String(requestTimeoutMs),
        HANDSHAKE_TIMEOUT_MS: String(handshakeTimeoutMs),
        MAX_BUFFERED_BYTES: String(2 ** 26),
        MAX_FILE_BYTES: String(2 ** 20),
      },
      environmentOf: Object.fromEntries(services.map((service) => [service, settingsOf(service)])),
      abort,
    }),
  );
  const processes = [...stack.gateways, ...Object.values(stack.services).flat()];
  const folders = [join(folder, 'servers', 'logs'), join(folder, 'parts', 'logs')];
  const open = opened.move();
  return {
    gateway: stack.gateways[0]!,
    processes,
    all: [...processes, servers.nats!, servers.redis!, servers.postgres!],
    secrets: [...passwords.values(), new URL(databaseUrl).password],
    natsUrlOf: (user) => urlAs(natsUrl, user),
    readLogs: async () => (await Promise.all(folders.map(readFolder))).flat(),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Begins with a letter, or NATS could take it for a number. */
function newPassword(): string {
  return `secret-${randomBytes(12).toString('hex')}`;
}

/** The users of deploy/nats, with their passwords. */
async function writeNatsConfig(folder: string, passwords: ReadonlyMap<string, string>): Promise<string> {
  const users = await readFile(new URL('../../deploy/nats/users.conf', import.meta.url), 'utf8');
  const lines = [...services, 'operator'].map(
    (user) => `NATS_${user.toUpperCase()}_PASSWORD: ${passwords.get(user)!}`,
  );
  const file = join(folder, 'nats.conf');
  await writeFile(file, [...lines, users].join('\n'));
  return file;
}

/** As docs/operations.md says. */
async function makeRoles(databaseUrl: string, passwords: ReadonlyMap<string, string>): Promise<void> {
  await using database = new Database({ databaseUrl, connections: 1, timeoutMs, log: quiet });
  const roles = ['owner', ...services].map(
    (role) => `create role ${role} login password '${passwords.get(role)!}'`,
  );
  await database.query({ name: '', text: [...roles, 'grant create on database parley to owner'].join(';') });
}

async function setRedisPassword(redisUrl: string, password: string): Promise<void> {
  await using redis = await openRedis({ redisUrl, timeoutMs, log: quiet });
  await redis.run((commands) => commands.call('CONFIG', 'SET', 'requirepass', password));
}

async function readFolder(folder: string): Promise<{ name: string; text: string }[]> {
  const names = await readdir(folder);
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })));
}
