import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { bytesSent, framesSent } from '../metrics.ts';
import { countFrames } from './websocket-frame.ts';

/** Whose frames they are. */
export interface OutboxOwner {
  /** So much more waits in memory, perhaps for long. */
  grew(bytes: number): void;
}

/** How often it is looked whether frames are kept back still, in ms. */
const heldPollMs = 10;

/**
 * The finished frames on their way to one socket. All of one turn of the event loop are written together; a reader that
 * does not keep up is found out by the bytes that wait for it.
 */
export class Outbox {
  readonly #owner: OutboxOwner;
  readonly #stream: Duplex;
  readonly #maxBytes: number;
  /** Frames of this turn. */
  #frames: Buffer[] = [];
  /** Frames kept back until something is answered. */
  #held: Buffer[] | undefined;
  #bytes = 0;

  /** @param maxBytes Most bytes that may wait, here and in the socket. */
  constructor(owner: OutboxOwner, stream: Duplex, maxBytes: number) {
    this.#owner = owner;
    this.#stream = stream;
    this.#maxBytes = maxBytes;
  }

  /** False where too much waits already: then nothing that waits here goes out any more. */
  write(frame: Buffer): boolean {
    this.#bytes += frame.length;
    if (this.waitingBytes > this.#maxBytes) {
      this.#frames = [];
      this.#held = undefined;
      this.#bytes = 0;
      return false;
    }
    if (this.#held) {
      this.#held.push(frame);
      this.#owner.grew(frame.length);
    } else {
      if (this.#frames.length === 0) setImmediate(flush, this);
      this.#frames.push(frame);
    }
    return true;
  }

  /** Bytes that wait, here and in the socket. */
  get waitingBytes(): number {
    return this.#bytes + this.#stream.writableLength;
  }

  /** Keeps back what is written from now on. */
  hold(): void {
    this.#held ??= [];
  }

  /** What was kept back, which is so no longer. */
  takeHeld(): Buffer[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { length } of held) this.#bytes -= length;
    return held;
  }

  /** Resolves when nothing waits any more but what the socket itself buffers, or the socket is gone. */
  async drained(): Promise<void> {
    this.flush();
    while (this.#held && !this.#stream.destroyed) await delay(heldPollMs);
    this.flush();
    if (!this.#stream.writableNeedDrain || this.#stream.destroyed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#stream.off('drain', done).off('close', done);
        resolve();
      };
      this.#stream.on('drain', done).on('close', done);
    });
  }

  flush(): void {
    const frames = this.#frames;
    if (frames.length === 0) return;
    this.#frames = [];
    let bytes = 0;
    let count = 0;
    for (const frame of frames) {
      bytes += frame.length;
      count += countFrames(frame);
    }
    this.#bytes -= bytes;
    if (!this.#stream.writable) return;
    framesSent.add(count);
    bytesSent.add(bytes);
    // Compression is off, so `ws` writes its own frames at once too and none can get between the parts of another.
    this.#stream.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames));
    if (this.#stream.writableLength > 0) this.#owner.grew(bytes);
  }
}

function flush(outbox: Outbox): void {
  outbox.flush();
}
