import type { UploadId } from '@parley/protocol';

/** Most memory for the counts, in bytes; the upload that got no chunk for longest is forgotten first. */
const maxMemoryBytes = 32 * 2 ** 20;

interface Count {
  /** The size of each chunk that this instance stored, by its number. */
  sizes: Uint32Array;
  total: number;
}

/**
 * How many bytes this instance stored of each upload: a chunk that replaces another counts once. It keeps an upload from
 * taking much more space than it announced, and tells a client so before the end, where the sum is checked anyway.
 */
export class ByteCounts {
  readonly #counts = new Map<UploadId, Count>();
  #memoryBytes = 0;

  /** False where the upload would have more bytes than it announced; then the chunk is not counted. */
  add(
    { uploadId, packets, size }: { uploadId: UploadId; packets: number; size: number },
    sequence: number,
    bytes: number,
  ): boolean {
    const count = this.#counts.get(uploadId) ?? { sizes: new Uint32Array(packets + 1), total: 0 };
    const total = count.total - count.sizes[sequence]! + bytes;
    this.#touch(uploadId, count);
    if (total > size) return false;
    count.sizes[sequence] = bytes;
    count.total = total;
    return true;
  }

  forget(uploadId: UploadId): void {
    const count = this.#counts.get(uploadId);
    if (!count) return;
    this.#counts.delete(uploadId);
    this.#memoryBytes -= count.sizes.byteLength;
  }

  #touch(uploadId: UploadId, count: Count): void {
    this.forget(uploadId);
    this.#counts.set(uploadId, count);
    this.#memoryBytes += count.sizes.byteLength;
    for (const oldest of this.#counts.keys()) {
      if (this.#memoryBytes <= maxMemoryBytes) break;
      this.forget(oldest);
    }
  }
}
