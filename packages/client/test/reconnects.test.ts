import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import type { ConnectionState } from '../src/index.ts';
import { killGateway, logIn, readAll, talk, told } from './peers.ts';

/** Days, as a wait is anything up to the bound: it does not end in a test by itself. */
const untilTold = { minMs: 1e9, maxMs: 1e9 };

const kills = 20;

let parley: Parley;
beforeAll(async () => {
  parley = await startParley();
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

test(`the gateway is killed ${kills} times while two talk: both have the room's history, each send settled once`, async () => {
  await using anna = await logIn(parley, 'anna');
  await using ben = await logIn(parley, 'ben');
  const hers = await anna.createRoom('Storm', { members: ['ben'] });
  await until('he is in the room', () => ben.rooms.length === 1);
  const stop = new AbortController();
  const talks = [talk(anna, hers, stop.signal), talk(ben, ben.room(hers.id), stop.signal)];
  for (let kill = 1; kill <= kills; kill += 1) {
    const before = talks.map(({ confirmed }) => confirmed.length);
    await until(`both talk again after kill ${kill - 1}`, () =>
      talks.every(({ confirmed }, index) => confirmed.length > before[index]! + 5),
    );
    await killGateway(parley);
  }
  stop.abort();
  await Promise.all(talks.map(({ done }) => done));

  const history = (await readAll(hers)).map(told);
  expect(history.map(({ id }) => id)).toEqual(history.map((_, index) => index + 1));
  const contents = history.map(({ content }) => content);
  expect(new Set(contents).size).toBe(contents.length);
  for (const { heard, events, confirmed } of talks) {
    await until('all is heard', () => heard.length >= history.length && events.length >= history.length);
    expect(heard.map(told)).toEqual(history);
    expect(events.map(told)).toEqual(history);
    expect(new Set(confirmed.map(({ id }) => id)).size).toBe(confirmed.length);
    for (const message of confirmed) expect(history[message.id - 1]).toEqual(told(message));
  }
  expect(talks[0]!.confirmed.length + talks[1]!.confirmed.length).toBe(history.length);
}, 360_000);

test('what is sent while the connection is away arrives in its order once it is back', async () => {
  await using carla = await logIn(parley, 'carla');
  await using dora = await logIn(parley, 'dora');
  const room = await carla.createRoom('Patience', { members: ['dora'] });
  await until('she is in the room', () => dora.rooms.length === 1);
  const [gateway] = parley.stack.gateways;
  await gateway!.stop();
  await until('both have noticed', () => [carla, dora].every(({ state }) => state.status !== 'online'));
  const sends = Promise.all(['one', 'two', 'three'].map((content) => room.send(content)));
  const listing = carla.listPublicRooms();
  await gateway!.start();
  expect((await sends).map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(await listing).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'default' })]));
  await until('she has them', () => dora.room(room.id).lastId === 3);
});

test('rooms that changed while the client was away are as they are now', async () => {
  await using emil = await logIn(parley, 'emil');
  await using fritz = await logIn(parley, 'fritz', { backoff: untilTold });
  const [old, kept] = await Promise.all([
    emil.createRoom('Old', { members: ['fritz'] }),
    emil.createRoom('Kept', { members: ['fritz'] }),
  ]);
  await until('he is in both', () => fritz.rooms.length === 2);
  const gone: string[] = [];
  const states: ConnectionState['status'][] = [];
  fritz.on('room-gone', ({ room }) => gone.push(room.name));
  fritz.on('state', ({ status }) => states.push(status));
  const ended = fritz.room(old.id).messages().next();
  await killGateway(parley);
  await until('he waits', () => fritz.state.status === 'waiting');
  await old.delete();
  await kept.renameTo('Renamed');
  await kept.send('missed');
  const added = await emil.createRoom('New', { members: ['fritz'] });
  await added.send('hello');
  fritz.reconnect();
  await until('he is in the new one', () => fritz.rooms.some(({ id }) => id === added.id));
  expect(fritz.rooms.map(({ name }) => name).toSorted()).toEqual(['New', 'Renamed']);
  expect(gone).toEqual(['Old']);
  expect(await ended).toEqual({ done: true, value: undefined });
  expect(states).toEqual(['waiting', 'connecting', 'online']);
  await until('he has what he missed', () => fritz.room(kept.id).lastId === 1);
});
