import { maxChunkBytes, maxChunksPerRequest, ParleyError, putChunks } from '@parley/protocol';
import type { UploadId } from '@parley/protocol';
import type { Bus, RequestContext } from '@parley/service-kit';
import { chunkToAcknowledgement, secondsSince } from '../metrics.ts';

interface WaitingChunk {
  sequence: number;
  bytes: Uint8Array;
  context: RequestContext;
  /** When it came, as `performance.now()`. */
  since: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Requests of one upload that are under way at the same time. */
const maxRequests = 3;

/**
 * The chunks of one upload on their way to storage. What comes while requests are under way goes together with the next,
 * so that small chunks are not a request each. Of two chunks of one number the later one is stored last.
 */
export class ChunkLane {
  readonly #bus: Pick<Bus, 'callWithBytes'>;
  readonly #uploadId: UploadId;
  readonly #waiting: WaitingChunk[] = [];
  readonly #underWay = new Set<number>();
  #requests = 0;

  constructor(bus: Pick<Bus, 'callWithBytes'>, uploadId: UploadId) {
    this.#bus = bus;
    this.#uploadId = uploadId;
  }

  /**
   * Resolves once the chunk is stored.
   * @throws ParleyError as `putChunks`, and as it refuses this chunk.
   */
  put(sequence: number, bytes: Uint8Array, context: RequestContext): Promise<void> {
    if (bytes.length > maxChunkBytes) {
      const message = `A chunk may have ${maxChunkBytes} bytes; send smaller ones.`;
      return Promise.reject(new ParleyError('too_large', {}, { message }));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sequence, bytes, context, since: performance.now(), resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && this.#requests < maxRequests) {
      const chunks = this.#take();
      if (chunks.length === 0) return;
      this.#requests += 1;
      void this.#store(chunks).finally(() => {
        this.#requests -= 1;
        void this.#run();
      });
      // What comes in this turn of the event loop goes together.
      await new Promise(setImmediate);
    }
  }

  /** The first that fit a request, up to one whose number is under way. */
  #take(): WaitingChunk[] {
    let size = 0;
    const numbers = new Set(this.#underWay);
    const end = this.#waiting.findIndex(({ sequence, bytes }, index) => {
      size += bytes.length;
      const isDouble = numbers.has(sequence);
      numbers.add(sequence);
      return isDouble || index === maxChunksPerRequest || (index > 0 && size > maxChunkBytes);
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  async #store(chunks: readonly WaitingChunk[]): Promise<void> {
    for (const { sequence } of chunks) this.#underWay.add(sequence);
    try {
      const request = {
        uploadId: this.#uploadId,
        sequences: chunks.map(({ sequence }) => sequence),
        sizes: chunks.map(({ bytes }) => bytes.length),
      };
      const bytes = Buffer.concat(chunks.map((chunk) => chunk.bytes));
      // The first came first, so its deadline is the earliest.
      const { reply } = await this.#bus.callWithBytes(putChunks, request, bytes, chunks[0]!.context);
      chunkToAcknowledgement.observe(secondsSince(chunks[0]!.since));
      const refusals = new Map(reply.refused.map((refusal) => [refusal.index, refusal]));
      chunks.forEach(({ resolve, reject }, index) => {
        const refusal = refusals.get(index);
        if (!refusal) {
          resolve();
          return;
        }
        const { code, message, field } = refusal;
        reject(new ParleyError(code, field === undefined ? {} : { field }, { message }));
      });
    } catch (error) {
      for (const { reject } of chunks) reject(error);
    } finally {
      for (const { sequence } of chunks) this.#underWay.delete(sequence);
    }
  }
}
