import type { Duplex } from 'node:stream';
import { createId, ParleyError } from '@parley/protocol';
import type { Command, ConnectionId, Dialect, SessionId, User } from '@parley/protocol';
import { defaultDialect, readFrame, sendMessage } from '@parley/protocol';
import type { WebSocket } from 'ws';
import { framesReceived, rateLimited, slowReaders } from './metrics.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { textFrame } from './websocket-frame.ts';

/** Close codes of the protocol (protocol.md, "Transport"; RFC 6455, section 7.4). */
export const closeCodes = {
  goingAway: 1001,
  unsupportedData: 1003,
  policyViolation: 1008,
  tryAgainLater: 1013,
  takenOver: 4001,
  sessionEnded: 4003,
} as const;
type CloseCode = (typeof closeCodes)[keyof typeof closeCodes];

/** Who a connection is, once logged in. */
export interface BoundSession extends User {
  sessionId: SessionId;
}

/** What all connections of a gateway have in common. */
export interface ConnectionOptions {
  maxBufferedBytes: number;
  maxPendingRequests: number;
  requestTimeoutMs: number;
  /**
   * Does what a command asks for. Never rejects with anything but a ParleyError.
   * @param deadline In ms since 1970.
   */
  execute(connection: Connection, command: Command, deadline: number): Promise<unknown>;
  /** The connection is gone. */
  closed(connection: Connection): void;
}

interface PendingRequest {
  command: Command;
  deadline: number;
}

/** A closing handshake that takes longer is cut off, in ms. */
const closeTimeoutMs = 3_000;

/** A socket that knows its connection, so that all can share their listeners. */
interface ClientSocket extends WebSocket {
  connection: Connection;
}

/**
 * One client's connection. Its requests take effect in the order they came: messages are passed on one behind the
 * other without waiting for their confirmations, everything else waits for what came before.
 */
export class Connection {
  readonly id: ConnectionId = createId('connection');
  readonly address: string;
  session: BoundSession | undefined;
  /** Pings sent since the last pong. */
  missedPongs = 0;

  readonly #options: ConnectionOptions;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #limiter: RateLimiter | undefined;
  #dialect: Dialect | undefined;
  #isClosed = false;

  readonly #waiting: PendingRequest[] = [];
  #sendsUnderWay = 0;
  #isBusy = false;
  #whenIdle: (() => void) | undefined;

  /** Frames of this turn of the event loop: they are written together. */
  #outgoing: Buffer[] = [];
  #outgoingBytes = 0;
  /** Frames kept back until a login is answered. */
  #held: Buffer[] | undefined;
  #pongListeners: (() => void)[] = [];

  constructor(
    socket: WebSocket,
    stream: Duplex,
    address: string,
    limiter: RateLimiter | undefined,
    options: ConnectionOptions,
  ) {
    this.#socket = socket;
    this.#stream = stream;
    this.address = address;
    this.#limiter = limiter;
    this.#options = options;
    Object.assign(socket, { connection: this });
    socket.on('message', onMessage).on('pong', onPong).on('close', onClose).on('error', onError);
  }

  get dialect(): Dialect {
    return this.#dialect ?? defaultDialect();
  }

  isOpen(): boolean {
    return !this.#isClosed;
  }

  /** Takes a text frame in. Whatever it holds, the connection lives on. */
  receive(text: string): void {
    if (this.#isClosed) return;
    framesReceived.inc();
    const { dialect, recognised, action, command, error } = readFrame(text, this.#dialect);
    if (recognised) this.#dialect = dialect;
    const retryAfterMs = this.#limiter?.admit(command?.method === sendMessage) ?? 0;
    if (retryAfterMs > 0) {
      this.#refuse(retryAfterMs, dialect, action);
    } else if (error) {
      this.send(dialect.encodeError(error, action));
    } else {
      this.#waiting.push({ command, deadline: Date.now() + this.#options.requestTimeoutMs });
      this.#startNext();
      if (this.#pending >= this.#options.maxPendingRequests) this.#socket.pause();
    }
  }

  #refuse(retryAfterMs: number, dialect: Dialect, action: string | undefined): void {
    rateLimited.inc();
    if (this.#limiter?.isAbused()) {
      this.close(closeCodes.policyViolation, 'rate limits exceeded for too long');
    } else {
      this.send(dialect.encodeError(new ParleyError('rate_limited', { retryAfterMs }), action));
    }
  }

  get #pending(): number {
    return this.#waiting.length + this.#sendsUnderWay + (this.#isBusy ? 1 : 0);
  }

  #startNext(): void {
    while (this.#waiting.length > 0 && !this.#isBusy) {
      const isSend = this.#waiting[0]!.command.method === sendMessage;
      if (!isSend && this.#sendsUnderWay > 0) return;
      const request = this.#waiting.shift()!;
      if (isSend) this.#sendsUnderWay += 1;
      else this.#isBusy = true;
      void this.#answer(request, isSend);
    }
  }

  async #answer({ command, deadline }: PendingRequest, isSend: boolean): Promise<void> {
    let frame: string;
    try {
      const reply = await this.#options.execute(this, command, deadline);
      frame = this.dialect.encodeReply(command, reply);
    } catch (thrown) {
      frame = this.dialect.encodeError(ParleyError.from(thrown), command.action);
    }
    this.#release(textFrame(frame));
    if (isSend) this.#sendsUnderWay -= 1;
    else this.#isBusy = false;
    this.#startNext();
    if (this.#pending < this.#options.maxPendingRequests / 2 && this.#socket.isPaused) this.#socket.resume();
    if (this.#pending === 0) this.#whenIdle?.();
  }

  /** Keeps frames back until the request in hand is answered, so that its reply comes before what it sets off. */
  hold(): void {
    this.#held ??= [];
  }

  /** Forgets what was kept back: the login that set it off failed. */
  dropHeld(): void {
    this.#held = undefined;
  }

  #release(reply: Buffer): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const frame of [reply, ...held]) this.write(frame);
  }

  send(text: string): void {
    this.write(textFrame(text));
  }

  /** Writes a finished frame, together with all others of this turn. A reader that is too slow is closed with 1013. */
  write(frame: Buffer): void {
    if (this.#isClosed) return;
    if (this.#held) {
      this.#held.push(frame);
      return;
    }
    if (this.#outgoing.length === 0) setImmediate(flush, this);
    this.#outgoing.push(frame);
    this.#outgoingBytes += frame.length;
    if (this.#outgoingBytes + this.#stream.writableLength > this.#options.maxBufferedBytes) {
      slowReaders.inc();
      this.#outgoing = [];
      this.#outgoingBytes = 0;
      this.close(closeCodes.tryAgainLater, 'too slow a reader');
    }
  }

  flush(): void {
    const frames = this.#outgoing;
    if (frames.length === 0) return;
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    // Compression is off, so `ws` writes its own frames at once too and none can get between the parts of another.
    if (this.#stream.writable) this.#stream.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames));
  }

  ping(): void {
    this.#socket.ping();
  }

  /** Whether the client answers a ping in time. */
  probe(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs, false);
      this.#pongListeners.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
      this.ping();
    });
  }

  heardPong(): void {
    this.missedPongs = 0;
    for (const listener of this.#pongListeners.splice(0)) listener();
  }

  /** Says goodbye, then cuts the connection if the client does not. What was written before still goes out. */
  close(code: CloseCode, reason: string): void {
    if (this.#isClosed) return;
    this.flush();
    this.#socket.close(code, reason);
    this.#gone();
    setTimeout(() => {
      this.#socket.terminate();
    }, closeTimeoutMs).unref();
  }

  /** Takes no more requests, finishes what is in hand, then closes with 1001. */
  async drain(): Promise<void> {
    this.#socket.pause();
    if (this.#pending > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    this.#socket.resume();
    this.close(closeCodes.goingAway, 'server going away');
  }

  terminate(): void {
    this.#socket.terminate();
    this.#gone();
  }

  #gone(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting.length = 0;
    this.#options.closed(this);
  }
}

function flush(connection: Connection): void {
  connection.flush();
}

function connectionOf(socket: WebSocket): Connection {
  return (socket as ClientSocket).connection;
}

function onMessage(this: WebSocket, data: Buffer, isBinary: boolean): void {
  const connection = connectionOf(this);
  if (isBinary) connection.close(closeCodes.unsupportedData, 'only text frames are understood');
  else connection.receive(data.toString());
}

function onPong(this: WebSocket): void {
  connectionOf(this).heardPong();
}

function onClose(this: WebSocket): void {
  connectionOf(this).terminate();
}

/** A broken frame or socket: `ws` closes with the fitting code by itself, and `close` follows. */
function onError(this: WebSocket): void {
  // Nothing to add: the client is told by the close code.
}
