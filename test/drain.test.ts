import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { moveAll } from '../bench/src/moving.ts';

/** `npm run bench -- drain` does it with a thousand. */
const connections = 200;

let parley: Parley;
beforeAll(async () => {
  parley = await startParley({ gateways: 2, environment: { DRAIN_MS: '4000' } });
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

test('a gateway is replaced under load: all are told, one after the other, go on elsewhere, lose nothing and get nothing twice', async () => {
  const result = await moveAll(parley.stack, {
    connections,
    rooms: 20,
    perSecond: 200,
    talkMs: 1_000,
    abort: new AbortController().signal,
  });
  expect([...result.reasons]).toEqual([['closed with 1001', connections]]);
  // Closings are spread: while some are gone already, others are still served.
  expect(result.servedWhileDraining).toBeGreaterThan(0);
  expect(result.misdelivered).toBe(0);
  expect(result.incomplete).toBe(0);
  expect(result.audit).toMatchObject({ problems: [], refused: 0, unanswered: 0, rooms: 20 });
  expect(result.audit.messages).toBe(result.audit.confirmed);
  expect(result.audit.confirmed).toBeGreaterThan(connections);
});

test('a gateway that drains finishes what it has read, and reads no more', async () => {
  const { gateways, services } = parley.stack;
  const gateway = gateways[1]!;
  const [rooms, messages] = [services.rooms[0]!, services.messages[0]!];
  const client = await parley.logIn('hasty', 1);
  const { room_id } = await client.ask('create_room', { room_name: 'Late', participants: [] });
  const readBefore = await framesRead(gateway.healthUrl);
  for (const service of [rooms, messages]) service.signal('SIGSTOP');
  client.send({ action: 'get_rooms' });
  client.send({ action: 'get_messages', data: { room_id } });
  await until('both are read', async () => (await framesRead(gateway.healthUrl)) === readBefore + 2);
  gateway.signal('SIGTERM');
  await until('it drains', async () => (await fetch(`${gateway.healthUrl}/readyz`)).status === 503);
  rooms.signal('SIGCONT');
  await client.event('rooms_list');
  for (let late = 0; late < 20; late += 1) client.send({ action: 'get_receipts', data: { room_id: 'late' } });
  messages.signal('SIGCONT');
  await client.event('messages_list');
  expect(await client.closed).toBe(1001);
  expect(client.all('error')).toEqual([]);
});

async function framesRead(healthUrl: string): Promise<number> {
  const text = await (await fetch(`${healthUrl}/metrics`)).text();
  return Number(/^parley_gateway_frames_received_total (\d+)$/m.exec(text)![1]);
}
