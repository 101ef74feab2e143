import type { BackoffOptions } from './backoff.ts';

export interface ClientOptions {
  /** As `wss://chat.example.org`; `http` and `https` are turned into their WebSocket forms, the path `/` into `/ws`. */
  url: string | URL;
  /** The integrity handshake, both ways: what is sent and received is counted and compared. Default false. */
  handshake?: boolean;
  /** What is received is acknowledged, and `delivered` tells what others acknowledged. Default false. */
  receipts?: boolean;
  /** Longest wait for an answer, in ms, while there is a connection. Default 10,000. */
  requestTimeoutMs?: number;
  /** How long to wait before connecting anew: anything up to a bound that doubles from `minMs` to `maxMs`. Default 250 and 10,000. */
  backoff?: { minMs?: number; maxMs?: number };
  /** Default: `new WebSocket(url)`. */
  newWebSocket?: (url: string) => WebSocket;
}

/** The options with all that may be left out. */
export interface ClientSettings {
  url: string;
  handshake: boolean;
  receipts: boolean;
  requestTimeoutMs: number;
  backoff: BackoffOptions;
  newWebSocket: (url: string) => WebSocket;
}

/** @throws TypeError where the URL is none. */
export function settingsOf(options: ClientOptions): ClientSettings {
  return {
    url: webSocketUrl(options.url),
    handshake: options.handshake ?? false,
    receipts: options.receipts ?? false,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    backoff: { minMs: options.backoff?.minMs ?? 250, maxMs: options.backoff?.maxMs ?? 10_000 },
    newWebSocket: options.newWebSocket ?? ((url) => new WebSocket(url)),
  };
}

function webSocketUrl(from: string | URL): string {
  const url = new URL(from);
  url.protocol = url.protocol.replace(/^http/, 'ws');
  if (url.pathname === '/') url.pathname = '/ws';
  return url.href;
}
