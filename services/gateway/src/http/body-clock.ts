import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerUnreadable } from './errors.ts';

/**
 * Bounds how long bodies take to come. Node's own limit counts the whole of a request, however much it sends; here a route
 * that reads a long one can say that it goes on.
 */
export class BodyClock {
  readonly #limitMs: number;
  readonly #timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

  /** @param limitMs For a whole body, or to its next part where its route restarts the clock. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** A body that comes too late ends its connection: with an answer, unless there was one already. */
  start(request: IncomingMessage, response: ServerResponse): void {
    const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
    if (length === '0' && encoding === undefined) return;
    const timer = setTimeout(() => {
      if (response.headersSent) request.socket.destroy();
      else answerUnreadable({ code: 'ERR_HTTP_REQUEST_TIMEOUT' }, request.socket);
    }, this.#limitMs);
    const stop = (): void => {
      clearTimeout(timer);
    };
    request.once('end', stop);
    request.once('close', stop);
    this.#timers.set(request, timer);
  }

  /** Some of the body came, or was not waited for until now. */
  restart(request: IncomingMessage): void {
    this.#timers.get(request)?.refresh();
  }
}
