import { setTimeout as delay } from 'node:timers/promises';
import { refused, unanswered, type HistoryMessage } from './audit.ts';
import { markOf } from './frames.ts';
import { ConnectionLostError, LoginConnection } from './login-connection.ts';

/** A connection's end and what came after it. Times are in ms of `performance.now()`. */
export interface Move {
  /** The server's close code, or what broke. */
  reason: string;
  closedAt: number;
  /** When the session was resumed and everything missed was there. */
  backAt: number;
}

/** A send that was answered, in ms of `performance.now()`. */
export interface TimedSend {
  begunAt: number;
  answeredAt: number;
  /** Which of the gateways answered it. */
  gateway: number;
}

interface HistoryPage {
  messages: { message_id: number; content: string }[];
  has_more: boolean;
}

const password = 'bench password';
const pageMessages = 1_000;
/** Clients that lose their connections together don't come back together, in ms. */
const jitterMs = 100;
const retryMs = 200;

/**
 * A user who keeps sending messages to one room and, when the connection ends, goes on at the next gateway as any client may:
 * resumes the session, reads what followed the last message up to which all are known, and repeats what was not confirmed
 * under the same `client_message_id`.
 */
export class Mover {
  readonly number: number;
  readonly name: string;
  readonly moves: Move[] = [];
  readonly sends: TimedSend[] = [];
  /** What came of each send, by its sequence number; see `Audit`. */
  readonly outcomes: number[] = [];
  /** How often a message was delivered that had been delivered before, or that came after a later one. */
  misdelivered = 0;

  readonly #urls: readonly string[];
  #gateway = 0;
  #connection: LoginConnection | undefined;
  #sessionKey = '';
  #roomId = '';
  /** Resolves when it is where it can go on; pending while it moves. */
  #settled = Promise.resolve();
  #isClosed = false;
  readonly #delivered = new Set<number>();
  #lastDelivered = 0;
  /** Messages known beyond `#complete`. */
  readonly #ahead = new Set<number>();
  #complete = 0;

  /** @param urls The gateways: it begins at the first and moves on to the next. */
  constructor(number: number, urls: readonly string[]) {
    this.number = number;
    this.name = `mover-${number}`;
    this.#urls = urls;
  }

  /** All messages of the room up to this id have been delivered, confirmed or read. */
  get complete(): number {
    return this.#complete;
  }

  /** Connects, makes the account and logs in. */
  async logIn(): Promise<void> {
    const connection = await this.#connect();
    await connection.ask('register', { chatid: this.name, password });
    const { session_key } = await connection.ask('login', { chatid: this.name, password });
    this.#sessionKey = session_key as string;
    this.#connection = connection;
  }

  /** Makes a room with the others in it. @returns its id. */
  async createRoom(name: string, others: readonly Mover[]): Promise<string> {
    const participants = others.map((other) => other.name);
    const { room_id } = await this.#connection!.ask('create_room', { room_name: name, participants });
    return room_id as string;
  }

  /**
   * Sends one message after the other; resolves when it was stopped and the last one is answered.
   * @param pauseMs Between an answer and the next message.
   */
  async talk(roomId: string, pauseMs: number, stop: AbortSignal): Promise<void> {
    this.#roomId = roomId;
    await pause(Math.random() * pauseMs, stop);
    while (!stop.aborted) {
      await this.#say(this.outcomes.push(unanswered) - 1);
      await pause(pauseMs, stop);
    }
    await this.#settled;
  }

  async #say(sequence: number): Promise<void> {
    const mark = `${this.number}:${String(sequence).padStart(10, '0')}.`;
    const message = { room_id: this.#roomId, content: mark, client_message_id: mark };
    const begunAt = performance.now();
    for (;;) {
      await this.#settled;
      try {
        const { code, status, data } = await this.#connection!.request('send_message', message);
        if (code === 'unavailable') {
          await delay(retryMs);
          continue;
        }
        this.outcomes[sequence] = status === 'success' ? (data?.message_id as number) : refused;
        if (status === 'success') this.#learn(data?.message_id as number);
        this.sends.push({ begunAt, answeredAt: performance.now(), gateway: this.#gateway });
        return;
      } catch (error) {
        if (!(error instanceof ConnectionLostError)) throw error;
      }
    }
  }

  /** The room's whole history, oldest first. */
  async readHistory(): Promise<HistoryMessage[]> {
    const history: HistoryMessage[] = [];
    for await (const { message_id: id, content } of this.#read(this.#connection!, 0)) {
      history.push({ id, mark: markOf(content) });
    }
    return history;
  }

  async *#read(connection: LoginConnection, from: number): AsyncGenerator<HistoryPage['messages'][number]> {
    for (let after_id = from, hasMore = true; hasMore;) {
      const bounds = { room_id: this.#roomId, after_id, limit: pageMessages };
      const page = (await connection.ask('get_messages', bounds)) as unknown as HistoryPage;
      yield* page.messages;
      after_id = page.messages.at(-1)?.message_id ?? after_id;
      hasMore = page.has_more;
    }
  }

  async #connect(): Promise<LoginConnection> {
    this.#lastDelivered = 0;
    const connection: LoginConnection = await LoginConnection.open(this.#urls[this.#gateway]!, {
      onDelivery: (messageId) => {
        this.#take(messageId);
      },
      onLost: (reason) => {
        if (connection === this.#connection) this.#settled = this.#move(reason);
      },
    });
    return connection;
  }

  async #move(reason: string): Promise<void> {
    const closedAt = performance.now();
    this.#connection = undefined;
    this.#gateway = (this.#gateway + 1) % this.#urls.length;
    await delay(Math.random() * jitterMs);
    while (!this.#isClosed && !(await this.#resume())) await delay(retryMs);
    this.moves.push({ reason, closedAt, backAt: performance.now() });
  }

  /** Whether it worked: a gateway that can't just now is asked again. */
  async #resume(): Promise<boolean> {
    let connection: LoginConnection | undefined;
    try {
      connection = await this.#connect();
      await connection.ask('login', { chatid: this.name, session_key: this.#sessionKey });
      for await (const { message_id } of this.#read(connection, this.#complete)) this.#learn(message_id);
      this.#connection = connection;
      return true;
    } catch {
      connection?.close();
      return false;
    }
  }

  #take(messageId: number): void {
    if (messageId <= this.#lastDelivered || this.#delivered.has(messageId)) this.misdelivered += 1;
    this.#lastDelivered = messageId;
    this.#delivered.add(messageId);
    this.#learn(messageId);
  }

  #learn(messageId: number): void {
    if (messageId > this.#complete) this.#ahead.add(messageId);
    while (this.#ahead.delete(this.#complete + 1)) this.#complete += 1;
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.close();
  }
}

/** Ends early when there is nothing more to wait for. */
async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal: stop }).catch(() => {});
}
