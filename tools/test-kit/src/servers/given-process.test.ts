import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '../wait.ts';
import { GivenProcess } from './given-process.ts';

const opened = new AsyncDisposableStack();
let given: GivenProcess;

beforeAll(async () => {
  const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  opened.defer(() => {
    echo.close();
  });
  const { port } = echo.address() as AddressInfo;
  given = opened.use(await GivenProcess.open('echo', `redis://:secret@127.0.0.1:${port}/3`, 6379));
});
afterAll(() => opened.disposeAsync());

async function open(): Promise<Socket> {
  const socket = connect(Number(new URL(given.url).port), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

async function echoed(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

test('it passes on, under an address that differs in host and port only', async () => {
  expect(given.url).toMatch(/^redis:\/\/:secret@127\.0\.0\.1:\d+\/3$/);
  const socket = await open();
  expect(await echoed(socket, 'hello')).toBe('hello');
  socket.destroy();
});

test('stopped, it cuts and refuses connections; started again, it is back under its address', async () => {
  const socket = await open();
  await given.stop();
  await until('the connection is cut', () => socket.closed);
  await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await given.start();
  const next = await open();
  expect(await echoed(next, 'again')).toBe('again');
  next.destroy();
});

test('killed, it comes back by itself', async () => {
  const socket = await open();
  await given.kill();
  await until('the connection is cut', () => socket.closed);
  await given.ready();
  const next = await open();
  expect(await echoed(next, 'again')).toBe('again');
  next.destroy();
});

test('paused, it says nothing until it goes on', async () => {
  const socket = await open();
  // Who is connected is not yet known to the proxy, which pauses those that it knows.
  await echoed(socket, 'before');
  given.signal('SIGSTOP');
  let heard = '';
  socket.on('data', (data: Buffer) => {
    heard += data.toString();
  });
  socket.write('hello');
  // Who came later is not paused, so this is there and back in the time that the other would have had.
  const later = await open();
  for (let time = 0; time < 20; time += 1) await echoed(later, 'later');
  expect(heard).toBe('');
  given.signal('SIGCONT');
  await until('the answer', () => heard === 'hello');
  for (const each of [socket, later]) each.destroy();
});
