import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { password, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import type { Client, ClientOptions } from '../src/index.ts';
import { Line } from './line.ts';
import { backoff, logIn, newClient, take } from './peers.ts';

/** The room `default`, which always exists. */
const defaultRoom = 'room_000000000000000000000000';

let parley: Parley;
let line: Line;
beforeAll(async () => {
  parley = await startParley();
  line = await Line.open(parley.stack.gateways[0]!.url);
});
afterAll(async () => {
  await line[Symbol.asyncDispose]();
  await parley[Symbol.asyncDispose]();
});

async function guest(name: string, options: Partial<ClientOptions> = {}): Promise<Client> {
  const client = newClient(parley, options);
  await client.logInAsGuest(name);
  return client;
}

test('a guest enters, talks, takes another name, and is the same after its connection was cut', async () => {
  await using anna = await logIn(parley, 'anna');
  await anna.room(defaultRoom).join();
  await using client = await guest('Gus', { url: line.url });
  expect(client.user).toEqual({ name: 'Gus', isGuest: true });
  expect(client.rooms).toEqual([]);
  const room = client.room(defaultRoom);
  await room.join();
  const heard = room.messages();
  await room.send('I am new', { clientMessageId: 'first' });
  await client.rename('Gustav');
  expect(client.user).toEqual({ name: 'Gustav', isGuest: true });

  line.takeDown();
  await until('the cut is noticed', () => client.state.status !== 'online');
  await anna.room(defaultRoom).send('Where are you?');
  line.repair();
  await until('it is back', () => client.state.status === 'online');
  const again = await room.send('I am new', { clientMessageId: 'first' });
  expect(again.id).toBe(1);
  await room.send('Here');
  expect((await take(heard, 3)).map(({ sender, content }) => [sender, content])).toEqual([
    ['Gus', 'I am new'],
    ['anna', 'Where are you?'],
    ['Gustav', 'Here'],
  ]);
  await room.leave();
  expect(client.rooms).toEqual([]);
});

test('a guest goes on elsewhere with its key, and keeps its rooms', async () => {
  const client = await guest('Gina');
  const room = await client.createRoom('Garden of Gina', { visibility: 'public' });
  expect(room).toMatchObject({ isMine: true, isIn: true });
  await room.send('Mine');
  const { sessionKey } = client;
  await client.close();
  await using back = newClient(parley);
  await back.resume({ name: 'Gina', sessionKey: sessionKey!, isGuest: true });
  const [owned] = (await back.listPublicRooms()).filter(({ owner }) => owner === 'Gina');
  expect(owned?.id).toBe(room.id);
  await back.room(room.id).join();
  await back.room(room.id).renameTo('Park of Gina');
  expect(back.room(room.id).name).toBe('Park of Gina');
});

test('names of others are refused', async () => {
  await using other = await logIn(parley, 'taken');
  await using client = newClient(parley);
  await expect(client.logInAsGuest('taken')).rejects.toMatchObject({ code: 'username_taken' });
  await client.logInAsGuest('free');
  await expect(client.rename('taken')).rejects.toMatchObject({ code: 'username_taken' });
  await expect(other.rename('else')).rejects.toMatchObject({ code: 'forbidden' });
});

test('a session that goes on elsewhere ends here, and says so to all who wait', async () => {
  await using first = await logIn(parley, 'mover');
  const room = await first.createRoom('Box');
  const reading = room.messages().next();
  await using second = newClient(parley);
  await second.resume({ name: 'mover', sessionKey: first.sessionKey!, isGuest: false });
  await expect(reading).rejects.toMatchObject({ code: 'taken_over' });
  expect(first.state).toEqual({ status: 'closed', reason: 'taken-over' });
  await expect(room.send('?')).rejects.toMatchObject({ code: 'taken_over' });
  expect(await second.room(room.id).send('!')).toMatchObject({ id: 1 });
});

test('a session that is over is told as that, and logging in begins anew', async () => {
  await using client = await logIn(parley, 'elapsed', { url: line.url });
  const room = await client.createRoom('Box');
  line.takeDown();
  await until('the cut is noticed', () => client.state.status === 'waiting');
  const waiting = room.send('?');
  {
    // A new login by password ends the older session.
    await using elsewhere = newClient(parley);
    await elsewhere.logIn('elapsed', password);
    await elsewhere.logOut();
  }
  line.repair();
  await expect(waiting).rejects.toMatchObject({ code: 'session_ended' });
  expect(client.state).toEqual({ status: 'closed', reason: 'session-ended' });
  expect([client.user, client.sessionKey]).toEqual([undefined, undefined]);
  await client.logIn('elapsed', password);
  expect(client.rooms.map(({ name }) => name)).toEqual(['Box']);
  expect(await room.send('back')).toMatchObject({ id: 1 });
});

test('after a logout somebody else may log in', async () => {
  await using client = await logIn(parley, 'leaver');
  const room = await client.createRoom('Box');
  const reading = room.messages().next();
  await client.logOut();
  expect(await reading).toEqual({ done: true, value: undefined });
  expect(client.state).toEqual({ status: 'closed', reason: 'logged-out' });
  await client.logInAsGuest('Somebody');
  expect(client.rooms).toEqual([]);
  await expect(room.send('?')).rejects.toMatchObject({ code: 'not_in_room' });
});

test('a closed client is closed, and closing twice is closing once', async () => {
  const client = await logIn(parley, 'closer');
  const room = await client.createRoom('Box');
  const reading = room.messages().next();
  const waiting = room.history();
  await client.close();
  await client.close();
  expect(await reading).toEqual({ done: true, value: undefined });
  await expect(waiting).rejects.toMatchObject({ code: 'closed' });
  await expect(client.logIn('closer', password)).rejects.toMatchObject({ code: 'closed' });
});

test('where there is no answer a request times out, and a send goes on over the next connection', async () => {
  await using client = await logIn(parley, 'patient', { url: line.url, requestTimeoutMs: 5_000 });
  const room = await client.createRoom('Box');
  await client.listPublicRooms();
  line.freeze();
  const listing = client.listPublicRooms();
  const sent = room.send('through');
  await expect(listing).rejects.toMatchObject({ code: 'timeout' });
  expect(await sent).toMatchObject({ id: 1 });
});

test('while nobody is there a login goes on trying, until its signal', async () => {
  line.takeDown();
  await using client = newClient(parley, { url: line.url, backoff });
  const ending = new AbortController();
  const loggingIn = client.logIn('anna', password, { signal: ending.signal });
  await until('it tried some times', () => client.state.status === 'waiting' && client.state.attempt > 2);
  expect(client.state).toMatchObject({ reason: 'The server cannot be reached.' });
  ending.abort();
  await expect(loggingIn).rejects.toMatchObject({ code: 'aborted' });
  line.repair();
});
