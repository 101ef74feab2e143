import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { until as untilWithin } from '../until.ts';
import { Proxy } from './proxy.ts';

const patienceMs = 20_000;
const never = new AbortController().signal;
const until = (what: string, condition: () => boolean) => untilWithin(what, patienceMs, condition, never);

let opened: AsyncDisposableStack;
let proxy: Proxy;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  opened.defer(() => void echo.close());
  proxy = opened.use(await Proxy.open((echo.address() as AddressInfo).port));
});
afterEach(() => opened.disposeAsync());

/** A connection through the proxy, with what came back. */
async function open(): Promise<{ socket: Socket; echoed: () => string }> {
  const socket = connect(proxy.port, '127.0.0.1');
  opened.defer(() => void socket.destroy());
  socket.on('error', () => {});
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString()));
  await once(socket, 'connect');
  return { socket, echoed: () => text };
}

test('passes on what comes, both ways, and the end', async () => {
  const { socket, echoed } = await open();
  const large = 'x'.repeat(3_000_000);
  socket.end(large);
  await once(socket, 'close');
  expect(echoed()).toBe(large);
});

test('cuts the connections that it is told to; new ones can be made', async () => {
  const [first, second] = [await open(), await open()];
  await until('both are through', () => proxy.connections === 2);
  const closed = new Promise((resolve) => first.socket.once('close', resolve));
  let index = 0;
  expect(proxy.cut(() => index++ === 0)).toBe(1);
  await closed;
  second.socket.write('still there');
  await until('an echo', () => second.echoed() === 'still there');
  const third = await open();
  third.socket.write('new');
  await until('an echo', () => third.echoed() === 'new');
});

test('holds what is sent until it heals, and loses nothing', async () => {
  const { socket, echoed } = await open();
  socket.write('before ');
  await until('an echo', () => echoed() === 'before ');
  proxy.hold();
  socket.write('held');
  const other = await open();
  other.socket.write('held too');
  proxy.heal();
  await until('both echoes', () => echoed() === 'before held' && other.echoed() === 'held too');
});

test('slows down what passes', async () => {
  const { socket, echoed } = await open();
  proxy.slow(40);
  const sentAt = performance.now();
  socket.write('slow');
  await until('an echo', () => echoed() === 'slow');
  expect(performance.now() - sentAt).toBeGreaterThan(75);
});
