import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPrograms, type ServerName } from './binaries.ts';
import { openDataFolder, type DataFolder } from './data-folder.ts';
import {
  startProcess,
  startTogether,
  stopAll,
  type ManagedProcess,
  type ProcessPlan,
} from './managed-process.ts';
import { freePorts } from './ports.ts';
import { databaseName, openCluster, postgresEnvironment, serveArguments } from './postgres.ts';
import { natsAnswers, postgresAnswers, redisAnswers } from './probes.ts';

export interface ServerAddresses {
  natsUrl: string;
  redisUrl: string;
  databaseUrl: string;
}

/** The servers of a stack; one whose address was given is somebody else's and absent. */
export interface Servers extends AsyncDisposable {
  readonly addresses: ServerAddresses;
  readonly nats?: ManagedProcess;
  readonly redis?: ManagedProcess;
  readonly postgres?: ManagedProcess;
}

export interface ServerOptions {
  /** Made if it is missing; one stack at a time. */
  dataDir: string;
  /** Addresses of running servers, used instead of starting these. */
  given?: Partial<ServerAddresses>;
  /** Hears a line about installing, restarts and the like. Default: nobody does. */
  log?: (line: string) => void;
  /** A file of NATS' own settings, such as its users; addresses and folders are not its business. */
  natsConfig?: string;
  /** Whether a server that dies is started again, on its port and with its data. Default true. */
  restart?: boolean;
  /** Gives up the start. */
  abort?: AbortSignal;
}

/**
 * Starts NATS, Redis and Postgres on free loopback ports with their data in `dataDir`; resolves when all three answer.
 * @throws LocalStackError what stands in the way, in one line for a person: a server that is not installed, a folder that is in
 * use or of another version, the end of a server's output when it does not start. Nothing is left running then.
 */
export async function startServers(options: ServerOptions): Promise<Servers> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await openDataFolder(options.dataDir, options.log));
  const servers = opened.use(await startServersIn(folder, options));
  const open = opened.move();
  return { ...servers, [Symbol.asyncDispose]: once(() => open.disposeAsync()) };
}

/** As {@link startServers}, in a folder that is open already and stays so. */
export async function startServersIn(
  folder: DataFolder,
  options: Omit<ServerOptions, 'dataDir'>,
): Promise<Servers> {
  const { given = {}, log = () => {}, restart = true, abort } = options;
  const wanted = serverNames.filter((name) => given[addressOf[name]] === undefined);
  const programs = await findPrograms(wanted, log, abort);
  const ports = await freePorts(wanted.length);
  const addresses: Partial<ServerAddresses> = { ...given };
  const running = await startTogether(
    wanted.map((name, index) => async (giveUp) => {
      const { plan, address } = await plans[name](programs[name], ports[index] as number, folder, options);
      addresses[addressOf[name]] = address;
      const output = { file: emptyLog(folder, name) };
      return startProcess({ name, folder, log, restart, output, abort: giveUp, ...plan });
    }),
    abort,
  );
  return {
    addresses: addresses as ServerAddresses,
    ...Object.fromEntries(running.map((server) => [server.name, server])),
    [Symbol.asyncDispose]: once(() => stopAll(running)),
  };
}

/** The file for the output of a process, emptied: a log tells of one run of the stack. */
export function emptyLog(folder: DataFolder, name: string): string {
  const file = folder.logFile(name);
  writeFileSync(file, '');
  return file;
}

/** Makes closing twice closing once. */
export function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => (closing ??= close());
}

const addressOf = { nats: 'natsUrl', redis: 'redisUrl', postgres: 'databaseUrl' } as const;
const serverNames = Object.keys(addressOf) as ServerName[];

type PlannedServer = {
  plan: Pick<ProcessPlan, 'command' | 'arguments' | 'environment' | 'stopSignal' | 'answers' | 'user'>;
  address: string;
};

/** How each server is run; all on 127.0.0.1 only. */
const plans: Record<
  ServerName,
  (
    command: string,
    port: number,
    folder: DataFolder,
    options: Pick<ServerOptions, 'log' | 'natsConfig'>,
  ) => PlannedServer | Promise<PlannedServer>
> = {
  nats: (command, port, folder, { natsConfig }) => ({
    address: `nats://127.0.0.1:${port}`,
    plan: {
      command,
      arguments: [
        ...(natsConfig === undefined ? [] : ['-c', natsConfig]),
        ...['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', join(folder.path, 'nats')],
      ],
      environment: process.env,
      stopSignal: 'SIGTERM',
      answers: () => natsAnswers(port),
    },
  }),

  redis: (command, port, folder) => {
    const dir = join(folder.path, 'redis');
    mkdirSync(dir, { recursive: true });
    const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''];
    return {
      address: `redis://127.0.0.1:${port}`,
      plan: {
        command,
        arguments: ['--bind', '127.0.0.1', '--port', String(port), '--dir', dir, ...durable],
        environment: process.env,
        stopSignal: 'SIGTERM',
        answers: () => redisAnswers(port),
      },
    };
  },

  postgres: async (command, port, folder, { log = () => {} }) => {
    const cluster = await openCluster(command, folder, log);
    return {
      address: `postgres://${databaseName}:${cluster.password}@127.0.0.1:${port}/${databaseName}`,
      plan: {
        command,
        arguments: serveArguments(cluster, port),
        environment: postgresEnvironment(),
        user: cluster.user,
        stopSignal: 'SIGINT', // "fast": ends without waiting for its clients to leave
        answers: () => postgresAnswers(port),
      },
    };
  },
};
