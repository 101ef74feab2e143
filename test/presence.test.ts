import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startParley, until } from '@parley/test-kit';
import type { IdentifyClient, JoinClient, Parley } from '@parley/test-kit';

let parley: Parley;
/** Watches all rooms' counts. */
let lobby: IdentifyClient;

beforeAll(async () => {
  parley = await startParley({ gateways: 2, environment: { GATEWAY_LEASE_MS: '6000', DRAIN_MS: '2000' } });
  lobby = await guest('watcher');
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

async function guest(name: string, gateway = 0): Promise<IdentifyClient> {
  const client = await parley.connectIdentify(gateway);
  await client.identify(name);
  return client;
}

interface WatchedRoom {
  roomId: string;
  watcher: JoinClient;
  /** Who came and went, once the watcher was told of so many. */
  seen: (atLeast: number) => Promise<string[]>;
}

/** A fresh public room with a watcher of the join dialect in it. */
async function openRoom(name: string): Promise<WatchedRoom> {
  await lobby.ask('createRoom', { room: name });
  const observer = await parley.logIn(`observer of ${name}`);
  const { rooms } = await observer.ask('get_rooms', { scope: 'public' });
  const roomId = rooms.find((room: any) => room.name === name).id as string;
  await observer.close();
  const watcher = await parley.connectJoin({ gateway: 1 });
  await watcher.join(`watcher of ${name}`, roomId);
  const told = () => watcher.received.filter(({ action }) => action.startsWith('user-'));
  const seen = async (atLeast: number) => {
    await until(`${atLeast} to come or go`, () => told().length >= atLeast);
    return told().map(({ action, username }) => `${action} ${username as string}`);
  };
  return { roomId, watcher, seen };
}

async function countIs(room: string, users: number): Promise<void> {
  await until(`${users} users in ${room}`, () => lobby.rooms[room] === users);
}

/** An account and a guest come to a fresh room and are lost five times, to come back at the other gateway. */
async function flap(room: string, token: string) {
  const { roomId, seen } = await openRoom(room);
  let lostAt = performance.now();
  let longestAwayMs = 0;
  for (let round = 0; ; round += 1) {
    const dora = await parley.connectJoin({ gateway: round % 2, token });
    await dora.join('dora', roomId);
    const emil = await parley.connectJoin({ gateway: round % 2 });
    // The other gateway may not have released the name yet.
    await until('the name', () => emil.join('emil', roomId).then(Boolean, () => false));
    longestAwayMs = Math.max(longestAwayMs, performance.now() - lostAt);
    await delay(200);
    if (round === 5) return { seen, clients: [dora, emil], longestAwayMs };
    lostAt = performance.now();
    dora.socket.terminate();
    await emil.close();
  }
}

describe('who is in a room', () => {
  test('is told to join connections once per user, whatever the dialect, and counted so', async () => {
    const { roomId, seen } = await openRoom('mixed');
    const anna = await guest('anna');
    await anna.ask('joinRoom', { room: 'mixed' });
    const bob = await parley.connectJoin({ token: await parley.getToken('bob') });
    await bob.join('bob', roomId);
    // Present by its account, in all its rooms.
    const bobToo = await parley.logIn('bob', 1);
    const clara = await parley.logIn('clara', 1);
    await clara.ask('join_room', { room_id: roomId });
    await countIs('mixed', 4);
    expect(await seen(3)).toEqual(['user-joined anna', 'user-joined bob', 'user-joined clara']);

    await bob.request('leave', { username: 'bob', roomId });
    await anna.ask('leaveRoom', { room: 'mixed' });
    await clara.ask('leave_room', { room_id: roomId });
    await countIs('mixed', 2);
    expect((await seen(5)).slice(3)).toEqual(['user-left anna', 'user-left clara']);
    await bobToo.ask('logout');
    await countIs('mixed', 1);
    expect((await seen(6)).slice(5)).toEqual(['user-left bob']);
  });

  test('follows a lost connection, but not one that is back within 2 s', async () => {
    const token = await parley.getToken('dora');
    let room = 'flapping';
    let flapped = await flap(room, token);
    // Where the machine was busy for so long they were nearly gone, or were: that says nothing.
    while (flapped.longestAwayMs > 1_500) {
      await Promise.all(flapped.clients.map((client) => client.close()));
      room += ' again';
      flapped = await flap(room, token);
    }
    await countIs(room, 3);
    // Longer than a lost connection is waited for.
    await delay(2_500);
    expect(await flapped.seen(2)).toEqual(['user-joined dora', 'user-joined emil']);
  });

  test('is over for all when the last connection is lost', async () => {
    const { roomId, seen } = await openRoom('lost');
    const frieda = await parley.connectJoin({ gateway: 0 });
    await frieda.join('frieda', roomId);
    await countIs('lost', 2);
    frieda.socket.terminate();
    await countIs('lost', 1);
    expect(await seen(2)).toEqual(['user-joined frieda', 'user-left frieda']);
  });

  test('is told under the new name when a guest renames itself, and the guest stays in its rooms', async () => {
    const { roomId, watcher, seen } = await openRoom('renaming');
    const gustav = await guest('gustav');
    await gustav.ask('joinRoom', { room: 'renaming' });
    expect(await gustav.ask('rename', { newUsername: ' gustav II ' })).toEqual({ username: 'gustav II' });
    expect(await seen(3)).toEqual(['user-joined gustav', 'user-left gustav', 'user-joined gustav II']);
    await countIs('renaming', 2);
    gustav.send({ action: 'sendMessage', payload: { room: 'renaming', message: 'Still here.' } });
    expect(await watcher.event('new-message')).toMatchObject({ roomId, sender: 'gustav II' });
    // The former name is free.
    await guest('gustav');
    const taken = await (await parley.connectIdentify()).request('identify', { username: 'gustav II' });
    expect(taken).toMatchObject({ action: 'error', payload: { reason: 'username_taken' } });
  });

  test('is right when rooms are renamed and deleted, and all are told in their own words', async () => {
    const roomId = await parley.createPublicRoom('before', 'hanna');
    const hanna = await parley.logIn('hanna');
    const inge = await guest('inge', 1);
    await inge.ask('joinRoom', { room: 'before' });
    const kurt = await parley.connectJoin({ gateway: 1 });
    await kurt.join('kurt', roomId);
    await countIs('before', 3);

    await hanna.ask('rename_room', { room_id: roomId, new_room_name: 'after' });
    await countIs('after', 3);
    expect(lobby.rooms).not.toHaveProperty('before');
    expect(await kurt.event('room-renamed')).toEqual({ action: 'room-renamed', roomId, roomName: 'after' });
    expect(await inge.event('left')).toEqual({ action: 'left', payload: { room: 'before' } });
    expect(await inge.event('joined')).toEqual({ action: 'joined', payload: { room: 'after' } });
    inge.send({ action: 'sendMessage', payload: { room: 'after', message: 'A better name.' } });
    expect(await inge.event('message')).toMatchObject({ payload: { room: 'after' } });

    expect(await inge.request('deleteRoom', { room: 'after' })).toMatchObject({
      payload: { reason: 'not_owner' },
    });
    await hanna.ask('delete_room', { room_id: roomId });
    await until('the list without it', () => !('after' in lobby.rooms));
    expect(await kurt.event('room-deleted')).toEqual({ action: 'room-deleted', roomId });
    expect(await inge.event('left')).toEqual({ action: 'left', payload: { room: 'after' } });
    expect(await inge.request('joinRoom', { room: 'after' })).toMatchObject({
      payload: { reason: 'room_not_found' },
    });
  });

  test('ends for a removed member in all dialects', async () => {
    const roomId = await parley.createPublicRoom('strict', 'lena');
    const lena = await parley.logIn('lena');
    const max = await parley.connectJoin({ gateway: 1, token: await parley.getToken('max') });
    await max.join('max', roomId);
    await countIs('strict', 2);
    await lena.ask('remove_user_from_room', { room_id: roomId, user_to_remove: 'max' });
    expect(await max.event('left')).toEqual({ action: 'left', roomId });
    await countIs('strict', 1);
    max.send({ action: 'send-message', roomId, message: 'But why?' });
    expect(await max.event('error')).toMatchObject({ code: 'not_in_room', originalAction: 'send-message' });
    await max.join('max', roomId);
    await countIs('strict', 2);
  });

  test('is right again after a gateway was killed, and the names of its guests are free', async () => {
    const { seen } = await openRoom('deadly');
    const [gateway] = parley.stack.gateways;
    const watcher = await guest('second watcher', 1);
    for (const name of ['ida', 'jakob', 'karl']) {
      const client = await guest(name, 0);
      await client.ask('joinRoom', { room: 'deadly' });
    }
    await until('4 users', () => watcher.rooms.deadly === 4);
    await gateway!.kill();
    await until('1 user', () => watcher.rooms.deadly === 1);
    expect((await seen(6)).slice(3).sort()).toEqual(['user-left ida', 'user-left jakob', 'user-left karl']);
    await gateway!.ready();
    const again = await parley.connectIdentify(1);
    await until(
      'the name',
      async () => (await again.request('identify', { username: 'ida' })).action === 'joined',
    );
    lobby = await guest('watcher again');
  });
});
