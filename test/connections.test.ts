import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { inTime, JoinClient, LoginClient, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { WebSocket } from 'ws';

const [perAddress, inAll] = [20, 60];

let parley: Parley;
beforeAll(async () => {
  const environment = {
    RATE_LIMITS: 'on',
    CONNECTIONS_PER_ADDRESS: String(perAddress),
    MAX_CONNECTIONS: String(inAll),
    LOGIN_TIMEOUT_MS: '6000',
    PING_EVERY_MS: '2000',
    ALLOWED_ORIGINS: 'https://chat.example.org',
  };
  parley = await startParley({ environment });
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

/** What was opened by a test. */
const opened = new Set<Socket>();
afterEach(() => {
  for (const socket of opened) socket.destroy();
  opened.clear();
});

/** Connects from one of our own addresses and says nothing. */
function open(localAddress: string): Socket {
  const { port, hostname } = new URL(parley.stack.gateways[0]!.url);
  const socket = connect({ host: hostname, port: Number(port), localAddress });
  opened.add(socket);
  socket.on('error', () => {});
  return socket;
}

/** Whether a request on that socket is answered; false where the socket is cut off without a word. */
async function isServed(socket: Socket): Promise<boolean> {
  let answer = '';
  const told = new Promise((resolve) => {
    socket.on('close', resolve).on('data', (data) => {
      answer += data.toString();
      resolve(undefined);
    });
  });
  socket.write('GET /api/rooms HTTP/1.1\r\nHost: parley\r\n\r\n');
  await inTime('an answer, or the end', told);
  return answer.startsWith('HTTP/1.1 401');
}

async function metric(line: string): Promise<number> {
  const response = await fetch(`${parley.stack.gateways[0]!.healthUrl}/metrics`);
  const found = (await response.text()).split('\n').find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? 0);
}

test('of those who say nothing, nobody is closed with 1008, who answers no pings is cut off, and somebody stays', async () => {
  const { webSocketUrl } = parley.stack.gateways[0]!;
  const closedBefore = await metric('parley_gateway_closed_total{code="1008"}');
  const token = await parley.getToken('reader');
  const headers = { authorization: `Bearer ${token}` };
  using guest = await new LoginClient(webSocketUrl).opened();
  using leaver = await new LoginClient(webSocketUrl).opened();
  using dead = await new LoginClient(webSocketUrl, { autoPong: false }).opened();
  await Promise.all([guest.logInAsGuest('Guest'), leaver.logInAsGuest('Leaver'), dead.logInAsGuest('Dead')]);
  using reader = await new JoinClient(`${webSocketUrl}/chat`, { headers }).opened();
  using silent = await new LoginClient(webSocketUrl).opened();
  await leaver.ask('logout');

  expect(await inTime('the end of who never logged in', silent.closed)).toBe(1008);
  expect(await inTime('the end of who logged out', leaver.closed)).toBe(1008);
  expect(await metric('parley_gateway_closed_total{code="1008"}')).toBe(closedBefore + 2);
  expect(await inTime('the end of who answers no pings', dead.closed)).toBe(1006);
  expect(guest.socket.readyState).toBe(WebSocket.OPEN);
  expect(reader.socket.readyState).toBe(WebSocket.OPEN);
});

describe('sockets for HTTP', () => {
  test('are so many from one address, idle or not; whoever comes from another is served', async () => {
    const idle = Array.from({ length: perAddress }, () => open('127.0.0.2'));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    const limitedBefore = await metric('parley_gateway_rate_limited_total');
    expect(await isServed(open('127.0.0.2'))).toBe(false);
    expect(await metric('parley_gateway_rate_limited_total')).toBeGreaterThan(limitedBefore);
    expect(await isServed(open('127.0.0.3'))).toBe(true);
    idle[0]!.destroy();
    await until('a place that is free again', () => isServed(open('127.0.0.2')));
  });

  test('count no more once they are WebSockets', async () => {
    const { webSocketUrl } = parley.stack.gateways[0]!;
    const sockets = Array.from(
      { length: perAddress },
      () => new WebSocket(webSocketUrl, { localAddress: '127.0.0.4' }),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'open')));
    expect(await isServed(open('127.0.0.4'))).toBe(true);
    for (const socket of sockets) socket.terminate();
  });

  test('are so many from all together, and none is left behind', async () => {
    const addresses = ['127.0.0.5', '127.0.0.6', '127.0.0.7', '127.0.0.8'];
    const sockets = addresses.flatMap((address) => Array.from({ length: perAddress }, () => open(address)));
    const cutOff = new Set<Socket>();
    for (const socket of sockets) socket.on('close', () => cutOff.add(socket));
    await until('too many', () => cutOff.size >= sockets.length - inAll);
    // Sockets of earlier tests may have gone in the meantime; what they left is taken, too.
    let host = 0;
    await until('no place for one more', async () => !(await isServed(open(`127.0.1.${(host += 1)}`))));
    for (const socket of sockets) socket.destroy();
    await until('room for one more', () => isServed(open('127.0.0.9')));
  });
});

describe('an upgrade that is refused', () => {
  async function refusal(path: string, options: WebSocket.ClientOptions): Promise<string> {
    const socket = new WebSocket(parley.stack.gateways[0]!.webSocketUrl + path, options);
    const [error] = (await once(socket, 'error')) as [Error];
    return error.message;
  }

  test.each([
    ['path', '404', '/nowhere', {}],
    ['origin', '403', '/ws', { origin: 'https://elsewhere.example.org' }],
    ['origin', '403', '/ws', { origin: 'null' }],
    ['token', '401', '/ws?token=wrong', {}],
    ['token', '401', '/ws', { headers: { authorization: 'Bearer wrong' } }],
  ])('is counted as %s, and answered with %s', async (reason, status, path, options) => {
    const line = `parley_gateway_refused_upgrades_total{reason="${reason}"}`;
    const before = await metric(line);
    expect(await refusal(path, options)).toContain(status);
    expect(await metric(line)).toBe(before + 1);
  });

  test('is not one of ours, or of an origin that is allowed', async () => {
    const { webSocketUrl, url } = parley.stack.gateways[0]!;
    for (const origin of [url, 'https://chat.example.org']) {
      const socket = new WebSocket(webSocketUrl, { origin });
      await once(socket, 'open');
      socket.terminate();
    }
  });
});

test('nothing is compressed, whatever a client offers', async () => {
  const socket = new WebSocket(parley.stack.gateways[0]!.webSocketUrl, {
    perMessageDeflate: { threshold: 0, clientMaxWindowBits: 15 },
  });
  await once(socket, 'open');
  expect(socket.extensions).toBe('');
  socket.terminate();
});

test('connections are counted by dialect, and counted off again', async () => {
  const line = 'parley_gateway_dialect_connections{dialect="identify"}';
  const identify = await parley.connectIdentify();
  await identify.identify('counted');
  await until('one more', async () => (await metric(line)) === 1);
  await identify.close();
  await until('one less', async () => (await metric(line)) === 0);
});
