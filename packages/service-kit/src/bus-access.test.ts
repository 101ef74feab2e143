import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openBus } from './bus.ts';
import type { Bus } from './bus.ts';
import { connectionOptions } from './bus-access.ts';
import type { BusAccess } from './bus-access.ts';
import { connect } from './nats-transport.ts';
import { createTestLog, makeCertificate, startServer, until } from './test-support.ts';
import type { Certificate, TestServer } from './test-support.ts';

const password = 'hunter2/:@ ü';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-bus-access-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('a URL', () => {
  test.each([
    ['nats://a:4222', { servers: ['nats://a:4222'] }],
    ['nats://ann:tea%2F@a:4222', { servers: ['nats://a:4222'], user: 'ann', pass: 'tea/' }],
    ['nats://secret@a', { servers: ['nats://a'], token: 'secret' }],
    ['nats://a:b@c:1,nats://d:2', { servers: ['nats://c:1', 'nats://d:2'], user: 'a', pass: 'b' }],
    ['tls://a:4222', { servers: ['tls://a:4222'], tls: {} }],
  ])('%s', (natsUrl, options) => {
    expect(connectionOptions({ natsUrl })).toEqual(options);
  });
});

describe('a NATS that asks for a password', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer('nats', configWith('password.conf', usersConfig(password)));
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test('is asked with that of the URL', async () => {
    const { host } = new URL(server.url);
    await using bus = await open({ natsUrl: `nats://ann:${encodeURIComponent(password)}@${host}` });
    await bus.flush();
    await server.process.stop();
    await server.process.start();
    await until('it is let in again', () => isThere(bus));
  });

  test('lets nobody in with another; that is logged, without the password, until it is the right one', async () => {
    const { log, lines } = createTestLog();
    const { host } = new URL(server.url);
    const natsUrl = `nats://ann:next-one@${host}`;
    const opening = openBus({ natsUrl, name: 'test', requestTimeoutMs: 1_000, log });
    await until('a second attempt', () => lines.some(({ attempt }) => attempt === 2));
    expect(lines[0]).toMatchObject({
      msg: 'bus is not ready, waiting',
      err: { message: expect.stringMatching(/Authorization Violation/i) },
    });
    expect(JSON.stringify(lines)).not.toContain('next-one');

    await server.process.stop();
    configWith('password.conf', usersConfig('next-one'));
    await server.process.start();
    await using bus = await opening;
    await bus.flush();
  });
});

describe('a NATS that speaks TLS and knows us by a certificate', () => {
  let server: TestServer;
  let authority: Certificate;
  let ours: Certificate;
  let natsUrl: string;
  beforeAll(async () => {
    authority = makeCertificate(folder, 'authority');
    const theirs = makeCertificate(folder, 'localhost', authority);
    ours = makeCertificate(folder, 'parley', authority);
    const tls = [
      `cert_file: "${theirs.certificateFile}"`,
      `key_file: "${theirs.keyFile}"`,
      `ca_file: "${authority.certificateFile}"`,
      'verify: true',
    ];
    server = await startServer('nats', configWith('tls.conf', `tls { ${tls.join('\n')} }`));
    natsUrl = `tls://localhost:${new URL(server.url).port}`;
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test('carries the bus, also after it was away', async () => {
    const access = { natsCa: authority.certificate, natsCertificate: ours.certificate, natsKey: ours.key };
    await using bus = await open({ natsUrl, ...access });
    const heard: unknown[] = [];
    bus.subscribe('tea', (event) => heard.push(event));
    bus.publish('tea', { cups: 2 });
    await until('it is heard', () => heard.length === 1);

    await server.process.stop();
    await server.process.start();
    await until('the bus is back', () => isThere(bus));
    for (const cups of Array.from({ length: 100 }).keys()) bus.publish('tea', { cups });
    await until('all is heard', () => heard.length === 101);
  });

  test('is not believed where nobody vouches for it, and does not let us in without our certificate', async () => {
    expect(await refusalOf({ natsUrl })).toMatch(/certificate/i);
    expect(await refusalOf({ natsUrl, natsCa: authority.certificate })).toMatch(/certificate|closed|reset/i);
  });
});

test('a NATS without TLS is not spoken to where TLS is asked for', async () => {
  await using server = await startServer('nats');
  expect(await refusalOf({ natsUrl: server.url.replace('nats:', 'tls:') })).toMatch(/does not support 'tls'/);
});

function configWith(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function open(access: BusAccess): Promise<Bus> {
  return openBus({ ...access, name: 'test', requestTimeoutMs: 5_000, log: createTestLog().log });
}

function usersConfig(password: string): string {
  return `authorization { users: [{ user: "ann", password: ${JSON.stringify(password)} }] }`;
}

/** Why we are not let in, or do not go in. */
async function refusalOf(access: BusAccess): Promise<string> {
  const connecting = connect({ ...connectionOptions(access), reconnect: false });
  const failure = await connecting.then(
    () => new Error('nobody refused'),
    (error: unknown) => error as Error,
  );
  return failure.message;
}

function isThere(bus: Bus): Promise<boolean> {
  return bus.flush().then(
    () => true,
    () => false,
  );
}
