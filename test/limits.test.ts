import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { password, startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { WebSocket } from 'ws';

let parley: Parley;
beforeAll(async () => {
  const environment = {
    RATE_LIMITS: 'on',
    CONNECTIONS_PER_ADDRESS: '20',
    REGISTRATIONS_PER_ADDRESS: '8',
    TRUSTED_PROXIES: '1',
  };
  parley = await startParley({ environment });
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

test('messages over the limit are refused with the time to wait, and nothing is done', async () => {
  const client = await parley.logIn('talker');
  const { room_id } = await client.ask('create_room', { room_name: 'Loud', participants: [] });
  const replies = await Promise.all(
    Array.from({ length: 300 }, (_, n) => client.request('send_message', { room_id, content: String(n) })),
  );
  const confirmed = replies.filter(({ status }) => status === 'success');
  const refused = replies.filter(({ code }) => code === 'rate_limited');
  expect(confirmed.length + refused.length).toBe(300);
  expect(confirmed.length).toBeGreaterThanOrEqual(200);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]).toMatchObject({
    original_action: 'send_message',
    data: { retry_after_ms: expect.any(Number) },
  });
  const { messages } = await client.ask('get_messages', { room_id });
  expect(messages).toHaveLength(confirmed.length);
});

test('ten seconds of too much without a pause close with 1008', async () => {
  const client = await parley.connect();
  const flood = setInterval(() => {
    for (let n = 0; n < 40; n += 1) client.send('{"action":"get_rooms"}');
  }, 20);
  try {
    expect(await client.closed).toBe(1008);
  } finally {
    clearInterval(flood);
  }
});

test('passwords can be tried ten times a minute for one account', async () => {
  const client = await parley.connect();
  await client.request('register', { chatid: 'guessed', password });
  for (let n = 0; n < 10; n += 1) {
    expect(await client.request('login', { chatid: 'guessed', password: `guess ${n}` })).toMatchObject({
      code: 'invalid_credentials',
    });
  }
  const limited = await client.request('login', { chatid: 'guessed', password });
  expect(limited).toMatchObject({ action: 'error', original_action: 'login', code: 'rate_limited' });
  expect(limited.data.retry_after_ms).toBeGreaterThan(0);
  expect(limited.data.retry_after_ms).toBeLessThanOrEqual(60_000);
});

test('accounts can be made only so fast from one address', async () => {
  const client = await parley.connect();
  const replies = [];
  for (let n = 0; n < 10; n += 1)
    replies.push(await client.request('register', { chatid: `many${n}`, password }));
  expect(replies.at(-1)).toMatchObject({ code: 'rate_limited' });
  const elsewhere = await connectFrom('203.0.113.7');
  elsewhere.send(JSON.stringify({ action: 'register', data: { chatid: 'elsewhere', password } }));
  const [data] = (await once(elsewhere, 'message')) as [Buffer];
  expect(JSON.parse(data.toString())).toMatchObject({ action: 'register_success' });
  elsewhere.terminate();
});

test('one address has only so many connections, and gets them back', async () => {
  const sockets = await Promise.all(Array.from({ length: 20 }, () => connectFrom('203.0.113.8')));
  await expect(connectFrom('203.0.113.8')).rejects.toThrow('429');
  const other = await connectFrom('203.0.113.9');
  other.terminate();
  sockets[0]!.terminate();
  for (;;) {
    try {
      sockets[0] = await connectFrom('203.0.113.8');
      break;
    } catch (error) {
      expect((error as Error).message).toContain('429');
    }
  }
  for (const socket of sockets) socket.terminate();
});

/** As through a proxy that tells the client's address. */
async function connectFrom(address: string): Promise<WebSocket> {
  const socket = new WebSocket(parley.stack.gateways[0]!.webSocketUrl, {
    headers: { 'X-Forwarded-For': address },
  });
  await once(socket, 'open');
  return socket;
}
