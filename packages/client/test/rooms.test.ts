import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { password, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import type { Client, Room } from '../src/index.ts';
import { logIn, newClient, take } from './peers.ts';

let parley: Parley;
let clients: Client[] = [];
let people = 0;
beforeAll(async () => {
  parley = await startParley();
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  clients = [];
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

/** Somebody new, logged in. */
async function person(name = `person ${(people += 1)}`): Promise<Client> {
  const client = await logIn(parley, name);
  clients.push(client);
  return client;
}

/** Two people in one private room. */
async function pair(): Promise<{ anna: Client; ben: Client; hers: Room; his: Room }> {
  const [anna, ben] = await Promise.all([person(), person()]);
  const hers = await anna.createRoom('Kitchen', { members: [ben.user!.name] });
  await until('he is in the room', () => ben.rooms.some(({ id }) => id === hers.id));
  return { anna, ben, hers, his: ben.room(hers.id) };
}

test('two people talk: both get every message, their own at its place', async () => {
  const { anna, ben, hers, his } = await pair();
  const [heard, seen] = [his.messages(), hers.messages()];
  const first = await hers.send('Hello!', { clientMessageId: 'one' });
  expect(first).toMatchObject({ id: 1, sender: anna.user!.name, content: 'Hello!', clientMessageId: 'one' });
  await his.send('Hi!');
  const expected = [
    { id: 1, roomId: hers.id, sender: anna.user!.name, content: 'Hello!', sentAt: first.sentAt },
    { id: 2, roomId: hers.id, sender: ben.user!.name, content: 'Hi!' },
  ];
  expect(await take(heard, 2)).toMatchObject(expected);
  expect(await take(seen, 2)).toMatchObject(expected);
  expect(hers.lastId).toBe(2);
  expect((await hers.history()).messages).toMatchObject(expected);
});

test('a message that is sent again with its id is the first one', async () => {
  const { hers, his } = await pair();
  const seen = his.messages();
  const [first, again] = await Promise.all([
    hers.send('once', { clientMessageId: 'c' }),
    hers.send('once', { clientMessageId: 'c' }),
  ]);
  expect(again).toEqual(first);
  await hers.send('then');
  expect((await take(seen, 2)).map(({ content }) => content)).toEqual(['once', 'then']);
});

test('many messages at once, to several rooms, keep the order of each', async () => {
  const anna = await person();
  const rooms = await Promise.all(['A', 'B', 'C'].map((name) => anna.createRoom(name)));
  const contents = Array.from({ length: 40 }, (_, n) => `message ${n}`);
  const sent = rooms.map((room) => Promise.all(contents.map((content) => room.send(content))));
  for (const messages of await Promise.all(sent)) {
    expect(messages.map(({ id }) => id)).toEqual(contents.map((_, n) => n + 1));
  }
  for (const room of rooms) {
    const { messages } = await room.history();
    expect(messages.map(({ content }) => content)).toEqual(contents);
  }
});

test('history comes in pages, in both directions and from a time on', async () => {
  const anna = await person();
  const room = await anna.createRoom('Archive');
  for (let n = 1; n <= 6; n += 1) await room.send(`${n}`);
  const ids = async (options: Parameters<Room['history']>[0]) => {
    const { messages, hasMore } = await room.history(options);
    return [messages.map(({ id }) => id), hasMore];
  };
  expect(await ids({ limit: 2 })).toEqual([[5, 6], true]);
  expect(await ids({ before: 5, limit: 10 })).toEqual([[1, 2, 3, 4], false]);
  expect(await ids({ after: 2, limit: 3 })).toEqual([[3, 4, 5], true]);
  const { messages } = await room.history();
  expect((await ids({ from: messages[0]!.sentAt }))[0]).toContain(1);
  expect(await ids({ from: new Date(Date.now() + 60_000) })).toEqual([[], false]);
});

test('rooms come and go, and tell their members', async () => {
  const { anna, ben, hers, his } = await pair();
  const carla = await person();
  const members: string[] = [];
  const gone: string[] = [];
  ben.on('members', ({ room, change, name }) => members.push(`${room.name}: ${name} ${change}`));
  for (const client of [ben, carla]) {
    client.on('room-gone', ({ room, reason }) => gone.push(`${client.user!.name} ${room.name} ${reason}`));
  }
  expect(his).toMatchObject({ name: 'Kitchen', owner: anna.user!.name, isMine: false, isIn: true });
  expect(hers).toMatchObject({ name: 'Kitchen', visibility: 'private', isMine: true, isIn: true });

  await hers.add(carla.user!.name);
  await until('she is in the room', () => carla.rooms.length === 1);
  await hers.renameTo('Cellar');
  await until('he knows the name', () => his.name === 'Cellar');
  expect(await his.members()).toEqual(
    expect.arrayContaining([
      { name: anna.user!.name, isOnline: true, role: 'owner' },
      { name: ben.user!.name, isOnline: true, role: 'member' },
      { name: carla.user!.name, isOnline: true, role: 'member' },
    ]),
  );
  const ending = take(his.messages(), 1);
  await hers.remove(carla.user!.name);
  await his.leave();
  expect(await ending).toEqual([]);
  await until('both are told', () => gone.length === 2);
  expect(members).toEqual([`Kitchen: ${carla.user!.name} added`, `Cellar: ${carla.user!.name} removed`]);
  expect(gone.toSorted()).toEqual(
    [`${ben.user!.name} Cellar left`, `${carla.user!.name} Cellar removed`].toSorted(),
  );
  expect(his.isIn).toBe(false);
  await hers.delete();
  expect(anna.rooms.map(({ name }) => name)).not.toContain('Cellar');
});

test('what the server refuses has its code, its words and its details', async () => {
  const { ben, hers, his } = await pair();
  await expect(his.renameTo('Mine')).rejects.toMatchObject({ name: 'ParleyClientError', code: 'not_owner' });
  await expect(ben.createRoom('Odd', { members: ['nobody there'] })).rejects.toMatchObject({
    code: 'user_not_found',
    details: { users: ['nobody there'] },
  });
  await expect(hers.send('')).rejects.toMatchObject({ code: 'invalid_field', details: { field: 'content' } });
  await expect(ben.room('room_of_nobody').send('?')).rejects.toMatchObject({ code: 'room_not_found' });
  await expect(ben.room('room_of_nobody').messages().next()).rejects.toMatchObject({ code: 'not_in_room' });
  await expect(ben.logIn('somebody else', password)).rejects.toMatchObject({ code: 'already_logged_in' });
  const stranger = newClient(parley);
  clients.push(stranger);
  await expect(stranger.room(hers.id).send('?')).rejects.toMatchObject({ code: 'not_authenticated' });
  await expect(stranger.logIn(ben.user!.name, 'wrong password')).rejects.toMatchObject({
    code: 'invalid_credentials',
  });
  await expect(hers.send('x'.repeat(2_000_000))).rejects.toMatchObject({ code: 'too_large' });
  // Refusals leave everything as it was.
  expect(await hers.send('still here')).toMatchObject({ id: 1 });
});

test('of several sends those are refused that are wrong, wherever they go', async () => {
  const { anna, hers } = await pair();
  const results = await Promise.allSettled([
    anna.room('room_of_nobody').send('?'),
    hers.send('a'),
    hers.send(''),
    anna.room('room_of_nobody_else').send(''),
    hers.send('b'),
  ]);
  expect(
    results.map((result) => (result.status === 'fulfilled' ? result.value.id : result.reason.code)),
  ).toEqual(['room_not_found', 1, 'invalid_field', 'invalid_field', 2]);
});

test('a slow reader gets every message, and a later one all from where it wants', async () => {
  const { hers, his } = await pair();
  const slow = his.messages();
  const total = 700;
  for (let n = 1; n <= total; n += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => hers.send(`${n + index}`)));
  }
  await until('he has them all', () => his.lastId === total);
  const ids = Array.from({ length: total }, (_, n) => n + 1);
  expect((await take(slow, total)).map(({ id }) => id)).toEqual(ids);
  expect((await take(his.messages({ after: 0 }), total)).map(({ id }) => id)).toEqual(ids);
  expect((await take(his.messages({ after: total - 3 }), 3)).map(({ id }) => id)).toEqual(ids.slice(-3));
});

test('waiting ends with its signal', async () => {
  const { hers, his } = await pair();
  const ending = new AbortController();
  const reading = take(his.messages({ signal: ending.signal }), 5);
  await hers.send('one');
  await until('he has it', () => his.lastId === 1);
  ending.abort();
  expect((await reading).map(({ content }) => content)).toEqual(['one']);
  await expect(hers.send('never', { signal: ending.signal })).rejects.toMatchObject({ code: 'aborted' });
  const late = new AbortController();
  const history = hers.history({ signal: late.signal });
  late.abort(new Error('too long'));
  await expect(history).rejects.toMatchObject({ code: 'aborted', cause: new Error('too long') });
  expect((await hers.history()).messages).toHaveLength(1);
});

test('public rooms: listed, watched, read from outside, joined', async () => {
  const [anna, ben] = await Promise.all([person(), person()]);
  const garden = await anna.createRoom(`Garden of ${anna.user!.name}`, { visibility: 'public' });
  await garden.send('Welcome');
  await ben.watchPublicRooms();
  const there = () => ben.publicRooms.find(({ id }) => id === garden.id);
  await until('he sees it', () => there()?.users === 1);
  expect(await ben.listPublicRooms()).toContainEqual({
    id: garden.id,
    name: garden.name,
    users: 1,
    owner: anna.user!.name,
    isMember: false,
  });
  const seen = ben.room(garden.id);
  expect(seen).toMatchObject({ isIn: false, name: garden.name, users: 1 });
  expect((await seen.history()).messages.map(({ content }) => content)).toEqual(['Welcome']);
  await seen.join();
  await until('he is counted', () => there()?.users === 2);
  expect(seen).toMatchObject({ isIn: true, users: 2 });
  const heard = take(seen.messages(), 1);
  await garden.send('Come in');
  expect(await heard).toMatchObject([{ id: 2, content: 'Come in' }]);
});
