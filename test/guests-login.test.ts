import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defaultRoomId } from '@parley/protocol';
import { createLog, openRedis } from '@parley/service-kit';
import type { RedisStore } from '@parley/service-kit';
import { HandshakeClient, password, startParley, until } from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';

const opened = new AsyncDisposableStack();
let parley: Parley;
let redis: RedisStore;
beforeAll(async () => {
  parley = opened.use(await startParley({ gateways: 2 }));
  const { redisUrl } = parley.stack.servers.addresses;
  redis = opened.use(await openRedis({ redisUrl, timeoutMs: 5_000, log: createLog('test', 'silent') }));
});
afterAll(() => opened.disposeAsync());

interface GuestOptions {
  gateway?: number;
  session_key?: string;
  receipts?: boolean;
}

async function guest(name: string, { gateway, ...options }: GuestOptions = {}): Promise<LoginClient> {
  const client = await parley.connect(gateway);
  await client.logInAsGuest(name, options);
  return client;
}

function isTold(client: LoginClient, content: string) {
  return client.next(content, ({ action, data }) => action === 'receive_message' && data.content === content);
}

function refused(code: string) {
  return expect.objectContaining({ action: 'error', status: 'error', code });
}

/** The public rooms with their users, as the client was last told. */
function lobbyOf(client: LoginClient): Map<string, number> {
  const rooms: { name: string; users: number }[] = client.all('public_rooms').at(-1)?.data.rooms ?? [];
  return new Map(rooms.map(({ name, users }) => [name, users]));
}

describe('a guest', () => {
  test('is in no room until it joins one, then talks with accounts and guests of any dialect', async () => {
    const anna = await guest('anna');
    expect(anna.received[0]).toEqual({
      action: 'login_success',
      status: 'success',
      message: 'Login successful',
      data: { chatid: 'anna', session_key: expect.stringMatching(/^[\w-]{43}$/) },
    });
    expect(await anna.ask('get_rooms')).toEqual({ rooms: [] });
    const room_id = defaultRoomId;
    const send = (content: string) => anna.request('send_message', { room_id, content });
    expect(await send('too early')).toEqual(refused('not_in_room'));

    const berta = await parley.logIn('berta', 1);
    await berta.ask('join_room', { room_id });
    const carl = await parley.connectIdentify(1);
    await carl.identify('carl');
    expect(await anna.ask('join_room', { room_id })).toEqual({
      room_id,
      room_name: 'default',
      chatid: 'anna',
    });
    await anna.ask('send_message', { room_id, content: 'from anna' });
    expect(await isTold(berta, 'from anna')).toMatchObject({ data: { sender_chatid: 'anna' } });
    expect(await carl.event('message')).toMatchObject({ payload: { from: 'anna', message: 'from anna' } });
    await berta.ask('send_message', { room_id, content: 'from berta' });
    await isTold(anna, 'from berta');
    carl.send({ action: 'sendMessage', payload: { room: 'default', message: 'from carl' } });
    expect(await isTold(anna, 'from carl')).toMatchObject({ data: { sender_chatid: 'carl' } });

    await until('all three are counted', async () => {
      const { rooms } = await anna.ask('get_rooms');
      const room = { id: room_id, name: 'default', visibility: 'public', owner: null };
      expect(rooms).toEqual([expect.objectContaining(room)]);
      return rooms[0].users === 3;
    });
    expect((await anna.ask('get_messages', { room_id })).messages).toHaveLength(3);
    expect(await anna.ask('leave_room', { room_id })).toEqual({ room_id, chatid: 'anna' });
    expect(await send('too late')).toEqual(refused('not_in_room'));
    expect(await anna.request('leave_room', { room_id })).toEqual(refused('not_in_room'));
    expect(await anna.ask('get_rooms')).toEqual({ rooms: [] });
    expect(anna.messagesOf(room_id).map(([, content]) => content)).toEqual(['from berta', 'from carl']);
  });

  test('is nobody before it has logged in, and logs in once', async () => {
    const dora = await parley.connect();
    const room_id = defaultRoomId;
    for (const [action, data] of [
      ['join_room', { chatid: 'dora', room_id }],
      ['watch_rooms', {}],
      ['rename_user', { new_chatid: 'doris' }],
    ] as const) {
      expect(await dora.request(action, data)).toEqual(refused('not_authenticated'));
    }
    await dora.logInAsGuest('dora');
    expect(await dora.request('login_as_guest', { chatid: 'dora' })).toEqual(refused('already_logged_in'));
    expect(await dora.request('login', { chatid: 'dora', password })).toMatchObject({
      action: 'login_fail',
      code: 'already_logged_in',
    });
    expect(await dora.request('join_room', { chatid: 'emil', room_id })).toEqual(refused('forbidden'));
  });

  test('has a name that neither an account nor another guest has, on any gateway', async () => {
    await parley.logIn('owner of a name');
    await guest('frieda');
    for (const chatid of ['owner of a name', 'frieda']) {
      const client = await parley.connect(1);
      expect(await client.request('login_as_guest', { chatid })).toEqual(refused('username_taken'));
      await client.logInAsGuest(`not ${chatid}`);
    }
    const client = await parley.connect(1);
    expect(await client.request('register', { chatid: 'frieda', password })).toEqual(
      refused('username_taken'),
    );
  });

  test('makes public rooms, which are its own, and no private ones', async () => {
    const gustav = await guest('gustav');
    const wanted = { room_name: 'of gustav', participants: [] };
    expect(await gustav.request('create_room', wanted)).toEqual(refused('forbidden'));
    const { room_id } = await gustav.ask('create_room', { ...wanted, visibility: 'public' });
    expect(await gustav.ask('get_rooms')).toEqual({ rooms: [] });
    const hanna = await guest('hanna', { gateway: 1 });
    expect(await hanna.request('create_room', { ...wanted, visibility: 'public' })).toEqual(
      refused('room_exists'),
    );
    await Promise.all([gustav, hanna].map((client) => client.ask('join_room', { room_id })));
    expect(await hanna.request('delete_room', { room_id })).toEqual(refused('not_owner'));
    await gustav.ask('rename_room', { room_id, new_room_name: 'of all' });
    expect(await hanna.event('room_renamed')).toMatchObject({ data: { room_id, new_room_name: 'of all' } });
    await gustav.ask('delete_room', { room_id });
    expect(await hanna.event('room_deleted')).toMatchObject({ data: { room_id } });
    expect(await hanna.ask('get_rooms')).toEqual({ rooms: [] });
  });

  test('is renamed wherever it is; an account is not', async () => {
    const ida = await guest('ida');
    const jan = await guest('jan', { gateway: 1 });
    const room_id = await parley.createPublicRoom('renaming', 'keeper');
    await Promise.all([ida, jan].map((client) => client.ask('join_room', { room_id })));
    expect(await ida.request('rename_user', { new_chatid: 'jan' })).toEqual(refused('username_taken'));
    expect(await ida.ask('rename_user', { new_chatid: ' isa ' })).toEqual({ chatid: 'isa' });
    await ida.ask('send_message', { chatid: 'isa', room_id, content: 'renamed' });
    expect(await isTold(jan, 'renamed')).toMatchObject({ data: { sender_chatid: 'isa' } });
    await guest('ida', { gateway: 1 });
    const keeper = await parley.logIn('keeper');
    expect(await keeper.request('rename_user', { new_chatid: 'other' })).toMatchObject({
      code: 'forbidden',
      message: 'The name of an account cannot be changed.',
    });
  });

  test('that logs out is gone, its name free, and the connection may be an account’s', async () => {
    const kurt = await guest('kurt');
    const lena = await guest('lena', { gateway: 1 });
    const room_id = await parley.createPublicRoom('leaving', 'keeper');
    await Promise.all([kurt, lena].map((client) => client.ask('join_room', { room_id })));
    await kurt.ask('watch_rooms');
    expect(await kurt.ask('logout')).toEqual({ chatid: 'kurt' });
    expect(await kurt.request('get_rooms')).toEqual(refused('not_authenticated'));
    await guest('kurt', { gateway: 1 });
    await lena.ask('send_message', { room_id, content: 'not for kurt' });
    const lists = kurt.all('public_rooms').length;
    await kurt.ask('register', { chatid: 'kurt’s account', password });
    await kurt.logIn('kurt’s account', { password });
    await kurt.ask('join_room', { room_id });
    await lena.ask('send_message', { room_id, content: 'for the account' });
    await isTold(kurt, 'for the account');
    expect(kurt.messagesOf(room_id).map(([, content]) => content)).toEqual(['for the account']);
    expect(kurt.all('public_rooms')).toHaveLength(lists);
  });

  test('is told who acknowledged its messages, where it asked for that', async () => {
    const room_id = await parley.createPublicRoom('acknowledging', 'keeper');
    const max = await guest('max', { receipts: true });
    const nora = await guest('nora');
    const reader = new HandshakeClient(await parley.connect(1));
    await reader.request('login_as_guest', { chatid: 'olga', handshake: true });
    for (const client of [max, nora, reader]) await client.ask('join_room', { room_id });
    await nora.ask('send_message', { room_id, content: 'from nora' });
    await max.ask('send_message', { room_id, content: 'from max' });
    expect(await max.event('message_delivered')).toMatchObject({
      data: { room_id, message_id: 2, chatid: 'olga' },
    });
    expect(nora.all('message_delivered')).toEqual([]);
  });
});

describe('a guest that comes back with its session key', () => {
  test('is the same on another gateway: owner, sender, and told what it missed', async () => {
    const first = await guest('paul');
    const { sessionKey: session_key } = first;
    const { room_id } = await first.ask('create_room', {
      room_name: 'of paul',
      participants: [],
      visibility: 'public',
    });
    await first.ask('join_room', { room_id });
    const message = { room_id, content: 'once', client_message_id: 'c-1' };
    const confirmed = await first.ask('send_message', message);
    const other = await guest('quinn');
    await other.ask('join_room', { room_id });
    first.socket.terminate();
    await other.ask('send_message', { room_id, content: 'missed' });

    const paul = await guest('paul', { gateway: 1, session_key });
    expect(paul.sessionKey).toBe(session_key);
    await paul.ask('join_room', { room_id, last_id: 1 });
    await isTold(paul, 'missed');
    const actions = paul.received.map(({ action }) => action);
    expect(actions).toEqual(['login_success', 'room_joined', 'receive_message']);
    expect(await paul.ask('send_message', message)).toEqual(confirmed);
    await paul.ask('send_message', { room_id, content: 'new', client_message_id: 'c-2' });
    await isTold(other, 'new');
    expect(other.messagesOf(room_id)).toEqual([[3, 'new']]);
    expect(await paul.ask('rename_room', { room_id, new_room_name: 'still of paul' })).toMatchObject({
      room_id,
    });
    await paul.ask('delete_room', { room_id });
  });

  test('takes its name over at once, and the former connection closes without freeing it', async () => {
    const former = await guest('rosa');
    const { sessionKey: session_key } = former;
    const rosa = await guest('rosa', { gateway: 1, session_key });
    await former.close();
    // Another release by the same gateway comes behind that of the former connection.
    await (await guest('sentinel')).ask('logout');
    const other = await parley.connect();
    expect(await other.request('login_as_guest', { chatid: 'rosa' })).toEqual(refused('username_taken'));
    await rosa.ask('join_room', { room_id: defaultRoomId });
    await rosa.ask('logout');
    await other.logInAsGuest('rosa');
  });

  test('has its former connection on the same gateway closed at once', async () => {
    const former = await guest('sven');
    const sven = await guest('sven', { session_key: former.sessionKey });
    expect(await former.closed).toBe(4001);
    await sven.ask('join_room', { room_id: defaultRoomId });
    expect((await sven.ask('get_rooms')).rooms).toHaveLength(1);
    const other = await parley.connect(1);
    expect(await other.request('login_as_guest', { chatid: 'sven' })).toEqual(refused('username_taken'));
  });

  test('has one on another gateway closed when that tells of its guests again', async () => {
    const former = await guest('tina');
    const gatewayId = await redis.run((commands) => commands.hget('parley:guest:tina', 'gatewayId'));
    const tina = await guest('tina', { gateway: 1, session_key: former.sessionKey });
    // A gateway whose lease was lost tells of everything anew.
    await redis.run((commands) => commands.del(`parley:gateway-lease:${gatewayId!}`));
    expect(await former.closed).toBe(4001);
    await tina.ask('join_room', { room_id: defaultRoomId });
  });

  test('is not let in by what is no key', async () => {
    const client = await parley.connect();
    expect(await client.request('login_as_guest', { chatid: 'ute', session_key: 'guessed' })).toEqual(
      refused('invalid_credentials'),
    );
  });
});

describe('public rooms', () => {
  test('are made by accounts too, under names of their own, and listed with what is known of them', async () => {
    const vera = await parley.logIn('vera');
    const wanted = { room_name: 'of vera', participants: [], visibility: 'public' };
    const { room_id } = await vera.ask('create_room', wanted);
    expect(await vera.request('create_room', wanted)).toEqual(refused('room_exists'));
    const { room_id: privateId } = await vera.ask('create_room', { room_name: 'of vera', participants: [] });
    await until('vera is counted', async () => {
      const { rooms } = await vera.ask('get_rooms');
      return rooms.every(({ users }: { users: number }) => users === 1);
    });
    expect((await vera.ask('get_rooms')).rooms).toEqual([
      { id: room_id, name: 'of vera', visibility: 'public', owner: 'vera', users: 1 },
      { id: privateId, name: 'of vera', visibility: 'private', owner: 'vera', users: 1 },
    ]);
  });

  test('are told with their users to those who watch, accounts and guests, as long as they do', async () => {
    const [wim, xaver] = [await guest('wim'), await parley.logIn('xaver', 1)];
    for (const client of [wim, xaver]) {
      expect(await client.ask('watch_rooms')).toEqual({ watch: true });
      await client.event('public_rooms');
      const actions = client.received.map(({ action }) => action);
      expect(actions[actions.indexOf('public_rooms') - 1]).toBe('rooms_watched');
    }
    const { room_id } = await wim.ask('create_room', {
      room_name: 'watched',
      participants: [],
      visibility: 'public',
    });
    await until('it is listed', () => [wim, xaver].every((client) => lobbyOf(client).get('watched') === 0));
    expect(xaver.all('public_rooms').at(-1)!.data.rooms).toContainEqual({
      id: room_id,
      name: 'watched',
      users: 0,
    });
    await wim.ask('join_room', { room_id });
    await until('wim is counted', () => [wim, xaver].every((client) => lobbyOf(client).get('watched') === 1));
    expect(await xaver.ask('watch_rooms', { watch: false })).toEqual({ watch: false });
    const lists = xaver.all('public_rooms').length;
    await wim.ask('leave_room', { room_id });
    await until('wim has left', () => lobbyOf(wim).get('watched') === 0);
    await xaver.ask('get_rooms');
    expect(xaver.all('public_rooms')).toHaveLength(lists);
  });

  test('can be looked into with `preview`, private ones can’t', async () => {
    const room_id = await parley.createPublicRoom('window', 'yara');
    const yara = await parley.logIn('yara');
    await yara.ask('send_message', { room_id, content: 'see me' });
    const secret = await yara.ask('create_room', { room_name: 'curtain', participants: [] });
    const zoe = await parley.logIn('zoe', 1);
    expect(await zoe.request('get_messages', { room_id })).toEqual(refused('not_in_room'));
    for (const client of [zoe, await guest('zita')]) {
      const page = await client.ask('get_messages', { room_id, preview: true });
      expect(page).toMatchObject({ room_id, messages: [{ message_id: 1, content: 'see me' }] });
      expect(await client.request('get_messages', { room_id: secret.room_id, preview: true })).toEqual(
        refused('not_in_room'),
      );
    }
  });
});
