import { createServer, request as httpRequest, STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { Judge } from './judge.ts';
import type { ConnectionJudge } from './judge.ts';
import { Link } from './link.ts';
import type { Injected } from './link.ts';
import type { Rule } from './rules.ts';

export interface FaultyServerOptions {
  /** The real server, as `ws://127.0.0.1:20200`. */
  target: string;
  rules: readonly Rule[];
  seed: number;
  /** Default: any that is free. */
  port?: number;
  /** Told of each fault as it happens. */
  injected?: (fault: Injected) => void;
}

/** A server to try clients on: a real one, and before it what goes wrong by the rules. */
export interface FaultyServer extends AsyncDisposable {
  /** As `ws://127.0.0.1:20300`; HTTP is there, too. */
  readonly url: string;
}

/** What a client says of itself at the upgrade. */
const passedHeaders = ['authorization', 'cookie', 'origin', 'user-agent'];
const unavailable = 503;
const goingAway = 1001;
/** How long nobody is let in after a drain, in ms. */
const drainMs = 1_000;
/** How long an upgrade that is not answered stays open, in ms. */
const ignoreMs = 30_000;

/** Listens on the loopback; resolves when clients may connect. @throws Error where the port is taken. */
export async function openFaultyServer(options: FaultyServerOptions): Promise<FaultyServer> {
  const target = new URL(options.target);
  const judge = new Judge(options.rules, options.seed);
  const injected = options.injected ?? (() => undefined);
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const links = new Set<Link>();
  const pending = new Set<Duplex>();
  let connections = 0;
  let drainedUntil = 0;

  const server = createServer((request, response) => {
    forward(target, request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    const connection = (connections += 1);
    const ownJudge = judge.forConnection(connection);
    const rule = ownJudge.onUpgrade();
    pending.add(socket);
    socket.once('close', () => pending.delete(socket));
    socket.on('error', () => socket.destroy());
    if (rule) injected({ fault: rule.fault, connection });
    if (rule?.fault === 'ignore') {
      setTimeout(() => socket.destroy(), rule.ms ?? ignoreMs).unref();
    } else if (rule || Date.now() < drainedUntil) {
      refuse(socket, rule?.code ?? unavailable);
    } else {
      connect(connection, ownJudge, request, socket, head);
    }
  });

  function connect(
    connection: number,
    ownJudge: ConnectionJudge,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): void {
    const far = new WebSocket(`ws://${target.host}${request.url ?? '/'}`, {
      perMessageDeflate: false,
      autoPong: false,
      headers: Object.fromEntries(
        passedHeaders.flatMap((name) =>
          request.headers[name] ? [[name, String(request.headers[name])]] : [],
        ),
      ),
    });
    far.once('unexpected-response', (_request, response) => {
      refuse(socket, response.statusCode ?? unavailable);
      far.terminate();
    });
    far.on('error', () => {
      if (far.readyState !== far.OPEN && pending.has(socket)) refuse(socket, unavailable);
    });
    socket.once('close', () => {
      if (far.readyState === far.CONNECTING) far.terminate();
    });
    far.once('open', () => {
      webSockets.handleUpgrade(request, socket, head, (near) => {
        const link = new Link({
          connection,
          client: near,
          server: far,
          judge: ownJudge,
          injected,
          drain,
        });
        links.add(link);
        near.once('close', () => links.delete(link));
      });
    });
  }

  function drain({ ms = drainMs, code = goingAway }: Rule): void {
    drainedUntil = Date.now() + ms;
    for (const link of links) link.close(code);
  }

  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const link of links) link.cut();
      for (const socket of pending) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** HTTP goes through as it is. */
function forward(target: URL, request: IncomingMessage, response: ServerResponse): void {
  const { hostname, port } = target;
  const { method, url, headers } = request;
  const onward = httpRequest({ hostname, port, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? unavailable, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => {
    if (!response.headersSent) response.writeHead(unavailable);
    response.end();
  });
  response.once('close', () => onward.destroy());
  request.pipe(onward);
}

function refuse(socket: Duplex, status: number): void {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
