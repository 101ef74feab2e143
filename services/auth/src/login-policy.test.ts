import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createId } from '@parley/protocol';
import type { ConnectionPlace } from '@parley/protocol';
import { createLog, openRedis } from '@parley/service-kit';
import type { RedisStore } from '@parley/service-kit';
import { startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, hear, holdLease, newAddress } from './testing.ts';

const gatewayId = createId('gateway');

function newPlace(): ConnectionPlace {
  return { connectionId: createId('connection'), gatewayId };
}

describe('with LOGIN_POLICY=takeover', () => {
  const limits = {
    RATE_LIMITS: 'on',
    LOGINS_PER_ACCOUNT: '3',
    LOGINS_PER_ADDRESS: '5',
    REGISTRATIONS_PER_ADDRESS: '4',
  };
  const opened = new AsyncDisposableStack();
  let parley: Parley;
  let auth: ReturnType<typeof clientOf>;
  let redis: RedisStore;

  beforeAll(async () => {
    const environment = { LOGIN_POLICY: 'takeover', ...limits };
    parley = opened.use(await startParley({ gateways: 0, instances: 2, environment }));
    const { redisUrl } = parley.stack.servers.addresses;
    redis = opened.use(await openRedis({ redisUrl, timeoutMs: 5_000, log: createLog('test', 'silent') }));
    auth = clientOf(parley);
    opened.use(await holdLease(parley.bus, gatewayId));
  });
  afterAll(() => opened.disposeAsync());

  /** The minute of everything counted so far is over. */
  function aMinutePasses(): Promise<unknown> {
    return redis.run(async (commands) => {
      const counters = await commands.keys('parley:limit:*');
      // What has no end of its own would count for ever, and is left.
      const passing = await Promise.all(counters.map(async (key) => (await commands.pttl(key)) > 0));
      return commands.del('-', ...counters.filter((_key, index) => passing[index]));
    });
  }

  test('a second login takes over at once from one that lives', async () => {
    const anna = await auth.signUp('anna');
    const [first, second] = [newPlace(), newPlace()];
    const former = await auth.signIn('anna', first);
    const events = await hear(parley.bus, anna);
    const session = await auth.signIn('anna', second);
    await until('the first is sent away', () => events.length > 0);
    expect(events).toEqual([
      {
        type: 'connections-ended',
        userId: anna.userId,
        sessionIds: [former.sessionId],
        reason: 'taken-over',
        except: second.connectionId,
      },
    ]);
    expect(await auth.touch(former.sessionId, session.sessionId)).toEqual({ ended: [former.sessionId] });
  });

  test('an account has so many logins a minute, from wherever they come, and failures count', async () => {
    await auth.signUp('berta');
    await auth.signIn('berta', newPlace());
    for (const wrong of ['wrong password', 'another wrong one']) {
      const attempt = auth.signIn('berta', newPlace(), newAddress(), wrong);
      await expect(attempt).rejects.toMatchObject({ code: 'invalid_credentials' });
    }
    const error = await auth.signIn('berta', newPlace()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'rate_limited' });
    const { retryAfterMs } = (error as { details: { retryAfterMs: number } }).details;
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    await aMinutePasses();
    expect(await auth.signIn('berta', newPlace())).toMatchObject({ name: 'berta' });
  });

  test('tokens count as logins do', async () => {
    await auth.signUp('anton');
    await auth.openToken('anton');
    await auth.openToken('anton');
    const wrong = auth.openToken('anton', newAddress(), 'wrong password');
    await expect(wrong).rejects.toMatchObject({ code: 'invalid_credentials' });
    const refused = { code: 'rate_limited', details: { retryAfterMs: expect.any(Number) } };
    await expect(auth.openToken('anton')).rejects.toMatchObject(refused);
    await expect(auth.signIn('anton', newPlace())).rejects.toMatchObject(refused);
    await aMinutePasses();

    const address = newAddress();
    for (const name of ['ghost 1', 'ghost 2', 'ghost 3', 'ghost 4', 'ghost 5']) {
      const attempt = auth.openToken(name, address);
      await expect(attempt).rejects.toMatchObject({ code: 'invalid_credentials' });
    }
    await expect(auth.openToken('anton', address)).rejects.toMatchObject(refused);
  });

  test('a second login leaves the tokens as they are', async () => {
    await auth.signUp('arno');
    const token = await auth.openToken('arno');
    const former = await auth.signIn('arno', newPlace());
    await auth.signIn('arno', newPlace());
    expect(await auth.touch(former.sessionId, token.sessionId)).toEqual({ ended: [former.sessionId] });
  });

  test('a name without an account is limited like one with, so that the limit tells nothing', async () => {
    const codes: string[] = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      await auth
        .signIn('nobody', newPlace())
        .catch((error: unknown) => codes.push((error as { code: string }).code));
    }
    expect(codes).toEqual([
      'invalid_credentials',
      'invalid_credentials',
      'invalid_credentials',
      'rate_limited',
    ]);
  });

  test('an address has so many logins a minute, whosever they are, resumed sessions included', async () => {
    const address = newAddress();
    await auth.signUp('céline');
    const session = await auth.signIn('céline', newPlace(), address);
    await auth.resume('céline', session.sessionKey, newPlace(), address);
    for (const name of ['ghost 1', 'ghost 2', 'ghost 3']) {
      const attempt = auth.signIn(name, newPlace(), address);
      await expect(attempt).rejects.toMatchObject({ code: 'invalid_credentials' });
    }
    const refused = { code: 'rate_limited', details: { retryAfterMs: expect.any(Number) } };
    await expect(auth.signIn('céline', newPlace(), address)).rejects.toMatchObject(refused);
    const resumed = auth.resume('céline', session.sessionKey, newPlace(), address);
    await expect(resumed).rejects.toMatchObject(refused);
    expect(await auth.resume('céline', session.sessionKey, newPlace())).toEqual(session);
  });

  test('an address has so many registrations a minute, at once or one by one, and none beyond is made', async () => {
    const address = newAddress();
    const names = Array.from({ length: 7 }, (_, index) => `dora ${index}`);
    const attempts = await Promise.allSettled(names.map((name) => auth.signUp(name, address)));
    const outcomes = attempts.map(({ status }) => status === 'fulfilled');
    expect(outcomes.filter(Boolean)).toHaveLength(4);
    expect(attempts.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'rate_limited', details: { retryAfterMs: expect.any(Number) } },
    });
    const refused = names[outcomes.indexOf(false)]!;
    expect(await auth.signUp(refused)).toMatchObject({ name: refused });
  });
});

describe('with LOGIN_POLICY=multi and sessions of 1.5 s', () => {
  const opened = new AsyncDisposableStack();
  let parley: Parley;
  let auth: ReturnType<typeof clientOf>;

  beforeAll(async () => {
    const environment = { LOGIN_POLICY: 'multi', SESSION_MS: '1500' };
    parley = opened.use(await startParley({ gateways: 0, environment }));
    auth = clientOf(parley);
    opened.use(await holdLease(parley.bus, gatewayId));
  });
  afterAll(() => opened.disposeAsync());

  test('sessions of one user live beside each other', async () => {
    const emil = await auth.signUp('emil');
    const events = await hear(parley.bus, emil);
    const first = await auth.signIn('emil', newPlace());
    const second = await auth.signIn('emil', newPlace());
    expect(second.sessionId).not.toBe(first.sessionId);
    expect(await auth.touch(first.sessionId, second.sessionId)).toEqual({ ended: [] });
    await parley.bus.flush();
    expect(events).toEqual([]);
  });

  test('who resumes one of several sessions ends none', async () => {
    const erna = await auth.signUp('erna');
    const [first, second] = [await auth.signIn('erna', newPlace()), await auth.signIn('erna', newPlace())];
    const events = await hear(parley.bus, erna);
    await auth.resume('erna', second.sessionKey, newPlace());
    expect(await auth.touch(first.sessionId, second.sessionId)).toEqual({ ended: [] });
    await until('the former connection is sent away', () => events.length > 0);
    expect(events).toMatchObject([{ sessionIds: [second.sessionId], reason: 'resumed' }]);
  });

  test('a session ends when it is not used, and lives as long as it is touched, resumed or asked for', async () => {
    await auth.signUp('frida');
    const [touched, resumed, unused] = [
      await auth.signIn('frida', newPlace()),
      await auth.signIn('frida', newPlace()),
      await auth.signIn('frida', newPlace()),
    ];
    const [token, unusedToken] = [await auth.openToken('frida'), await auth.openToken('frida')];
    // In use for twice as long as a session lives by itself.
    const end = Date.now() + 3_000;
    while (Date.now() < end) {
      expect(await auth.touch(touched.sessionId)).toEqual({ ended: [] });
      expect(await auth.resume('frida', resumed.sessionKey, newPlace())).toEqual(resumed);
      expect(await auth.find(token.sessionKey)).toMatchObject({ sessionId: token.sessionId });
      await delay(100);
    }
    const all = [touched, resumed, unused, token, unusedToken].map(({ sessionId }) => sessionId);
    expect(await auth.touch(...all)).toEqual({ ended: [unused.sessionId, unusedToken.sessionId] });
    const unknown = auth.find(unusedToken.sessionKey);
    await expect(unknown).rejects.toMatchObject({ code: 'not_authenticated' });
    const late = auth.resume('frida', unused.sessionKey, newPlace());
    await expect(late).rejects.toMatchObject({ code: 'invalid_credentials' });
  });

  test.each([
    ['sessions', 'hans', (name: string) => auth.signIn(name, newPlace())],
    ['tokens', 'hella', (name: string) => auth.openToken(name)],
  ])('%s that ended by themselves leave nothing behind', async (_what, name, open) => {
    const user = await auth.signUp(name);
    const { redisUrl } = parley.stack.servers.addresses;
    const log = createLog('test', 'silent');
    await using redis = await openRedis({ redisUrl, timeoutMs: 5_000, log });
    const key = `parley:user-sessions:${user.userId}`;
    const known = () => redis.run((commands) => commands.smembers(key));
    const ended = await open(name);
    const used = await open(name);
    await until('the first has ended', async () => {
      await auth.touch(used.sessionId);
      const session = await redis.run((commands) => commands.exists(`parley:session:${ended.sessionId}`));
      return session === 0;
    });
    const fresh = await open(name);
    expect((await known()).sort()).toEqual([used.sessionId, fresh.sessionId].sort());
    await until('the others have ended', async () => (await known()).length === 0);
  });
});
