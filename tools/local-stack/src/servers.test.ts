import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { findCommand } from './binaries.ts';
import { LocalStackError, startServers, type Servers } from './index.ts';
import { processIdentity } from './process-identity.ts';

test('what Postgres and Redis confirmed is there after a restart', async () => {
  await using folder = temporaryFolder();
  {
    await using servers = await startServers({ dataDir: folder.path });
    sql(servers, 'create table kept as select 42 as answer');
    expect(await redis(servers, 'SET kept 42')).toBe('+OK');
  }
  await using servers = await startServers({ dataDir: folder.path });
  expect(sql(servers, 'select answer from kept')).toBe('42');
  expect(await redis(servers, 'GET kept')).toContain('42');
});

test('a server that is killed comes back on its port with its data', async () => {
  await using folder = temporaryFolder();
  const lines: string[] = [];
  await using servers = await startServers({ dataDir: folder.path, log: (line) => lines.push(line) });
  sql(servers, 'create table kept as select 42 as answer');

  for (const server of [servers.nats, servers.redis, servers.postgres]) {
    const before = server?.pid;
    await server?.kill();
    await server?.ready();
    expect(server?.pid).not.toBe(before);
    expect(lines).toContain(`${server?.name} ended with SIGKILL; it is started again in 0.5 s.`);
  }
  expect(sql(servers, 'select answer from kept')).toBe('42');
});

test('a server that is stopped stays away until it is started, even when it was paused', async () => {
  await using folder = temporaryFolder();
  await using servers = await startServers({ dataDir: folder.path });
  servers.redis?.signal('SIGSTOP');
  await servers.redis?.stop();
  expect(servers.redis?.pid).toBeUndefined();
  await expect(servers.redis?.ready()).rejects.toThrow('redis ended with code 0');

  await servers.redis?.start();
  await servers.redis?.ready();
  expect(await redis(servers, 'PING')).toBe('+PONG');
});

test('with restart: false a server that is killed stays dead', async () => {
  await using folder = temporaryFolder();
  await using servers = await startServers({ dataDir: folder.path, restart: false });
  await servers.nats?.kill();
  await expect(servers.nats?.ready()).rejects.toThrow('nats ended with SIGKILL');
});

test('a server whose address is given is not started', async () => {
  await using folder = temporaryFolder();
  const given = { natsUrl: 'nats://nats.example:4222', databaseUrl: 'postgres://postgres.example/parley' };
  await using servers = await startServers({ dataDir: folder.path, given });
  expect(servers.addresses).toMatchObject(given);
  expect([servers.nats, servers.postgres]).toEqual([undefined, undefined]);
  expect(await redis(servers, 'PING')).toBe('+PONG');
});

test('no two stacks use one folder', async () => {
  await using folder = temporaryFolder();
  const given = { natsUrl: 'nats://a', databaseUrl: 'postgres://b' };
  await using first = await startServers({ dataDir: folder.path, given });
  await expect(startServers({ dataDir: folder.path, given })).rejects.toThrow(
    `Another Parley (process ${process.pid}) is running with the data in ${folder.path}; stop it first.`,
  );
  expect(await redis(first, 'PING')).toBe('+PONG');
});

test('a folder of another layout or another Postgres is refused in one line, and not touched', async () => {
  await using folder = temporaryFolder();
  await (await startServers({ dataDir: folder.path }))[Symbol.asyncDispose]();
  const refusal = async () => {
    const failure: unknown = await startServers({ dataDir: folder.path }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LocalStackError);
    return (failure as LocalStackError).message;
  };

  const version = join(folder.path, 'postgres', 'PG_VERSION');
  writeFileSync(version, '9\n');
  expect(await refusal()).toMatch(
    /^The data in .* were written by Postgres 9, but .* is Postgres \d+; .*\.$/,
  );
  expect(readFileSync(version, 'utf8')).toBe('9\n');

  writeFileSync(join(folder.path, 'layout.json'), '{"layout":99}');
  expect(await refusal()).toMatch(/^The data in .* have layout 99, this Parley reads layout 1; .*\.$/);
});

test('a server that cannot start is told with the end of its output, and nothing stays running', async () => {
  await using folder = temporaryFolder();
  await (await startServers({ dataDir: folder.path }))[Symbol.asyncDispose]();
  writeFileSync(join(folder.path, 'postgres', 'postgresql.auto.conf'), 'no_such_setting = 1\n');

  await expect(startServers({ dataDir: folder.path })).rejects.toThrow(
    /^postgres ended with code 1; the end of .*postgres\.log:[^]*no_such_setting/,
  );
  expect(readdirSync(join(folder.path, 'run'))).toEqual([]);
});

test('nothing is left behind when whoever started the servers is killed', async () => {
  await using folder = temporaryFolder();
  const script = `
    const { startServers } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)});
    const { nats, redis, postgres } = await startServers({ dataDir: ${JSON.stringify(folder.path)} });
    console.log(JSON.stringify([nats.pid, redis.pid, postgres.pid]));`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pids = JSON.parse(line.toString()) as number[];
  expect(pids.map(processIdentity)).not.toContain(undefined);

  parent.kill('SIGKILL');
  // Where the system can't tie them to their parent (not Linux), the next start in the folder ends them.
  if (process.platform === 'linux')
    await until(() => pids.every((pid) => processIdentity(pid) === undefined));
  await using next = await startServers({ dataDir: folder.path });
  expect(pids.map(processIdentity)).toEqual([undefined, undefined, undefined]);
  expect(await redis(next, 'PING')).toBe('+PONG');
});

function temporaryFolder(): AsyncDisposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'parley-servers-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function sql({ addresses }: Servers, statement: string): string {
  const psql = findCommand('psql') ?? 'psql';
  return execFileSync(psql, [addresses.databaseUrl, '-Atqc', statement], { encoding: 'utf8' }).trim();
}

/** The first packet of the answer, which is all of a short one. */
async function redis({ addresses }: Servers, command: string): Promise<string> {
  const socket = connect(Number(new URL(addresses.redisUrl).port), '127.0.0.1');
  socket.write(`${command}\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString().trim();
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(20);
}
