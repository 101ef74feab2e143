import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { LocalStackError } from './local-stack-error.ts';

/**
 * Below the range (from 32768 on) from which Linux takes the ports of outgoing connections: in there, a client that keeps
 * trying to reach a server that is away can end up connected to itself and hold the server's port.
 */
const firstPort = 21_000;
const lastPort = 31_999;

/** Ports on which nobody listens at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(firstPort, lastPort + 1);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

/** @throws LocalStackError naming the first of the ports that is in use. */
export async function checkPortsFree(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    if (await isFree(port)) continue;
    throw new LocalStackError(
      `Port ${port} is in use (by another Parley or program); ` +
        `stop it or choose another with PORT=${anotherFirst(ports)} npm start.`,
    );
  }
}

function anotherFirst([first = 0]: readonly number[]): number {
  return first < 65_000 ? first + 100 : first - 100;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((answer, fail) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') answer(false);
      else if (error.code === 'EACCES')
        fail(
          new LocalStackError(`Port ${port} needs more rights than this user has; choose one above 1023.`),
        );
      else fail(error);
    });
    server.listen(port, () =>
      server.close(() => {
        answer(true);
      }),
    );
  });
}
