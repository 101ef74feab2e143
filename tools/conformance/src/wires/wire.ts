import { once } from 'node:events';
import { WebSocket } from 'ws';
import { Failure } from '../failure.ts';
import { isFields } from '../fields.ts';
import type { Fields } from '../fields.ts';
import type { Transcript } from '../transcript.ts';

/** A frame as it came. */
export interface Got {
  text: string;
  action: string;
  frame: Fields;
}

export interface WireOptions {
  /** As `ws://localhost:20200/ws`. */
  url: string;
  /** Who it is in the transcript. */
  who: string;
  transcript: Transcript;
  /** Longest wait for anything, in ms. */
  patienceMs: number;
  headers?: Record<string, string>;
}

interface Waiter {
  accepts: (got: Got) => boolean;
  resolve: (got: Got) => void;
  reject: (error: Error) => void;
}

/** A connection on which everything can be seen, and anything sent. */
export class Wire {
  readonly who: string;
  /** Every frame that came, in order. */
  readonly received: Got[] = [];
  /** The close code, once there is one. */
  closeCode: number | undefined;
  readonly #socket: WebSocket;
  readonly #options: WireOptions;
  readonly #closed: Promise<number>;
  /** What nobody has asked for yet. */
  readonly #inbox: Got[] = [];
  readonly #waiters: Waiter[] = [];

  constructor(options: WireOptions) {
    const { url, who, transcript, headers = {} } = options;
    this.#options = options;
    this.who = who;
    this.#socket = new WebSocket(url, { perMessageDeflate: false, headers });
    this.#closed = new Promise((resolve) => {
      this.#socket.once('close', (code) => {
        this.closeCode = code;
        transcript.add(who, '--', `closed with ${code}`);
        for (const { reject } of this.#waiters.splice(0)) {
          reject(new Failure(`${who}'s connection was closed with ${code}`));
        }
        resolve(code);
      });
    });
    // A refused or broken connection is seen as closed.
    this.#socket.on('error', (error) => {
      transcript.add(who, '--', error.message);
    });
    this.#socket.on('message', (data: Buffer, isBinary) => {
      this.#take(data.toString(), isBinary);
    });
  }

  /** @throws Failure where the upgrade is refused. */
  async opened(): Promise<this> {
    try {
      await this.#inTime(`the upgrade of ${this.#socket.url}`, once(this.#socket, 'open'));
    } catch (error) {
      throw error instanceof Failure
        ? error
        : new Failure(`${this.#socket.url}: ${(error as Error).message}`);
    }
    return this;
  }

  /** The HTTP status with which the upgrade is refused; undefined where it is not. */
  async upgradeRefusal(): Promise<number | undefined> {
    const refused = once(this.#socket, 'unexpected-response').then(([, response]) => {
      const { statusCode } = response as { statusCode: number };
      this.#socket.terminate();
      return statusCode;
    });
    const opened = once(this.#socket, 'open').then(() => undefined);
    opened.catch(() => undefined);
    refused.catch(() => undefined);
    return this.#inTime('the answer to the upgrade', Promise.race([refused, opened]));
  }

  /** Sends a frame; a text goes out as it is, bytes as a binary frame. */
  send(frame: object | string | Uint8Array): void {
    const isBinary = frame instanceof Uint8Array;
    const out = isBinary || typeof frame === 'string' ? frame : JSON.stringify(frame);
    this.#options.transcript.add(this.who, '->', isBinary ? `(binary, ${frame.length} bytes)` : String(out));
    this.#socket.send(out);
  }

  /** The first frame that is accepted, among those that nobody has asked for or that come next. @throws Failure */
  next(what: string, accepts: (got: Got) => boolean = () => true): Promise<Got> {
    const index = this.#inbox.findIndex(accepts);
    if (index !== -1) return Promise.resolve(this.#inbox.splice(index, 1)[0]!);
    const { promise, resolve, reject } = Promise.withResolvers<Got>();
    this.#waiters.push({ accepts, resolve, reject });
    if (this.closeCode !== undefined) {
      reject(new Failure(`${what}: ${this.who}'s connection was closed with ${this.closeCode}`));
    }
    return this.#inTime(`${what} (${this.who})`, promise);
  }

  /** The next frame with the action. @throws Failure */
  event(action: string): Promise<Got> {
    return this.next(`\`${action}\``, (got) => got.action === action);
  }

  /** Every frame with the action so far. */
  all(action: string): Got[] {
    return this.received.filter((got) => got.action === action);
  }

  /** Resolves once so many frames are there that are accepted, with all of them. @throws Failure */
  async collect(what: string, count: number, accepts: (got: Got) => boolean): Promise<Got[]> {
    const collected: Got[] = [];
    while (collected.length < count) {
      collected.push(await this.next(`${what}, ${collected.length + 1} of ${count}`, accepts));
    }
    return collected;
  }

  /** The close code. @throws Failure where it stays open. */
  closed(): Promise<number> {
    return this.#inTime(`the end of ${this.who}'s connection`, this.#closed);
  }

  /** Goes away as a client does. */
  async close(): Promise<void> {
    this.#socket.close(1000);
    await this.closed();
  }

  /** Breaks the connection without a word. */
  terminate(): void {
    this.#socket.terminate();
  }

  #take(text: string, isBinary: boolean): void {
    this.#options.transcript.add(this.who, '<-', text);
    const got = isBinary ? { text, action: '(binary)', frame: {} } : { text, ...parse(text) };
    this.received.push(got);
    const waiter = this.#waiters.findIndex(({ accepts }) => accepts(got));
    if (waiter === -1) this.#inbox.push(got);
    else this.#waiters.splice(waiter, 1)[0]!.resolve(got);
  }

  async #inTime<Result>(what: string, promise: Promise<Result>): Promise<Result> {
    const { patienceMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Failure(`nothing came within ${patienceMs} ms: ${what}`));
      }, patienceMs);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What is no frame has no action: no check accepts it. */
function parse(text: string): Pick<Got, 'action' | 'frame'> {
  try {
    const frame: unknown = JSON.parse(text);
    if (isFields(frame) && typeof frame['action'] === 'string') return { action: frame['action'], frame };
  } catch {
    // The transcript has it.
  }
  return { action: '(no frame)', frame: {} };
}
