import { once } from 'node:events';
import { parseJson } from '@parley/protocol';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';

/** A frame as it came; its fields are what its dialect says. */
export type Frame = { action: string } & Record<string, any>;

/**
 * Longest wait for the answer to a request, in ms: the 5 s of the protocol, and as long as a process is frozen and a line held at
 * most, both behind each other.
 */
const answerMs = 25_000;
const openMs = 15_000;
const closeMs = 2_000;

/** The connection ended before the answer came, or could not be opened. */
export class LostError extends Error {
  override readonly name = 'LostError';
  /** The HTTP status with which the upgrade was refused. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** No answer came though the connection lives; its message is the action. */
export class SilentError extends Error {
  override readonly name = 'SilentError';
}

interface Waiter {
  accepts: (frame: Frame) => boolean;
  resolve: (frame: Frame) => void;
  reject: (error: Error) => void;
}

/** One WebSocket connection: hands every frame to its listener and tells requests their answers. */
export class Wire implements Disposable {
  readonly number: number;
  readonly #socket: WebSocket;
  readonly #waiters = new Set<Waiter>();
  /** The close code, once the connection has ended. */
  readonly closed: Promise<number>;
  isOpen = true;

  private constructor(number: number, socket: WebSocket, onFrame: (frame: Frame, text: string) => void) {
    this.number = number;
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      const frame = parseJson(text) as Frame;
      onFrame(frame, text);
      for (const waiter of this.#waiters) {
        if (!waiter.accepts(frame)) continue;
        this.#waiters.delete(waiter);
        waiter.resolve(frame);
        break;
      }
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', (code: number) => {
        this.isOpen = false;
        const lost = new LostError(`closed with ${code}`);
        for (const { reject } of this.#waiters) reject(lost);
        this.#waiters.clear();
        resolve(code);
      });
    });
  }

  /**
   * Connects.
   * @param number Of the connection, in the journal.
   * @throws LostError where the connection is refused or does not open within 15 s.
   */
  static async open(
    number: number,
    url: string,
    options: ClientOptions,
    onFrame: (frame: Frame, text: string) => void,
  ): Promise<Wire> {
    const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: openMs, ...options });
    const wire = new Wire(number, socket, onFrame);
    // After the opening, what breaks is seen as `closed`.
    socket.on('error', () => {});
    let status: number | undefined;
    socket.once('unexpected-response', (_request, response) => {
      status = response.statusCode;
      socket.terminate();
    });
    try {
      await once(socket, 'open');
    } catch (cause) {
      throw new LostError((cause as Error).message, status);
    }
    return wire;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Sends a request and resolves with the frame that answers it. @throws LostError, SilentError */
  async request(action: string, text: string, accepts: (frame: Frame) => boolean): Promise<Frame> {
    const answer = this.next(action, accepts);
    this.send(text);
    return answer;
  }

  /**
   * The first frame to come that is accepted, which nobody else is told then.
   * @param action What it answers.
   * @throws LostError, SilentError
   */
  async next(action: string, accepts: (frame: Frame) => boolean): Promise<Frame> {
    if (!this.isOpen) throw new LostError('is closed');
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Frame>((resolve, reject) => {
        const waiter = { accepts, resolve, reject };
        this.#waiters.add(waiter);
        timer = setTimeout(() => {
          this.#waiters.delete(waiter);
          reject(new SilentError(action));
        }, answerMs);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Stops reading, so that what comes piles up at the sender's. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Closes as a client does that goes away; whoever does not answer that is left without a word. */
  async close(): Promise<void> {
    this.#socket.close();
    const timer = setTimeout(() => {
      this.#socket.terminate();
    }, closeMs);
    await this.closed;
    clearTimeout(timer);
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }
}
