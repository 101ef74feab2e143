import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createId, createRoom } from '@parley/protocol';
import type { User } from '@parley/protocol';
import { contextOf, startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { guest, someone } from './testing.ts';

const opened = new AsyncDisposableStack();
let parley: Parley;

beforeAll(async () => {
  const environment = { RATE_LIMITS: 'on', ROOMS_PER_ADDRESS: '5', TRUSTED_PROXIES: '1' };
  parley = opened.use(await startParley({ gateways: 1, instances: 2, environment }));
});
afterAll(() => opened.disposeAsync());

function make(user: User, address: string) {
  const room = { name: createId('room'), visibility: 'public' as const, participants: [], address };
  return parley.bus.call(createRoom, room, contextOf(user));
}

test('an address makes so many rooms a minute, at once or one by one, whoever its users are', async () => {
  const users = [someone('anna'), ...Array.from({ length: 9 }, (_, index) => guest(`guest ${index}`))];
  const outcomes = await Promise.allSettled(users.map((user) => make(user, '192.0.2.1')));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
  await expect(make(someone('berta'), '192.0.2.1')).rejects.toMatchObject({
    code: 'rate_limited',
    details: { retryAfterMs: expect.any(Number) },
  });
  await make(someone('carl'), '192.0.2.2');
});

test('rooms are counted for the address of who asks, in every dialect and over HTTP', async () => {
  const anna = await parley.logIn('anna');
  const guestling = await parley.connectIdentify();
  await guestling.ask('identify', { username: 'visitor' });
  await anna.ask('create_room', { room_name: 'one', participants: [] });
  await guestling.ask('createRoom', { room: 'two' });
  for (const name of ['three', 'four', 'five']) await parley.createPublicRoom(name, 'berta');
  const limited = await anna.request('create_room', { room_name: 'six', participants: [] });
  expect(limited).toMatchObject({ action: 'error', original_action: 'create_room', code: 'rate_limited' });
  expect(limited.data.retry_after_ms).toBeGreaterThan(0);
  expect(await guestling.request('createRoom', { room: 'seven' })).toMatchObject({
    action: 'error',
    payload: { reason: 'rate_limited' },
  });
  await expect(parley.createPublicRoom('eight', 'berta')).rejects.toThrow('no room eight');
});

test('while Redis is away nobody counts, and rooms can be made', async () => {
  const server = parley.stack.servers.redis!;
  await server.stop();
  for (let room = 0; room < 7; room += 1) await make(someone('dora'), '192.0.2.3');
  await server.start();
});
