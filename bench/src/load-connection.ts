import { refused, type Outcomes } from './audit.ts';
import { nowMicros } from './clock.ts';
import { beginsWith, contentOf, markOfSend, readMark, SendFrames, type Mark } from './frames.ts';
import { openSocket, textFrame, type RawSocket, type SocketListeners } from './websocket.ts';
import { wires, type Seat, type Wire, type WireName } from './wires/index.ts';

const stepMs = 60_000;
const firstCapacity = 256;
const maxErrorsKept = 3;

/** What a load hears of its connections. Times are in microseconds of the machine's clock. */
export interface LoadListener {
  /** A send was answered. */
  onAnswer(connection: LoadConnection, sequence: number, at: number): void;
  /** Somebody's message came. */
  onDelivery(sentAt: number, at: number): void;
  /** Called once for each piece of bytes that came, with how many sends it answered and how many messages it brought. */
  onRead(connection: LoadConnection, answers: number, deliveries: number): void;
  /** Not called for a connection that we close ourselves. @param reason The server's close code, or what broke. */
  onLost(reason: string): void;
}

/** Hears nothing. */
export const silent: LoadListener = {
  onAnswer: () => undefined,
  onDelivery: () => undefined,
  onRead: () => undefined,
  onLost: () => undefined,
};

/** One for all: it is read before the next is. */
const mark: Mark = { connection: 0, sequence: 0, sentAt: 0 };

/** What was seen of the messages of others, one connection's. */
export interface Deliveries {
  count: number;
  /** Messages that did not follow the one before of their sender: lost, doubled or overtaken. */
  misordered: number;
  /** Messages whose id was not above that before, where ids order a room. */
  misnumbered: number;
}

/** One user's connection, made to send messages to one room, and to count what comes from there, at little cost. */
export class LoadConnection {
  readonly seat: Seat;
  /** Frames that were no answers to sends nor deliveries, in the server's words, and why it was lost; the first few. */
  readonly errors: string[] = [];
  readonly deliveries: Deliveries = { count: 0, misordered: 0, misnumbered: 0 };
  listener: LoadListener = silent;
  /** Answered sends. */
  answered = 0;
  sent = 0;

  readonly #wire: Wire;
  readonly #pong: Buffer | undefined;
  readonly #frames: SendFrames;
  readonly #lastSequences = new Map<number, number>();
  #lastId = 0;
  #contentOffset = 0;
  #socket!: RawSocket;
  #begunAt = new Float64Array(firstCapacity);
  #outcomes = new Int32Array(firstCapacity);
  #answeredBeforeRead = 0;
  #deliveriesBeforeRead = 0;
  /** When the piece of bytes at hand came; 0 before that is asked. */
  #readAt = 0;
  #step: { until: Buffer; resolve: () => void; reject: (error: Error) => void } | undefined;
  /** Frames that came before anything waited for them: a server may be the first to speak. */
  #early: string[] = [];
  #isReady = false;
  #isClosed = false;

  private constructor(seat: Seat, wire: Wire, contentBytes: number, withClientIds: boolean) {
    this.seat = seat;
    this.#wire = wire;
    this.#pong = wire.pong === undefined ? undefined : textFrame(wire.pong).bytes;
    const clientMessageId = withClientIds ? markOfSend(seat.number) : undefined;
    this.#frames = new SendFrames(wire.sendText(seat, contentOf(seat.number, contentBytes), clientMessageId));
  }

  /**
   * Connects, opens the user's session and is in the room.
   * @param contentBytes Length of each message's content, at least `minContentBytes`.
   * @param withClientIds Whether each message has a `client_message_id`, on the wires that know it.
   * @param signal Ends the connection, also while it is being opened.
   * @throws Error where the server refuses, in its words, or says nothing for a minute.
   */
  static async open(
    seat: Seat,
    wireName: WireName,
    contentBytes: number,
    withClientIds = false,
    signal?: AbortSignal,
  ): Promise<LoadConnection> {
    const wire = wires[wireName];
    const connection = new LoadConnection(seat, wire, contentBytes, withClientIds);
    const listeners: SocketListeners = {
      onText: (bytes, start, end) => {
        connection.#hear(bytes, start, end);
      },
      onRead: () => {
        connection.#endRead();
      },
      onClose: (reason) => {
        connection.#closed(reason);
      },
    };
    connection.#socket = await openSocket(new URL(wire.path, seat.url).href, listeners, signal);
    try {
      for (const { send, until } of wire.steps(seat)) await connection.#take(send, until);
    } catch (error) {
      connection.close();
      throw error;
    }
    connection.#isReady = true;
    return connection;
  }

  /** Sends that have not been answered yet. */
  get inFlight(): number {
    return this.sent - this.answered;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What came of each send so far, by its sequence number. */
  get outcomes(): Outcomes {
    return this.#outcomes.slice(0, this.sent);
  }

  /** Whether the send, which was answered, got a message id. */
  isConfirmed(sequence: number): boolean {
    return this.#outcomes[sequence]! > 0;
  }

  /** When the send began. */
  begunAt(sequence: number): number {
    return this.#begunAt[sequence]!;
  }

  /** Sends the next messages, in one write. @param begunAt From when their latency counts, and that of their deliveries. */
  send(count: number, begunAt: number): void {
    if (this.#isClosed) return;
    const end = this.sent + count;
    while (end > this.#begunAt.length) this.#grow();
    this.#begunAt.fill(begunAt, this.sent, end);
    this.#socket.write(this.#frames.take(this.sent, count, begunAt));
    this.sent = end;
  }

  #grow(): void {
    const capacity = this.#begunAt.length * 2;
    const begunAt = new Float64Array(capacity);
    const outcomes = new Int32Array(capacity);
    begunAt.set(this.#begunAt);
    outcomes.set(this.#outcomes);
    this.#begunAt = begunAt;
    this.#outcomes = outcomes;
  }

  #take(send: string | undefined, until: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${this.seat.user}: nothing came that begins with ${until}`));
      }, stepMs);
      const settle = <Value>(done: (value: Value) => void) => {
        return (value: Value) => {
          this.#step = undefined;
          clearTimeout(timer);
          done(value);
        };
      };
      this.#step = { until: Buffer.from(until), resolve: settle(resolve), reject: settle(reject) };
      if (send !== undefined) this.#socket.write(textFrame(send).bytes);
      const early = this.#early;
      this.#early = [];
      for (const text of early) this.#hearStep(Buffer.from(text), 0, Buffer.byteLength(text));
      if (this.#isClosed) this.#step.reject(new Error(`${this.seat.user}: ${this.errors.join(', ')}`));
    });
  }

  #hear(bytes: Buffer, start: number, end: number): void {
    if (!this.#isReady && this.#hearStep(bytes, start, end)) return;
    const kind = this.#wire.kindOf(bytes, start, end);
    if (kind === 'delivery') this.#hearDelivery(bytes, start, end);
    else if (kind === 'confirmation')
      this.#answer(bytes, start, end, this.#wire.confirmedId(bytes, start, end));
    else if (kind === 'refusal') {
      this.#answer(bytes, start, end, refused);
      this.#keepError(bytes.toString('utf8', start, end));
    } else if (kind === 'ping') this.#socket.write(this.#pong!);
    else if (this.sent > 0) this.#keepError(bytes.toString('utf8', start, end));
  }

  /** Whether the frame was one that leads into the room, or stands in the way there. */
  #hearStep(bytes: Buffer, start: number, end: number): boolean {
    const step = this.#step;
    if (step && beginsWith(bytes, start, end, step.until)) {
      step.resolve();
      return true;
    }
    if (this.#wire.kindOf(bytes, start, end) !== 'other') return false;
    const text = bytes.toString('utf8', start, end);
    if (!step) this.#early.push(text);
    else if (text.includes('error')) step.reject(new Error(`${this.seat.user}: ${text}`));
    return true;
  }

  #answer(bytes: Buffer, start: number, end: number, outcome: number): void {
    const sequence = this.#wire.confirmedSequence?.(bytes, start, end) ?? this.answered;
    this.#outcomes[sequence] = outcome;
    this.answered += 1;
    this.listener.onAnswer(this, sequence, (this.#readAt ||= nowMicros()));
  }

  #hearDelivery(bytes: Buffer, start: number, end: number): void {
    const { deliveries } = this;
    deliveries.count += 1;
    readMark(bytes, this.#contentAt(bytes, start), mark);
    const { connection, sequence, sentAt } = mark;
    const last = this.#lastSequences.get(connection) ?? -1;
    if (sequence !== last + 1) deliveries.misordered += 1;
    if (sequence > last) this.#lastSequences.set(connection, sequence);
    if (this.#wire.deliveredId) {
      const id = this.#wire.deliveredId(bytes, start, end);
      if (id <= this.#lastId) deliveries.misnumbered += 1;
      this.#lastId = id;
    }
    this.listener.onDelivery(sentAt, (this.#readAt ||= nowMicros()));
  }

  /** Mostly it stands where it stood in the message before, which is faster to see than to look for it. */
  #contentAt(bytes: Buffer, start: number): number {
    const { contentKey } = this.#wire;
    const guess = start + this.#contentOffset;
    if (this.#contentOffset > 0 && beginsWith(bytes, guess - contentKey.length, bytes.length, contentKey))
      return guess;
    const position = bytes.indexOf(contentKey, start) + contentKey.length;
    this.#contentOffset = position - start;
    return position;
  }

  #endRead(): void {
    const answers = this.answered - this.#answeredBeforeRead;
    const deliveries = this.deliveries.count - this.#deliveriesBeforeRead;
    this.#answeredBeforeRead = this.answered;
    this.#deliveriesBeforeRead = this.deliveries.count;
    this.#readAt = 0;
    this.listener.onRead(this, answers, deliveries);
  }

  #closed(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#keepError(reason);
    this.#step?.reject(new Error(`${this.seat.user}: ${reason}`));
    this.listener.onLost(reason);
  }

  #keepError(text: string): void {
    if (this.errors.length < maxErrorsKept) this.errors.push(text);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }
}
