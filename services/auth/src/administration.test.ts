import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  addAccount,
  createId,
  disableAccount,
  enableAccount,
  endAccountSessions,
  listAccounts,
  setPassword,
  setRole,
} from '@parley/protocol';
import type { AccountRecord, Method, ReplyOf, RequestOf } from '@parley/protocol';
import { createContext, createLog, openRedis } from '@parley/service-kit';
import type { RedisStore } from '@parley/service-kit';
import { answerMs, password, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, hear, newAddress, playGateway } from './testing.ts';
import type { PlayedGateway } from './testing.ts';

const opened = new AsyncDisposableStack();
let parley: Parley;
let auth: ReturnType<typeof clientOf>;
let gateway: PlayedGateway;
let redis: RedisStore;

beforeAll(async () => {
  parley = opened.use(await startParley({ gateways: 1, instances: 2 }));
  auth = clientOf(parley);
  gateway = opened.use(await playGateway(parley.bus));
  const { redisUrl } = parley.stack.servers.addresses;
  redis = opened.use(await openRedis({ redisUrl, timeoutMs: 5_000, log: createLog('test', 'silent') }));
});
afterAll(() => opened.disposeAsync());

const disabled = { code: 'forbidden', message: 'This account is disabled.' };
const invalidCredentials = { code: 'invalid_credentials' };
const notAuthenticated = { code: 'not_authenticated' };

function ask<M extends Method>(method: M, request: RequestOf<M>): Promise<ReplyOf<M>> {
  return parley.bus.call(method, request, createContext(answerMs));
}

async function recordOf(name: string): Promise<AccountRecord | undefined> {
  const { accounts } = await ask(listAccounts, { limit: 1_000 });
  return accounts.find((account) => account.name === name);
}

describe('a disabled account', () => {
  test('can neither log in nor get a token, and hears why once it has said the right password', async () => {
    await auth.signUp('anna');
    await ask(disableAccount, { name: 'anna' });
    await expect(auth.signIn('anna', gateway.open())).rejects.toMatchObject(disabled);
    await expect(auth.openToken('anna')).rejects.toMatchObject(disabled);
    const wrong = auth.signIn('anna', gateway.open(), newAddress(), 'wrong password');
    await expect(wrong).rejects.toMatchObject(invalidCredentials);
    const alsoWrong = auth.openToken('anna', newAddress(), 'wrong password');
    await expect(alsoWrong).rejects.toMatchObject(invalidCredentials);
  });

  test('has no session left, and its connections of all dialects close with 4003 at once', async () => {
    const login = await parley.logIn('berta');
    const token = await parley.getToken('berta');
    const roomId = await parley.createPublicRoom('Berta’s', 'carla');
    const join = await parley.connectJoin({ token });
    join.send({ action: 'join', username: 'berta', roomId });
    await join.event('joined');
    const other = await parley.logIn('carla');

    const { endedSessions } = await ask(disableAccount, { name: 'berta' });
    expect(endedSessions).toBe(2);
    expect(await Promise.all([login.closed, join.closed])).toEqual([4003, 4003]);
    await expect(auth.find(token)).rejects.toMatchObject(notAuthenticated);
    const resumed = auth.resume('berta', login.sessionKey, gateway.open());
    await expect(resumed).rejects.toMatchObject(invalidCredentials);
    expect(await other.request('get_rooms')).toMatchObject({ status: 'success' });
  });

  test('cannot resume a session that is back because Redis lost its end', async () => {
    const dora = await auth.signUp('dora');
    const { sessionId, sessionKey } = await auth.signIn('dora', gateway.open());
    const keys = [`parley:session:${sessionId}`, `parley:user-sessions:${dora.userId}`] as const;
    const kept = await redis.run((commands) => Promise.all(keys.map((key) => commands.dumpBuffer(key))));
    await ask(disableAccount, { name: 'dora' });
    await redis.run((commands) =>
      Promise.all(keys.map((key, index) => commands.restore(key, 0, kept[index]!))),
    );
    const events = await hear(parley.bus, dora);
    await expect(auth.resume('dora', sessionKey, gateway.open())).rejects.toMatchObject(disabled);
    await until('its end is told', () => events.length > 0);
    expect(events).toMatchObject([{ sessionIds: [sessionId], reason: 'session-ended' }]);
    await expect(auth.find(sessionKey)).rejects.toMatchObject(notAuthenticated);
  });

  test('has no session left however many logins are under way', async () => {
    await auth.signUp('edith');
    const logins = Array.from({ length: 8 }, () => auth.openToken('edith'));
    await logins[0];
    await ask(disableAccount, { name: 'edith' });
    await Promise.allSettled(logins);
    expect((await recordOf('edith'))!.sessions).toBe(0);
  });

  test('may log in again, with the password it had, once it is enabled', async () => {
    await auth.signUp('frieda');
    await ask(disableAccount, { name: 'frieda' });
    const { disabledAt } = (await recordOf('frieda'))!;
    expect(Date.parse(disabledAt!)).not.toBeNaN();
    await ask(disableAccount, { name: 'frieda' });
    expect((await recordOf('frieda'))!.disabledAt).toBe(disabledAt);
    await ask(enableAccount, { name: 'frieda' });
    await ask(enableAccount, { name: 'frieda' });
    expect((await recordOf('frieda'))!.disabledAt).toBeNull();
    expect(await auth.signIn('frieda', gateway.open())).toMatchObject({ name: 'frieda' });
  });
});

describe('another password', () => {
  test('replaces the former one, and ends what was opened with that', async () => {
    await auth.signUp('gerda');
    const [session, token] = [await auth.signIn('gerda', gateway.open()), await auth.openToken('gerda')];
    expect(await ask(setPassword, { name: 'gerda', password: 'new password' })).toEqual({ endedSessions: 2 });
    expect(await auth.touch(session.sessionId, token.sessionId)).toEqual({
      ended: [session.sessionId, token.sessionId],
    });
    const former = auth.signIn('gerda', gateway.open());
    await expect(former).rejects.toMatchObject(invalidCredentials);
    const secret = 'new password';
    expect(await auth.signIn('gerda', gateway.open(), newAddress(), secret)).toMatchObject({ name: 'gerda' });
  });

  test('leaves no session of the former one, however many logins are under way', async () => {
    await auth.signUp('hella');
    const logins = Array.from({ length: 8 }, () => auth.openToken('hella'));
    await logins[0];
    await ask(setPassword, { name: 'hella', password: 'new password' });
    await Promise.allSettled(logins);
    expect((await recordOf('hella'))!.sessions).toBe(0);
  });

  test('has to be one', async () => {
    await auth.signUp('ida');
    const refused = ask(setPassword, { name: 'ida', password: '1234567' });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_field', details: { field: 'password' } });
    expect(await auth.signIn('ida', gateway.open())).toMatchObject({ name: 'ida' });
  });
});

describe('an operator', () => {
  test('makes an account, unless the name is taken, also by a guest', async () => {
    const judith = await ask(addAccount, { name: 'judith', password });
    expect(await auth.signIn('judith', gateway.open())).toMatchObject(judith);
    const guest = await parley.connectIdentify();
    await guest.identify('karla');
    for (const name of ['judith', 'karla']) {
      await expect(ask(addAccount, { name, password })).rejects.toMatchObject({ code: 'username_taken' });
    }
  });

  test('ends all sessions of an account, which is told, and may log in again at once', async () => {
    const lena = await auth.signUp('lena');
    const sessions = [await auth.signIn('lena', gateway.open()), await auth.openToken('lena')];
    const events = await hear(parley.bus, lena);
    expect(await ask(endAccountSessions, { name: 'lena' })).toEqual({ endedSessions: 2 });
    await until('the end is told', () => events.length > 0);
    expect(events).toMatchObject([{ type: 'connections-ended', reason: 'session-ended' }]);
    const { sessionIds } = events[0] as { sessionIds: string[] };
    expect([...sessionIds].sort()).toEqual(sessions.map(({ sessionId }) => sessionId).sort());
    expect(await ask(endAccountSessions, { name: 'lena' })).toEqual({ endedSessions: 0 });
    expect(await auth.signIn('lena', gateway.open())).toMatchObject(lena);
  });

  test('hears that there is no such account', async () => {
    const name = 'no one';
    const orders = [
      ask(setPassword, { name, password }),
      ask(disableAccount, { name }),
      ask(enableAccount, { name }),
      ask(endAccountSessions, { name }),
    ];
    const unknown = { code: 'user_not_found', details: { users: [name] } };
    await Promise.all(orders.map((order) => expect(order).rejects.toMatchObject(unknown)));
  });

  test('lists all accounts by name, page by page, with role, sessions and since when', async () => {
    const names = ['Ä', 'mona 1', 'mona 2', 'mona 3', createId('user')];
    for (const name of names) await auth.signUp(name);
    await ask(setRole, { name: 'mona 2', role: 'admin' });
    await auth.openToken('mona 2');
    const { accounts: all, hasMore } = await ask(listAccounts, { limit: 1_000 });
    expect(hasMore).toBe(false);
    const listed: AccountRecord[] = [];
    for (let isMore = true; isMore;) {
      const after = listed.at(-1)?.name;
      const page = await ask(listAccounts, { limit: 2, ...(after !== undefined && { after }) });
      expect(page.accounts.length).toBeLessThanOrEqual(2);
      listed.push(...page.accounts);
      isMore = page.hasMore;
    }
    expect(listed).toEqual(all);
    const listedNames = listed.map(({ name }) => name);
    expect(listedNames).toEqual([...listedNames].sort());
    expect(listedNames).toEqual(expect.arrayContaining(names));
    expect(listed.find(({ name }) => name === 'mona 2')).toEqual({
      userId: expect.stringMatching(/^user_/),
      name: 'mona 2',
      role: 'admin',
      sessions: 1,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      disabledAt: null,
    });
  });
});
