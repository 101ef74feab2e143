import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServers, startStack } from '@parley/local-stack';
import type { ManagedProcess, ServiceProcess } from '@parley/local-stack';
import { Proxy } from './injection/proxy.ts';

/** Lines that can be cut: to each server and to each gateway. */
export const lineNames = ['nats', 'redis', 'postgres', 'gateway-1', 'gateway-2'] as const;
export type LineName = (typeof lineNames)[number];

export const serverNames = ['nats', 'redis', 'postgres'] as const;
export const partNames = [
  'gateway-1',
  'gateway-2',
  'auth-1',
  'auth-2',
  'rooms-1',
  'rooms-2',
  'messages-1',
  'messages-2',
  'files-1',
  'files-2',
] as const;
export type ServerName = (typeof serverNames)[number];
export type PartName = (typeof partNames)[number];
export type ProcessName = ServerName | PartName;

/** A whole Parley of real processes, each of which can be reached for, on lines that can be cut. */
export interface System extends AsyncDisposable {
  readonly processes: Readonly<Record<ProcessName, ManagedProcess>>;
  readonly lines: Readonly<Record<LineName, Proxy>>;
  /** Where clients connect to, through the lines: `host:port` of each gateway. */
  readonly gateways: readonly string[];
  /** Past the lines. */
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Whether each part says that it is ready. */
  ready(): Promise<boolean>;
}

/** Most unsent bytes of a connection: so few that a slow reader is full within seconds. */
const maxBufferedBytes = 1_048_576;

/**
 * Starts two of each part on servers of their own, with data in a temporary folder that is removed at the end.
 * @throws LocalStackError what stands in the way.
 */
export async function startSystem(abort: AbortSignal): Promise<System> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'parley-faults-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const servers = opened.use(await startServers({ dataDir: join(folder, 'servers'), abort }));
  const { natsUrl, redisUrl, databaseUrl } = servers.addresses;
  const lineTo = async (url: string): Promise<Proxy> =>
    opened.use(await Proxy.open(Number(new URL(url).port)));
  const [nats, redis, postgres] = [await lineTo(natsUrl), await lineTo(redisUrl), await lineTo(databaseUrl)];
  const stack = opened.use(
    await startStack({
      dataDir: join(folder, 'parts'),
      gateways: 2,
      instances: 2,
      port: 0,
      given: {
        natsUrl: through(nats, natsUrl),
        redisUrl: through(redis, redisUrl),
        databaseUrl: through(postgres, databaseUrl),
      },
      environment: {
        RATE_LIMITS: 'off',
        LOG_LEVEL: 'warn',
        MAX_BUFFERED_BYTES: String(maxBufferedBytes),
      },
      abort,
    }),
  );
  const [gateway1, gateway2] = stack.gateways;
  const lines = {
    nats,
    redis,
    postgres,
    'gateway-1': await lineTo(gateway1!.url),
    'gateway-2': await lineTo(gateway2!.url),
  };
  const parts = [...stack.gateways, ...Object.values(stack.services).flat()];
  const all = [servers.nats!, servers.redis!, servers.postgres!, ...parts];
  const open = opened.move();
  return {
    processes: Object.fromEntries(all.map((process) => [process.name, process])) as System['processes'],
    lines,
    gateways: [lines['gateway-1'], lines['gateway-2']].map(({ port }) => `127.0.0.1:${port}`),
    databaseUrl,
    redisUrl,
    ready: async () => (await Promise.all(parts.map(isReady))).every(Boolean),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function through({ port }: Proxy, address: string): string {
  const url = new URL(address);
  url.port = String(port);
  return url.href;
}

async function isReady({ healthUrl }: ServiceProcess): Promise<boolean> {
  try {
    return (await fetch(`${healthUrl}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}
