import { fromBase64 } from './base64.ts';
import { ParleyClientError } from './errors.ts';
import { fileOf, number, text } from './frames.ts';
import type { Fields, Frame } from './frames.ts';
import type { FileFacts, Progress, RequestOptions } from './models.ts';
import type { Requests } from './requests.ts';
import { persistently } from './retries.ts';
import { abortedBy, throwIfAborted, unlessAborted } from './waiting.ts';

export interface DownloadOptions extends RequestOptions {
  /** Told after each piece that came. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** A file that is coming. */
export interface FileDownload {
  file: FileFacts;
  /** The file's bytes, in order. It fails with a ParleyClientError; cancelling it ends the download. */
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
}

export interface DownloadsParts {
  requests: Pick<Requests, 'ask'>;
  /** The only way to make the server stop sending: the connection is replaced by another. */
  renewConnection: (reason: string) => void;
}

/** What waits in memory for a reader before the server is asked to send. */
const lowWaterBytes = 1_048_576;
/** A socket can't be told to wait. If a reader is behind by this much, the download stops, and goes on when the reader has caught up. */
const maxWaitingBytes = 33_554_432;
/** With less to come than this, a download that nobody wants any more runs to its end. */
const bearableBytes = 8_388_608;

/** Files on their way down, over this connection and the next ones. */
export class Downloads {
  readonly #parts: DownloadsParts;
  /** Of each file one at a time: their frames are not told apart. */
  readonly #running = new Map<string, Download>();
  readonly #queues = new Map<string, Promise<void>>();

  constructor(parts: DownloadsParts) {
    this.#parts = parts;
  }

  /** Resolves when the file begins to come. @throws ParleyClientError `file_not_found` and the like; `aborted`. */
  async open(roomId: string, name: string, options: DownloadOptions): Promise<FileDownload> {
    throwIfAborted(options.signal);
    const key = `${roomId}/${name}`;
    const download = new Download(this.#parts, { room_id: roomId, file_path: name }, options);
    const before = this.#queues.get(key);
    const finished = (async () => {
      await before;
      this.#running.set(key, download);
      await download.run();
      this.#running.delete(key);
    })();
    this.#queues.set(key, finished);
    void finished.then(() => {
      if (this.#queues.get(key) === finished) this.#queues.delete(key);
    });
    return unlessAborted(download.opened.promise, options.signal);
  }

  /** A part of a file came. */
  take({ action, data }: Frame): void {
    const download = this.#running.get(`${text(data, 'room_id')}/${text(data, 'file_path')}`);
    if (action === 'file_down_meta') download?.begin(data);
    else download?.add(data);
  }
}

class Download {
  readonly opened = Promise.withResolvers<FileDownload>();
  readonly #parts: DownloadsParts;
  readonly #request: { room_id: string; file_path: string };
  readonly #options: DownloadOptions;
  #file: FileFacts | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  /** The chunk to come. */
  #sequence = 1;
  #bytes = 0;
  /** Nobody wants the rest, or there is none. */
  #isOver = false;
  /** The reader is far behind: what comes is dropped, to come again later. */
  #isPaused = false;
  #pulled: (() => void) | undefined;

  constructor(
    parts: DownloadsParts,
    request: { room_id: string; file_path: string },
    options: DownloadOptions,
  ) {
    this.#parts = parts;
    this.#request = request;
    this.#options = options;
    this.opened.promise.catch(() => undefined);
    options.signal?.addEventListener('abort', this.#onAbort);
  }

  /** Resolves at the end of the download, however it ends. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!this.#isOver) {
      try {
        if (this.#isPaused) await this.#caughtUp();
        await persistently(() => {
          const request = { ...this.#request, from_sequence: this.#sequence };
          return this.#isOver ? Promise.resolve({}) : this.#parts.requests.ask('file_down_req', request);
        });
        if (!this.#isPaused) this.#finish();
      } catch (thrown) {
        const isCut = thrown instanceof ParleyClientError && thrown.code === 'connection_lost';
        if (!isCut) this.#fail(thrown);
      }
    }
    signal?.removeEventListener('abort', this.#onAbort);
  }

  begin(data: Fields): void {
    const file = fileOf(data);
    if (this.#isOver) {
      this.#stopSending(file);
    } else if (!this.#file) {
      this.#file = file;
      this.opened.resolve({ file, stream: this.#newStream() });
    } else if (file.sha256 !== this.#file.sha256 || file.size !== this.#file.size) {
      this.#fail(new ParleyClientError('file_changed'));
      this.#stopSending(file);
    }
  }

  add(data: Fields): void {
    if (this.#isOver || this.#isPaused || number(data, 'sequence_number') !== this.#sequence) return;
    const bytes = fromBase64(text(data, 'file_data'));
    this.#sequence += 1;
    this.#bytes += bytes.length;
    this.#controller?.enqueue(bytes);
    const total = this.#file?.size ?? 0;
    this.#options.onProgress?.({ bytes: this.#bytes, total });
    if ((this.#controller?.desiredSize ?? 0) < -maxWaitingBytes && this.#bytes < total) {
      this.#isPaused = true;
      this.#parts.renewConnection('A download waits for its reader.');
    }
  }

  readonly #onAbort = (): void => {
    const { signal } = this.#options;
    if (signal) this.#cancel(abortedBy(signal));
  };

  #newStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          this.#pulled?.();
        },
        cancel: () => {
          this.#cancel(new ParleyClientError('aborted'));
        },
      },
      { highWaterMark: lowWaterBytes, size: ({ byteLength }) => byteLength },
    );
  }

  async #caughtUp(): Promise<void> {
    while (!this.#isOver && (this.#controller?.desiredSize ?? 0) <= 0) {
      await new Promise<void>((resolve) => (this.#pulled = resolve));
    }
    this.#isPaused = false;
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#controller?.close();
  }

  #fail(thrown: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.opened.reject(thrown);
    this.#controller?.error(thrown);
    this.#pulled?.();
  }

  #cancel(error: ParleyClientError): void {
    if (this.#isOver) return;
    this.#fail(error);
    if (this.#file) this.#stopSending(this.#file);
  }

  /** Lets little come in vain, but not much. */
  #stopSending({ size }: FileFacts): void {
    if (size - this.#bytes > bearableBytes && !this.#isPaused) {
      this.#parts.renewConnection('A download was called off.');
    }
  }
}
