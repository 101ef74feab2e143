import { createHash } from 'node:crypto';
import type { Journal, Uploaded } from '../journal.ts';
import type { SeededRandom } from '../random.ts';
import { RefusedError } from './talker.ts';

const chunkBytes = 16_384;
const mostBytes = 120_000;

interface UploadPartOptions {
  user: string;
  journal: Journal;
  random: SeededRandom;
  /** @throws RefusedError, LostError */
  ask: (action: string, data: object) => Promise<Record<string, any>>;
}

interface Upload {
  record: Uploaded;
  bytes: Buffer;
  /** Whether the end was asked for without an answer: then it is asked for again before anything else. */
  mayBeFinished: boolean;
}

/** A client's files: one at a time, from the beginning to its confirmation, over as many connections as that takes. */
export class UploadPart {
  readonly #options: UploadPartOptions;
  #upload: Upload | undefined;
  #count = 0;

  constructor(options: UploadPartOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#upload !== undefined;
  }

  get state(): string {
    return this.#upload ? `uploading ${this.#upload.record.name}` : 'no upload';
  }

  /** Begins to send a file of chance size and bytes, unless one is on its way. */
  begin(room: string): void {
    if (this.#upload) return;
    const { user, journal, random } = this.#options;
    this.#count += 1;
    const bytes = Buffer.alloc(random.below(mostBytes));
    for (let index = 0; index < bytes.length; index += 1) bytes[index] = random.below(256);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const record: Uploaded = { user, room, name: `${user}-${this.#count}.bin`, sha256 };
    journal.uploads.push(record);
    this.#upload = { record, bytes, mayBeFinished: false };
  }

  /** Goes on with the file; what is refused for now is tried again at the next step. */
  async step(): Promise<void> {
    const upload = this.#upload;
    if (!upload) return;
    try {
      if (!upload.mayBeFinished) await this.#sendChunks(upload);
      await this.#finish(upload);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      if (error.code === 'upload_not_found' || error.code === 'chunks_missing') upload.mayBeFinished = false;
      // Whoever was taken out of the room meanwhile sends it no files.
      else if (error.code !== 'unavailable') this.#upload = undefined;
    }
  }

  async #sendChunks({ record, bytes }: Upload): Promise<void> {
    const { ask } = this.#options;
    const file = { room_id: record.room, file_path: record.name };
    const total_packets = Math.ceil(bytes.length / chunkBytes);
    const { received } = await ask('file_send_init', {
      ...file,
      file_size: bytes.length,
      file_type: 'application/octet-stream',
      total_packets,
      sha256: record.sha256,
    });
    const isThere = (sequence: number) =>
      (received as [number, number][]).some(([from, to]) => from <= sequence && sequence <= to);
    for (let sequence_number = 1; sequence_number <= total_packets; sequence_number += 1) {
      if (isThere(sequence_number)) continue;
      const from = (sequence_number - 1) * chunkBytes;
      const file_data = bytes.subarray(from, from + chunkBytes).toString('base64');
      await ask('file_send_data', { ...file, sequence_number, file_data });
    }
  }

  async #finish(upload: Upload): Promise<void> {
    const { record, bytes } = upload;
    upload.mayBeFinished = true;
    await this.#options.ask('file_send_fin', {
      room_id: record.room,
      file_path: record.name,
      total_packets: Math.ceil(bytes.length / chunkBytes),
    });
    record.confirmedAt = performance.now();
    this.#upload = undefined;
  }
}
