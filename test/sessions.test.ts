import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { password, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';

describe('under LOGIN_POLICY=single', () => {
  let parley: Parley;
  beforeAll(async () => {
    parley = await startParley({ gateways: 2, environment: { GATEWAY_LEASE_MS: '3000', DRAIN_MS: '2000' } });
  });
  afterAll(async () => {
    await parley[Symbol.asyncDispose]();
  });

  test('a second login is refused while the first connection answers, on either gateway', async () => {
    const first = await parley.logIn('anna', 0);
    for (const gateway of [0, 1]) {
      const second = await parley.connect(gateway);
      const refused = await second.request('login', { chatid: 'anna', password });
      expect(refused).toMatchObject({
        action: 'login_fail',
        original_action: 'login',
        status: 'error',
        code: 'already_logged_in',
      });
      expect(await second.request('get_rooms')).toMatchObject({ code: 'not_authenticated' });
    }
    expect(await first.ask('get_rooms')).toEqual({ rooms: [] });
  });

  test('a connection that does not answer a probe is taken over', async () => {
    const first = await parley.logIn('berta', 0);
    first.socket.pause();
    const second = await parley.connect(1);
    await second.logIn('berta', { password });
    first.socket.resume();
    expect(await first.closed).toBe(4001);
    expect(await second.ask('get_rooms')).toEqual({ rooms: [] });
  });

  test('after the connection is closed its user may log in at once', async () => {
    const first = await parley.logIn('clara', 0);
    await first.close();
    const second = await parley.connect(1);
    await until(
      'the login',
      async () => (await second.request('login', { chatid: 'clara', password })).status === 'success',
    );
  });

  test('a session key resumes the session and takes its connection over at once', async () => {
    const first = await parley.logIn('dora', 0);
    const second = await parley.connect(1);
    await second.logIn('dora', { session_key: first.sessionKey });
    expect(second.sessionKey).toBe(first.sessionKey);
    expect(await first.closed).toBe(4001);
    expect(await second.ask('get_rooms')).toEqual({ rooms: [] });
  });

  test('a wrong or foreign session key is as wrong as a wrong password', async () => {
    const { sessionKey } = await parley.logIn('emil');
    const client = await parley.connect();
    const wrong = [
      { chatid: 'emil', session_key: 'nonsense' },
      { chatid: 'somebody', session_key: sessionKey },
      { chatid: 'emil', password: 'wrong password' },
      { chatid: 'nobody at all', password },
    ];
    const answers = [];
    for (const data of wrong) answers.push(await client.request('login', data));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ action: 'login_fail', code: 'invalid_credentials' });
  });

  test('logout ends the session everywhere; the connection may log in again', async () => {
    const client = await parley.logIn('fritz', 0);
    const { sessionKey } = client;
    await client.ask('create_room', { room_name: 'Mine', participants: [] });
    expect(await client.ask('logout')).toEqual({ chatid: 'fritz' });
    expect(await client.request('get_rooms')).toMatchObject({ code: 'not_authenticated' });
    const other = await parley.connect(1);
    const resumed = await other.request('login', { chatid: 'fritz', session_key: sessionKey });
    expect(resumed).toMatchObject({ action: 'login_fail', code: 'invalid_credentials' });
    await client.logIn('fritz', { password });
    expect((await client.ask('get_rooms')).rooms).toHaveLength(1);
  });

  test('a token that was ended after a connection was opened with it makes that nobody', async () => {
    const roomId = await parley.createPublicRoom('Late', 'greta');
    const token = await parley.getToken('greta');
    const client = await parley.connectJoin({ token });
    await fetch(`${parley.stack.gateways[1]!.url}/api/logout`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    const refused = await client.request('join', { username: 'greta', roomId });
    expect(refused).toMatchObject({ action: 'error', code: 'not_authenticated' });
  });

  test('one connection has one session at a time', async () => {
    const client = await parley.logIn('greta');
    expect(await client.request('login', { chatid: 'greta', password })).toMatchObject({
      code: 'already_logged_in',
    });
  });

  test('the user of a gateway that dies is free once its lease is over, and is not shown online', async () => {
    const watcher = await parley.logIn('watcher', 1);
    const first = await parley.logIn('hanna', 0);
    const { room_id } = await watcher.ask('create_room', { room_name: 'Watch', participants: ['hanna'] });
    await first.event('user_added');
    const isOnline = async () =>
      (await watcher.ask('get_room_users', { room_id })).users.find(({ chatid }: any) => chatid === 'hanna')
        .online;
    await until('hanna is online', isOnline);
    await parley.stack.gateways[0]!.kill('SIGKILL');
    const second = await parley.connect(1);
    await until(
      'the login',
      async () => (await second.request('login', { chatid: 'hanna', password })).status === 'success',
    );
    await second.close();
    await until('hanna is offline', async () => !(await isOnline()));
    await parley.stack.gateways[0]!.ready();
  });

  test('a gateway that was frozen while its users moved on sends their old connections away', async () => {
    const frozen = parley.stack.gateways[0]!;
    const first = await parley.logIn('inge', 0);
    frozen.signal('SIGSTOP');
    const second = await parley.connect(1);
    await second.logIn('inge', { session_key: first.sessionKey });
    frozen.signal('SIGCONT');
    expect([4001, 4003]).toContain(await first.closed);
    expect(await second.ask('get_rooms')).toEqual({ rooms: [] });
    await frozen.ready();
  });

  test('a gateway that is told to stop finishes what it has in hand, says 1001, and its users move on', async () => {
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, index) => parley.logIn(`mover${index}`, 0)),
    );
    const { room_id } = await clients[0]!.ask('create_room', {
      room_name: 'Moving',
      participants: clients.slice(1).map(({ name }) => name),
    });
    const inHand = clients.map((client) => client.request('send_message', { room_id, content: client.name }));
    parley.stack.gateways[0]!.signal('SIGTERM');
    const answers = await Promise.all(inHand);
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(clients.map(() => 1001));
    const confirmed = answers.filter(({ status }) => status === 'success');
    const mover = await parley.connect(1);
    await mover.logIn('mover0', { session_key: clients[0]!.sessionKey });
    const { messages } = await mover.ask('get_messages', { room_id });
    expect(messages.map(({ message_id }: any) => message_id)).toEqual(
      expect.arrayContaining(confirmed.map(({ data }) => data.message_id)),
    );
    await parley.stack.gateways[0]!.ready();
  });
});

test('under LOGIN_POLICY=takeover a second login takes over at once', async () => {
  await using parley = await startParley({ environment: { LOGIN_POLICY: 'takeover' } });
  const first = await parley.logIn('ida');
  const second = await parley.connect();
  await second.logIn('ida', { password });
  expect(await first.closed).toBe(4001);
  const third = await parley.connect();
  expect(await third.request('login', { chatid: 'ida', session_key: first.sessionKey })).toMatchObject({
    code: 'invalid_credentials',
  });
});
