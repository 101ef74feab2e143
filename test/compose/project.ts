import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { dockerObstacle } from '@parley/test-kit';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Always the same, so that the next run takes down what a killed one left. */
const projectName = 'parley-compose-test';
const maxOutputBytes = 64 * 2 ** 20;
const run = promisify(execFile);

/** The system of docker-compose.yml, up and ready. Closing it removes its containers, networks and data. */
export interface ComposeProject extends AsyncDisposable {
  /** Of the load balancer, as `http://127.0.0.1:20200`. */
  url: string;
  /** Stops all containers of a service as an operator does, and starts them again. */
  restart(service: string): Promise<void>;
  /** The ids of a service's containers. */
  containersOf(service: string): Promise<string[]>;
  /** Stops a container, removes it and starts a new one in its place; resolves when that is ready. */
  replace(service: string, container: string): Promise<void>;
  /** What a command in one of a service's containers prints. */
  runIn(service: string, ...command: string[]): Promise<string>;
}

/** Why the system can't be run here; undefined where it can. */
export async function composeObstacle(): Promise<string | undefined> {
  const withoutCompose = await dockerObstacle([]);
  if (withoutCompose !== undefined) return withoutCompose;
  await using settings = await writeSettings(0);
  try {
    const { stdout } = await compose(settings, 'config', '--images');
    const pulled = stdout.split('\n').filter((image) => image !== '' && !image.startsWith('parley/'));
    return await dockerObstacle([...pulled, await nodeImage()]);
  } catch (error) {
    return `docker compose does not work: ${(error as Error).message.trimEnd().split('\n').at(-1) ?? ''}`;
  }
}

/** Builds the images and starts the system on a free port, without rate limits, with secrets of its own. */
export async function startComposeProject(): Promise<ComposeProject> {
  await using opened = new AsyncDisposableStack();
  const port = await freePort();
  const settings = opened.use(await writeSettings(port));
  const command = (...args: string[]) => compose(settings, ...args);
  const containersOf = async (service: string) =>
    (await command('ps', '--quiet', service)).stdout.split('\n').filter((id) => id !== '');

  await command('down', '--volumes', '--remove-orphans');
  opened.defer(async () => {
    await command('down', '--volumes', '--timeout', '5');
  });
  await command('build');
  try {
    await command('up', '--detach', '--wait');
  } catch (error) {
    const { stdout } = await command('logs', '--no-color', '--tail', '10');
    throw new Error(`the system does not start; the end of each log:\n${stdout}`, { cause: error });
  }

  const open = opened.move();
  return {
    url: `http://127.0.0.1:${port}`,
    containersOf,
    async restart(service) {
      await command('restart', service);
    },
    async replace(service, container) {
      const count = (await containersOf(service)).length;
      await run('docker', ['stop', '-t', '20', container]);
      await run('docker', ['rm', container]);
      await command(
        'up',
        '--detach',
        '--wait',
        '--no-deps',
        '--no-recreate',
        '--scale',
        `${service}=${count}`,
        service,
      );
    },
    async runIn(service, ...args) {
      return (await command('exec', '--no-TTY', service, ...args)).stdout;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

interface SettingsFiles extends AsyncDisposable {
  /** For docker compose. */
  secrets: string;
}

/** The files that an operator writes. */
async function writeSettings(port: number): Promise<SettingsFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-compose-'));
  const files = { secrets: join(folder, '.env'), services: join(folder, 'parley.env') };
  const secret = () => randomBytes(16).toString('hex');
  await writeFile(files.services, 'RATE_LIMITS=off\n');
  const secrets = {
    POSTGRES_PASSWORD: secret(),
    REDIS_PASSWORD: secret(),
    MINIO_ROOT_USER: 'parley',
    MINIO_ROOT_PASSWORD: secret(),
    PORT: port,
    PARLEY_ENV_FILE: files.services,
    PARLEY_VERSION: 'compose-test',
  };
  const lines = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(files.secrets, lines.join(''), { mode: 0o600 });
  return {
    secrets: files.secrets,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function compose({ secrets }: SettingsFiles, ...args: string[]) {
  const command = ['compose', '--project-name', projectName, '--env-file', secrets, '--progress', 'plain'];
  // Only what is in the file: a variable of ours would go before it.
  const { PATH, HOME, DOCKER_HOST, DOCKER_CONFIG } = process.env;
  const env = { PATH, HOME, ...(DOCKER_HOST && { DOCKER_HOST }), ...(DOCKER_CONFIG && { DOCKER_CONFIG }) };
  return run('docker', [...command, ...args], { cwd: root, env, maxBuffer: maxOutputBytes });
}

async function nodeImage(): Promise<string> {
  const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8');
  return /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile)![1]!;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
