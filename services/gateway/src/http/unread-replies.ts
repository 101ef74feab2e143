import type { Socket } from 'node:net';
import type { Holder, MemoryBudget } from '../connection/memory-budget.ts';
import { slowReaders } from '../metrics.ts';
import type { HttpApp } from './app.ts';

/** The system takes a smaller one at once, in bytes. */
const minBytes = 16_384;

/** The replies that one client has not read yet; there may be many, where it asks without waiting. */
class UnreadReplies implements Holder {
  /** Of all replies to it that have not left, in bytes. */
  unread = 0;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Nothing leaves a socket that is destroyed, and nothing is kept for it, although it is closed only later. */
  get heldBytes(): number {
    return this.#socket.destroyed ? 0 : this.unread;
  }

  giveUp(): void {
    slowReaders.inc();
    this.#socket.destroy();
  }
}

/** Replies count among what all clients make us hold in memory until they have left. Files do not: they come bit by bit. */
export function countUnreadReplies(app: HttpApp, budget: Pick<MemoryBudget, 'grew' | 'forget'>): void {
  const bySocket = new WeakMap<Socket, UnreadReplies>();

  function repliesTo(socket: Socket): UnreadReplies {
    const known = bySocket.get(socket);
    if (known) return known;
    const replies = new UnreadReplies(socket);
    bySocket.set(socket, replies);
    socket.once('close', () => {
      budget.forget(replies);
    });
    return replies;
  }

  app.addHook('onSend', ({ raw: { socket } }, { raw }, payload, done) => {
    const bytes = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.length : 0;
    if (bytes >= minBytes && !socket.destroyed) {
      const replies = repliesTo(socket);
      replies.unread += bytes;
      budget.grew(replies, bytes);
      raw.once('finish', () => {
        replies.unread -= bytes;
      });
    }
    done();
  });
}
