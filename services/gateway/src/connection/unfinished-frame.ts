/** A smaller rest is not counted, in bytes: the usual frame comes in one piece. */
const minBytes = 4_096;
/** What a ping or pong of a client has around its payload, in bytes (RFC 6455, section 5.2). */
const controlFrameBytes = 6;

/** What has come of a frame that is not complete: `ws` keeps it until the rest comes, however long that takes. */
export class UnfinishedFrame {
  readonly #maxBytes: number;
  #bytes = 0;

  /** @param maxBytes Of a frame: `ws` keeps no more. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What is kept, in bytes; 0 where it is not worth counting. */
  get heldBytes(): number {
    return this.#bytes > minBytes ? Math.min(this.#bytes, this.#maxBytes) : 0;
  }

  /** So much came; what it completes is told right afterwards. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** A ping or pong came, perhaps amid a frame. */
  takeControlFrame(payloadBytes: number): void {
    this.#bytes = Math.max(0, this.#bytes - payloadBytes - controlFrameBytes);
  }

  /** A frame is complete. What came of the next one in the same piece is not known, and too little to matter. */
  complete(): void {
    this.#bytes = 0;
  }
}
