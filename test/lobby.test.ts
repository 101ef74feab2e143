import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startParley, until } from '@parley/test-kit';
import type { IdentifyClient, Parley } from '@parley/test-kit';

let parley: Parley;
beforeAll(async () => {
  // 500 at once may all have to wait for the last of them.
  parley = await startParley({ gateways: 2, environment: { REQUEST_TIMEOUT_MS: '30000' } });
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

async function guest(name: string, gateway = 0): Promise<IdentifyClient> {
  const client = await parley.connectIdentify(gateway);
  await client.identify(name);
  return client;
}

describe('the list of public rooms', () => {
  test('follows `joined`, and answers who makes a room or asks', async () => {
    const anna = await parley.connectIdentify();
    anna.send({ action: 'identify', payload: { username: 'anna' } });
    expect(await anna.next('the first frame')).toEqual({ action: 'joined', payload: { room: 'default' } });
    const first = await anna.next('the second frame');
    expect(first).toMatchObject({ action: 'roomsList', payload: { rooms: { default: 1 } } });
    expect(await anna.ask('createRoom', { room: 'tea' })).toMatchObject({ rooms: { tea: 0 } });
    expect(await anna.ask('roomsList')).toMatchObject({ rooms: { default: 1, tea: 0 } });
    expect(await anna.request('createRoom', { room: 'tea' })).toMatchObject({
      payload: { reason: 'room_exists' },
    });
    expect(await anna.request('createRoom', { room: 'default' })).toMatchObject({
      payload: { reason: 'room_exists' },
    });
  });

  test('shows no private rooms', async () => {
    const owner = await parley.logIn('owner');
    await owner.ask('create_room', { room_name: 'secret', participants: [] });
    const berta = await guest('berta', 1);
    expect(berta.rooms).not.toHaveProperty('secret');
  });

  test('holds whatever a room may be called', async () => {
    const clara = await guest('clara');
    for (const room of ['__proto__', 'toString', '😀 "quoted"', '1']) await clara.ask('createRoom', { room });
    await until('all four', () => Object.hasOwn(clara.rooms, '1'));
    for (const room of ['__proto__', 'toString', '😀 "quoted"'])
      expect(Object.hasOwn(clara.rooms, room)).toBe(true);
  });

  test('reaches 500 connections at most four times a second each while they come and go, and is right in the end', async () => {
    const seconds = 10;
    const earlier = (await (await guest('first visitor')).ask('roomsList')).rooms.default as number;
    const clients = await Promise.all(
      Array.from({ length: 500 }, (_, index) => guest(`visitor ${index}`, index % 2)),
    );
    await clients[0]!.ask('createRoom', { room: 'busy' });
    // Of what came before, nothing may be left to be read.
    await until('all are known everywhere', () =>
      clients.every(({ rooms }) => rooms.default === earlier + clients.length && rooms.busy === 0),
    );

    const start = performance.now();
    const counts = clients.map(() => 0);
    clients.forEach((client, index) => {
      client.socket.on('message', (data: Buffer) => {
        if (data.includes('"action":"roomsList"')) counts[index]! += 1;
      });
    });
    const end = Date.now() + seconds * 1_000;
    const inBusy = new Set<IdentifyClient>();
    await Promise.all(
      clients.map(async (client) => {
        while (Date.now() < end) {
          await client.ask('joinRoom', { room: 'busy' });
          inBusy.add(client);
          if (Math.random() < 0.7) {
            await client.ask('leaveRoom', { room: 'busy' });
            inBusy.delete(client);
          } else {
            await new Promise((resolve) => setTimeout(resolve, 500));
          }
        }
      }),
    );
    await until('the right list everywhere', () => clients.every(({ rooms }) => rooms.busy === inBusy.size));
    // Counted over the whole time: here lists may be read late, and so closer together than they were sent.
    const most = 4 * ((performance.now() - start) / 1_000 + 0.25);
    for (const told of counts) {
      expect(told).toBeGreaterThan(0);
      expect(told).toBeLessThanOrEqual(most);
    }
  });
});
