import type { Duplex } from 'node:stream';
import {
  createId,
  downloadFile,
  endUpload,
  openGuestSession,
  openSession,
  ParleyError,
  readFrame,
  sendChunk,
  sendMessage,
} from '@parley/protocol';
import type { ClientEvent, Command, ConnectionId, Dialect, Method, SessionId, User } from '@parley/protocol';
import type { Log } from '@parley/service-kit';
import type { WebSocket } from 'ws';
import type { Deliveries } from './deliveries.ts';
import { eventFrames } from './event-frames.ts';
import { Handshake } from './handshake.ts';
import type { HandshakeParts } from './handshake.ts';
import { framesReceived, rateLimited, slowReaders } from './metrics.ts';
import { Outbox } from './outbox.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { RequestQueue } from './request-queue.ts';
import type { RequestRunner } from './request-queue.ts';
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

/** Who a connection is, once it is somebody. */
export interface BoundSession extends User {
  /** Guests have none. */
  sessionId?: SessionId;
}

/** What a login asks for. */
export interface LoginOptions {
  /** The connection is under the integrity handshake, and what is delivered to it has to be acknowledged. */
  handshake: boolean;
  /** It is told who has acknowledged its user's messages. */
  receipts: boolean;
}

/** Whether the connection is bound to one of these sessions. */
export function isAmong(sessionIds: readonly SessionId[], session: BoundSession | undefined): boolean {
  return session?.sessionId !== undefined && sessionIds.includes(session.sessionId);
}

/** What is known of a connection when it is opened. */
export interface ConnectionOrigin {
  /** The client's address, for its limits. */
  address: string;
  /** In which errors are told until the first known action. */
  initialDialect: Dialect;
  /** Whose token came with the upgrade, if one did. */
  tokenSession: BoundSession | undefined;
}

/** What all connections of a gateway have in common. */
export interface ConnectionOptions {
  maxBufferedBytes: number;
  maxPendingRequests: number;
  requestTimeoutMs: number;
  handshake: HandshakeParts;
  log: Log;
  /**
   * Does what a command asks for.
   * @param deadline In ms since 1970.
   * @throws ParleyError
   */
  execute(connection: Connection, command: Command, deadline: number): Promise<unknown>;
  /** The connection is gone. */
  closed(connection: Connection): void;
}

interface PendingRequest {
  command: Command;
  /** Of its frame, in UTF-16 units: what it takes in memory. */
  size: number;
  deadline: number;
  /** The exchange of the integrity handshake that it is part of. */
  transactionId: string | undefined;
}

/** What may ask for the integrity handshake, and is under it then. */
const logins: readonly Method[] = [openSession, openGuestSession];

/** A closing handshake that takes longer is cut off, in ms. */
const closeTimeoutMs = 3_000;

/** What takes long and holds up nothing that was asked later. */
const detached: readonly Method[] = [endUpload, downloadFile];
/** Most of these at once on one connection. */
const maxDetached = 4;

/** The part of the largest buffer that may be full of history. */
const historyShare = 0.25;

/** A socket that knows its connection, so that all can share their listeners. */
interface ClientSocket extends WebSocket {
  connection: Connection;
}

/** One client's connection: takes its frames in, has them carried out, and writes what it is to be told. */
export class Connection implements RequestRunner<PendingRequest> {
  readonly id: ConnectionId = createId('connection');
  readonly address: string;
  readonly tokenSession: BoundSession | undefined;
  session: BoundSession | undefined;
  /** Requests wait for the confirmation of their count. */
  isUnderHandshake = false;
  /** The client wants to know who has acknowledged its user's messages. */
  wantsReceipts = false;
  /** Pings sent since the last pong. */
  missedPongs = 0;

  readonly #options: ConnectionOptions;
  readonly #socket: WebSocket;
  readonly #limiter: RateLimiter | undefined;
  readonly #outbox: Outbox;
  readonly #requests = new RequestQueue<PendingRequest>(this);
  readonly #initialDialect: Dialect;
  #dialect: Dialect | undefined;
  #isClosed = false;
  #handshake: Handshake | undefined;

  /** Units of the requests that are not answered yet. */
  #pendingSize = 0;
  #detached = 0;
  #pongListeners: (() => void)[] = [];

  constructor(
    socket: WebSocket,
    stream: Duplex,
    { address, initialDialect, tokenSession }: ConnectionOrigin,
    limiter: RateLimiter | undefined,
    options: ConnectionOptions,
  ) {
    this.#socket = socket;
    this.address = address;
    this.tokenSession = tokenSession;
    this.#initialDialect = initialDialect;
    this.#limiter = limiter;
    this.#options = options;
    this.#outbox = new Outbox(stream, options.maxBufferedBytes);
    Object.assign(socket, { connection: this });
    socket.on('message', onMessage).on('pong', onPong).on('close', onClose).on('error', onError);
  }

  get dialect(): Dialect {
    return this.#dialect ?? this.#initialDialect;
  }

  /** Who the connection is. Only asked of one that is somebody. */
  get user(): BoundSession {
    if (!this.session) throw new Error('the connection is nobody yet');
    return this.session;
  }

  isOpen(): boolean {
    return !this.#isClosed;
  }

  /** Makes the connection the user's. */
  bind(session: BoundSession, { handshake, receipts }: LoginOptions): void {
    this.session = session;
    this.isUnderHandshake = handshake;
    this.wantsReceipts = receipts;
    if (handshake) this.handshake.startDeliveries();
  }

  /** Makes it nobody's. */
  unbind(): void {
    this.#handshake?.stopDeliveries();
    this.isUnderHandshake = false;
    this.wantsReceipts = false;
    this.session = undefined;
  }

  /** Takes a text frame in. Whatever it holds, the connection lives on. */
  receive(text: string): void {
    if (this.#isClosed) return;
    framesReceived.inc();
    const { dialect, recognised, action, command, error } = readFrame(
      text,
      this.#dialect,
      this.#initialDialect,
    );
    if (recognised) this.#dialect = dialect;
    if (command && Handshake.isStep(command) && this.handshake.isExpected(command)) {
      void this.#takeStep(command);
      return;
    }
    const retryAfterMs = this.#limiter?.admit(command?.method === sendMessage) ?? 0;
    if (retryAfterMs > 0) this.#refuse(retryAfterMs, dialect, action);
    else if (error) this.send(dialect.encodeError(error, action));
    else if (Handshake.isStep(command)) void this.#takeStep(command);
    else if (this.#needsConfirmation(command)) this.#beginExchange(command, text);
    else this.#enqueue(command, text.length, undefined);
  }

  /** The integrity handshake of this connection. */
  get handshake(): Handshake {
    return (this.#handshake ??= new Handshake(this, this.#options.handshake));
  }

  /** What is delivered until it is acknowledged, on a connection that logged in under the handshake. */
  get deliveries(): Deliveries | undefined {
    return this.#handshake?.deliveries;
  }

  #needsConfirmation(command: Command): boolean {
    if (!this.dialect.handshake?.covers(command)) return false;
    const { method, request } = command;
    const isAskedFor = logins.includes(method) && (request as LoginOptions).handshake;
    return this.isUnderHandshake || isAskedFor || this.#options.handshake.isRequired;
  }

  #beginExchange(command: Command, text: string): void {
    try {
      this.handshake.begin(command, text);
    } catch (thrown) {
      this.send(this.dialect.encodeError(ParleyError.from(thrown), command.action));
    }
  }

  /** The client's part in a handshake is taken at once: it is bounded by what waits for it. */
  async #takeStep(command: Command): Promise<void> {
    try {
      const exchange = await this.handshake.take(command);
      if (exchange) this.#enqueue(exchange.command, 0, exchange.transactionId);
    } catch (thrown) {
      this.send(this.dialect.encodeError(ParleyError.from(thrown), command.action));
    }
  }

  #enqueue(command: Command, size: number, transactionId: string | undefined): void {
    const { requestTimeoutMs, maxPendingRequests, maxBufferedBytes } = this.#options;
    const deadline = Date.now() + requestTimeoutMs;
    this.#pendingSize += size;
    this.#requests.add({ command, size, deadline, transactionId });
    const isFull = this.#requests.size >= maxPendingRequests || this.#pendingSize >= maxBufferedBytes;
    if (isFull) this.#socket.pause();
  }

  #refuse(retryAfterMs: number, dialect: Dialect, action: string | undefined): void {
    rateLimited.inc();
    if (this.#limiter?.isAbused()) {
      this.close(closeCodes.policyViolation, 'rate limits exceeded for too long');
    } else {
      this.send(dialect.encodeError(new ParleyError('rate_limited', { retryAfterMs }), action));
    }
  }

  /** Messages are passed on one behind the other, without waiting for their confirmations. */
  isPipelined({ command }: PendingRequest): boolean {
    return command.method === sendMessage || command.method === sendChunk;
  }

  async run(request: PendingRequest): Promise<void> {
    if (detached.includes(request.command.method)) void this.#runDetached(request);
    else await this.#answer(request);
    this.#pendingSize -= request.size;
  }

  async #runDetached(request: PendingRequest): Promise<void> {
    const { command } = request;
    if (this.#detached >= maxDetached) {
      const message = `At most ${maxDetached} of these at once; wait for one to end.`;
      this.send(
        this.dialect.encodeError(
          new ParleyError('rate_limited', { retryAfterMs: 1_000 }, { message }),
          command.action,
        ),
      );
      return;
    }
    this.#detached += 1;
    await this.#answer(request);
    this.#detached -= 1;
  }

  async #answer(request: PendingRequest): Promise<void> {
    const replies = await this.#replyTo(request);
    // What was kept back until this reply comes behind it.
    for (const frame of [...replies.map(textFrame), ...this.#outbox.takeHeld()]) this.write(frame);
  }

  answered(): void {
    const { maxPendingRequests, maxBufferedBytes } = this.#options;
    const isSlack = this.#requests.size < maxPendingRequests / 2 && this.#pendingSize < maxBufferedBytes / 2;
    if (isSlack && this.#socket.isPaused) this.#socket.resume();
  }

  /** Never rejects. */
  async #replyTo({ command, deadline, transactionId }: PendingRequest): Promise<string[]> {
    const { dialect } = this;
    try {
      const reply = await this.#options.execute(this, command, deadline);
      if (transactionId !== undefined) return dialect.handshake!.encodeReply(command, reply, transactionId);
      const frame = dialect.encodeReply(command, reply);
      return frame === undefined ? [] : [frame];
    } catch (thrown) {
      const error = ParleyError.from(thrown);
      if (error !== thrown)
        this.#options.log.error({ err: thrown, action: command.action }, 'request failed unexpectedly');
      return [
        dialect.encodeError(
          transactionId === undefined ? error : error.with({ transactionId }),
          command.action,
        ),
      ];
    }
  }

  /** Keeps frames back until the request in hand is answered, so that its reply comes before what it sets off. */
  hold(): void {
    this.#outbox.hold();
  }

  /** Forgets what was kept back: the login that set it off failed. */
  dropHeld(): void {
    this.#outbox.takeHeld();
  }

  /** Tells an event, where the dialect has frames for it. */
  tell(event: ClientEvent): void {
    const frames = eventFrames(this.dialect, [event]);
    if (frames.length > 0) this.write(frames);
  }

  /** Resolves when what was written has left for the client, or the connection is gone. */
  drained(): Promise<void> {
    return this.#outbox.drained();
  }

  /** Whether so little waits to be read that more of history may be written. */
  isKeepingUp(): boolean {
    return this.#outbox.waitingBytes < this.#options.maxBufferedBytes * historyShare;
  }

  send(text: string): void {
    this.write(textFrame(text));
  }

  /** Writes a finished frame, together with all others of this turn. A reader that is too slow is closed with 1013. */
  write(frame: Buffer): void {
    if (this.#isClosed || this.#outbox.write(frame)) return;
    slowReaders.inc();
    this.close(closeCodes.tryAgainLater, 'too slow a reader');
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
    this.#outbox.flush();
    this.#socket.close(code, reason);
    this.#gone();
    setTimeout(() => {
      this.#socket.terminate();
    }, closeTimeoutMs).unref();
  }

  /** Takes no more requests, finishes what is in hand, then closes with 1001. */
  async drain(): Promise<void> {
    this.#socket.pause();
    await this.#requests.idle();
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
    this.#requests.clear();
    this.#options.closed(this);
    this.#handshake?.close();
  }
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
