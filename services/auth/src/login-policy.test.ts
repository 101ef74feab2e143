import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createId } from '@parley/protocol';
import type { ConnectionPlace } from '@parley/protocol';
import { createLog, openRedis } from '@parley/service-kit';
import type { RedisStore } from '@parley/service-kit';
import { startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, hear, holdLease, newAddress } from './testing.ts';
import type { Session } from './testing.ts';

const gatewayId = createId('gateway');

function newPlace(): ConnectionPlace {
  return { connectionId: createId('connection'), gatewayId };
}

describe('with LOGIN_POLICY=takeover', () => {
  const limits = {
    RATE_LIMITS: 'on',
    LOGINS_PER_ACCOUNT: '3',
    FAILED_LOGINS_PER_ACCOUNT: '4',
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

  /** Everything counted so far is over that is so within a minute. */
  function aMinutePasses(): Promise<unknown> {
    return redis.run(async (commands) => {
      const counters = await commands.keys('parley:limit:*');
      const leftMs = await Promise.all(counters.map((key) => commands.pttl(key)));
      // What has no end of its own would count for ever, and is left.
      const passing = counters.filter((_key, index) => leftMs[index]! > 0 && leftMs[index]! <= 60_000);
      return commands.del('-', ...passing);
    });
  }

  /** What comes of wrong passwords, one after the other; without an address each comes from another, a minute after the one before. */
  async function guess(name: string, times: number, address?: string): Promise<string[]> {
    const codes: string[] = [];
    for (let guesses = 0; guesses < times; guesses += 1) {
      if (address === undefined) await aMinutePasses();
      const attempt = auth.signIn(name, newPlace(), address ?? newAddress(), 'wrong password');
      await attempt.catch((error: unknown) => codes.push((error as { code: string }).code));
    }
    return codes;
  }

  const knownAddresses = (name: string) => `parley:known-addresses:${name}`;

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

  test('an account has so many logins a minute from one address, and failures count', async () => {
    const address = newAddress();
    await auth.signUp('berta');
    await auth.signIn('berta', newPlace(), address);
    expect(await guess('berta', 2, address)).toEqual(['invalid_credentials', 'invalid_credentials']);
    const error = await auth.signIn('berta', newPlace(), address).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'rate_limited' });
    const { retryAfterMs } = (error as { details: { retryAfterMs: number } }).details;
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(await auth.signIn('berta', newPlace())).toMatchObject({ name: 'berta' });
    await aMinutePasses();
    expect(await auth.signIn('berta', newPlace(), address)).toMatchObject({ name: 'berta' });
  });

  describe('who guesses from many addresses', () => {
    test('has so many failures an hour, and locks nobody out who has logged in from where they are', async () => {
      await auth.signUp('bruno');
      const home = newAddress();
      await auth.signIn('bruno', newPlace(), home);
      expect(await guess('bruno', 4)).toEqual(Array(4).fill('invalid_credentials'));
      await aMinutePasses();
      const error = await auth.signIn('bruno', newPlace()).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'rate_limited' });
      const { retryAfterMs } = (error as { details: { retryAfterMs: number } }).details;
      expect(retryAfterMs).toBeGreaterThan(3_000_000);
      expect(retryAfterMs).toBeLessThanOrEqual(3_600_000);
      await expect(auth.openToken('bruno')).rejects.toMatchObject({ code: 'rate_limited' });
      expect(await auth.signIn('bruno', newPlace(), home)).toMatchObject({ name: 'bruno' });
      expect(await auth.openToken('bruno', home)).toMatchObject({ name: 'bruno' });
    });

    test('has no more of them at once', async () => {
      await auth.signUp('bodo');
      const outcomes = [];
      for (let minute = 0; minute < 2; minute += 1) {
        const codes = await Promise.all(Array.from({ length: 12 }, () => guess('bodo', 1, newAddress())));
        outcomes.push(codes.flat().filter((code) => code === 'invalid_credentials').length);
        await aMinutePasses();
      }
      expect(outcomes).toEqual([3, 1]);
    });

    test('learns nothing of a name: one without an account is limited alike', async () => {
      expect(await guess('nemo', 5)).toEqual([
        ...Array<string>(4).fill('invalid_credentials'),
        'rate_limited',
      ]);
    });

    test('is not who knows the password: that is no failure', async () => {
      await auth.signUp('beate');
      for (let logins = 0; logins < 6; logins += 1) {
        await auth.openToken('beate');
        await aMinutePasses();
      }
      expect(await guess('beate', 5)).toEqual([
        ...Array<string>(4).fill('invalid_credentials'),
        'rate_limited',
      ]);
    });
  });

  test('failures from an address that an account is known at count for that address only', async () => {
    const [home, work] = [newAddress(), newAddress()];
    await auth.signUp('boris');
    for (const address of [home, work]) await auth.signIn('boris', newPlace(), address);
    await aMinutePasses();
    const codes = await guess('boris', 3, work);
    await aMinutePasses();
    expect([...codes, ...(await guess('boris', 2, work))]).toEqual([
      ...Array<string>(4).fill('invalid_credentials'),
      'rate_limited',
    ]);
    for (const address of [home, newAddress()]) {
      expect(await auth.signIn('boris', newPlace(), address)).toMatchObject({ name: 'boris' });
    }
  });

  test('an address is known for 30 days, of an account the latest 32, and nobody can read which', async () => {
    await auth.signUp('bianca');
    const key = knownAddresses('bianca');
    const home = newAddress();
    const days = 24 * 60 * 60;
    const now = Math.floor(Date.now() / 1_000);
    const former = Array.from({ length: 40 }, (_, index) => [now - days - index, `former ${index}`]);
    await redis.run((commands) => commands.zadd(key, ...former.flat()));
    await auth.signIn('bianca', newPlace(), home);
    const known = await redis.run((commands) => commands.zrange(key, 0, -1));
    expect(known).toHaveLength(32);
    expect(known.join()).not.toContain(home);
    expect(await redis.run((commands) => commands.ttl(key))).toBeGreaterThan(29 * days);

    expect(await guess('bianca', 4)).toEqual(Array(4).fill('invalid_credentials'));
    expect(await auth.signIn('bianca', newPlace(), home)).toMatchObject({ name: 'bianca' });
    await redis.run((commands) => commands.zadd(key, now - 31 * days, known.at(-1)!));
    await expect(auth.signIn('bianca', newPlace(), home)).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test('tokens count as logins do', async () => {
    const home = newAddress();
    await auth.signUp('anton');
    await auth.openToken('anton', home);
    await auth.openToken('anton', home);
    const wrong = auth.openToken('anton', home, 'wrong password');
    await expect(wrong).rejects.toMatchObject({ code: 'invalid_credentials' });
    const refused = { code: 'rate_limited', details: { retryAfterMs: expect.any(Number) } };
    await expect(auth.openToken('anton', home)).rejects.toMatchObject(refused);
    await expect(auth.signIn('anton', newPlace(), home)).rejects.toMatchObject(refused);

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
    expect(await guess('nobody', 4, newAddress())).toEqual([
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

describe('with LOGIN_POLICY=multi', () => {
  const sessionMs = 60_000;
  const opened = new AsyncDisposableStack();
  let parley: Parley;
  let auth: ReturnType<typeof clientOf>;
  let redis: RedisStore;

  beforeAll(async () => {
    const environment = { LOGIN_POLICY: 'multi', SESSION_MS: String(sessionMs) };
    parley = opened.use(await startParley({ gateways: 0, environment }));
    const { redisUrl } = parley.stack.servers.addresses;
    redis = opened.use(await openRedis({ redisUrl, timeoutMs: 5_000, log: createLog('test', 'silent') }));
    auth = clientOf(parley);
    opened.use(await holdLease(parley.bus, gatewayId));
  });
  afterAll(() => opened.disposeAsync());

  const sessionKeyOf = ({ sessionId }: Session) => `parley:session:${sessionId}`;

  /** How long the key is kept, in ms; negative where it is not there, or for ever. */
  const keptMs = (key: string) => redis.run((commands) => commands.pttl(key));

  /** As though the sessions had not been used for so long that they have only so many ms left. */
  async function haveLeft(leftMs: number, ...sessions: Session[]): Promise<void> {
    for (const session of sessions) {
      expect(await redis.run((commands) => commands.pexpire(sessionKeyOf(session), leftMs))).toBe(1);
    }
  }

  /** As though the sessions had not been used for all of their time. */
  async function end(...sessions: Session[]): Promise<void> {
    await haveLeft(1, ...sessions);
    const keys = sessions.map(sessionKeyOf);
    await until('the sessions end', async () => (await redis.run((commands) => commands.exists(keys))) === 0);
  }

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
    const used = [touched, resumed, token];
    await haveLeft(sessionMs / 2, ...used);
    expect(await auth.touch(touched.sessionId)).toEqual({ ended: [] });
    expect(await auth.resume('frida', resumed.sessionKey, newPlace())).toEqual(resumed);
    expect(await auth.find(token.sessionKey)).toMatchObject({ sessionId: token.sessionId });
    for (const session of [...used, unused, unusedToken]) {
      const leftMs = await keptMs(sessionKeyOf(session));
      expect(leftMs).toBeGreaterThan(sessionMs / 2);
      expect(leftMs).toBeLessThanOrEqual(sessionMs);
    }
    await end(unused, unusedToken);
    const all = [touched, resumed, unused, token, unusedToken].map(({ sessionId }) => sessionId);
    expect(await auth.touch(...all)).toEqual({ ended: [unused.sessionId, unusedToken.sessionId] });
    const unknown = auth.find(unusedToken.sessionKey);
    await expect(unknown).rejects.toMatchObject({ code: 'not_authenticated' });
    const late = auth.resume('frida', unused.sessionKey, newPlace());
    await expect(late).rejects.toMatchObject({ code: 'invalid_credentials' });
  });

  describe('a session that is 30 days old is over, however it was used', () => {
    const days = 24 * 60 * 60 * 1_000;

    function sessionWasOpened(sessionId: string, agoMs: number): Promise<unknown> {
      const key = `parley:session:${sessionId}`;
      return redis.run((commands) => commands.hset(key, 'openedAt', Date.now() - agoMs));
    }

    test('for whoever asks for it, resumes it or keeps it open', async () => {
      await auth.signUp('gisela');
      const session = await auth.signIn('gisela', newPlace());
      const resumed = await auth.signIn('gisela', newPlace());
      const token = await auth.openToken('gisela');
      for (const { sessionId } of [session, resumed, token]) await sessionWasOpened(sessionId, 30 * days);
      const late = auth.resume('gisela', resumed.sessionKey, newPlace());
      await expect(late).rejects.toMatchObject({ code: 'invalid_credentials' });
      await expect(auth.find(token.sessionKey)).rejects.toMatchObject({ code: 'not_authenticated' });
      expect(await auth.touch(session.sessionId)).toEqual({ ended: [session.sessionId] });
      const left = await redis.run((commands) =>
        commands.exists([session, resumed, token].map(({ sessionId }) => `parley:session:${sessionId}`)),
      );
      expect(left).toBe(0);
    });

    test('and ends at that moment, not at its next use', async () => {
      await auth.signUp('gundula');
      const { sessionId } = await auth.signIn('gundula', newPlace());
      await sessionWasOpened(sessionId, 30 * days - 20_000);
      expect(await auth.touch(sessionId)).toEqual({ ended: [] });
      const leftMs = await keptMs(`parley:session:${sessionId}`);
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(20_000);
    });

    test('and one of which it is not known how old it is begins with its next use', async () => {
      await auth.signUp('gustav');
      const { sessionId } = await auth.signIn('gustav', newPlace());
      const key = `parley:session:${sessionId}`;
      await redis.run((commands) => commands.hdel(key, 'openedAt'));
      expect(await auth.touch(sessionId)).toEqual({ ended: [] });
      const openedAt = Number(await redis.run((commands) => commands.hget(key, 'openedAt')));
      expect(Math.abs(Date.now() - openedAt)).toBeLessThan(60_000);
    });
  });

  test.each([
    ['sessions', 'hans', (name: string) => auth.signIn(name, newPlace())],
    ['tokens', 'hella', (name: string) => auth.openToken(name)],
  ])('%s that ended by themselves leave nothing behind', async (_what, name, open) => {
    const user = await auth.signUp(name);
    const key = `parley:user-sessions:${user.userId}`;
    const known = () => redis.run((commands) => commands.smembers(key));
    const ended = await open(name);
    const used = await open(name);
    await end(ended);
    const fresh = await open(name);
    expect((await known()).sort()).toEqual([used.sessionId, fresh.sessionId].sort());
    // The list ends by itself, too, as long after its last use as the session that was used.
    await redis.run((commands) => commands.pexpire(key, sessionMs / 2));
    await auth.touch(used.sessionId);
    const leftMs = await keptMs(key);
    expect(leftMs).toBeGreaterThan(sessionMs / 2);
    expect(leftMs).toBeLessThanOrEqual(sessionMs);
  });
});
