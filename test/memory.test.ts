import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startParley, until } from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';

const mebibyte = 1_048_576;
/** Of all connections together; each alone may have as much. */
const maxBytes = 4 * mebibyte;
/** What may come before it is looked again. */
const sixteenth = maxBytes / 16;

let parley: Parley;
beforeAll(async () => {
  const environment = {
    MAX_BUFFERED_BYTES_TOTAL: String(maxBytes),
    MAX_BUFFERED_BYTES: String(64 * mebibyte),
  };
  parley = await startParley({ environment });
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${parley.stack.gateways[0]!.healthUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

const held = () => metric('parley_gateway_buffered_bytes');
const slowReaders = () => metric('parley_gateway_slow_readers_total');

/** Somebody who logged in, beside those who hold much. */
async function logInMany(names: readonly string[]): Promise<LoginClient[]> {
  return Promise.all(names.map((name) => parley.logIn(name)));
}

test('what is not read by all together is bounded: who holds most is closed with 1013, who reads goes on', async () => {
  const names = Array.from({ length: 5 }, (_, n) => `sleeper ${n}`);
  const sleepers = await logInMany(names);
  const [reader, writer] = await logInMany(['reader', 'writer']);
  const request = { room_name: 'Loud', participants: [...names, 'reader'] };
  const { room_id } = await writer!.ask('create_room', request);
  for (const { socket } of sleepers) socket.pause();
  const before = await slowReaders();
  const content = 'x'.repeat(8_192);
  let sent = 0;
  while ((await slowReaders()) === before) {
    await Promise.all(Array.from({ length: 100 }, () => writer!.ask('send_message', { room_id, content })));
    sent += 100;
    expect(await held()).toBeLessThanOrEqual(maxBytes + 2 * sixteenth);
  }
  await until('all of it', () => reader!.messagesOf(room_id).length === sent);
  expect(reader!.messagesOf(room_id).map(([id]) => id)).toEqual(
    Array.from({ length: sent }, (_, n) => n + 1),
  );
  for (const { socket } of sleepers) socket.resume();
  const closed = await Promise.race(sleepers.map((sleeper) => sleeper.closed));
  expect([1006, 1013]).toContain(closed);
  await until('nothing left', async () => (await held()) === 0);
});

test('requests that wait for the confirmation of their count are a part of it', async () => {
  const [client, other] = [await parley.connect(), await parley.connect()];
  const padding = 'x'.repeat(900_000);
  const login = { action: 'login', data: { chatid: 'somebody', password: 'password123', handshake: true } };
  client.send({ ...login, padding });
  await until('one that waits', async () => (await held()) >= padding.length);
  for (let n = 0; n < 5; n += 1) client.send({ ...login, padding });
  expect(await client.closed).toBe(1013);
  await until('nothing left', async () => (await held()) === 0);
  expect(await other.request('get_rooms')).toMatchObject({ code: 'not_authenticated' });
});

test('so are replies over HTTP', async () => {
  const token = await parley.getToken('historian');
  const roomId = await parley.createPublicRoom('Long', 'historian');
  const writer = await parley.logIn('chronicler');
  await writer.ask('join_room', { room_id: roomId });
  const content = 'x'.repeat(8_192);
  const sends = Array.from({ length: 70 }, () => writer.ask('send_message', { room_id: roomId, content }));
  await Promise.all(sends);

  const { port, hostname } = new URL(parley.stack.gateways[0]!.url);
  const page = `GET /api/chat-history/${roomId} HTTP/1.1\r\nHost: parley\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  const before = await slowReaders();
  const sockets = Array.from({ length: 12 }, () => connect({ host: hostname, port: Number(port) }));
  for (const socket of sockets) {
    socket.on('error', () => {});
    // As much as the system keeps for who does not read, and more.
    socket.pause().write(page.repeat(30));
  }
  await until('those that were too much are closed', async () => (await slowReaders()) > before);
  expect(await held()).toBeLessThanOrEqual(maxBytes + 2 * sixteenth);
  const answer = await fetch(`${parley.stack.gateways[0]!.url}/api/rooms`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(200);
  for (const socket of sockets) socket.destroy();
  await until('nothing left', async () => (await held()) === 0);
});

test('so are frames that do not end, until their connection does', async () => {
  const { port, hostname } = new URL(parley.stack.gateways[0]!.url);
  const before = await slowReaders();
  const sockets = Array.from({ length: 8 }, () => connect({ host: hostname, port: Number(port) }));
  for (const socket of sockets) {
    socket.on('error', () => {});
    const asked = ['GET / HTTP/1.1', 'Host: parley', 'Connection: Upgrade', 'Upgrade: websocket'];
    asked.push('Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${'A'.repeat(22)}==`);
    socket.write([...asked, '', ''].join('\r\n'));
    // A masked text frame of a million bytes (RFC 6455, section 5.2), of which some are missing.
    const header = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40, 0, 0, 0, 0]);
    socket.write(Buffer.concat([header, Buffer.alloc(900_000, 'x')]));
  }
  await until('those that were too much are closed', async () => (await slowReaders()) > before);
  expect(await held()).toBeLessThanOrEqual(maxBytes + 2 * sixteenth);
  for (const socket of sockets) socket.destroy();
  await until('nothing left', async () => (await held()) === 0);
});
