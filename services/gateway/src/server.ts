import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { defaultDialect, ParleyError } from '@parley/protocol';
import type { Log } from '@parley/service-kit';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { Connection } from './connection.ts';
import type { BoundSession, ConnectionOptions, ConnectionOrigin } from './connection.ts';
import { Heartbeat } from './heartbeat.ts';
import { endWithError } from './http/errors.ts';
import { isAllowedOrigin } from './http/origins.ts';
import { upgradeToken } from './http/tokens.ts';
import { openConnections, rateLimited } from './metrics.ts';
import { RateLimiter } from './rate-limiter.ts';
import type { RateLimits } from './rate-limiter.ts';

export interface ServerOptions extends Omit<ConnectionOptions, 'closed'> {
  host: string;
  port: number;
  maxFrameBytes: number;
  pingEveryMs: number;
  /** What answers everything but upgrades. */
  http: FastifyInstance;
  allowedOrigins: readonly string[];
  /** The client's address. */
  addressOf(request: IncomingMessage): string;
  /** Whose token it is. @throws ParleyError `not_authenticated`, `unavailable`. */
  findSession(token: string): Promise<BoundSession>;
  /** Undefined: no limits. */
  rates: (RateLimits & { connectionsPerAddress: number }) | undefined;
  drainMs: number;
  log: Log;
  closed(connection: Connection): void;
}

/** Where WebSocket upgrades are accepted. */
export const upgradePaths = ['/', '/ws', '/chat'];
/** Between the closings of two connections at a drain, where the drain time allows it, in ms. */
const drainStepMs = 5;
/** The part of the drain time over which closings are spread; the rest is for what is in hand. */
const drainSpread = 0.7;
/** How soon an address with as many connections as it may have is asked to try again, in ms. */
const retryAfterMs = 10_000;
const nothingHere = 'There is nothing at this path.';

/** The port that clients connect to: HTTP and WebSocket. */
export class ClientServer implements AsyncDisposable {
  readonly #options: ServerOptions;
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
    this.#server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      stream.on('error', destroy);
      this.#upgrade(request, stream, head).catch((thrown: unknown) => {
        endWithError(stream, ParleyError.from(thrown));
      });
    });
  }

  async listen(): Promise<void> {
    await this.#options.http.listen({ host: this.#options.host, port: this.#options.port });
  }

  get #server(): Server {
    return this.#options.http.server;
  }

  /** How many connections are open. */
  get size(): number {
    return this.#connections.size;
  }

  /** The open connection of that id. */
  find(connectionId: string): Connection | undefined {
    return this.#connections.get(connectionId);
  }

  /** @throws ParleyError why there is no upgrade. */
  async #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const path = request.url?.split('?', 1)[0] ?? '';
    if (!upgradePaths.includes(path)) throw new ParleyError('unknown_action', {}, { message: nothingHere });
    const { origin, host } = request.headers;
    if (!isAllowedOrigin(origin, host, this.#options.allowedOrigins)) {
      throw new ParleyError('forbidden', {}, { message: 'This origin is not allowed to connect.' });
    }
    const address = this.#options.addressOf(request);
    this.#checkRoom(address);
    const tokenSession = await this.#sessionOf(request);
    if (stream.destroyed) return;
    this.#checkRoom(address);
    const opened = { address, initialDialect: defaultDialect(path), tokenSession };
    stream.off('error', destroy);
    this.#sockets.handleUpgrade(request, stream, head, (socket) => {
      this.#accept(socket, stream, opened);
    });
  }

  /** @throws ParleyError where another connection from there can't be taken. */
  #checkRoom(address: string): void {
    if (this.#isDraining) throw new ParleyError('unavailable');
    const most = this.#options.rates?.connectionsPerAddress ?? Infinity;
    if ((this.#perAddress.get(address) ?? 0) < most) return;
    rateLimited.inc();
    throw new ParleyError('rate_limited', { retryAfterMs });
  }

  /** Whose token came along. A cookie that is no good any more is none: a browser sends it without being asked. */
  async #sessionOf(request: IncomingMessage): Promise<BoundSession | undefined> {
    const found = upgradeToken(request);
    if (!found) return undefined;
    try {
      return await this.#options.findSession(found.token);
    } catch (thrown) {
      if (!found.isExplicit && ParleyError.from(thrown).code === 'not_authenticated') return undefined;
      throw thrown;
    }
  }

  #accept(socket: WebSocket, stream: Duplex, origin: ConnectionOrigin): void {
    const { rates } = this.#options;
    const { address } = origin;
    const limiter = rates && new RateLimiter(rates);
    const connection = new Connection(socket, stream, origin, limiter, this.#connectionOptions);
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
    await this.#options.http.close();
  }
}

function destroy(this: Duplex): void {
  this.destroy();
}
