import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { password, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import type { Client, ClientOptions, Room } from '../src/index.ts';
import { logIn, newClient } from './peers.ts';

let parley: Parley;
beforeAll(async () => {
  parley = await startParley();
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

let people = 0;
async function pair(
  options: Partial<ClientOptions>,
): Promise<{ anna: Client; ben: Client; hers: Room; delivered: string[] } & AsyncDisposable> {
  const [one, other] = [`person ${(people += 1)}`, `person ${(people += 1)}`];
  const anna = await logIn(parley, one, options);
  const ben = await logIn(parley, other, options);
  const hers = await anna.createRoom('Kitchen', { members: [other] });
  await until('he is in the room', () => ben.rooms.length === 1);
  const delivered: string[] = [];
  anna.on('delivered', ({ room, messageId, reader }) => {
    delivered.push(`${room.name} ${messageId} ${reader === other ? 'ben' : reader}`);
  });
  return {
    anna,
    ben,
    hers,
    delivered,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([anna.close(), ben.close()]);
    },
  };
}

test.each([
  ['by itself', { receipts: true }],
  ['under the integrity handshake', { receipts: true, handshake: true }],
])('who sends is told what others have got, %s', async (_how, options) => {
  await using people = await pair(options);
  const { ben, hers, delivered } = people;
  await Promise.all([hers.send('“Grüße” 👋'), hers.send('line\nbreak \\ "quote"')]);
  await until('both are acknowledged', () => delivered.length === 2);
  expect(delivered).toEqual(['Kitchen 1 ben', 'Kitchen 2 ben']);
  expect(await hers.receipts()).toContainEqual({
    name: ben.user!.name,
    messageId: 2,
    at: expect.any(Date),
  });
});

test('receipts of more messages than may be acknowledged at once come, too', async () => {
  await using people = await pair({ receipts: true });
  const { hers, delivered } = people;
  await Promise.all(Array.from({ length: 60 }, (_, n) => hers.send(`${n}`)));
  await until('all are acknowledged', () => delivered.length === 60);
});

test('without receipts nobody is told', async () => {
  await using people = await pair({});
  const { ben, hers, delivered } = people;
  await hers.send('Hello');
  await until('he has it', () => ben.room(hers.id).lastId === 1);
  expect(await hers.receipts()).not.toContainEqual(expect.objectContaining({ messageId: 1 }));
  expect(delivered).toEqual([]);
});

test('under the handshake what was not acknowledged comes at the next login, in order and once', async () => {
  await using people = await pair({ receipts: true, handshake: true });
  const { ben, hers, delivered } = people;
  await hers.send('first');
  await until('it is acknowledged', () => delivered.length === 1);
  const { name } = ben.user!;
  const { sessionKey } = ben;
  await ben.close();
  for (let n = 2; n <= 60; n += 1) await hers.send(`${n}`);
  await using back = newClient(parley, { receipts: true, handshake: true });
  const heard: number[] = [];
  back.on('message', ({ message }) => heard.push(message.id));
  await back.resume({ name, sessionKey: sessionKey!, isGuest: false });
  await until('all are acknowledged and heard', () => delivered.length === 60 && heard.length >= 59);
  expect(heard).toEqual(Array.from({ length: 59 }, (_, index) => index + 2));
});

test('refusals under the handshake end in an error, and the next request works', async () => {
  await using people = await pair({ handshake: true });
  const { anna, ben, hers } = people;
  await expect(ben.room(hers.id).renameTo('Mine')).rejects.toMatchObject({ code: 'not_owner' });
  await expect(hers.send('')).rejects.toMatchObject({ code: 'invalid_field' });
  await hers.renameTo('Pantry');
  await until('he knows', () => ben.room(hers.id).name === 'Pantry');
  const results = await Promise.allSettled([
    hers.send('a'),
    anna.room('room_of_nobody').send('?'),
    hers.send('b'),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('a server that demands the handshake gets it, asked for or not', async () => {
  await using strict = await startParley({ environment: { HANDSHAKE: 'required' } });
  await using client = newClient(strict);
  await expect(client.register('short', 'short')).rejects.toMatchObject({ code: 'invalid_field' });
  await client.register('anna', password);
  await client.logIn('anna', password);
  const room = await client.createRoom('Strict');
  expect(await room.send('counted')).toMatchObject({ id: 1 });
});
