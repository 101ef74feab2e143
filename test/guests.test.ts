import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { password, startParley, until, WireClient } from '@parley/test-kit';
import type { IdentifyClient, Parley } from '@parley/test-kit';

let parley: Parley;
beforeAll(async () => {
  parley = await startParley({ gateways: 2 });
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

async function guest(name: string, gateway = 0): Promise<IdentifyClient> {
  const client = await parley.connectIdentify(gateway);
  await client.identify(name);
  return client;
}

function refused(reason: string) {
  return expect.objectContaining({ action: 'error', payload: expect.objectContaining({ reason }) });
}

describe('a guest of the identify dialect', () => {
  test('says who it is before anything else', async () => {
    const client = await parley.connectIdentify();
    for (const [action, payload] of [
      ['roomsList', {}],
      ['createRoom', { room: 'tea' }],
      ['joinRoom', { room: 'default' }],
      ['rename', { newUsername: 'anna' }],
      ['history', { room: 'default' }],
    ] as const) {
      expect(await client.request(action, payload)).toEqual(refused('not_authenticated'));
    }
    client.send({ action: 'sendMessage', payload: { room: 'default', message: 'hello' } });
    expect(await client.event('error')).toEqual(refused('not_authenticated'));
  });

  test('leaves its name free though Redis was away when it went', async () => {
    const anton = await guest('anton', 0);
    const redis = parley.stack.servers.redis!;
    await redis.stop();
    await anton.close();
    await redis.start();
    await until('somebody else has it', async () => {
      const other = await parley.connectIdentify(1);
      const isTaken = (await other.request('identify', { username: 'anton' })).action === 'error';
      if (isTaken) await other.close();
      return !isTaken;
    });
  });

  test('has a name that neither an account nor another guest has, on any gateway', async () => {
    await parley.logIn('owner of a name');
    const anna = await guest('anna', 0);
    for (const username of ['owner of a name', ' anna ', 'anna']) {
      const other = await parley.connectIdentify(1);
      expect(await other.request('identify', { username })).toEqual(refused('username_taken'));
      // It is still nobody, and may try again.
      expect(await other.request('joinRoom', { room: 'default' })).toEqual(refused('not_authenticated'));
    }
    const client = await parley.connect(1);
    expect(await client.request('register', { chatid: 'anna', password })).toMatchObject({
      code: 'username_taken',
    });
    expect(await anna.request('rename', { newUsername: 'owner of a name' })).toEqual(
      refused('username_taken'),
    );
    await anna.close();
    await until(
      'the name',
      async () => (await client.request('register', { chatid: 'anna', password })).code === undefined,
    );
  });

  test('is one of 20 that ask for the same name at once', async () => {
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, index) => parley.connectIdentify(index % 2)),
    );
    const answers = await Promise.all(
      clients.map((client) => client.request('identify', { username: 'popular' })),
    );
    expect(answers.filter(({ action }) => action === 'joined')).toHaveLength(1);
    expect(answers.filter(({ action }) => action === 'error')).toHaveLength(19);
  });

  test('is renamed by a second `identify` and by `rename`, and keeps what it owns and wrote', async () => {
    const berta = await guest('berta');
    await berta.ask('createRoom', { room: 'kept' });
    await berta.ask('joinRoom', { room: 'kept' });
    berta.send({ action: 'sendMessage', payload: { room: 'kept', message: 'as berta' } });
    await berta.event('message');
    berta.send({ action: 'identify', payload: { username: 'bertha' } });
    expect(await berta.event('renamed')).toEqual({ action: 'renamed', payload: { username: 'bertha' } });
    expect(await berta.ask('rename', { newUsername: 'beata' })).toEqual({ username: 'beata' });
    berta.send({ action: 'sendMessage', payload: { room: 'kept', message: 'as beata' } });
    expect(await berta.event('message')).toMatchObject({ payload: { from: 'beata' } });
    const other = await guest('berta', 1);
    expect(await other.request('deleteRoom', { room: 'kept' })).toEqual(refused('not_owner'));
    const { messages } = await other.ask('history', { room: 'kept' });
    expect(messages.map(({ from }: any) => from)).toEqual(['berta', 'beata']);
    expect(await berta.ask('deleteRoom', { room: 'kept' })).toEqual({ room: 'kept' });
  });

  test('leaves rooms one by one, `default` too', async () => {
    const clara = await guest('clara');
    await clara.ask('createRoom', { room: 'two' });
    await clara.ask('joinRoom', { room: 'two' });
    expect(await clara.ask('joinRoom', { room: 'two' })).toEqual({ room: 'two' });
    expect(await clara.ask('leaveRoom', { room: 'default' })).toEqual({ room: 'default' });
    expect(await clara.request('leaveRoom', { room: 'default' })).toEqual(refused('not_in_room'));
    expect(await clara.request('leaveRoom', { room: 'nowhere' })).toEqual(refused('room_not_found'));
    clara.send({ action: 'sendMessage', payload: { room: 'default', message: 'from outside' } });
    expect(await clara.event('error')).toEqual(refused('not_in_room'));
    clara.send({ action: 'sendMessage', payload: { room: 'two', message: 'from inside' } });
    expect(await clara.event('message')).toMatchObject({
      payload: { from: 'clara', room: 'two', message: 'from inside', id: 1 },
    });
  });

  test('may delete its own rooms, no others, and nobody `default`', async () => {
    const dora = await guest('dora');
    const emil = await guest('emil', 1);
    await dora.ask('createRoom', { room: 'of dora' });
    expect(await emil.request('deleteRoom', { room: 'of dora' })).toEqual(refused('not_owner'));
    expect(await emil.request('deleteRoom', { room: 'default' })).toEqual(refused('cannot_delete_default'));
    expect(await dora.ask('deleteRoom', { room: 'of dora' })).toEqual({ room: 'of dora' });
    await dora.ask('createRoom', { room: 'of dora' });
    const name = dora.name;
    await dora.close();
    // Another guest of the same name owns nothing of it.
    await until('the name', async () => {
      const again = await parley.connectIdentify();
      const answer = await again.request('identify', { username: name });
      if (answer.action === 'error') return false;
      expect(await again.request('deleteRoom', { room: 'of dora' })).toEqual(refused('not_owner'));
      return true;
    });
  });

  test('reads the history of any public room without joining, and of no private one', async () => {
    const roomId = await parley.createPublicRoom('open book', 'frieda');
    const frieda = await parley.logIn('frieda');
    for (let number = 1; number <= 5; number += 1) {
      await frieda.ask('send_message', { room_id: roomId, content: `page ${number}` });
    }
    await frieda.ask('create_room', { room_name: 'diary', participants: [] });
    const gustav = await guest('gustav', 1);
    const page = await gustav.ask('history', { room: 'open book', limit: 2 });
    expect(page).toMatchObject({
      room: 'open book',
      messages: [
        { id: 4, from: 'frieda', message: 'page 4' },
        { id: 5, from: 'frieda', message: 'page 5' },
      ],
      has_more: true,
    });
    const idsOf = async (bounds: object) =>
      (await gustav.ask('history', { room: 'open book', ...bounds })).messages.map(({ id }: any) => id);
    expect(await idsOf({ before: 4 })).toEqual([1, 2, 3]);
    expect(await idsOf({ after: 3 })).toEqual([4, 5]);
    expect(await gustav.request('history', { room: 'diary' })).toEqual(refused('room_not_found'));
  });
});

describe('a connection of the join dialect', () => {
  test('joins as a guest under a name that is nobody’s, and as an account by its token only', async () => {
    const roomId = await parley.createPublicRoom('joining', 'hanna');
    const token = await parley.getToken('hanna');
    const asGuest = await parley.connectJoin();
    expect(await asGuest.join('ida', roomId)).toEqual({
      action: 'joined',
      roomId,
      message: 'Welcome to joining!',
    });
    const tries = [
      [{ username: 'hanna', roomId }, 'not_authenticated'],
      [{ username: 'hanna', roomId, token: 'no token' }, 'not_authenticated'],
      [{ username: 'jakob', roomId, token }, 'forbidden'],
      [{ username: 'ida', roomId }, 'username_taken'],
      [{ username: 'karl', roomId: 'room_nowhere' }, 'room_not_found'],
      [{ roomId }, 'missing_field'],
      [{ username: 'karl' }, 'missing_field'],
    ] as const;
    const client = await parley.connectJoin({ gateway: 1 });
    for (const [fields, code] of tries) {
      expect(await client.request('join', fields)).toMatchObject({ code, originalAction: 'join' });
    }
    // After all that it is still nobody.
    expect(await client.request('join', { username: 'hanna', roomId, token })).toMatchObject({ roomId });
    expect(await client.request('join', { username: 'ida', roomId })).toMatchObject({ code: 'forbidden' });
  });

  test('may bring its token in the header, the query or the cookie of the upgrade', async () => {
    const roomId = await parley.createPublicRoom('upgrading', 'inge');
    const token = await parley.getToken('inge');
    const { webSocketUrl } = parley.stack.gateways[0]!;
    const open = (query: string, headers: Record<string, string>) =>
      new WireClient<any>(`${webSocketUrl}/chat${query}`, { headers });
    for (const [query, headers] of [
      ['', { authorization: `Bearer ${token}` }],
      [`?token=${token}`, {}],
      ['', { cookie: `other=1; parley_token=${token}` }],
    ] as const) {
      using client = await open(query, headers).opened();
      client.send({ action: 'join', username: 'inge', roomId });
      expect(await client.next('the reply')).toMatchObject({ action: 'joined' });
    }
    for (const [query, headers] of [
      ['', { authorization: 'Bearer wrong' }],
      ['?token=wrong', {}],
      ['?token=', {}],
      [`?token=${'x'.repeat(300)}`, {}],
    ] as const) {
      using client = open(query, headers);
      await expect(client.opened()).rejects.toThrow('401');
    }
    for (const bad of ['wrong', 'x'.repeat(300), '']) {
      using withBadCookie = await open('', { cookie: `parley_token=${bad}` }).opened();
      withBadCookie.send({ action: 'join', username: 'inge', roomId });
      expect(await withBadCookie.next('the reply')).toMatchObject({ code: 'not_authenticated' });
    }
  });

  test('is in several rooms, gets what followed an id, and never what is private to others', async () => {
    const [first, second] = await Promise.all(
      ['first', 'second'].map((name) => parley.createPublicRoom(name, 'kurt')),
    );
    const kurt = await parley.logIn('kurt');
    const { room_id: secret } = await kurt.ask('create_room', { room_name: 'private', participants: [] });
    for (let number = 1; number <= 250; number += 1)
      kurt.send({ action: 'send_message', data: { room_id: first, content: `${number}` } });
    await until('all sent', () => kurt.all('ack').length === 250);

    const client = await parley.connectJoin({ gateway: 1 });
    await client.join('lena', second!);
    await client.join('lena', first!, { lastId: 100 });
    await kurt.ask('send_message', { room_id: first, content: 'new' });
    const ids = () =>
      client
        .all('new-message')
        .filter(({ roomId }) => roomId === first)
        .map(({ id }) => id as number);
    await until('what followed', () => ids().at(-1) === 251);
    expect(ids()).toEqual(Array.from({ length: 151 }, (_, index) => 101 + index));
    expect(await client.request('join', { username: 'lena', roomId: secret })).toMatchObject({
      code: 'not_in_room',
    });
    client.send({ action: 'send-message', roomId: secret, message: 'hello?' });
    expect(await client.event('error')).toMatchObject({ code: 'not_in_room' });
    expect(await client.request('leave', { roomId: secret })).toMatchObject({ code: 'not_in_room' });
    expect(await client.request('leave', { username: 'kurt', roomId: first })).toMatchObject({
      code: 'forbidden',
    });
    expect(await client.request('leave', { username: 'lena', roomId: first })).toEqual({
      action: 'left',
      roomId: first,
    });
  });

  test('of a member of a private room is in it', async () => {
    await parley.getToken('max');
    const moritz = await parley.logIn('moritz');
    const { room_id: roomId } = await moritz.ask('create_room', {
      room_name: 'for two',
      participants: ['max'],
    });
    const max = await parley.connectJoin({ token: await parley.getToken('max') });
    await max.join('max', roomId);
    await moritz.ask('send_message', { room_id: roomId, content: 'between us' });
    expect(await max.event('new-message')).toMatchObject({ sender: 'moritz', message: 'between us' });
  });

  test('is told errors in its words on `/chat` before it has said anything', async () => {
    const client = await parley.connectJoin();
    client.send('rubbish');
    expect(await client.next('the error')).toMatchObject({
      action: 'error',
      code: 'invalid_json',
      originalAction: null,
    });
    client.send({ action: 'nothing' });
    expect(await client.next('the error')).toMatchObject({ action: 'error', code: 'unknown_action' });
  });

  test('of a token that ends elsewhere is closed', async () => {
    const roomId = await parley.createPublicRoom('ending', 'nora');
    const token = await parley.getToken('nora');
    const other = await parley.getToken('nora');
    const client = await parley.connectJoin({ token, gateway: 1 });
    await client.join('nora', roomId);
    const stays = await parley.connectJoin({ token: other });
    await stays.join('nora', roomId);
    // A login of the login dialect ends no tokens.
    await parley.logIn('nora');
    await fetch(`${parley.stack.gateways[0]!.url}/api/logout`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await client.closed).toBe(4003);
    expect(stays.socket.readyState).toBe(stays.socket.OPEN);
  });
});

describe('with ALLOW_GUESTS=false', () => {
  let closed: Parley;
  beforeAll(async () => {
    closed = await startParley({ environment: { ALLOW_GUESTS: 'false' } });
  });
  afterAll(async () => {
    await closed[Symbol.asyncDispose]();
  });

  test('there are accounts only', async () => {
    const client = await closed.connectIdentify();
    expect(await client.request('identify', { username: 'otto' })).toEqual(refused('forbidden'));
    const login = await closed.connect();
    expect(await login.request('login_as_guest', { chatid: 'otto' })).toMatchObject({ code: 'forbidden' });
    const roomId = await closed.createPublicRoom('members', 'paula');
    const join = await closed.connectJoin();
    expect(await join.request('join', { username: 'otto', roomId })).toMatchObject({
      code: 'not_authenticated',
    });
    const token = await closed.getToken('paula');
    expect(await join.request('join', { username: 'paula', roomId, token })).toMatchObject({ roomId });
  });
});
