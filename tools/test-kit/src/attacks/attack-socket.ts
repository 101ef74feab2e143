import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import { count } from './sightings.ts';
import type { Sightings } from './sightings.ts';

/** In which errors tell their code, in all dialects; and what is looked through for it. */
const codeField = /"(?:code|reason)":"(\w+)"/;
const actionField = /^\{"action":"([^"]+)"/;
const errorAction = /^error$|_fail$/;
/** How `ws` tells of an upgrade that was answered otherwise. */
const statusOfRefusal = /^Unexpected server response: (\d+)$/;
const headBytes = 1_024;

interface Waiting {
  /** An action; undefined is any. */
  expected: string | undefined;
  resolve: (answer: string | undefined) => void;
}

/** A connection of an attacker: what comes is counted, and not kept. */
export class AttackSocket {
  readonly #socket: WebSocket;
  readonly #seen: Sightings;
  readonly #stopped: AbortSignal;
  #stream: Socket | undefined;
  #waiting: Waiting[] = [];
  /** False where the upgrade was refused. */
  readonly opened: Promise<boolean>;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;

  constructor(url: string, options: ClientOptions, seen: Sightings, stopped: AbortSignal) {
    this.#seen = seen;
    this.#stopped = stopped;
    this.#socket = new WebSocket(url, options);
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', () => {
        resolve();
      });
    });
    this.opened = this.#open();
  }

  #open(): Promise<boolean> {
    const seen = this.#seen;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    let refusal: string | undefined;
    const end = (): void => {
      this.terminate();
    };
    this.#stopped.addEventListener('abort', end);
    this.#socket
      .on('upgrade', ({ socket }: IncomingMessage) => {
        this.#stream = socket;
      })
      .on('open', () => {
        seen.opened += 1;
        if (this.#socket.extensions !== '') count(seen.answers, this.#socket.extensions);
        resolve(true);
      })
      .on('error', (error: NodeJS.ErrnoException) => {
        refusal = statusOfRefusal.exec(error.message)?.[1] ?? error.code ?? error.message;
      })
      .on('message', (data: Buffer) => {
        this.#hear(data.toString('utf8', 0, headBytes));
      })
      .on('close', (code) => {
        this.#stopped.removeEventListener('abort', end);
        const wasOpen = this.#stream !== undefined;
        if (!this.#stopped.aborted) {
          if (wasOpen) count(seen.closed, code);
          else count(seen.refused, refusal ?? 'lost');
        }
        resolve(wasOpen);
        this.#tell(undefined, () => true);
      });
    if (this.#stopped.aborted) end();
    return promise;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** A string goes out as it is. */
  send(frame: object | string): void {
    if (this.isOpen) this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /**
   * Sends a request; resolves with the code of the error that comes next, or with the action that is expected; undefined when the
   * connection ends.
   */
  ask(request: object, expected: string): Promise<string | undefined> {
    const answer = this.next(expected);
    this.send(request);
    return answer;
  }

  /** The code of the error that comes next, or the action; undefined when the connection ends. */
  next(expected?: string): Promise<string | undefined> {
    if (!this.isOpen) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiting.push({ expected, resolve }));
  }

  /** Writes bytes that need not be frames; resolves when there is room for more, or the connection is gone. */
  async write(bytes: Buffer): Promise<void> {
    const stream = this.#stream;
    if (!this.isOpen || !stream?.writable || stream.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off('drain', done).off('close', done);
        resolve();
      };
      stream.on('drain', done).on('close', done);
    });
  }

  /** Reads no more until {@link resume}: not even the server's close is noticed. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #hear(head: string): void {
    const action = actionField.exec(head)?.[1] ?? 'unknown';
    const code = errorAction.test(action) ? codeField.exec(head)?.[1] : undefined;
    count(this.#seen.answers, code ?? action);
    this.#tell(code ?? action, ({ expected }) => code !== undefined || (expected ?? action) === action);
  }

  #tell(answer: string | undefined, isFor: (waiting: Waiting) => boolean): void {
    const told = this.#waiting.filter(isFor);
    this.#waiting = this.#waiting.filter((waiting) => !told.includes(waiting));
    for (const { resolve } of told) resolve(answer);
  }
}
