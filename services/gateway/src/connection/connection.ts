import type { Duplex } from 'node:stream';
import {
  browseHistory,
  createId,
  downloadFile,
  endUpload,
  maxPageBytes,
  openGuestSession,
  openSession,
  ParleyError,
  readFrame,
  readHistory,
  sendChunk,
  sendMessage,
} from '@parley/protocol';
import type { ClientEvent, Command, ConnectionId, Dialect, Method, SessionId, User } from '@parley/protocol';
import { tracer } from '@parley/service-kit';
import type { Log, Span, Tracer } from '@parley/service-kit';
import type { WebSocket } from 'ws';
import {
  bytesReceived,
  closings,
  connectionsByDialect,
  framesReceived,
  observeRequest,
  paced,
  rateLimited,
  requestErrors,
  slowReaders,
} from '../metrics.ts';
import { codeOfBrokenFrame } from './broken-frames.ts';
import type { Deliveries } from './deliveries.ts';
import { eventFrames } from './event-frames.ts';
import { Handshake } from './handshake.ts';
import type { HandshakeParts } from './handshake.ts';
import type { Holder, MemoryBudget } from './memory-budget.ts';
import { Outbox } from './outbox.ts';
import type { OutboxOwner } from './outbox.ts';
import { Pulse } from './pulse.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { RequestQueue } from './request-queue.ts';
import type { RequestRunner } from './request-queue.ts';
import { UnfinishedFrame } from './unfinished-frame.ts';
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
  maxFrameBytes: number;
  maxBufferedBytes: number;
  /** What all connections may hold in memory together. */
  budget: MemoryBudget;
  maxPendingRequests: number;
  requestTimeoutMs: number;
  /** How long a connection may be nobody's, in ms; 0: for ever. */
  loginTimeoutMs: number;
  handshake: HandshakeParts;
  log: Log;
  /**
   * Does what a command asks for.
   * @param deadline In ms since 1970.
   * @param traceparent Where traces are made: of the command's frame.
   * @throws ParleyError
   */
  execute(connection: Connection, command: Command, deadline: number, traceparent?: string): Promise<unknown>;
  /** The connection is gone. */
  closed(connection: Connection): void;
}

interface PendingRequest {
  command: Command;
  /** Of its frame, in UTF-16 units: what it takes in memory. */
  size: number;
  deadline: number;
  /** When it came, as `performance.now()`. */
  since: number;
  /** The exchange of the integrity handshake that it is part of. */
  transactionId: string | undefined;
  /** Where traces are made: from when it was taken in until it is answered. */
  span: Span | undefined;
}

/** What may ask for the integrity handshake, and is under it then. */
const logins: readonly Method[] = [openSession, openGuestSession];

/** A closing handshake that takes longer is cut off, in ms. */
const closeTimeoutMs = 3_000;

/** What takes long and holds up nothing that was asked later. */
const detached: readonly Method[] = [endUpload, downloadFile];
/** Most of these at once on one connection. */
const maxDetached = 4;

/** What is answered with a page of history. */
const historical: readonly Method[] = [browseHistory, readHistory];

/** The part of the largest buffer that may be full of history. */
const historyShare = 0.25;

/** A socket, or its stream, that knows its connection, so that all can share their listeners. */
interface OfConnection {
  connection: Connection;
}

/** One client's connection: takes its frames in, has them carried out, and writes what it is to be told. */
export class Connection implements RequestRunner<PendingRequest>, OutboxOwner, Holder {
  readonly id: ConnectionId = createId('connection');
  readonly address: string;
  readonly tokenSession: BoundSession | undefined;
  session: BoundSession | undefined;
  /** Requests wait for the confirmation of their count. */
  isUnderHandshake = false;
  /** The client wants to know who has acknowledged its user's messages. */
  wantsReceipts = false;
  /** Whether the client still answers pings. */
  readonly pulse = new Pulse();

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
  /** It is not read from for a while, as its address sent more than it may. */
  #isPaced = false;
  /** Its next request waits, as its address asked for more than it may. */
  #isHeldBack = false;
  /** What is in hand is finished, and nothing more is read. */
  #isDraining = false;
  /** In ms since 1970. Counts while the connection is nobody's. */
  #nobodySince = Date.now();
  readonly #unfinished: UnfinishedFrame;

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
    this.#outbox = new Outbox(this, stream, options.maxBufferedBytes);
    this.#unfinished = new UnfinishedFrame(options.maxFrameBytes);
    for (const each of [socket, stream]) Object.assign(each, { connection: this });
    socket.on('message', onMessage).on('close', onClose).on('error', onError);
    socket.on('ping', onPing).on('pong', onPong);
    // Before the listener of `ws`: what this chunk completes is taken off again.
    stream.prependListener('data', onData);
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
    this.#nobodySince = Date.now();
  }

  /** Whether it has been nobody's for too long. Who brought a token with the upgrade is known. */
  isOverdue(now: number): boolean {
    const { loginTimeoutMs } = this.#options;
    if (this.session !== undefined || this.tokenSession !== undefined || loginTimeoutMs === 0) return false;
    return now - this.#nobodySince >= loginTimeoutMs;
  }

  /** Takes a whole frame in. */
  hear(data: Buffer, isBinary: boolean): void {
    this.#unfinished.complete();
    if (isBinary) this.close(closeCodes.unsupportedData, 'only text frames are understood');
    else this.receive(data.toString());
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
    if (recognised) this.#fix(dialect);
    if (command && Handshake.isStep(command) && this.handshake.expects(command)) {
      void this.#takeStep(command);
      return;
    }
    const retryAfterMs = this.#limiter?.admit(command?.method === sendMessage) ?? 0;
    if (retryAfterMs > 0) this.#refuse(rateError(dialect, retryAfterMs, action));
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

  #fix(dialect: Dialect): void {
    if (this.#dialect) return;
    this.#dialect = dialect;
    connectionsByDialect.inc({ dialect: dialect.name });
  }

  #beginExchange(command: Command, text: string): void {
    try {
      this.handshake.begin(command, text);
      this.grew(text.length);
    } catch (thrown) {
      this.send(this.dialect.encodeError(ParleyError.from(thrown), command.action));
    }
  }

  /** The client's part in a handshake is taken at once: it is bounded by what waits for it. */
  async #takeStep(command: Command): Promise<void> {
    try {
      const exchange = await this.handshake.take(command);
      if (exchange) this.#enqueue(exchange.command, exchange.size, exchange.transactionId);
    } catch (thrown) {
      this.send(this.dialect.encodeError(ParleyError.from(thrown), command.action));
    }
  }

  #enqueue(command: Command, size: number, transactionId: string | undefined): void {
    const { requestTimeoutMs, maxPendingRequests, maxBufferedBytes } = this.#options;
    const deadline = Date.now() + requestTimeoutMs;
    this.#pendingSize += size;
    const span = tracer && this.#startSpan(tracer, command);
    this.#requests.add({ command, size, deadline, since: performance.now(), transactionId, span });
    this.grew(size);
    const isFull = this.#requests.size >= maxPendingRequests || this.#pendingSize >= maxBufferedBytes;
    if (isFull) this.#socket.pause();
  }

  #startSpan(by: Tracer, { action, method }: Command): Span | undefined {
    const attributes = {
      'parley.dialect': this.dialect.name,
      'parley.connection_id': this.id,
      'rpc.method': method.name,
    };
    return by.start({ name: action, kind: 'server', parent: undefined, attributes });
  }

  /** @param error What the client is told, where there is a way to tell it. */
  #refuse(error?: string): void {
    rateLimited.inc();
    if (this.#limiter?.isAbused()) {
      this.close(closeCodes.policyViolation, 'rate limits exceeded for too long');
    } else if (error !== undefined) {
      this.send(error);
    }
  }

  /** Pings, and pongs that nobody asked for, are requests like any other. */
  #countControlFrame(): void {
    const waitMs = this.#limiter?.admit(false) ?? 0;
    if (waitMs > 0) this.#refuse();
  }

  /** Some bytes came. */
  heardBytes(bytes: number): void {
    bytesReceived.add(bytes);
    this.#unfinished.add(bytes);
    if (this.#unfinished.heldBytes > 0) this.grew(bytes);
    const waitMs = this.#limiter?.read(bytes) ?? 0;
    if (waitMs > 0) this.#pauseFor(waitMs);
  }

  /** The client's network holds back what is not read: nothing is lost or refused by it. */
  #pauseFor(ms: number): void {
    if (this.#isPaced) return;
    this.#isPaced = true;
    paced.inc();
    this.#socket.pause();
    setTimeout(() => {
      this.#isPaced = false;
      this.#resumeReading();
    }, ms).unref();
  }

  #resumeReading(): void {
    if (this.#isPaced || this.#isDraining) return;
    const { maxPendingRequests, maxBufferedBytes } = this.#options;
    const isSlack = this.#requests.size < maxPendingRequests / 2 && this.#pendingSize < maxBufferedBytes / 2;
    if (isSlack && this.#socket.isPaused) this.#socket.resume();
  }

  /** `ws` has answered it already. */
  heardPing(payloadBytes: number): void {
    this.#unfinished.takeControlFrame(payloadBytes);
    this.#countControlFrame();
  }

  heardPong(payloadBytes: number): void {
    this.#unfinished.takeControlFrame(payloadBytes);
    if (!this.pulse.take()) this.#countControlFrame();
  }

  /** What waits in memory for the client to read or to go on, in bytes, about. */
  get heldBytes(): number {
    const requests = this.#isClosed ? 0 : this.#pendingSize + (this.#handshake?.waitingSize ?? 0);
    return this.#outbox.waitingBytes + requests + this.#unfinished.heldBytes;
  }

  grew(bytes: number): void {
    this.#options.budget.grew(this, bytes);
  }

  giveUp(): void {
    if (this.#isClosed) {
      this.terminate();
      return;
    }
    slowReaders.inc();
    this.close(closeCodes.tryAgainLater, 'too much waits to be read, by all together');
  }

  /** Messages are passed on one behind the other, without waiting for their confirmations. */
  isPipelined({ command }: PendingRequest): boolean {
    return command.method === sendMessage || command.method === sendChunk;
  }

  /** A few frames may ask for so much history that it keeps all services busy: what it may be is taken in advance. */
  mayStart({ command }: PendingRequest): boolean {
    if (!historical.includes(command.method)) return true;
    if (this.#isHeldBack) return false;
    const waitMs = this.#limiter?.reservePage(maxPageBytes) ?? 0;
    if (waitMs > 0) this.#holdBackFor(waitMs);
    return waitMs === 0;
  }

  #holdBackFor(ms: number): void {
    this.#isHeldBack = true;
    paced.inc();
    setTimeout(() => {
      this.#isHeldBack = false;
      this.#requests.resume();
    }, ms).unref();
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
    const replies = (await this.#replyTo(request)).map(textFrame);
    // What was kept back until this reply comes behind it.
    for (const frame of [...replies, ...this.#outbox.takeHeld()]) this.write(frame);
    if (historical.includes(request.command.method)) this.#settlePage(replies);
    observeRequest(request.command.method.name, request.since);
  }

  #settlePage(frames: readonly Buffer[]): void {
    const bytes = frames.reduce((sum, { length }) => sum + length, 0);
    this.#limiter?.giveBack(maxPageBytes - bytes);
  }

  answered(): void {
    this.#resumeReading();
  }

  /** Never rejects. */
  async #replyTo({ command, deadline, transactionId, span }: PendingRequest): Promise<string[]> {
    const { dialect } = this;
    try {
      const reply = await this.#options.execute(this, command, deadline, span?.traceparent);
      span?.end();
      if (transactionId !== undefined) return dialect.handshake!.encodeReply(command, reply, transactionId);
      const frame = dialect.encodeReply(command, reply);
      return frame === undefined ? [] : [frame];
    } catch (thrown) {
      const error = ParleyError.from(thrown);
      span?.end(error);
      if (error !== thrown)
        this.#options.log.error(
          { err: thrown, action: command.action, connectionId: this.id },
          'request failed unexpectedly',
        );
      requestErrors.inc({ code: error.code });
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
    const answer = this.pulse.next(timeoutMs);
    this.ping();
    return answer;
  }

  /** Says goodbye, then cuts the connection if the client does not. What was written before still goes out. */
  close(code: CloseCode, reason: string): void {
    if (this.#isClosed) return;
    closings.inc({ code });
    this.#outbox.flush();
    this.#socket.close(code, reason);
    this.#gone();
    setTimeout(() => {
      this.#socket.terminate();
    }, closeTimeoutMs).unref();
  }

  /** Takes no more requests, finishes what is in hand, then closes with 1001. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#socket.pause();
    await this.#requests.idle();
    this.#socket.resume();
    this.close(closeCodes.goingAway, 'server going away');
  }

  terminate(): void {
    this.#socket.terminate();
    this.#gone();
    this.#options.budget.forget(this);
  }

  #gone(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#dialect) connectionsByDialect.dec({ dialect: this.#dialect.name });
    this.#requests.clear();
    this.#options.closed(this);
    this.#handshake?.close();
  }
}

function rateError(dialect: Dialect, retryAfterMs: number, action: string | undefined): string {
  return dialect.encodeError(new ParleyError('rate_limited', { retryAfterMs }), action);
}

function connectionOf(socket: WebSocket | Duplex): Connection {
  return (socket as (WebSocket | Duplex) & OfConnection).connection;
}

function onData(this: Duplex, chunk: Buffer): void {
  connectionOf(this).heardBytes(chunk.length);
}

function onMessage(this: WebSocket, data: Buffer, isBinary: boolean): void {
  connectionOf(this).hear(data, isBinary);
}

function onPing(this: WebSocket, payload: Buffer): void {
  connectionOf(this).heardPing(payload.length);
}

function onPong(this: WebSocket, payload: Buffer): void {
  connectionOf(this).heardPong(payload.length);
}

function onClose(this: WebSocket): void {
  connectionOf(this).terminate();
}

/** A broken frame or socket: `ws` closes with the fitting code by itself, and `close` follows. */
function onError(this: WebSocket, error: Error & { code?: string }): void {
  const code = codeOfBrokenFrame(error);
  if (code !== undefined) closings.inc({ code });
}
