import { randomInt } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStackError } from './local-stack-error.ts';

/**
 * Below the range (from 32768 on) from which Linux takes the ports of outgoing connections: in there, a client that keeps
 * trying to reach a server that is away can end up connected to itself and hold the server's port.
 */
const firstPort = 21_000;
const lastPort = 31_999;

/**
 * Where each stack of this machine notes the ports that it took, so that no other takes one while its server is not up yet,
 * or is being restarted: a file by the port's number, with the process that holds it.
 */
const claims = join(tmpdir(), 'parley-ports');
const claimed = new Set<number>();

/** Ports on which nobody listens, ours until this process ends. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(firstPort, lastPort + 1);
    if ((await isFree(port)) && claim(port)) ports.add(port);
  }
  return [...ports];
}

/** One of these. */
export async function freePort(): Promise<number> {
  return (await freePorts(1))[0]!;
}

/** False where another process that still runs has it. */
function claim(port: number): boolean {
  if (claimed.size === 0) {
    makeClaimsFolder();
    process.once('exit', giveClaimsBack);
  }
  const file = join(claims, String(port));
  if (existsSync(file)) {
    if (isRunning(Number(readFileSync(file, 'utf8')))) return false;
    rmSync(file, { force: true });
  }
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
  } catch {
    return false;
  }
  claimed.add(port);
  return true;
}

/** For all users of the machine, as their ports are the same. */
function makeClaimsFolder(): void {
  if (existsSync(claims)) return;
  mkdirSync(claims, { recursive: true });
  chmodSync(claims, 0o1777);
}

function giveClaimsBack(): void {
  for (const port of claimed) rmSync(join(claims, String(port)), { force: true });
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
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
