import type { IncomingMessage, Server } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ParleyError } from '@parley/protocol';
import type { Log } from '@parley/service-kit';
import { fastify } from 'fastify';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { Heartbeat } from './heartbeat.ts';
import { openConnections, rateLimited } from './metrics.ts';
import { RateLimiter } from './rate-limiter.ts';
import type { RateLimits } from './rate-limiter.ts';

export interface ServerOptions extends Omit<ConnectionOptions, 'closed'> {
  host: string;
  port: number;
  maxFrameBytes: number;
  pingEveryMs: number;
  trustedProxies: number;
  /** Undefined: no limits. */
  rates: (RateLimits & { connectionsPerAddress: number }) | undefined;
  drainMs: number;
  log: Log;
  closed(connection: Connection): void;
}

/** Where WebSocket upgrades are accepted. */
const upgradePaths = ['/', '/ws', '/chat'];
/** Between the closings of two connections at a drain, where the drain time allows it, in ms. */
const drainStepMs = 5;
/** The part of the drain time over which closings are spread; the rest is for what is in hand. */
const drainSpread = 0.7;
const retryAfterSeconds = 10;

/** The port that clients connect to: HTTP and WebSocket. */
export class ClientServer implements AsyncDisposable {
  readonly #options: ServerOptions;
  readonly #http;
  readonly #sockets: WebSocketServer;
  readonly #heartbeat: Heartbeat;
  readonly #connections = new Map<string, Connection>();
  readonly #perAddress = new Map<string, number>();
  #isDraining = false;
  #closing: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#heartbeat = new Heartbeat(options.pingEveryMs);
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: options.maxFrameBytes,
      perMessageDeflate: false,
    });
    this.#http = fastify({ logger: false });
    this.#http.get('/', () => ({ name: 'Parley', webSocket: upgradePaths }));
    this.#http.setNotFoundHandler((_request, reply) => {
      const { http, code, message } = new ParleyError(
        'unknown_action',
        {},
        { message: 'There is nothing at this path.' },
      );
      return reply.code(http).send({ status: 'error', message, code });
    });
    this.#http.server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      this.#upgrade(request, stream, head);
    });
  }

  async listen(): Promise<void> {
    await this.#http.listen({ host: this.#options.host, port: this.#options.port });
  }

  get #server(): Server {
    return this.#http.server;
  }

  /** The open connection of that id. */
  find(connectionId: string): Connection | undefined {
    return this.#connections.get(connectionId);
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const path = request.url?.split('?', 1)[0] ?? '';
    const address = this.#addressOf(request);
    if (!upgradePaths.includes(path)) {
      refuse(stream, 404, 'unknown_action');
    } else if (this.#isDraining) {
      refuse(stream, 503, 'unavailable');
    } else if (
      (this.#perAddress.get(address) ?? 0) >= (this.#options.rates?.connectionsPerAddress ?? Infinity)
    ) {
      rateLimited.inc();
      refuse(stream, 429, 'rate_limited');
    } else {
      this.#sockets.handleUpgrade(request, stream, head, (socket) => {
        this.#accept(socket, stream, address);
      });
    }
  }

  #accept(socket: WebSocket, stream: Duplex, address: string): void {
    const { rates } = this.#options;
    const limiter = rates && new RateLimiter(rates);
    const connection = new Connection(socket, stream, address, limiter, this.#connectionOptions);
    this.#connections.set(connection.id, connection);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    this.#heartbeat.add(connection);
    openConnections.inc();
  }

  get #connectionOptions(): ConnectionOptions {
    return (this.#sharedOptions ??= {
      ...this.#options,
      closed: (connection) => {
        this.#forget(connection);
        this.#options.closed(connection);
      },
    });
  }
  #sharedOptions: ConnectionOptions | undefined;

  #forget({ id, address }: Connection): void {
    this.#connections.delete(id);
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
    openConnections.dec();
  }

  /** The client's address: the last one that no trusted proxy may have been told by the client itself. */
  #addressOf(request: IncomingMessage): string {
    const { trustedProxies } = this.#options;
    const direct = request.socket.remoteAddress ?? '';
    if (trustedProxies === 0) return direct;
    const forwarded = String(request.headers['x-forwarded-for'] ?? '');
    const hops = [...forwarded.split(',').map((hop) => hop.trim()), direct].filter((hop) => hop !== '');
    return (hops.at(-1 - trustedProxies) ?? hops[0] ?? direct).slice(0, 64);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#drain());
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    // Nobody new comes in; the listening socket closes at once, the rest when its connections are gone.
    const closed = new Promise((resolve) => this.#server.close(resolve));
    const connections = [...this.#connections.values()];
    const spreadMs = Math.min(this.#options.drainMs * drainSpread, connections.length * drainStepMs);
    await Promise.all(
      connections.map(async (connection, index) => {
        await new Promise((resolve) => setTimeout(resolve, (index * spreadMs) / connections.length));
        await connection.drain();
      }),
    );
    this.#heartbeat[Symbol.dispose]();
    this.#server.closeIdleConnections();
    await Promise.race([
      closed,
      new Promise((resolve) => setTimeout(resolve, this.#options.drainMs * (1 - drainSpread)).unref()),
    ]);
    this.#server.closeAllConnections();
    await this.#http.close();
  }
}

/** Answers an upgrade with an HTTP error instead. */
function refuse(stream: Duplex, status: number, code: ConstructorParameters<typeof ParleyError>[0]): void {
  const { message } = new ParleyError(code);
  const body = JSON.stringify({ status: 'error', message, code });
  const headers = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 404 ? [] : [`Retry-After: ${retryAfterSeconds}`]),
  ];
  stream.on('error', () => stream.destroy());
  stream.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}
