import { toBase64 } from './base64.ts';
import { ParleyClientError } from './errors.ts';
import { fileOf } from './frames.ts';
import type { Fields } from './frames.ts';
import type { FileFacts, Progress, RequestOptions, UploadSource } from './models.ts';
import type { Requests } from './requests.ts';
import { persistently } from './retries.ts';
import { abortedBy, throwIfAborted, unlessAborted } from './waiting.ts';

export interface UploadOptions extends RequestOptions {
  /** Default: that of the source. */
  name?: string;
  /** A media type. Default: that of the source. */
  type?: string;
  /** Told after each piece that is safe on the server. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** Of each chunk: in base64 it is a frame of 350 KB, well below the largest of 1 MiB. */
const chunkBytes = 256 * 1_024;
/** Chunks under way at the same time: what is sent meanwhile waits behind no more than these. */
const window = 4;

/** What may be over with the next connection, or with a new announcement of the upload. */
const resumable: readonly string[] = ['connection_lost', 'timeout', 'upload_not_found', 'chunks_missing'];

/** One file on its way up. */
export class Upload {
  readonly #requests: Pick<Requests, 'ask'>;
  readonly #source: UploadSource;
  readonly #file: { room_id: string; file_path: string };
  readonly #options: UploadOptions;
  readonly #packets: number;
  /** Those that the server has confirmed to us. An earlier upload of this name may have left others, of other bytes. */
  readonly #stored = new Set<number>();
  #storedBytes = 0;

  constructor(requests: Pick<Requests, 'ask'>, roomId: string, source: UploadSource, options: UploadOptions) {
    this.#requests = requests;
    this.#source = source;
    this.#file = { room_id: roomId, file_path: options.name ?? source.name };
    this.#options = options;
    this.#packets = Math.ceil(source.size / chunkBytes);
  }

  /**
   * Sends the file, over as many connections as it takes; resolves once it is listed in the room.
   * @throws ParleyClientError As the server refuses it; `aborted`; whatever the source throws.
   */
  async run(): Promise<FileFacts> {
    const { signal } = this.#options;
    for (;;) {
      throwIfAborted(signal);
      try {
        await this.#sendMissing(await this.#announce());
        const fin = { ...this.#file, total_packets: this.#packets };
        const data = await this.#ask('file_send_fin', fin, signal);
        return fileOf(data);
      } catch (thrown) {
        if (!(thrown instanceof ParleyClientError) || !resumable.includes(thrown.code)) throw thrown;
      }
    }
  }

  /** @returns The chunks that the server has, as `[from, to]`. */
  async #announce(): Promise<readonly [number, number][]> {
    const { type = this.#source.type ?? '', signal } = this.#options;
    const init = {
      ...this.#file,
      file_size: this.#source.size,
      file_type: type === '' ? 'application/octet-stream' : type,
      total_packets: this.#packets,
    };
    const { received } = await this.#ask('file_send_init', init, signal);
    return (received ?? []) as [number, number][];
  }

  async #sendMissing(received: readonly [number, number][]): Promise<void> {
    const missing = this.#missing(received);
    const failed = new AbortController();
    const { signal } = this.#options;
    const ending = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
    const work = async (): Promise<void> => {
      for (const sequence of missing) {
        if (ending.aborted) return;
        await this.#sendChunk(sequence, ending);
      }
    };
    const workers = Array.from({ length: window }, async () => {
      try {
        await work();
      } catch (thrown) {
        if (!failed.signal.aborted) failed.abort(thrown);
      }
    });
    await Promise.all(workers);
    if (signal?.aborted) throw abortedBy(signal);
    if (failed.signal.aborted) throw failed.signal.reason;
  }

  /** One after the other, for all who take from it. */
  *#missing(received: readonly [number, number][]): Generator<number> {
    for (let sequence = 1; sequence <= this.#packets; sequence += 1) {
      const isThere = received.some(([from, to]) => from <= sequence && sequence <= to);
      if (!isThere || !this.#stored.has(sequence)) yield sequence;
    }
  }

  async #sendChunk(sequence: number, signal: AbortSignal): Promise<void> {
    const { size } = this.#source;
    const start = (sequence - 1) * chunkBytes;
    const end = Math.min(start + chunkBytes, size);
    const bytes = await unlessAborted(this.#source.slice(start, end), signal);
    const chunk = { ...this.#file, sequence_number: sequence, file_data: toBase64(bytes) };
    await this.#ask('file_send_data', chunk, signal);
    if (this.#stored.has(sequence)) return;
    this.#stored.add(sequence);
    this.#storedBytes += end - start;
    this.#options.onProgress?.({ bytes: this.#storedBytes, total: size });
  }

  #ask(
    action: 'file_send_init' | 'file_send_data' | 'file_send_fin',
    data: Fields,
    signal: AbortSignal | undefined,
  ): Promise<Fields> {
    return persistently(() => this.#requests.ask(action, data, { signal }), signal);
  }
}

/** @returns The source itself, or the blob as one. */
export function sourceOf(from: Blob | UploadSource): UploadSource {
  if (!(from instanceof Blob)) return from;
  const { name = 'file' } = from as Blob & { name?: string };
  return {
    name,
    size: from.size,
    type: from.type,
    slice: async (start, end) => new Uint8Array(await from.slice(start, end).arrayBuffer()),
  };
}
