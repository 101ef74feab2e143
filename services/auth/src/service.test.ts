import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  createId,
  endSession,
  findRole,
  findUsers,
  logIn,
  register,
  releaseConnections,
  renewConnectionLease,
  resumeSession,
  setRole,
  touchSessions,
} from '@parley/protocol';
import type {
  AccountRole,
  Caller,
  ConnectionPlace,
  ReplyOf,
  SessionId,
  User,
  UserId,
} from '@parley/protocol';
import { createContext, createLog, Database, openRedis } from '@parley/service-kit';
import type { RedisStore } from '@parley/service-kit';
import { answerMs, password, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { hear, holdLease, playGateway } from './testing.ts';
import type { PlayedGateway } from './testing.ts';

type Session = ReplyOf<typeof logIn>;

const address = '192.0.2.1';
const opened = new AsyncDisposableStack();
let parley: Parley;
let gateway: PlayedGateway;
let redis: RedisStore;
let database: Database;

beforeAll(async () => {
  parley = opened.use(await startParley({ gateways: 0, instances: 2 }));
  const { redisUrl, databaseUrl } = parley.stack.servers.addresses;
  const log = createLog('test', 'silent');
  redis = opened.use(await openRedis({ redisUrl, timeoutMs: 5_000, log }));
  database = opened.use(new Database({ databaseUrl, connections: 1, timeoutMs: 5_000, log }));
  gateway = opened.use(await playGateway(parley.bus));
});
afterAll(() => opened.disposeAsync());

function signUp(name: string, secret = password): Promise<User> {
  return parley.bus.call(register, { name, password: secret, address }, createContext(answerMs));
}

function signIn(name: string, place: ConnectionPlace, secret = password): Promise<Session> {
  return parley.bus.call(logIn, { name, password: secret, address, place }, createContext(answerMs));
}

function resume(name: string, sessionKey: string, place: ConnectionPlace): Promise<Session> {
  return parley.bus.call(resumeSession, { name, sessionKey, address, place }, createContext(answerMs));
}

function logOut({ userId, name, sessionId }: Session, { connectionId }: ConnectionPlace): Promise<object> {
  const caller: Caller = { userId, name, sessionId, connectionId };
  return parley.bus.call(endSession, {}, createContext(answerMs, caller));
}

function touch(...sessionIds: SessionId[]): Promise<{ ended: SessionId[] }> {
  const sessions = sessionIds.map((sessionId) => ({ sessionId }));
  return parley.bus.call(touchSessions, { sessions }, createContext(answerMs));
}

function release({ userId }: User, place: ConnectionPlace): Promise<object> {
  return parley.bus.call(releaseConnections, { connections: [{ userId, place }] }, createContext(answerMs));
}

async function roleOf(userId: UserId): Promise<AccountRole> {
  return (await parley.bus.call(findRole, { userId }, createContext(answerMs))).role;
}

function giveRole(name: string, role: AccountRole): Promise<object> {
  return parley.bus.call(setRole, { name, role }, createContext(answerMs));
}

async function allRefused(code: string, attempts: Promise<unknown>[]): Promise<void> {
  await Promise.all(attempts.map((attempt) => expect(attempt).rejects.toMatchObject({ code })));
}

/** Everything that Redis holds, as text. */
function redisContents(): Promise<string> {
  return redis.run(async (commands) => {
    const keys = await commands.keys('*');
    const values = keys.map(async (key) => {
      const type = await commands.type(key);
      if (type === 'hash') return commands.hgetall(key);
      return type === 'set' ? commands.smembers(key) : commands.get(key);
    });
    return JSON.stringify([keys, await Promise.all(values)]);
  });
}

test('an account is kept with the argon2id hash of its password, and never the password', async () => {
  const anna = await signUp('anna');
  const rows = await database.query<Record<string, string>>({
    name: 'account',
    text: 'select * from auth.account where id = $1',
    values: [anna.userId],
  });
  expect(rows).toMatchObject([{ name: 'anna' }]);
  expect(rows[0]!.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(JSON.stringify(rows)).not.toContain(password);
});

test('a name is taken once, also when many ask for it at once; its owner keeps the password', async () => {
  const attempts = await Promise.allSettled(
    Array.from({ length: 8 }, (_, index) => signUp('berta', `berta's password ${index}`)),
  );
  const winner = attempts.findIndex(({ status }) => status === 'fulfilled');
  expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const attempt of attempts.filter(({ status }) => status === 'rejected')) {
    expect(attempt).toMatchObject({ reason: { code: 'username_taken' } });
  }
  const session = await signIn('berta', gateway.open(), `berta's password ${winner}`);
  expect(session.name).toBe('berta');
});

test('names are case-sensitive, and only taken in their stored form', async () => {
  const [lower, upper] = await Promise.all([signUp('céline'), signUp('CÉLINE')]);
  expect(lower.userId).not.toBe(upper.userId);
  const decomposed = signUp('ce\u0301line');
  await expect(decomposed).rejects.toMatchObject({ code: 'invalid_field', details: { field: 'name' } });
});

test('a password shorter than 8 characters is refused, and no account is made', async () => {
  const refused = signUp('dora', '1234567');
  await expect(refused).rejects.toMatchObject({ code: 'invalid_field', details: { field: 'password' } });
  const found = await parley.bus.call(findUsers, { names: ['dora'] }, createContext(answerMs));
  expect(found).toEqual({ users: [] });
});

test('users are found by their exact names; unknown ones are left out', async () => {
  const emil = await signUp('emil');
  const names = ['Emil', 'emil', 'nobody at all'];
  const found = await parley.bus.call(findUsers, { names }, createContext(answerMs));
  expect(found).toEqual({ users: [emil] });
});

test('an account is a member until an operator makes it an admin, and again afterwards', async () => {
  const [erna, other] = [await signUp('erna'), await signUp('ernestine')];
  expect(await roleOf(erna.userId)).toBe('member');
  await giveRole('erna', 'admin');
  expect([await roleOf(erna.userId), await roleOf(other.userId)]).toEqual(['admin', 'member']);
  await giveRole('erna', 'member');
  expect(await roleOf(erna.userId)).toBe('member');
});

test('guests and unknown users are members, and can’t be given a role', async () => {
  expect(await roleOf(createId('guest'))).toBe('member');
  expect(await roleOf(createId('user'))).toBe('member');
  const unknown = giveRole('no one', 'admin');
  await expect(unknown).rejects.toMatchObject({ code: 'user_not_found', details: { users: ['no one'] } });
});

test('an unknown user and a wrong password get the same answer', async () => {
  await signUp('frida');
  const answers = await Promise.all(
    [signIn('frida', gateway.open(), 'wrong password'), signIn('nobody', gateway.open())].map((attempt) =>
      attempt.catch((error: unknown) => error),
    ),
  );
  expect(answers[0]).toMatchObject({ code: 'invalid_credentials', details: {} });
  expect(answers[1]).toEqual(answers[0]);
});

test('Redis holds a hash of the session key, and not the key', async () => {
  const gustav = await signUp('gustav');
  const session = await signIn('gustav', gateway.open());
  expect(session).toMatchObject(gustav);
  expect(session.sessionId).toBe(createHash('sha256').update(session.sessionKey).digest('hex'));
  const contents = await redisContents();
  expect(contents).toContain(session.sessionId);
  expect(contents).not.toContain(session.sessionKey);
  expect(contents).not.toContain(password);
});

test('a second login is refused while the first connection answers', async () => {
  const hans = await signUp('hans');
  const first = gateway.open();
  const session = await signIn('hans', first);
  const events = await hear(parley.bus, hans);
  await expect(signIn('hans', gateway.open())).rejects.toMatchObject({ code: 'already_logged_in' });
  expect(gateway.probed).toContain(first.connectionId);
  expect(await touch(session.sessionId)).toEqual({ ended: [] });
  await parley.bus.flush();
  expect(events).toEqual([]);
});

test('a wrong password does not even have the live connection probed', async () => {
  await signUp('ida');
  const first = gateway.open();
  await signIn('ida', first);
  const wrong = signIn('ida', gateway.open(), 'wrong password');
  await expect(wrong).rejects.toMatchObject({ code: 'invalid_credentials' });
  expect(gateway.probed).not.toContain(first.connectionId);
});

test('a second login takes over where the first connection does not answer', async () => {
  const jan = await signUp('jan');
  const [first, second] = [gateway.open(), gateway.open()];
  const former = await signIn('jan', first);
  gateway.lose(first);
  const events = await hear(parley.bus, jan);
  const session = await signIn('jan', second);
  await until('the end of the first connection is told', () => events.length > 0);
  expect(events).toEqual([
    {
      type: 'connections-ended',
      userId: jan.userId,
      sessionIds: [former.sessionId],
      reason: 'taken-over',
      except: second.connectionId,
    },
  ]);
  expect(await touch(former.sessionId, session.sessionId)).toEqual({ ended: [former.sessionId] });
});

test('a second login takes over where the first one’s gateway has a lease but does not answer', async () => {
  await signUp('karl');
  const silent = { connectionId: createId('connection'), gatewayId: createId('gateway') };
  opened.use(await holdLease(parley.bus, silent.gatewayId));
  await signIn('karl', silent);
  expect(await signIn('karl', gateway.open())).toMatchObject({ name: 'karl' });
});

test('of logins that find a dead connection at once, one takes over and the others are refused', async () => {
  await signUp('lena');
  const lost = gateway.open();
  await signIn('lena', lost);
  gateway.lose(lost);
  const attempts = await Promise.allSettled(Array.from({ length: 4 }, () => signIn('lena', gateway.open())));
  const codes = attempts.map((attempt) =>
    attempt.status === 'fulfilled' ? 'logged in' : (attempt.reason as { code: string }).code,
  );
  expect(codes.sort()).toEqual(['already_logged_in', 'already_logged_in', 'already_logged_in', 'logged in']);
});

test('a session that another connection has resumed is over for the one before', async () => {
  await signUp('nelly');
  const [first, second] = [gateway.open(), gateway.open()];
  const { sessionId, sessionKey } = await signIn('nelly', first);
  await resume('nelly', sessionKey, second);
  const touchFrom = ({ connectionId }: ConnectionPlace) =>
    parley.bus.call(touchSessions, { sessions: [{ sessionId, connectionId }] }, createContext(answerMs));
  expect(await touchFrom(first)).toEqual({ ended: [sessionId] });
  expect(await touchFrom(second)).toEqual({ ended: [] });
});

test('a connection that never heard of its login may try again', async () => {
  await signUp('mia');
  const place = gateway.open();
  const unheard = await signIn('mia', place);
  const session = await signIn('mia', place);
  expect(await touch(unheard.sessionId, session.sessionId)).toEqual({ ended: [unheard.sessionId] });
});

test('the user of a gateway that fell silent is free when its lease is over, without a probe', async () => {
  const nora = await signUp('nora');
  const silent = opened.use(await playGateway(parley.bus));
  const place = silent.open();
  await signIn('nora', place);
  await expect(signIn('nora', gateway.open())).rejects.toMatchObject({ code: 'already_logged_in' });
  silent.stopRenewing();
  const leaseKey = `parley:gateway-lease:${silent.gatewayId}`;
  // As though it had been silent for most of its lease. A renewal that is under way yet gives it back whole.
  await redis.run((commands) => commands.pexpire(leaseKey, 1_000));
  await until(
    'the lease is over',
    async () => (await redis.run((commands) => commands.get(leaseKey))) === null,
  );
  expect(await signIn('nora', gateway.open())).toMatchObject(nora);
  expect(silent.probed).toEqual([place.connectionId]);
});

test('a lease is known while it is renewed, and unknown at first and after it was lost', async () => {
  const gatewayId = createId('gateway');
  const renew = () => parley.bus.call(renewConnectionLease, { gatewayId }, createContext(answerMs));
  expect(await renew()).toMatchObject({ known: false });
  expect(await renew()).toMatchObject({ known: true });
  await redis.run((commands) => commands.del(`parley:gateway-lease:${gatewayId}`));
  expect(await renew()).toMatchObject({ known: false });
});

test('a released connection stands in nobody’s way, and its session may still be resumed', async () => {
  const olga = await signUp('olga');
  const [first, second] = [gateway.open(), gateway.open()];
  const session = await signIn('olga', first);
  await release(olga, first);
  expect(await resume('olga', session.sessionKey, second)).toEqual(session);
  // The late news of the first connection's end does not unbind the second.
  await release(olga, first);
  await expect(signIn('olga', gateway.open())).rejects.toMatchObject({ code: 'already_logged_in' });
  await release(olga, second);
  expect(await signIn('olga', gateway.open())).toMatchObject(olga);
});

test('a new password login ends the older session', async () => {
  const paul = await signUp('paul');
  const [first, second] = [gateway.open(), gateway.open()];
  const older = await signIn('paul', first);
  await release(paul, first);
  await signIn('paul', second);
  const late = resume('paul', older.sessionKey, gateway.open());
  await expect(late).rejects.toMatchObject({ code: 'invalid_credentials' });
});

test('resuming binds the session to the new connection at once and sends the former one away', async () => {
  const quinn = await signUp('quinn');
  const [first, second] = [gateway.open(), gateway.open()];
  const session = await signIn('quinn', first);
  const events = await hear(parley.bus, quinn);
  expect(await resume('quinn', session.sessionKey, second)).toEqual(session);
  expect(gateway.probed).not.toContain(first.connectionId);
  await until('the former connection is sent away', () => events.length > 0);
  expect(events).toEqual([
    {
      type: 'connections-ended',
      userId: quinn.userId,
      sessionIds: [session.sessionId],
      reason: 'resumed',
      except: second.connectionId,
    },
  ]);
  await expect(signIn('quinn', gateway.open())).rejects.toMatchObject({ code: 'already_logged_in' });
  expect(gateway.probed).toContain(second.connectionId);
});

test('a session key is good for its own user only', async () => {
  const rosa = await signUp('rosa');
  await signUp('sven');
  const place = gateway.open();
  const { sessionKey } = await signIn('rosa', place);
  const events = await hear(parley.bus, rosa);
  await allRefused('invalid_credentials', [
    resume('sven', sessionKey, gateway.open()),
    resume('rosa', `${sessionKey}x`, gateway.open()),
    resume('nobody', sessionKey, gateway.open()),
  ]);
  await parley.bus.flush();
  expect(events).toEqual([]);
});

test('a session that was ended is over everywhere, and its user may log in again', async () => {
  const tina = await signUp('tina');
  const place = gateway.open();
  const session = await signIn('tina', place);
  const events = await hear(parley.bus, tina);
  await logOut(session, place);
  await until('the end is told', () => events.length > 0);
  expect(events).toEqual([
    {
      type: 'connections-ended',
      userId: tina.userId,
      sessionIds: [session.sessionId],
      reason: 'session-ended',
      except: place.connectionId,
    },
  ]);
  expect(await touch(session.sessionId)).toEqual({ ended: [session.sessionId] });
  const late = resume('tina', session.sessionKey, gateway.open());
  await expect(late).rejects.toMatchObject({ code: 'invalid_credentials' });
  expect(await signIn('tina', gateway.open())).toMatchObject(tina);
});

test('when Redis is emptied the sessions are gone and the accounts stay', async () => {
  const uwe = await signUp('uwe');
  const place = gateway.open();
  const session = await signIn('uwe', place);
  await redis.run((commands) => commands.flushall());
  expect(await touch(session.sessionId)).toEqual({ ended: [session.sessionId] });
  const late = resume('uwe', session.sessionKey, gateway.open());
  await expect(late).rejects.toMatchObject({ code: 'invalid_credentials' });
  expect(await signIn('uwe', gateway.open())).toMatchObject(uwe);
});

/** Each has found its way back to Redis and Postgres by itself: the next request may go to any. */
async function instancesReady(): Promise<void> {
  await Promise.all(parley.stack.services.auth.map((instance) => instance.ready()));
}

test('while Redis is away logging in is unavailable; then everything works again, with the sessions there were', async () => {
  const vera = await signUp('vera');
  const place = gateway.open();
  const session = await signIn('vera', place);
  const server = parley.stack.servers.redis!;
  // Appended commands reach the disk each second; a clean stop writes what is left.
  await server.stop();
  await allRefused('unavailable', [
    signIn('vera', gateway.open()),
    resume('vera', session.sessionKey, gateway.open()),
    touch(session.sessionId),
  ]);
  await server.start();
  await instancesReady();
  await until('the session can be resumed', () =>
    resume('vera', session.sessionKey, gateway.open()).then(
      ({ userId }) => userId === vera.userId,
      () => false,
    ),
  );
});

test('while Postgres is away registering and logging in are unavailable; then the accounts are there', async () => {
  const willi = await signUp('willi');
  await parley.stack.servers.postgres!.stop();
  await allRefused('unavailable', [signUp('xaver'), signIn('willi', gateway.open())]);
  await parley.stack.servers.postgres!.start();
  await instancesReady();
  await until('logging in works again', () =>
    signIn('willi', gateway.open()).then(
      ({ userId }) => userId === willi.userId,
      () => false,
    ),
  );
  expect(await signUp('xaver')).toMatchObject({ name: 'xaver' });
});

test('when one instance is killed the other answers', async () => {
  const yara = await signUp('yara');
  await parley.stack.services.auth[0]!.stop();
  expect(await signIn('yara', gateway.open())).toMatchObject(yara);
  await parley.stack.services.auth[1]!.stop();
  await expect(signIn('yara', gateway.open())).rejects.toMatchObject({ code: 'unavailable' });
});
