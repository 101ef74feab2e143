import { backoffMs } from './backoff.ts';
import type { BackoffOptions } from './backoff.ts';
import type { CloseReason, ConnectionState } from './models.ts';

/** Close codes that mean something to a client (docs/protocol.md, "Transport"). */
const goingAway = 1001;
const policyViolation = 1008;
const tooSlowReader = 1013;
const takenOver = 4001;
const sessionEnded = 4003;

const reasons: Partial<Record<number, string>> = {
  [goingAway]: 'The server is going away.',
  [policyViolation]: 'The server asks to slow down.',
  [tooSlowReader]: 'The connection was too slow.',
};

/** So long nothing may be heard before it is asked whether the other end is still there, in ms. */
const silenceMs = 30_000;

export interface ConnectionOptions {
  url: string;
  backoff: BackoffOptions;
  /** Longest wait for the connection to open, in ms. */
  openTimeoutMs: number;
  newWebSocket: (url: string) => WebSocket;
  /** The socket is open; `ready` is to be called once it may be used. */
  opened: () => void;
  heard: (text: string) => void;
  /** The socket is gone, and another will be tried, unless the state is `closed`. */
  lost: () => void;
  /** Nothing was heard for a while: to be answered by anything at all, or by `drop`. */
  silent: () => void;
  changed: (state: ConnectionState) => void;
}

/** A socket that is replaced by another whenever it is lost, until it is told to end. */
export class Connection {
  readonly #options: ConnectionOptions;
  #state: ConnectionState = { status: 'idle' };
  #socket: WebSocket | undefined;
  /** Tries since the connection was last ready. */
  #attempt = 0;
  /** Of the next try, or of this one's end. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setInterval> | undefined;
  #hasHeard = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Begins to connect, where it has not begun or has ended. */
  start(): void {
    const { status } = this.#state;
    if (status === 'idle' || status === 'closed') this.#connect();
  }

  /** Does not wait for the next try any longer. */
  hurry(): void {
    if (this.#state.status === 'waiting') this.#connect();
  }

  /** The connection may be used: what it takes to be ready has been done. */
  ready(): void {
    this.#attempt = 0;
    this.#become({ status: 'online' });
  }

  /** Sends, where there is an open socket. */
  send(text: string): void {
    if (this.#socket?.readyState === 1) this.#socket.send(text);
  }

  /**
   * Gives the socket up and tries another.
   * @param afterMs At the earliest, in ms.
   */
  drop(reason: string, afterMs = 0): void {
    if (!this.#socket) return;
    this.#release();
    this.#retry(reason, afterMs);
    this.#options.lost();
  }

  /** Ends for good, or until `start`. */
  end(reason: CloseReason): void {
    const hadSocket = this.#socket !== undefined;
    this.#release();
    this.#attempt = 0;
    this.#become({ status: 'closed', reason });
    if (hadSocket) this.#options.lost();
  }

  #connect(): void {
    this.#release();
    this.#attempt += 1;
    this.#become({ status: 'connecting', attempt: this.#attempt });
    const { url, openTimeoutMs, newWebSocket, opened, heard } = this.#options;
    const socket = newWebSocket(url);
    this.#socket = socket;
    const isOurs = () => this.#socket === socket;
    socket.addEventListener('open', () => {
      if (!isOurs()) return;
      clearTimeout(this.#timer);
      this.#watchSilence();
      opened();
    });
    socket.addEventListener('message', ({ data }: { data: unknown }) => {
      if (!isOurs() || typeof data !== 'string') return;
      this.#hasHeard = true;
      heard(data);
    });
    socket.addEventListener('close', ({ code }: { code: number }) => {
      if (isOurs()) this.#closed(code);
    });
    // `close` follows, and says as much.
    socket.addEventListener('error', () => {});
    this.#timer = setTimeout(() => {
      this.drop('The server does not answer.');
    }, openTimeoutMs);
  }

  #closed(code: number): void {
    if (code === takenOver) {
      this.end('taken-over');
    } else if (code === sessionEnded) {
      this.end('session-ended');
    } else {
      const { maxMs } = this.#options.backoff;
      const isNew = this.#state.status === 'connecting';
      const usual = isNew ? 'The server cannot be reached.' : 'The connection was lost.';
      this.drop(reasons[code] ?? usual, code === policyViolation ? maxMs : 0);
    }
  }

  #retry(reason: string, afterMs: number): void {
    const waitMs = afterMs + backoffMs(this.#attempt + 1, this.#options.backoff);
    this.#timer = setTimeout(() => {
      this.#connect();
    }, waitMs);
    this.#become({ status: 'waiting', attempt: this.#attempt + 1, retryAt: Date.now() + waitMs, reason });
  }

  #watchSilence(): void {
    this.#hasHeard = true;
    this.#silence = setInterval(() => {
      if (!this.#hasHeard) this.#options.silent();
      this.#hasHeard = false;
    }, silenceMs);
  }

  #release(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#silence);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    this.#options.changed(state);
  }
}
