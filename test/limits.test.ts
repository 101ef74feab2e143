import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { letterFrequencies } from '@parley/protocol';
import { HandshakeClient, IdentifyClient, inTime, password, startParley, until } from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';
import { WebSocket } from 'ws';

/** A second, of one address. */
const bytesPerAddress = 1_048_576;

let parley: Parley;
beforeAll(async () => {
  const environment = {
    RATE_LIMITS: 'on',
    BYTES_PER_ADDRESS: String(bytesPerAddress),
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

interface Flood {
  client: LoginClient;
  /** What it does without end, if it is let. */
  go: () => void;
}

async function floodOf(go: (client: LoginClient) => void): Promise<Flood> {
  const client = await parley.connect();
  return {
    client,
    go: () => {
      go(client);
    },
  };
}

/** Counts one message that it never acknowledges, rightly, again and again. */
async function floodOfCounts(): Promise<Flood> {
  const sender = await parley.logIn('sender');
  const { client, go } = await floodOf(({ socket }) => {
    socket.send(count);
  });
  await client.ask('register', { chatid: 'counter', password });
  await new HandshakeClient(client, { count: () => undefined }).logIn('counter', { password });
  const counted = new Promise<string>((resolve) => {
    client.socket.on('message', (data: Buffer) => {
      if (data.includes('"receive_message"')) resolve(data.toString());
    });
  });
  const { room_id } = await sender.ask('create_room', { room_name: 'Counted', participants: ['counter'] });
  await sender.ask('send_message', { room_id, content: 'how many?' });
  const text = await inTime('the message', counted);
  const { transaction_id } = JSON.parse(text).data as { transaction_id: string };
  const data = { transaction_id, letter_frequencies: letterFrequencies(text) };
  const count = JSON.stringify({ action: 'character_count', data });
  client.send(count);
  expect(await client.event('confirm_count')).toMatchObject({ data: { transaction_id, confirm: true } });
  return { client, go };
}

const floods: Record<string, () => Promise<Flood>> = {
  requests: () =>
    floodOf((client) => {
      client.send('{"action":"get_rooms"}');
    }),
  pings: async () => {
    let unanswered = 0;
    const flood = await floodOf(({ socket }) => {
      // Beyond 60 pongs that wait to be written the connection is cut by `ws`, without a code.
      if (unanswered === 30) return;
      unanswered += 1;
      socket.ping();
    });
    flood.client.socket.on('pong', () => {
      unanswered -= 1;
    });
    return flood;
  },
  'pongs that nobody asked for': () =>
    floodOf(({ socket }) => {
      socket.pong();
    }),
  'counts of one message': floodOfCounts,
};

test('ten seconds of too much without a pause close with 1008, whatever it is', async () => {
  const codes = await Promise.all(
    Object.entries(floods).map(async ([what, start]) => {
      const { client, go } = await start();
      const timer = setInterval(() => {
        for (let n = 0; n < 10; n += 1) go();
      }, 20);
      try {
        return [what, await inTime(`the end of ${what}`, client.closed)];
      } finally {
        clearInterval(timer);
      }
    }),
  );
  expect(codes).toEqual(Object.keys(floods).map((what) => [what, 1008]));
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
  let code: string | undefined;
  // More than may be, as some of the time comes back while they are made.
  for (let n = 0; n < 20 && code !== 'rate_limited'; n += 1)
    ({ code } = await client.request('register', { chatid: `many${n}`, password }));
  expect(code).toBe('rate_limited');
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

/** Of a second's bytes, what may come at once. */
const burstBytes = bytesPerAddress / 4;
/** What one connection is read at once, as it says after that how much it was. */
const readAtOnce = 65_536;

test('an address that sends too many bytes is not read meanwhile; others are, and nothing is lost', async () => {
  using one = await guestFrom('203.0.113.10', 'one');
  using other = await guestFrom('203.0.113.10', 'other');
  using calm = await guestFrom('203.0.113.11', 'calm');
  const hasty = [one, other];
  for (const client of hasty) {
    await client.ask('createRoom', { room: client.name });
    await client.ask('joinRoom', { room: client.name });
  }
  const before = await readSoFar();
  /** Whether no more was read by now than may be. */
  async function expectFewBytes(): Promise<number> {
    const { bytes, at } = await readSoFar();
    const seconds = (at - before.at) / 1_000;
    const most = burstBytes + bytesPerAddress * seconds + (hasty.length + 1) * readAtOnce;
    expect(bytes - before.bytes).toBeLessThan(most);
    return bytes - before.bytes;
  }

  const messages = Array.from({ length: 80 }, (_, n) => String(n));
  const padding = 'x'.repeat(16_384);
  for (const message of messages) {
    for (const client of hasty) {
      client.send({ action: 'sendMessage', payload: { room: client.name, message, padding } });
    }
  }
  const confirmed = (client: IdentifyClient) => client.all('message').map(({ payload }) => payload.message);
  let answeredMeanwhile = 0;
  await until('all messages', async () => {
    await calm.ask('history', { room: 'default' });
    if (hasty.every((client) => confirmed(client).length === messages.length)) return true;
    answeredMeanwhile += 1;
    // In the middle; each time would be work that holds up the answers.
    if (answeredMeanwhile === 5) await expectFewBytes();
    return false;
  });
  expect(answeredMeanwhile).toBeGreaterThan(5);
  for (const client of hasty) expect(confirmed(client)).toEqual(messages);
  expect(await expectFewBytes()).toBeGreaterThan(hasty.length * messages.length * padding.length);
});

test('an address gets so much of history, over WebSockets and HTTP together; others are answered meanwhile', async () => {
  using hungry = await guestFrom('203.0.113.12', 'hungry');
  using calm = await guestFrom('203.0.113.13', 'calm');
  await hungry.ask('createRoom', { room: 'library' });
  await hungry.ask('joinRoom', { room: 'library' });
  for (let sent = 0; sent < 16; sent += 1) {
    hungry.send({ action: 'sendMessage', payload: { room: 'library', message: 'x'.repeat(8_000) } });
  }
  await until('all are sent', () => hungry.all('message').length === 16);

  const pacedSoFar = () => readMetric('parley_gateway_paced_total');
  const pacedBefore = await pacedSoFar();
  const startedAt = performance.now();
  const asked = 30;
  for (let n = 0; n < asked; n += 1) hungry.send({ action: 'history', payload: { room: 'library' } });
  await until('it has to wait', async () => (await pacedSoFar()) > pacedBefore);
  await calm.ask('history', { room: 'default' });
  expect(hungry.all('history').length).toBeLessThan(asked);
  const api = `${parley.stack.gateways[0]!.url}/api`;
  const headers = {
    'X-Forwarded-For': '203.0.113.12',
    'Content-Type': 'application/json',
    Authorization: '',
  };
  const body = JSON.stringify({ username: 'librarian', password });
  await fetch(`${api}/register`, { method: 'POST', headers, body });
  const loggedIn = await fetch(`${api}/login`, { method: 'POST', headers, body });
  headers.Authorization = `Bearer ${((await loggedIn.json()) as { token: string }).token}`;
  const rooms = (await (await fetch(`${api}/rooms`, { headers })).json()) as Record<string, string>[];
  const { roomId } = rooms.find(({ roomName }) => roomName === 'library')!;
  const read = async () => (await fetch(`${api}/chat-history/${roomId!}`, { headers })).text();
  const pages = await Promise.all([read(), read(), read(), read()]);

  await until('all is answered', () => hungry.all('history').length === asked);
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const frame of hungry.all('history')) pages.push(JSON.stringify(frame));
  const bytes = pages.reduce((sum, { length }) => sum + length, 0);
  expect(bytes).toBeGreaterThan(pages.length * 16 * 8_000);
  // The last page may be more than was left.
  expect(bytes).toBeLessThan(burstBytes + bytesPerAddress * seconds + bytes / pages.length);
});

/** Bytes of all connections, and by when, as `performance.now()`. */
async function readSoFar(): Promise<{ bytes: number; at: number }> {
  return { bytes: await readMetric('parley_gateway_received_bytes_total'), at: performance.now() };
}

async function readMetric(name: string): Promise<number> {
  const text = await (await fetch(`${parley.stack.gateways[0]!.healthUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)![1]);
}

async function guestFrom(address: string, name: string): Promise<IdentifyClient> {
  const headers = { 'X-Forwarded-For': address };
  const guest = await new IdentifyClient(parley.stack.gateways[0]!.webSocketUrl, { headers }).opened();
  await guest.identify(name);
  return guest;
}

test('an IPv6 network is one address', async () => {
  const network = '2001:db8:1:2';
  const sockets = await Promise.all(Array.from({ length: 20 }, (_, n) => connectFrom(`${network}::${n}`)));
  await expect(connectFrom(`${network}:ffff::1`)).rejects.toThrow('429');
  sockets.push(await connectFrom('2001:db8:1:3::1'));
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

test('an upgrade that is refused keeps no connection, however the client goes on', async () => {
  const { port } = new URL(parley.stack.gateways[0]!.url);
  const socket = connect({ port: Number(port), allowHalfOpen: true });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  let answer = '';
  socket.on('data', (data) => (answer += data.toString()));
  const asked = ['GET /nowhere HTTP/1.1', 'Host: parley', 'Connection: Upgrade', 'Upgrade: websocket'];
  socket.write([...asked, '', ''].join('\r\n'));
  await once(socket, 'end');
  expect(answer).toMatch(/^HTTP\/1.1 404 /);
  // Its half stays open and it goes on talking, until it is told that nobody is there.
  const talk = setInterval(() => socket.write('still here'), 50);
  try {
    await inTime('the connection is gone', closed);
  } finally {
    clearInterval(talk);
  }
});
