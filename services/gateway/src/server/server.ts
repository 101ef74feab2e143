import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { defaultDialect, ParleyError } from '@parley/protocol';
import type { Log } from '@parley/service-kit';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { Connection } from '../connection/connection.ts';
import type { BoundSession, ConnectionOptions, ConnectionOrigin } from '../connection/connection.ts';
import { RateLimiter } from '../connection/rate-limiter.ts';
import type { AddressBytes, RateLimits } from '../connection/rate-limiter.ts';
import { endWithError } from '../http/errors.ts';
import { isAllowedOrigin } from '../http/origins.ts';
import type { ClientRates } from '../http/rate-limits.ts';
import { upgradeToken } from '../http/tokens.ts';
import { upgradePaths } from '../http/upgrade-paths.ts';
import {
  maxConnections as connectionLimit,
  openConnections,
  rateLimited,
  refusedUpgrades,
} from '../metrics.ts';
import type { UpgradeRefusal } from '../metrics.ts';
import { AddressCounts } from './address-counts.ts';
import { Heartbeat } from './heartbeat.ts';
import { HttpSockets } from './http-sockets.ts';

export interface ServerOptions extends Omit<ConnectionOptions, 'closed'> {
  host: string;
  port: number;
  /** HTTP and WebSocket. */
  maxConnections: number;
  pingEveryMs: number;
  /** What answers everything but upgrades. */
  http: FastifyInstance;
  allowedOrigins: readonly string[];
  /** Proxies in front. Where there are any, they are who our sockets come from. */
  trustedProxies: number;
  /** The client's address. */
  addressOf(request: IncomingMessage): string;
  /** Upgrades are requests. */
  ratesByAddress: Pick<ClientRates, 'admit'>;
  /** What is read of all connections of an address, in bytes. */
  bytesByAddress: Pick<ClientRates, 'of'>;
  /** Pages of history for an address, in bytes. */
  pagesByAddress: Pick<ClientRates, 'of'>;
  /** Whose token it is. @throws ParleyError `not_authenticated`, `unavailable`. */
  findSession(token: string): Promise<BoundSession>;
  /** Undefined: no limits. */
  rates: (RateLimits & { connectionsPerAddress: number }) | undefined;
  drainMs: number;
  log: Log;
  closed(connection: Connection): void;
}

/**
 * Most connections that wait to be accepted; the system may allow less. Node's own 511 are not enough for those who come back
 * when another gateway dies: who finds no place tries again after 1 s, 3 s, 7 s (RFC 6298).
 */
const backlog = 4_096;
/** Between the closings of two connections at a drain, where the drain time allows it, in ms. */
const drainStepMs = 5;
/** The part of the drain time over which closings are spread; the rest is for what is in hand. */
const drainSpread = 0.7;
/** How soon an address with as many connections as it may have is asked to try again, in ms. */
const retryAfterMs = 10_000;
const nothingHere = 'There is nothing at this path.';
const foreignOrigin = 'This origin is not allowed to connect.';

/** The port that clients connect to: HTTP and WebSocket. */
export class ClientServer implements AsyncDisposable {
  readonly #options: ServerOptions;
  readonly #sockets: WebSocketServer;
  readonly #heartbeat: Heartbeat;
  readonly #connections = new Map<string, Connection>();
  readonly #perAddress = new AddressCounts();
  /** Undefined: not limited. */
  readonly #httpSockets: HttpSockets | undefined;
  #isDraining = false;
  #closing: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    const { rates, trustedProxies, maxConnections } = options;
    this.#options = options;
    this.#heartbeat = new Heartbeat(options.pingEveryMs);
    if (rates && trustedProxies === 0) {
      this.#httpSockets = new HttpSockets(this.#server, rates.connectionsPerAddress);
    }
    this.#server.maxConnections = maxConnections;
    connectionLimit.from(() => maxConnections);
    this.#server.on('drop', () => {
      rateLimited.inc();
    });
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
    await this.#options.http.listen({ host: this.#options.host, port: this.#options.port, backlog });
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
    const address = this.#options.addressOf(request);
    this.#checkRate(address);
    const path = request.url?.split('?', 1)[0] ?? '';
    if (!upgradePaths.includes(path)) {
      throw refusal('path', new ParleyError('unknown_action', {}, { message: nothingHere }));
    }
    const { origin, host } = request.headers;
    if (!isAllowedOrigin(origin, host, this.#options.allowedOrigins)) {
      throw refusal('origin', new ParleyError('forbidden', {}, { message: foreignOrigin }));
    }
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

  /** @throws ParleyError `rate_limited` */
  #checkRate(address: string): void {
    try {
      this.#options.ratesByAddress.admit(address);
    } catch (thrown) {
      throw refusal('rate', ParleyError.from(thrown));
    }
  }

  /** @throws ParleyError where another connection from there can't be taken. */
  #checkRoom(address: string): void {
    if (this.#isDraining) throw refusal('draining', new ParleyError('unavailable'));
    const most = this.#options.rates?.connectionsPerAddress ?? Infinity;
    if (this.#perAddress.of(address) < most) return;
    rateLimited.inc();
    throw refusal('address_full', new ParleyError('rate_limited', { retryAfterMs }));
  }

  /** Whose token came along. A cookie that is no good any more is none: a browser sends it without being asked. */
  async #sessionOf(request: IncomingMessage): Promise<BoundSession | undefined> {
    const found = upgradeToken(request);
    if (!found) return undefined;
    try {
      return await this.#options.findSession(found.token);
    } catch (thrown) {
      const error = ParleyError.from(thrown);
      const isBad = error.code === 'not_authenticated';
      if (!found.isExplicit && isBad) return undefined;
      throw refusal(isBad ? 'token' : 'unavailable', error);
    }
  }

  #accept(socket: WebSocket, stream: Duplex, origin: ConnectionOrigin): void {
    const { rates } = this.#options;
    const { address } = origin;
    this.#httpSockets?.release(stream);
    const limiter = rates && new RateLimiter(rates, this.#bytesOf(address));
    const connection = new Connection(socket, stream, origin, limiter, this.#connectionOptions);
    this.#connections.set(connection.id, connection);
    this.#perAddress.add(address);
    this.#heartbeat.add(connection);
    openConnections.inc();
  }

  #bytesOf(address: string): AddressBytes | undefined {
    const { bytesByAddress, pagesByAddress } = this.#options;
    const [received, pages] = [bytesByAddress.of(address), pagesByAddress.of(address)];
    return received && pages && { received, pages };
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
    this.#perAddress.remove(address);
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

/** The error, and that there is one more of them. */
function refusal(reason: UpgradeRefusal, error: ParleyError): ParleyError {
  refusedUpgrades.inc({ reason });
  return error;
}

function destroy(this: Duplex): void {
  this.destroy();
}
