import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLog, openRedis } from '@parley/service-kit';
import { password, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { WebSocket } from 'ws';

const burst = 30;

let parley: Parley;
beforeAll(async () => {
  const environment = {
    RATE_LIMITS: 'on',
    REQUESTS_PER_SECOND: '1',
    REQUESTS_BURST: String(burst),
    LOGINS_PER_ACCOUNT: '2',
    SESSION_MS: '10000',
    TRUSTED_PROXIES: '1',
  };
  parley = await startParley({ environment });
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

/** A request as it comes through a proxy that speaks TLS and tells the client's address. */
async function ask(address: string, path: string, init: { token?: string; body?: object } = {}) {
  const { token, body } = init;
  const response = await fetch(`${parley.stack.gateways[0]!.url}${path}`, {
    headers: {
      'X-Forwarded-For': address,
      'X-Forwarded-Proto': 'https',
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(body && { 'Content-Type': 'application/json' }),
    },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as any };
}

async function logIn(address: string, username: string): Promise<string> {
  await ask(address, '/api/register', { body: { username, password } });
  return (await ask(address, '/api/login', { body: { username, password } })).body.token;
}

test('one address has only so many requests, whatever they are, and is told when to come again', async () => {
  const answers = await Promise.all(
    Array.from({ length: 3 * burst }, (_, n) =>
      ask('203.0.113.1', n % 2 === 0 ? '/api/rooms' : '/api/nothing'),
    ),
  );
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(burst);
  expect(refused.length).toBeGreaterThan(burst);
  for (const { headers, body } of refused) {
    expect(body).toMatchObject({ status: 'error', code: 'rate_limited' });
    expect(body.retry_after_ms).toBeGreaterThan(0);
    expect(headers.get('retry-after')).toBe(String(Math.ceil(body.retry_after_ms / 1_000)));
  }
  expect(await ask('203.0.113.2', '/api/nothing')).toMatchObject({ status: 404 });
});

test('upgrades are requests: one address may ask for so many, even if each is closed at once', async () => {
  const gateway = parley.stack.gateways[0]!;
  const upgrade = async (address: string): Promise<string> => {
    const socket = new WebSocket(gateway.webSocketUrl, { headers: { 'X-Forwarded-For': address } });
    const outcome = await new Promise<string>((resolve) => {
      socket
        .once('open', () => {
          resolve('open');
        })
        .on('error', ({ message }) => {
          resolve(message);
        });
    });
    socket.terminate();
    return outcome;
  };
  const outcomes: string[] = [];
  for (let n = 0; n < 2 * burst; n += 1) outcomes.push(await upgrade('203.0.113.7'));
  expect(outcomes.filter((outcome) => outcome === 'open').length).toBeGreaterThanOrEqual(burst);
  const refused = outcomes.filter((outcome) => outcome.includes('429')).length;
  expect(refused).toBeGreaterThan(0);
  expect(await upgrade('203.0.113.8')).toBe('open');
  const metrics = await (await fetch(`${gateway.healthUrl}/metrics`)).text();
  expect(metrics).toContain(`parley_gateway_refused_upgrades_total{reason="rate"} ${refused}\n`);
});

test('one user has only so many, from wherever they come', async () => {
  const token = await logIn('203.0.113.3', 'everywhere');
  const answers = await Promise.all(
    Array.from({ length: 3 * burst }, (_, n) => ask(`198.51.100.${n}`, '/api/rooms', { token })),
  );
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(burst);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(burst);
  expect(await ask('198.51.100.0', '/api/nothing')).toMatchObject({ status: 404 });
});

test('passwords can be tried only so often, and the answer says when again', async () => {
  await ask('203.0.113.4', '/api/register', { body: { username: 'guessed', password } });
  const guess = () =>
    ask('203.0.113.4', '/api/login', { body: { username: 'guessed', password: 'a wrong guess' } });
  expect(await guess()).toMatchObject({ status: 401 });
  expect(await guess()).toMatchObject({ status: 401 });
  const limited = await guess();
  expect(limited).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('a token that was not used for its time is no good any more', async () => {
  const token = await logIn('203.0.113.5', 'sleeper');
  expect(await ask('203.0.113.5', '/api/rooms', { token })).toMatchObject({ status: 200 });
  await using redis = await openRedis({
    redisUrl: parley.stack.servers.addresses.redisUrl,
    timeoutMs: 5_000,
    log: createLog('test', 'silent'),
  });
  // Asking us would prolong it.
  await until('the end of all sessions', async () => {
    return (await redis.run((commands) => commands.keys('parley:session:*'))).length === 0;
  });
  expect(await ask('203.0.113.5', '/api/rooms', { token })).toMatchObject({
    status: 401,
    body: { code: 'not_authenticated' },
  });
});

test('over TLS the cookie is for TLS only', async () => {
  const address = '203.0.113.6';
  await ask(address, '/api/register', { body: { username: 'safe', password } });
  const { headers } = await ask(address, '/api/login', { body: { username: 'safe', password } });
  expect(headers.getSetCookie()).toEqual([
    expect.stringMatching(/^__Host-parley_token=[^;]+; HttpOnly; SameSite=Strict; Path=\/; Secure$/),
  ]);
});
