import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createId } from '@parley/protocol';
import { startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, hear, newAddress, playGateway } from './testing.ts';
import type { PlayedGateway } from './testing.ts';

const opened = new AsyncDisposableStack();
let parley: Parley;
let auth: ReturnType<typeof clientOf>;
let gateway: PlayedGateway;

beforeAll(async () => {
  parley = opened.use(await startParley({ gateways: 0, instances: 2 }));
  auth = clientOf(parley);
  gateway = opened.use(await playGateway(parley.bus));
});
afterAll(() => opened.disposeAsync());

const notAuthenticated = { code: 'not_authenticated' };
const invalidCredentials = { code: 'invalid_credentials' };

test('a token says whose it is, however many its user has', async () => {
  const anna = await auth.signUp('anna');
  const tokens = [await auth.openToken('anna'), await auth.openToken('anna'), await auth.openToken('anna')];
  expect(new Set(tokens.map(({ sessionKey }) => sessionKey)).size).toBe(3);
  for (const { sessionKey, sessionId } of tokens) {
    expect(await auth.find(sessionKey)).toEqual({ ...anna, sessionId });
  }
  await expect(auth.find(`${tokens[0]!.sessionKey}x`)).rejects.toMatchObject(notAuthenticated);
});

test('an unknown user and a wrong password get the same answer and no token', async () => {
  await auth.signUp('berta');
  const answers = await Promise.all(
    [auth.openToken('berta', newAddress(), 'wrong password'), auth.openToken('nobody')].map((attempt) =>
      attempt.catch((error: unknown) => error),
    ),
  );
  expect(answers[0]).toMatchObject({ ...invalidCredentials, details: {} });
  expect(answers[1]).toEqual(answers[0]);
});

test('the session key of a login is a token too', async () => {
  const clara = await auth.signUp('clara');
  const { sessionKey, sessionId } = await auth.signIn('clara', gateway.open());
  expect(await auth.find(sessionKey)).toEqual({ ...clara, sessionId });
});

test('a token is in no login’s way, and no login ends it', async () => {
  await auth.signUp('dora');
  const early = await auth.openToken('dora');
  const lost = gateway.open();
  const former = await auth.signIn('dora', lost);
  const late = await auth.openToken('dora');
  await expect(auth.signIn('dora', gateway.open())).rejects.toMatchObject({ code: 'already_logged_in' });

  gateway.lose(lost);
  const session = await auth.signIn('dora', gateway.open());
  const { ended } = await auth.touch(early.sessionId, former.sessionId, late.sessionId, session.sessionId);
  expect(ended).toEqual([former.sessionId]);
});

test('a token that a connection resumes becomes its login', async () => {
  const emma = await auth.signUp('emma');
  const token = await auth.openToken('emma');
  const other = await auth.openToken('emma');
  const events = await hear(parley.bus, emma);
  const place = gateway.open();
  expect(await auth.resume('emma', token.sessionKey, place)).toEqual(token);
  await until('connections of the token hear of it', () => events.length > 0);
  expect(events).toEqual([
    {
      type: 'connections-ended',
      userId: emma.userId,
      sessionIds: [token.sessionId],
      reason: 'resumed',
      except: place.connectionId,
    },
  ]);
  await expect(auth.signIn('emma', gateway.open())).rejects.toMatchObject({ code: 'already_logged_in' });
  expect(await auth.find(token.sessionKey)).toMatchObject(emma);

  await auth.release(emma, place);
  await auth.signIn('emma', gateway.open());
  await expect(auth.find(token.sessionKey)).rejects.toMatchObject(notAuthenticated);
  expect(await auth.find(other.sessionKey)).toMatchObject(emma);
});

test('resuming a token takes over from another login at once', async () => {
  const flora = await auth.signUp('flora');
  const [first, second] = [gateway.open(), gateway.open()];
  const login = await auth.signIn('flora', first);
  const token = await auth.openToken('flora');
  const events = await hear(parley.bus, flora);
  await auth.resume('flora', token.sessionKey, second);
  await until('both are told', () => events.length > 1);
  const told = { type: 'connections-ended', userId: flora.userId, except: second.connectionId };
  expect(events).toEqual([
    { ...told, sessionIds: [token.sessionId], reason: 'resumed' },
    { ...told, sessionIds: [login.sessionId], reason: 'taken-over' },
  ]);
  expect(gateway.probed).not.toContain(first.connectionId);
  expect(await auth.touch(login.sessionId, token.sessionId)).toEqual({ ended: [login.sessionId] });
});

test('of sessions that are resumed at once one is left', async () => {
  await auth.signUp('gerda');
  const tokens = await Promise.all(Array.from({ length: 8 }, () => auth.openToken('gerda')));
  const attempts = await Promise.allSettled(
    tokens.map(({ sessionKey }) => auth.resume('gerda', sessionKey, gateway.open())),
  );
  expect(attempts.some(({ status }) => status === 'fulfilled')).toBe(true);
  const logins = tokens.filter((_token, index) => attempts[index]!.status === 'fulfilled');
  const { ended } = await auth.touch(...logins.map(({ sessionId }) => sessionId));
  expect(ended).toHaveLength(logins.length - 1);
});

test('a token that is ended over HTTP is over for all its connections', async () => {
  const hanna = await auth.signUp('hanna');
  const [ended, kept] = [await auth.openToken('hanna'), await auth.openToken('hanna')];
  const events = await hear(parley.bus, hanna);
  await auth.logOut({ ...hanna, sessionId: ended.sessionId });
  await until('the end is told', () => events.length > 0);
  expect(events).toEqual([
    {
      type: 'connections-ended',
      userId: hanna.userId,
      sessionIds: [ended.sessionId],
      reason: 'session-ended',
    },
  ]);
  await expect(auth.find(ended.sessionKey)).rejects.toMatchObject(notAuthenticated);
  const late = auth.resume('hanna', ended.sessionKey, gateway.open());
  await expect(late).rejects.toMatchObject(invalidCredentials);
  expect(await auth.find(kept.sessionKey)).toMatchObject(hanna);
});

test('a guest has no session to end', async () => {
  const guest = { userId: createId('guest'), name: 'ida', connectionId: createId('connection') };
  await expect(auth.logOut(guest)).rejects.toMatchObject({ code: 'forbidden' });
});
