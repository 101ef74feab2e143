import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { BodyClock } from './body-clock.ts';

const limitMs = 20_000;

let server: Server;
let socket: Socket;
let received: string;
beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  const bodies = new BodyClock(limitMs);
  // Answers `/early` at once, others when their bodies are there; `/long` may come in as many parts as it likes.
  server = createServer((request, response) => {
    bodies.start(request, response);
    if (request.url === '/early') response.end('early');
    else request.on('end', () => response.end('whole'));
    request.on('data', () => {
      if (request.url === '/long') bodies.restart(request);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  received = '';
  socket.setEncoding('utf8').on('data', (text: string) => (received += text));
});
afterEach(() => {
  jest.useRealTimers();
  socket.destroy();
  server.close();
});

async function begin(path: string): Promise<IncomingMessage> {
  const begun = once(server, 'request');
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n`);
  return (await begun)[0];
}

async function send(request: IncomingMessage, part: string): Promise<void> {
  const came = once(request, 'data');
  socket.write(part);
  await came;
}

test('a body that stops coming is answered as too late, and its connection closed', async () => {
  await begin('/');
  const closed = once(socket, 'close');
  jest.advanceTimersByTime(limitMs);
  await closed;
  expect(received).toMatch(/^HTTP\/1.1 400 .*did not come in time/s);
});

test('so is one that comes, but too slowly', async () => {
  const request = await begin('/');
  const closed = once(socket, 'close');
  jest.advanceTimersByTime(limitMs - 1);
  await send(request, '12345');
  jest.advanceTimersByTime(1);
  await closed;
  expect(received).toMatch(/^HTTP\/1.1 400 /);
});

test('a long one may take longer as a whole, but not stop', async () => {
  const request = await begin('/long');
  for (const part of ['1', '2', '3', '4']) {
    jest.advanceTimersByTime(limitMs - 1);
    await send(request, part);
  }
  expect(received).toBe('');
  const closed = once(socket, 'close');
  jest.advanceTimersByTime(limitMs);
  await closed;
  expect(received).toMatch(/^HTTP\/1.1 400 /);
});

test('one that was answered before its end gets no second answer', async () => {
  const answered = once(socket, 'data');
  await begin('/early');
  await answered;
  const closed = once(socket, 'close');
  jest.advanceTimersByTime(limitMs);
  await closed;
  expect(received).toMatch(/^HTTP\/1.1 200 .*early$/s);
});

test('after a whole one the connection stays', async () => {
  let answered = once(socket, 'data');
  await send(await begin('/'), '1234567890');
  await answered;
  jest.advanceTimersByTime(2 * limitMs);
  answered = once(socket, 'data');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await answered;
  expect(received.match(/HTTP\/1.1 200 /g)).toHaveLength(2);
});
