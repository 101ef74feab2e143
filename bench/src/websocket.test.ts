import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { openSocket } from './websocket.ts';

const deaf = { onText: () => undefined, onRead: () => undefined, onClose: () => undefined };

test.each<[string, (socket: Socket) => void, string]>([
  ['ends the connection at once', (socket) => void socket.end(), 'the connection was ended'],
  ['refuses', (socket) => void socket.write('HTTP/1.1 503 Service Unavailable\r\n\r\n'), 'HTTP/1.1 503'],
])('a server that %s is told of, and nothing stays open', async (_what, answer, message) => {
  const left = Promise.withResolvers<undefined>();
  const server = createServer((socket) => {
    socket.once('close', () => {
      left.resolve(undefined);
    });
    socket.resume();
    answer(socket);
  }).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(openSocket(`ws://127.0.0.1:${port}`, deaf)).rejects.toThrow(message);
    await left.promise;
  } finally {
    server.close();
  }
});
