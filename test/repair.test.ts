import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startServers } from '@parley/local-stack';
import { findUsers, subjects } from '@parley/protocol';
import type { UserEvent } from '@parley/protocol';
import { HandshakeClient, openLossyBus, password, startParley, until } from '@parley/test-kit';
import type { LossyBus, Parley } from '@parley/test-kit';

const opened = new AsyncDisposableStack();
let bus: LossyBus;
let parley: Parley;

beforeAll(async () => {
  const dataDir = opened.adopt(await mkdtemp(join(tmpdir(), 'parley-test-')), (folder) =>
    rm(folder, { recursive: true, force: true }),
  );
  const servers = opened.use(await startServers({ dataDir }));
  bus = opened.use(await openLossyBus(servers.addresses.natsUrl));
  const given = { ...servers.addresses, natsUrl: bus.natsUrl };
  const environment = { LOGIN_POLICY: 'multi' };
  parley = opened.use(await startParley({ gateways: 1, given, environment }));
});
afterAll(async () => {
  await opened.disposeAsync();
});

const gatewayOnBus = 'parley-gateway';

function isMessageEvent(subject: string): boolean {
  return subject.startsWith('parley.event.room.') && subject.endsWith('.messages');
}

function isUserEvent(subject: string): boolean {
  return subject.startsWith('parley.event.user.');
}

test('who is removed from a room unheard is told and hears nothing more; who is added unheard is in', async () => {
  const [alice, bob] = await Promise.all([parley.logIn('alice'), parley.logIn('bob')]);
  const carol = await parley.connectJoin({ token: await parley.getToken('carol') });
  const { room_id } = await alice.ask('create_room', { room_name: 'Board', participants: ['bob', 'carol'] });
  await carol.join('carol', room_id);
  await alice.ask('send_message', { room_id, content: 'for all' });
  await until(
    'both have it',
    () => bob.messagesOf(room_id).length === 1 && carol.all('new-message').length === 1,
  );
  const toldOfHimself = (action: string, field: string) =>
    bob.all(action).filter(({ data }) => data.room_id === room_id && data[field] === 'bob').length;
  bus.lose(gatewayOnBus, isUserEvent);
  for (const user_to_remove of ['bob', 'carol'])
    await alice.ask('remove_user_from_room', { room_id, user_to_remove });
  await until(
    'they are told',
    () => toldOfHimself('user_removed', 'user_removed') === 1 && carol.all('left').length === 1,
  );
  expect(bus.lost()).toBe(2);
  await alice.ask('send_message', { room_id, content: 'for alice alone' });
  await alice.ask('add_user_to_room', { room_id, user_to_add: 'bob' });
  await alice.ask('send_message', { room_id, content: 'for bob, before he is told' });
  await until('he is told', () => toldOfHimself('user_added', 'user_added') === 2);
  expect(bus.lost()).toBe(3);
  bus.lose(gatewayOnBus, undefined);
  await alice.ask('send_message', { room_id, content: 'for bob' });
  await until('he has it', () => bob.messagesOf(room_id).length >= 3);
  expect(bob.messagesOf(room_id)).toEqual([
    [1, 'for all'],
    [3, 'for bob, before he is told'],
    [4, 'for bob'],
  ]);
  expect(await carol.request('leave', { roomId: room_id })).toMatchObject({ code: 'not_in_room' });
  expect(carol.all('new-message')).toHaveLength(1);
  expect(toldOfHimself('user_removed', 'user_removed')).toBe(1);
});

test('who came back before it was heard that it had left misses nothing in between, and gets nothing twice', async () => {
  const [host, guest] = [await parley.logIn('host'), await parley.logIn('returning')];
  const { room_id } = await host.ask('create_room', { room_name: 'Back', participants: ['returning'] });
  const say = (content: string) => host.ask('send_message', { room_id, content });
  await say('while it is in');
  await until('it has it', () => guest.messagesOf(room_id).length === 1);
  const { users } = await parley.bus.call(findUsers, { names: ['returning'] });
  const user = users[0]!;
  const change = { type: 'member-left', roomId: room_id, user } as const;
  const late: UserEvent = { type: 'left-room', roomId: room_id, change, origin: undefined };
  parley.bus.publish(subjects.userEvents(user.userId), late);
  await until('it is heard', () => guest.all('room_left').length === 1);
  await say('while it seems to be out');
  await until('it is in again', () => guest.all('user_added').length === 2);
  await say('afterwards');
  await until('it has all', () => guest.messagesOf(room_id).length >= 3);
  expect(guest.messagesOf(room_id)).toEqual([
    [1, 'while it is in'],
    [2, 'while it seems to be out'],
    [3, 'afterwards'],
  ]);
});

test('of several connections of a user each is in a room that only the last one found by itself, and gets all since', async () => {
  const [host, early] = [await parley.logIn('host-of-two'), await parley.logIn('early')];
  const { room_id } = await host.ask('create_room', { room_name: 'Two', participants: [] });
  bus.lose(gatewayOnBus, isUserEvent);
  await host.ask('add_user_to_room', { room_id, user_to_add: 'early' });
  bus.lose(gatewayOnBus, undefined);
  const late = await parley.connect();
  await late.ask('login', { chatid: 'early', password });
  await host.ask('send_message', { room_id, content: 'for both' });
  for (const connection of [early, late]) {
    await until('it has it', () => connection.messagesOf(room_id).length === 1);
  }
  expect(late.all('user_added')).toEqual([]);
  expect(early.all('user_added')).toHaveLength(1);
});

test('who logs in under the handshake while messages are away gets all that is owed, each once', async () => {
  const owner = await parley.logIn('owner');
  const reader = new HandshakeClient(await parley.connect());
  await (await parley.connect()).ask('register', { chatid: 'reader', password });
  await reader.logIn('reader', { password });
  const { room_id } = await owner.ask('create_room', { room_name: 'Owed', participants: ['reader'] });
  await reader.client.close();
  for (const content of ['one', 'two', 'three']) await owner.ask('send_message', { room_id, content });

  const [messages] = parley.stack.services.messages;
  messages!.signal('SIGSTOP');
  const again = new HandshakeClient(await parley.connect());
  const loggedIn = again.logIn('reader', { password });
  // In this time memberships are compared, several times.
  await delay(3_500);
  messages!.signal('SIGCONT');
  await loggedIn;
  await until('all of it', () => again.client.messagesOf(room_id).length >= 3);
  expect(again.client.messagesOf(room_id)).toEqual([
    [1, 'one'],
    [2, 'two'],
    [3, 'three'],
  ]);
  expect(again.client.all('user_added')).toEqual([]);
});

test('a login under the handshake that fails delivers nothing; the next one all, in order', async () => {
  const [owner, maker] = await Promise.all([parley.logIn('opener'), parley.logIn('maker')]);
  const reader = new HandshakeClient(await parley.connect());
  await (await parley.connect()).ask('register', { chatid: 'unlucky', password });
  await reader.logIn('unlucky', { password });
  // The first of its rooms is open on no gateway, the other one is.
  const quiet = await maker.ask('create_room', { room_name: 'Quiet', participants: ['unlucky'] });
  const { room_id } = await owner.ask('create_room', { room_name: 'Lively', participants: ['unlucky'] });
  await Promise.all([reader.client.close(), maker.close()]);
  await owner.ask('send_message', { room_id, content: 'before' });

  bus.lose('parley-messages', (subject) => subject === 'parley.rpc.messages.findLastIds');
  const again = new HandshakeClient(await parley.connect());
  const lost = bus.lost();
  const attempt = again.request('login', { chatid: 'unlucky', password, handshake: true });
  await until('the quiet room waits', () => bus.lost() > lost);
  await owner.ask('send_message', { room_id, content: 'meanwhile' });
  expect(await attempt).toMatchObject({ code: 'unavailable' });
  expect(again.client.messagesOf(room_id)).toEqual([]);

  bus.lose('parley-messages', undefined);
  await again.logIn('unlucky', { password });
  await until('all of it', () => again.client.messagesOf(room_id).length >= 2);
  expect(again.client.messagesOf(room_id)).toEqual([
    [1, 'before'],
    [2, 'meanwhile'],
  ]);
  expect(again.client.messagesOf(quiet.room_id)).toEqual([]);
});

test('a gateway that misses events fills the hole from history before it delivers anything later', async () => {
  const [sender, receiver] = await Promise.all([parley.logIn('sender'), parley.logIn('receiver')]);
  const { room_id } = await sender.ask('create_room', { room_name: 'Holes', participants: ['receiver'] });
  for (let message = 1; message <= 60; message += 1) {
    bus.lose(gatewayOnBus, message % 3 === 0 ? undefined : isMessageEvent);
    await sender.ask('send_message', { room_id, content: String(message) });
  }
  await until('the last message', () => receiver.messagesOf(room_id).at(-1)?.[0] === 60);
  expect(bus.lost()).toBeGreaterThanOrEqual(40);
  const expected = Array.from({ length: 60 }, (_, index) => [index + 1, String(index + 1)]);
  expect(receiver.messagesOf(room_id)).toEqual(expected);
  expect(sender.messagesOf(room_id)).toEqual([]);
});

test('a missed event that nothing follows is noticed too', async () => {
  const [sender, receiver] = await Promise.all([parley.logIn('sender2'), parley.logIn('receiver2')]);
  const { room_id } = await sender.ask('create_room', { room_name: 'Silence', participants: ['receiver2'] });
  bus.lose(gatewayOnBus, isMessageEvent);
  await sender.ask('send_message', { room_id, content: 'did you hear me?' });
  bus.lose(gatewayOnBus, undefined);
  await until('the message', () => receiver.messagesOf(room_id).length === 1);
});

test('who says something whose event is lost, and leaves at once, gets it from history before it has left', async () => {
  const room = 'Farewell';
  const roomId = await parley.createPublicRoom(room, 'host');
  const joiner = await parley.connectJoin();
  await joiner.join('joiner', roomId);
  const identifier = await parley.connectIdentify();
  await identifier.identify('identifier');
  await identifier.ask('joinRoom', { room });

  bus.lose(gatewayOnBus, isMessageEvent);
  const lost = bus.lost();
  joiner.send({ action: 'send-message', roomId, message: 'farewell' });
  expect(await joiner.request('leave', { roomId })).toMatchObject({ action: 'left' });
  identifier.send({ action: 'sendMessage', payload: { room, message: 'so long' } });
  expect(await identifier.request('leaveRoom', { room })).toMatchObject({ action: 'left' });
  expect(bus.lost()).toBe(lost + 2);
  bus.lose(gatewayOnBus, undefined);

  const toldJoiner = joiner.received.map(({ action }) => action).filter((action) => action !== 'user-joined');
  expect(toldJoiner).toEqual(['joined', 'new-message', 'left']);
  const toldIdentifier = identifier.received.filter(
    ({ payload }) => payload.room === room && payload.from !== 'joiner',
  );
  expect(toldIdentifier.map(({ action }) => action)).toEqual(['joined', 'message', 'left']);
});

test('a gateway to which nothing comes back from the bus is not ready, though it lives and its connection looks fine', async () => {
  const { healthUrl } = parley.stack.gateways[0]!;
  const readiness = async () => {
    const response = await fetch(`${healthUrl}/readyz`);
    const { notReady } = (await response.json()) as { notReady: string[] };
    return { status: response.status, notReady };
  };
  expect(await readiness()).toEqual({ status: 200, notReady: [] });
  bus.lose(gatewayOnBus, (subject) => subject.startsWith('parley.canary.'));
  await until('it is not ready', async () => (await readiness()).status === 503);
  expect((await readiness()).notReady).toEqual(['bus']);
  expect((await fetch(`${healthUrl}/livez`)).status).toBe(200);
  bus.lose(gatewayOnBus, undefined);
  await until('it is ready again', async () => (await readiness()).status === 200);
});
