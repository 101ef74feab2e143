import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findRole, register } from '@parley/protocol';
import type { AccountRole, User } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import { inTime, password, startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { findNatsUrl, openOperatorBus } from '../operator-bus.ts';

const program = fileURLToPath(new URL('main.ts', import.meta.url));
const opened = new AsyncDisposableStack();
let parley: Parley;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'parley-admin-'));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  parley = opened.use(await startParley({ dataDir, gateways: 0 }));
});
afterAll(() => opened.disposeAsync());

/** What the operator sees. */
interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

async function admin(args: string[], natsUrl = parley.stack.servers.addresses.natsUrl): Promise<Outcome> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, NATS_URL: natsUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await inTime(
    'the command to end',
    Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]),
  );
  return { code: code as number, stdout, stderr };
}

function signUp(name: string): Promise<User> {
  return parley.bus.call(register, { name, password, address: '192.0.2.1' }, createContext(5_000));
}

async function roleOf({ userId }: User): Promise<AccountRole> {
  return (await parley.bus.call(findRole, { userId }, createContext(5_000))).role;
}

/** A server on a free port that takes connections and says nothing. */
async function silentServer(): Promise<Disposable & { natsUrl: string }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    natsUrl: `nats://127.0.0.1:${port}`,
    [Symbol.dispose]: () => {
      server.close();
    },
  };
}

test('an operator makes an account an admin, and an ordinary one again', async () => {
  const anna = await signUp('Anna Ä');
  expect(await admin(['grant', 'Anna Ä'])).toEqual({
    code: 0,
    stdout: 'Anna Ä is an admin now.\n',
    stderr: '',
  });
  expect(await roleOf(anna)).toBe('admin');
  expect(await admin(['revoke', 'Anna Ä'])).toEqual({
    code: 0,
    stdout: 'Anna Ä is an ordinary account now.\n',
    stderr: '',
  });
  expect(await roleOf(anna)).toBe('member');
});

test('a name without an account is told in one line', async () => {
  const stderr = 'There is no account called nobody.\n';
  expect(await admin(['grant', 'nobody'])).toEqual({ code: 1, stdout: '', stderr });
});

test('what can’t be a name is told in one line', async () => {
  const { code, stdout, stderr } = await admin(['grant', 'a\nb']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^The field `name` is invalid: .*\n$/);
});

test('what isn’t understood is answered with the usage', async () => {
  const { code, stdout, stderr } = await admin(['promote', 'anna']);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^Usage:\n {2}npm run admin -- grant NAME /);
});

test('a NATS server that is not there, or says nothing, is told in one line', async () => {
  const silent = await silentServer();
  const outcomes = [await admin(['grant', 'anna'], silent.natsUrl)];
  silent[Symbol.dispose]();
  outcomes.push(await admin(['grant', 'anna'], silent.natsUrl));
  for (const { code, stdout, stderr } of outcomes) {
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^The NATS server of Parley can't be reached: .*\.\n$/);
  }
});

test('a bad address is told in one line, without what it may hold', async () => {
  const stderr = 'NATS_URL: expected a URL like nats://host:port\n';
  expect(await admin(['grant', 'anna'], 'hunter2')).toEqual({ code: 1, stdout: '', stderr });
});

test('without an address the Parley of this machine is found', async () => {
  expect(findNatsUrl({ NATS_URL: 'nats://nats.example:4222' }, dataDir)).toBe('nats://nats.example:4222');
  await using bus = await openOperatorBus(findNatsUrl({ NATS_URL: '' }, dataDir));
  const { userId } = await signUp('berta');
  expect(await bus.call(findRole, { userId })).toEqual({ role: 'member' });
});

test('while the auth service is away that is told in one line', async () => {
  await parley.stack.services.auth[0]!.stop();
  const stderr = 'Parley does not answer; is its auth service running?\n';
  expect(await admin(['grant', 'anna'])).toEqual({ code: 1, stdout: '', stderr });
});

test('where no Parley is running any more that is told', async () => {
  await parley[Symbol.asyncDispose]();
  expect(() => findNatsUrl({}, dataDir)).toThrow(/^No Parley is running on this machine: /);
});
