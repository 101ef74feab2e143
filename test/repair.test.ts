import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startServers } from '@parley/local-stack';
import { openLossyBus, startParley, until } from '@parley/test-kit';
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
  parley = opened.use(
    await startParley({ gateways: 1, given: { ...servers.addresses, natsUrl: bus.natsUrl } }),
  );
});
afterAll(async () => {
  await opened.disposeAsync();
});

const gatewayOnBus = 'parley-gateway';

function isMessageEvent(subject: string): boolean {
  return subject.startsWith('parley.event.room.') && subject.endsWith('.messages');
}

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
