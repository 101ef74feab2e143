import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '@parley/local-stack';
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
  /** What the containers of these services have logged. */
  logs(...services: string[]): Promise<string>;
  /** What the containers are told to run, and the arguments of all processes in them. */
  commandLines(): Promise<string>;
  /** All passwords of the system. */
  passwords: readonly string[];
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
    async logs(...services) {
      return (await command('logs', '--no-color', ...services)).stdout;
    },
    async commandLines() {
      const containers = (await command('ps', '--quiet')).stdout.trim().split('\n');
      const format = '{{json .Path}} {{json .Args}} {{json .Config.Healthcheck}}';
      const [told, running] = await Promise.all([
        run('docker', ['inspect', '--format', format, ...containers]),
        command('top'),
      ]);
      return told.stdout + running.stdout;
    },
    passwords: settings.passwords,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

interface SettingsFiles extends AsyncDisposable {
  /** For docker compose. */
  secrets: string;
  /** Those in it. */
  passwords: string[];
}

/** The files that an operator writes. */
async function writeSettings(port: number): Promise<SettingsFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-compose-'));
  const files = { secrets: join(folder, '.env'), services: join(folder, 'parley.env') };
  const example = await readFile(join(root, '.env.example'), 'utf8');
  const passwords = [...example.matchAll(/^(\w+_PASSWORD)=/gm)].map(([, name]) => name!);
  await writeFile(files.services, 'RATE_LIMITS=off\n');
  const settings: Record<string, string | number> = {
    ...Object.fromEntries(passwords.map((name) => [name, randomBytes(16).toString('hex')])),
    MINIO_ROOT_USER: 'parley',
    PORT: port,
    PARLEY_ENV_FILE: files.services,
    PARLEY_VERSION: 'compose-test',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(files.secrets, lines.join(''), { mode: 0o600 });
  return {
    secrets: files.secrets,
    passwords: passwords.map((name) => String(settings[name])),
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
