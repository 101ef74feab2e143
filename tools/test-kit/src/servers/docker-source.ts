import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { freePort } from '@parley/local-stack';
import { GenericContainer, Wait } from 'testcontainers';
import { prepareTestcontainers } from '../docker.ts';
import { images } from './images.ts';
import type { ServerSet, ServerSource } from './server-set.ts';

/** Whose containers they are, by process: what a killed run left behind is removed by the next one. */
const label = 'org.parley.test-run';
const lastSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Sets of containers, started when they are asked for and used again; closing it removes them. */
export function dockerSource(): ServerSource {
  prepareTestcontainers();
  removeLeftovers();
  const free: ServerSet[] = [];
  let minio: Promise<Record<string, string>> | undefined;
  // Who is told to end at once still takes its containers along.
  const onSignal = (): never => {
    removeOf(process.pid);
    process.exit(130);
  };
  for (const signal of lastSignals) process.once(signal, onSignal);

  /** The port stays the same when a test stops the server and starts it again. */
  async function start(image: string, port: number, plan: (container: GenericContainer) => GenericContainer) {
    const host = await freePort();
    const container = new GenericContainer(image)
      .withLabels({ [label]: String(process.pid) })
      .withExposedPorts({ container: port, host })
      .withWaitStrategy(Wait.forListeningPorts());
    const running = await plan(container).start();
    return { id: running.getId(), host: `${running.getHost()}:${host}` };
  }

  /** Nothing of them outlives the run, so they wait for no disk: what one test writes would hold up all the others. */
  async function startSet(): Promise<ServerSet> {
    const password = randomBytes(16).toString('hex');
    const [nats, redis, postgres, s3] = await Promise.all([
      start(images.nats, 4222, (container) => container.withCommand(['nats-server', '-js', '-sd', '/data'])),
      start(images.redis, 6379, (container) =>
        container.withCommand([
          'redis-server',
          '--appendonly',
          'yes',
          '--appendfsync',
          'no',
          '--requirepass',
          password,
        ]),
      ),
      start(images.postgres, 5432, (container) =>
        container
          .withEnvironment({
            POSTGRES_USER: 'parley',
            POSTGRES_PASSWORD: password,
            POSTGRES_INITDB_ARGS: '--encoding=UTF8 --locale=C',
          })
          .withCommand(['postgres', '-c', 'max_connections=200', '-c', 'fsync=off']),
      ),
      (minio ??= startMinio()),
    ]);
    return {
      addresses: {
        natsUrl: `nats://${nats.host}`,
        redisUrl: `redis://:${password}@${redis.host}`,
        databaseUrl: `postgres://parley:${password}@${postgres.host}/parley`,
      },
      s3,
      containers: { nats: nats.id, redis: redis.id, postgres: postgres.id },
    };
  }

  /** One for all: each Parley has a bucket of its own. */
  async function startMinio(): Promise<Record<string, string>> {
    const key = { user: 'parley', secret: randomBytes(16).toString('hex') };
    const { host } = await start(images.minio, 9000, (container) =>
      container
        .withCommand(['server', '/data'])
        .withEnvironment({ MINIO_ROOT_USER: key.user, MINIO_ROOT_PASSWORD: key.secret })
        .withWaitStrategy(Wait.forHttp('/minio/health/ready', 9000)),
    );
    return { S3_ENDPOINT: `http://${host}`, AWS_ACCESS_KEY_ID: key.user, AWS_SECRET_ACCESS_KEY: key.secret };
  }

  return {
    take: async () => free.pop() ?? startSet(),
    giveBack(set) {
      free.push(set);
    },
    [Symbol.asyncDispose]() {
      removeOf(process.pid);
      for (const signal of lastSignals) process.off(signal, onSignal);
      return Promise.resolve();
    },
  };
}

function removeLeftovers(): void {
  const owners = docker('ps', '--all', '--filter', `label=${label}`, '--format', `{{.Label "${label}"}}`);
  for (const owner of new Set(owners)) if (!isRunning(Number(owner))) removeOf(Number(owner));
}

function removeOf(owner: number): void {
  const containers = docker('ps', '--all', '--quiet', '--filter', `label=${label}=${owner}`);
  if (containers.length > 0) docker('rm', '--force', '--volumes', ...containers);
}

/** The lines that docker prints. Waited for without giving way, as some of it is done on the way out of the process. */
function docker(...args: string[]): string[] {
  const { stdout } = spawnSync('docker', args, { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line !== '');
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
