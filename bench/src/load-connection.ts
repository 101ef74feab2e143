import { kindOf, messageIdIn, SendFrames } from './frames.ts';
import { refused, type Outcomes } from './audit.ts';
import { openSocket, textFrame, type RawSocket } from './websocket.ts';

/** A frame of the login dialect. */
interface Frame {
  action: string;
  status: string;
  message: string;
  data?: Record<string, unknown>;
}

const requestMs = 60_000;
const firstCapacity = 1_024;
const maxErrorsKept = 3;

/** Hears of answers: so many sends of the connection, from the sequence number `first` on, were answered just now. */
export type AnswerListener = (connection: LoadConnection, first: number, count: number) => void;

/**
 * One user's connection, made to send messages to one room at little cost. Sends have sequence numbers from 0; they are
 * answered in their order, so an answer is matched to its send by counting.
 */
export class LoadConnection {
  readonly number: number;
  readonly name: string;
  /** Frames that were neither answers to sends nor deliveries, in the server's words; the first few. */
  readonly errors: string[] = [];
  deliveries = 0;
  /** Answered sends; the next answer is to the send of this number. */
  answered = 0;
  sent = 0;
  onAnswers: AnswerListener = () => {};

  #socket!: RawSocket;
  #frames: SendFrames | undefined;
  #begunAt = new Float64Array(firstCapacity);
  #outcomes = new Int32Array(firstCapacity);
  #answeredBeforeRead = 0;
  #reply: { resolve: (frame: Frame) => void; reject: (error: Error) => void } | undefined;
  #isClosed = false;

  private constructor(number: number) {
    this.number = number;
    this.name = `bench-${number}`;
  }

  /** @param number Tells it apart from all others of the run. */
  static async open(webSocketUrl: string, number: number): Promise<LoadConnection> {
    const connection = new LoadConnection(number);
    connection.#socket = await openSocket(webSocketUrl, {
      onText: (bytes, start, end) => {
        connection.#hear(bytes, start, end);
      },
      onRead: () => {
        connection.#tellAnswers();
      },
      onClose: (reason) => {
        connection.#closed(reason);
      },
    });
    return connection;
  }

  /** Says what the sends are to be; see {@link SendFrames}. */
  prepareSends(roomId: string, contentBytes: number, withClientIds: boolean): void {
    this.#frames = new SendFrames(roomId, this.number, contentBytes, withClientIds);
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
    return this.#outcomes.subarray(0, this.sent);
  }

  /** Whether the send, which was answered, got a message id. */
  isConfirmed(sequence: number): boolean {
    return this.#outcomes[sequence]! > 0;
  }

  /** When the send began, in ms of `performance.now()`. */
  begunAt(sequence: number): number {
    return this.#begunAt[sequence]!;
  }

  /** Sends the next messages, in one write. @param begunAt In ms of `performance.now()`: from when their latency counts. */
  send(count: number, begunAt: number): void {
    if (this.#isClosed) return;
    const end = this.sent + count;
    if (end > this.#begunAt.length) this.#grow();
    this.#begunAt.fill(begunAt, this.sent, end);
    this.#socket.write(this.#frames!.take(this.sent, count));
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

  /**
   * Sends a request other than a message and resolves with its reply: the slow way, one at a time, while no sends are
   * under way.
   * @throws Error when it is refused, with the server's words; when no reply comes within a minute.
   */
  async request(action: string, data: object): Promise<NonNullable<Frame['data']>> {
    const frame = await this.#exchange(action, data);
    if (frame.status !== 'success') throw new Error(`${action} of ${this.name}: ${frame.message}`);
    return frame.data ?? {};
  }

  #exchange(action: string, data: object): Promise<Frame> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${action} of ${this.name}: no reply within ${requestMs / 1_000} s`));
      }, requestMs);
      this.#reply = {
        resolve: (frame) => {
          clearTimeout(timer);
          resolve(frame);
        },
        reject,
      };
      this.#socket.write(textFrame(JSON.stringify({ action, data })).bytes);
    });
  }

  #hear(bytes: Buffer, start: number, end: number): void {
    const kind = kindOf(bytes, start, end);
    if (kind === 'confirmation') {
      this.#outcomes[this.answered] = messageIdIn(bytes, start, end);
      this.answered += 1;
    } else if (kind === 'delivery') {
      this.deliveries += 1;
    } else if (kind === 'refusal') {
      this.#outcomes[this.answered] = refused;
      this.answered += 1;
      this.#keepError(bytes.toString('utf8', start, end));
    } else {
      this.#hearOther(bytes.toString('utf8', start, end));
    }
  }

  #hearOther(text: string): void {
    const reply = this.#reply;
    this.#reply = undefined;
    if (reply) reply.resolve(JSON.parse(text) as Frame);
    else if (this.sent > 0) this.#keepError(text);
  }

  #tellAnswers(): void {
    const first = this.#answeredBeforeRead;
    this.#answeredBeforeRead = this.answered;
    if (this.answered > first) this.onAnswers(this, first, this.answered - first);
  }

  #closed(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#keepError(reason);
    this.#reply?.reject(new Error(`${this.name}: ${reason}`));
  }

  #keepError(text: string): void {
    if (this.errors.length < maxErrorsKept) this.errors.push(text);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }
}
