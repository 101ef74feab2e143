import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDataFolder, type DataFolder } from './data-folder.ts';
import {
  startProcess,
  startTogether,
  stopAll,
  type ManagedProcess,
  type ProcessOutput,
} from './managed-process.ts';
import { checkPortsFree, freePort, freePorts } from './ports.ts';
import { httpAnswers } from './probes.ts';
import { announceStack } from './running-stack.ts';
import {
  emptyLog,
  once,
  startServersIn,
  type ServerAddresses,
  type ServerOptions,
  type Servers,
} from './servers.ts';

/** Which addresses each of Parley's processes is given, by the names of its settings. */
const services = {
  gateway: ['NATS_URL'],
  auth: ['NATS_URL', 'DATABASE_URL', 'REDIS_URL'],
  rooms: ['NATS_URL', 'DATABASE_URL', 'REDIS_URL'],
  messages: ['NATS_URL', 'DATABASE_URL'],
  files: ['NATS_URL', 'DATABASE_URL'],
} as const satisfies Record<string, readonly (keyof typeof addressSettings)[]>;

const addressSettings = { NATS_URL: 'natsUrl', DATABASE_URL: 'databaseUrl', REDIS_URL: 'redisUrl' } as const;

type AnyService = keyof typeof services;

/**
 * How much young garbage there may be, in MB. By default it is so much that a collection of it holds up everybody for 5 to 15 ms, and that
 * many bytes passing through leave 100 MB behind. Less than 8 would cost the gateway more than it gives.
 */
export const nodeOptions: Partial<Record<AnyService, readonly string[]>> = {
  gateway: ['--max-semi-space-size=8'],
  messages: ['--max-semi-space-size=4'],
  files: ['--max-semi-space-size=4'],
};

/** Everything behind the gateway. */
export type ServiceName = Exclude<AnyService, 'gateway'>;

const serviceNames = Object.keys(services).filter((name): name is ServiceName => name !== 'gateway');

/** One running instance of a service. */
export interface ServiceProcess extends ManagedProcess {
  /** Where it answers `/livez`, `/readyz` and `/metrics`, without a slash at the end. */
  readonly healthUrl: string;
}

export interface GatewayProcess extends ServiceProcess {
  /** As `http://127.0.0.1:20200`. */
  readonly url: string;
  /** As `ws://127.0.0.1:20200`. */
  readonly webSocketUrl: string;
}

export interface StackOptions extends ServerOptions {
  /** Default 1. */
  gateways?: number;
  /** Of each service behind the gateway. Default 1. */
  instances?: number;
  /** The first gateway's port, further ones follow; 0 takes any free ports. Default 20200. */
  port?: number;
  /** The folder of the built web client, for the gateways to serve. Default: `WEB_DIR` of this process, or none. */
  webDir?: string;
  /** Settings for the services, over those of this process. */
  environment?: Record<string, string>;
  /** Settings for some services only, over all others: each may be another user of a server. */
  environmentOf?: Partial<Record<AnyService, Record<string, string>>>;
  /** Default: a file for each process in `logs/` of the data folder. A file that is given is appended to by all. */
  serviceOutput?: ProcessOutput;
  /** Hears which file a service's log goes to, before there is anything in it. */
  logOpened?: (file: string) => Promise<void>;
}

/** A whole Parley. Closing it ends the gateways first, then the services, then the servers, each with time to drain. */
export interface Stack extends AsyncDisposable {
  readonly servers: Servers;
  readonly gateways: readonly GatewayProcess[];
  readonly services: Readonly<Record<ServiceName, readonly ServiceProcess[]>>;
}

/**
 * Starts the servers and Parley's processes; resolves when every `/readyz` is green.
 * @throws LocalStackError as `startServers`; also when a gateway's port is in use, which is looked at before anything starts.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { gateways = 1, instances = 1, port = 20_200, log = () => {} } = options;
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await openDataFolder(options.dataDir, options.log));
  const gatewayPorts = await portsFor(gateways, port);
  const servers = opened.use(await startServersIn(folder, options));
  log('Servers are up; starting the services ...');

  const context: Context = { folder, options, addresses: servers.addresses, log };
  const plans = [
    ...gatewayPorts.map((gatewayPort, index) => ({ service: 'gateway' as const, index, gatewayPort })),
    ...serviceNames.flatMap((service) =>
      Array.from({ length: instances }, (_, index) => ({ service, index })),
    ),
  ];
  const processes = await startTogether(
    plans.map((plan) => (abort) => startInstance(context, plan, abort)),
    options.abort,
  );
  const instancesOf = (service: AnyService) =>
    processes.filter((_, index) => plans[index]?.service === service);
  opened.defer(() => stopAll(serviceNames.flatMap(instancesOf)));
  opened.defer(() => stopAll(instancesOf('gateway')));
  opened.use(announceStack(folder, servers.addresses));

  const open = opened.move();
  return {
    servers,
    gateways: instancesOf('gateway').map((gateway, index) =>
      withUrls(gateway, gatewayPorts[index] as number),
    ),
    services: {
      auth: instancesOf('auth'),
      rooms: instancesOf('rooms'),
      messages: instancesOf('messages'),
      files: instancesOf('files'),
    },
    [Symbol.asyncDispose]: once(() => open.disposeAsync()),
  };
}

interface Context {
  folder: DataFolder;
  options: StackOptions;
  addresses: ServerAddresses;
  log: (line: string) => void;
}

async function portsFor(gateways: number, first: number): Promise<number[]> {
  if (first === 0) return freePorts(gateways);
  const ports = Array.from({ length: gateways }, (_, index) => first + index);
  await checkPortsFree(ports);
  return ports;
}

async function startInstance(
  { folder, options, addresses, log }: Context,
  { service, index, gatewayPort }: { service: AnyService; index: number; gatewayPort?: number },
  abort: AbortSignal,
): Promise<ServiceProcess> {
  const name = `${service}-${index + 1}`;
  const healthPort = await freePort();
  const output = options.serviceOutput ?? { file: emptyLog(folder, name) };
  if (typeof output === 'object') await options.logOpened?.(output.file);
  const healthUrl = `http://127.0.0.1:${healthPort}`;
  const ports = {
    HEALTH_HOST: '127.0.0.1',
    HEALTH_PORT: String(healthPort),
    ...(gatewayPort && { PORT: String(gatewayPort) }),
  };
  const instance = await startProcess({
    name,
    command: process.execPath,
    arguments: [...(nodeOptions[service] ?? []), mainOf(service)],
    environment: {
      ...environmentFor(service, addresses),
      ...(service === 'files' && { FILES_DIR: join(folder.path, 'files') }),
      ...(service === 'gateway' && options.webDir !== undefined && { WEB_DIR: options.webDir }),
      ...options.environment,
      ...options.environmentOf?.[service],
      ...ports,
    },
    stopSignal: 'SIGTERM',
    output,
    answers: () => httpAnswers(`${healthUrl}/readyz`),
    restart: options.restart ?? true,
    folder,
    log,
    abort,
  });
  return Object.assign(instance, { healthUrl });
}

function mainOf(service: AnyService): string {
  return fileURLToPath(new URL(`../../../services/${service}/src/main.ts`, import.meta.url));
}

/** Ours, but of the servers' addresses only those that are the service's business. */
function environmentFor(service: AnyService, addresses: ServerAddresses): NodeJS.ProcessEnv {
  const ours = Object.entries(process.env).filter(
    ([name]) => !Object.hasOwn(addressSettings, name.replace(/_FILE$/, '')),
  );
  const theirs = services[service].map((setting) => [setting, addresses[addressSettings[setting]]] as const);
  return Object.fromEntries([...ours, ...theirs]);
}

function withUrls(gateway: ServiceProcess, port: number): GatewayProcess {
  return Object.assign(gateway, { url: `http://127.0.0.1:${port}`, webSocketUrl: `ws://127.0.0.1:${port}` });
}
