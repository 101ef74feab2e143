import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { disableAccount, openGuest, releaseGuests } from '@parley/protocol';
import type { ConnectionPlace, ReplyOf } from '@parley/protocol';
import { createContext, createLog, openRedis } from '@parley/service-kit';
import type { RedisStore } from '@parley/service-kit';
import { answerMs, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, newAddress, playGateway } from './testing.ts';
import type { PlayedGateway } from './testing.ts';

const maxWaiting = 8;
const opened = new AsyncDisposableStack();
let parley: Parley;
let auth: ReturnType<typeof clientOf>;
let gateway: PlayedGateway;
let redis: RedisStore;
let logFile: string;

beforeAll(async () => {
  const environment = {
    RATE_LIMITS: 'on',
    LOGINS_PER_ACCOUNT: '4',
    GUESTS_PER_ADDRESS: '3',
    MAX_WAITING_PASSWORDS: String(maxWaiting),
  };
  const folder = await mkdtemp(join(tmpdir(), 'parley-auth-'));
  opened.defer(() => rm(folder, { recursive: true }));
  logFile = join(folder, 'services.log');
  parley = opened.use(await startParley({ gateways: 0, environment, serviceOutput: { file: logFile } }));
  const { redisUrl } = parley.stack.servers.addresses;
  redis = opened.use(await openRedis({ redisUrl, timeoutMs: 5_000, log: createLog('test', 'silent') }));
  auth = clientOf(parley);
  gateway = opened.use(await playGateway(parley.bus));
});
afterAll(() => opened.disposeAsync());

/** What `/metrics` says of these, as they are called there; 0 where there is none. */
async function metrics<Name extends string>(...names: Name[]): Promise<Record<Name, number>> {
  const text = await (await fetch(`${parley.stack.services.auth[0]!.healthUrl}/metrics`)).text();
  const values = new Map(text.split('\n').map((line) => line.split(/ (?=\S+$)/) as [string, string]));
  const entries = names.map((name) => [name, Number(values.get(name) ?? 0)]);
  return Object.fromEntries(entries) as Record<Name, number>;
}

function codeOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'ok',
    (error: unknown) => (error as { code: string }).code,
  );
}

async function openGuestFrom(
  address: string,
  name: string,
  sessionKey?: string,
): Promise<ReplyOf<typeof openGuest> & ConnectionPlace> {
  const place = gateway.open();
  const request = { name, address, place, ...(sessionKey !== undefined && { sessionKey }) };
  return { ...place, ...(await parley.bus.call(openGuest, request, createContext(answerMs))) };
}

test('of more passwords than can be compared in time the last are refused at once, and sessions go on', async () => {
  await auth.signUp('anna');
  const session = await auth.signIn('anna', gateway.open());
  const refused = 'parley_auth_passwords_refused_total';
  const before = await metrics(refused);
  const flood = Array.from({ length: 100 }, (_, index) => codeOf(auth.openToken(`nobody ${index}`)));
  const place = gateway.open();
  expect(await auth.resume('anna', session.sessionKey, place)).toMatchObject({ name: 'anna' });
  expect(await auth.find(session.sessionKey)).toMatchObject({ name: 'anna' });

  const codes = await Promise.all(flood);
  const unavailable = codes.filter((code) => code === 'unavailable').length;
  expect(codes.filter((code) => code === 'invalid_credentials')).toHaveLength(100 - unavailable);
  expect(unavailable).toBeGreaterThan(0);
  expect(unavailable).toBeLessThanOrEqual(100 - maxWaiting);
  const waiting = 'parley_auth_password_queue';
  expect(await metrics(refused, waiting)).toEqual({ [refused]: before[refused] + unavailable, [waiting]: 0 });
  // What was not looked at is no failure.
  const failed = await redis.run((commands) => commands.keys('parley:limit:failures:account:nobody *'));
  expect(failed).toHaveLength(100 - unavailable);
  await auth.release(session, place);
  expect(await auth.signIn('anna', gateway.open())).toMatchObject({ name: 'anna' });
});

test('logins are counted by what became of them', async () => {
  const outcomeNames = [
    'success',
    'resumed',
    'session_ended',
    'invalid_credentials',
    'already_logged_in',
    'forbidden',
    'rate_limited',
  ];
  const names = outcomeNames.map((outcome) => `parley_auth_logins_total{outcome="${outcome}"}`);
  await auth.signUp('berta');
  const before = await metrics(...names);
  const home = newAddress();
  const session = await auth.signIn('berta', gateway.open(), home);
  await auth.openToken('berta', home);
  await auth.resume('berta', session.sessionKey, gateway.open());
  const address = newAddress();
  const refused = [
    auth.resume('berta', 'no key', gateway.open()),
    auth.signIn('berta', gateway.open(), home),
    // The first login from home was a stranger's, too.
    ...Array.from({ length: 4 }, () => auth.openToken('berta', address, 'wrong password')),
  ];
  expect((await Promise.all(refused.map(codeOf))).sort()).toEqual([
    'already_logged_in',
    'invalid_credentials',
    'invalid_credentials',
    'invalid_credentials',
    'invalid_credentials',
    'rate_limited',
  ]);
  await parley.bus.call(disableAccount, { name: 'berta' }, createContext(answerMs));
  expect(await codeOf(auth.openToken('berta', home))).toBe('forbidden');
  const after = await metrics(...names);
  expect(names.map((name) => after[name]! - before[name]!)).toEqual([2, 1, 1, 3, 1, 1, 1]);
});

test('that passwords of an account are tried is logged once, and of a name without an account never', async () => {
  const clara = await auth.signUp('clara');
  const address = newAddress();
  for (const name of ['nobody at all', 'clara']) {
    const attempts = Array.from({ length: 8 }, () => codeOf(auth.openToken(name, address, 'wrong password')));
    expect((await Promise.all(attempts)).filter((code) => code === 'rate_limited')).toHaveLength(4);
  }
  const reached = async () =>
    (await readFile(logFile, 'utf8')).split('\n').filter((line) => line.includes('login limit'));
  await until('it is logged', async () => (await reached()).some((line) => line.includes('clara')));
  const lines = (await reached()).map((line) => JSON.parse(line) as { name: string });
  expect(lines.filter(({ name }) => name === 'clara')).toEqual([
    expect.objectContaining({ level: 40, service: 'auth', ...clara, address }),
  ]);
  expect(lines.some(({ name }) => name === 'nobody at all')).toBe(false);
});

test('an address has so many new guests a minute; those who come back with their key are not new', async () => {
  const address = newAddress();
  const rateLimited = { code: 'rate_limited', details: { retryAfterMs: expect.any(Number) } };
  const first = await openGuestFrom(address, 'dora');
  const others = await Promise.all([openGuestFrom(address, 'dirk'), openGuestFrom(address, 'doris')]);
  await expect(openGuestFrom(address, 'dieter')).rejects.toMatchObject(rateLimited);
  expect(await openGuestFrom(newAddress(), 'dieter')).toMatchObject({ name: 'dieter' });

  const { userId, name, connectionId } = first;
  const gone = { userId, name, connectionId };
  await parley.bus.call(releaseGuests, { guests: [gone] }, createContext(answerMs));
  expect(await openGuestFrom(address, 'dora', first.sessionKey)).toMatchObject({ userId });
  expect(await openGuestFrom(address, 'dirk', others[0].sessionKey)).toMatchObject({
    userId: others[0].userId,
  });
  await expect(openGuestFrom(address, 'daisy', 'x'.repeat(43))).rejects.toMatchObject(rateLimited);
});
