import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@parley/local-stack';
import type { ManagedProcess } from '@parley/local-stack';
import { until } from '../wait.ts';

const restartMs = 500;

/**
 * A server that is not ours to stop, behind a proxy that is: stopped, it refuses and cuts connections, as far as anybody on this side
 * can tell.
 */
export class GivenProcess implements ManagedProcess {
  readonly name: string;
  readonly pid = undefined;
  /** The server's address, by way of the proxy. */
  readonly url: string;
  readonly #target: URL;
  readonly #defaultPort: number;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor(name: string, target: URL, defaultPort: number, port: number) {
    this.name = name;
    this.#target = target;
    this.#defaultPort = defaultPort;
    this.#port = port;
    const url = new URL(target);
    url.host = `127.0.0.1:${port}`;
    this.url = url.href;
  }

  static async open(name: string, url: string, defaultPort: number): Promise<GivenProcess> {
    // An ephemeral port could be somebody else's by the time that it starts again.
    const given = new GivenProcess(name, new URL(url), defaultPort, await freePort());
    await given.start();
    return given;
  }

  async kill(): Promise<void> {
    await this.stop();
    void delay(restartMs).then(() => this.start());
  }

  signal(signal: NodeJS.Signals): void {
    for (const socket of this.#sockets) {
      if (signal === 'SIGSTOP') socket.pause();
      if (signal === 'SIGCONT') socket.resume();
    }
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, 'close');
  }

  async start(): Promise<void> {
    if (this.#server) return;
    const server = createServer().listen(this.#port, '127.0.0.1');
    this.#use(server);
    await once(server, 'listening');
  }

  ready(): Promise<void> {
    return until(`${this.name} answers`, () => this.#server?.listening === true);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #use(server: Server): void {
    this.#server = server;
    server.on('connection', (client) => {
      const upstream = connect(Number(this.#target.port) || this.#defaultPort, this.#target.hostname);
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(socket);
        socket.pipe(other);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
    });
  }
}
