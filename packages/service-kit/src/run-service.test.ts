import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '@parley/local-stack';
import { startServer, until } from './test-support.ts';
import type { TestServer } from './test-support.ts';

const program = fileURLToPath(new URL('run-service.fixture.ts', import.meta.url));
const started: Disposable[] = [];
let server: TestServer;

beforeAll(async () => {
  server = await startServer('nats');
});
afterEach(() => {
  for (const service of started.splice(0)) service[Symbol.dispose]();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe('bad settings', () => {
  test('end the process at once, with one line each', async () => {
    const service = await run({ CUPS: 'two', ACT: 'dance', NATS_URL: 'hunter2', DRAIN_MS: '10s' });
    expect(await service.exited).toBe(1);
    expect(service.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^parley-small: bad setting ACT: expected one of well, .* got 'dance'/),
      "parley-small: bad setting CUPS: expected a whole number of at least 1, got 'two' (How many cups.)",
      expect.stringMatching(/^parley-small: bad setting NATS_URL: expected a URL like nats:\/\/host:port/),
      expect.stringMatching(
        /^parley-small: bad setting DRAIN_MS: expected a whole number of at least 0, got '10s'/,
      ),
    ]);
    expect(service.lines).toEqual([]);
  });
});

describe('with --check', () => {
  test('a service whose settings are good ends, without having started', async () => {
    const service = await run({}, ['--check']);
    expect(await service.exited).toBe(0);
    expect([service.lines, service.stderr]).toEqual([[], '']);
  });

  test('bad ones are told as they are at start', async () => {
    const service = await run({ CUPS: 'two' }, ['--check']);
    expect(await service.exited).toBe(1);
    expect(service.stderr).toContain('bad setting CUPS');
  });
});

describe.each(['SIGTERM', 'SIGINT'] as const)('on %s', (signal) => {
  test('a service stops being ready, closes what it opened in reverse order and exits with 0', async () => {
    const service = await run();
    await service.said('service started');
    expect((await fetch(`${service.sidePort}/readyz`)).status).toBe(200);

    service.kill(signal);
    expect(await service.exited).toBe(0);
    expect(service.messages().slice(-4)).toEqual([
      'draining',
      'the last opened is closed',
      'the first opened is closed',
      'drained',
    ]);
    expect(service.lines).toContainEqual(
      expect.objectContaining({ status: 503, msg: 'the last opened is closed' }),
    );
  });
});

test('a service that waits for NATS is alive, not ready, and can be stopped', async () => {
  const service = await run({ NATS_URL: `nats://127.0.0.1:${await freePort()}` });
  await until('it is alive', () =>
    fetch(`${service.sidePort}/livez`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  expect((await fetch(`${service.sidePort}/readyz`)).status).toBe(503);
  service.kill('SIGTERM');
  expect(await service.exited).toBe(0);
  expect(service.messages()).toContain('drained');
});

test('a service whose NATS goes away is not ready until it is back', async () => {
  const service = await run();
  await service.said('service started');
  const readiness = async () => (await fetch(`${service.sidePort}/readyz`)).json();
  await server.process.stop();
  await until('it is not ready', async () =>
    JSON.stringify(await readiness()).includes('"notReady":["nats"]'),
  );
  await server.process.start();
  await until('it is ready', async () => (await fetch(`${service.sidePort}/readyz`)).ok);
});

describe('a state that nobody foresaw ends the process with 1 and a fatal line:', () => {
  test.each([
    ['reject', 'nobody awaits this'],
    ['throw', 'nobody catches this'],
    ['refuse-to-start', 'there is no tea'],
  ])('%s', async (act, message) => {
    const service = await run({ ACT: act });
    expect(await service.exited).toBe(1);
    expect(service.lines).toContainEqual(
      expect.objectContaining({
        level: 60,
        service: 'small',
        msg: 'unexpected failure, exiting',
        err: expect.objectContaining({ message }),
      }),
    );
  });
});

test('a service that does not get done with closing is not waited for', async () => {
  const service = await run({ ACT: 'hang', DRAIN_MS: '0' });
  await service.said('service started');
  service.kill('SIGTERM');
  expect(await service.exited).toBe(1);
  expect(service.messages()).toContain('drain took too long, exiting');
});

/** Runs the small service as a process, with nothing of our own environment but the way to programs. */
async function run(environment: Record<string, string> = {}, args: string[] = []) {
  const port = await freePort();
  const side = { HEALTH_HOST: '127.0.0.1', HEALTH_PORT: String(port) };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
    env: { PATH: process.env['PATH'], NATS_URL: server.url, ...side, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push({ [Symbol.dispose]: () => child.kill('SIGKILL') });
  let stdout = '';
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const service = {
    sidePort: `http://127.0.0.1:${port}`,
    exited: once(child, 'close').then(([code]) => code as number | null),
    get stderr() {
      return stderr;
    },
    get lines() {
      const whole = stdout.slice(0, stdout.lastIndexOf('\n') + 1);
      return whole
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    messages: () => service.lines.map(({ msg }) => msg),
    said: (message: string) =>
      until(`the service says: ${message}`, () => service.messages().includes(message)),
    kill: (signal: NodeJS.Signals) => child.kill(signal),
  };
  return service;
}
