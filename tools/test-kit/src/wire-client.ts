import { once } from 'node:events';
import { parseJson } from '@parley/protocol';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import { inTime } from './wait.ts';

interface Waiter<Frame> {
  accepts: (frame: Frame) => boolean;
  resolve: (frame: Frame) => void;
  reject: (error: Error) => void;
}

/** A client's socket that hides nothing: every frame can be seen. */
export class WireClient<Frame extends { action: string }> implements Disposable {
  readonly socket: WebSocket;
  /** Every frame that came, in order. */
  readonly received: Frame[] = [];
  /** The frames that nobody has asked for yet. */
  readonly inbox: Frame[] = [];
  /** The close code, once the connection is closed. */
  readonly closed: Promise<number>;
  /** Who it is, once it is somebody. */
  name = '';
  readonly #waiters: Waiter<Frame>[] = [];

  /**
   * Begins to connect; `opened` tells when it is done.
   * @param url As `ws://127.0.0.1:20200`.
   */
  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, { perMessageDeflate: false, ...options });
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
    this.socket.once('close', (code: number) => {
      const lost = new Error(`the connection was closed with ${code} (${this.name})`);
      for (const { reject } of this.#waiters.splice(0)) reject(lost);
    });
    this.socket.on('error', () => {
      // A refused or broken connection is seen as `closed`.
    });
    this.socket.on('message', (data: Buffer) => {
      const frame = parseJson(data.toString()) as Frame;
      this.received.push(frame);
      const waiter = this.#waiters.findIndex(({ accepts }) => accepts(frame));
      if (waiter === -1) this.inbox.push(frame);
      else this.#waiters.splice(waiter, 1)[0]!.resolve(frame);
    });
  }

  /** @throws Error where the server refuses the upgrade. */
  async opened(): Promise<this> {
    await inTime(`connection to ${this.socket.url}`, once(this.socket, 'open'));
    return this;
  }

  /** Sends a frame; a string goes out as it is. */
  send(frame: object | string): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The first frame that is accepted, among those that came already or come next. */
  next(what: string, accepts: (frame: Frame) => boolean = () => true): Promise<Frame> {
    const index = this.inbox.findIndex(accepts);
    if (index !== -1) return Promise.resolve(this.inbox.splice(index, 1)[0]!);
    return this.upcoming(what, accepts);
  }

  /** The first frame that is accepted, among those that come next. */
  upcoming(what: string, accepts: (frame: Frame) => boolean): Promise<Frame> {
    return inTime(
      `${what} (${this.name})`,
      new Promise((resolve, reject) => this.#waiters.push({ accepts, resolve, reject })),
    );
  }

  /** The next frame with the action. */
  event(action: string): Promise<Frame> {
    return this.next(action, (frame) => frame.action === action);
  }

  /** Every frame with the action so far. */
  all(action: string): Frame[] {
    return this.received.filter((frame) => frame.action === action);
  }

  /** Closes as a client does that goes away. */
  close(): Promise<number> {
    this.socket.close();
    return this.closed;
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}
