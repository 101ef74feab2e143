import { createHash, randomBytes } from 'node:crypto';
import { maxRanges, ParleyError } from '@parley/protocol';
import type { Caller, FileInfo, UploadId } from '@parley/protocol';
import type { Log } from '@parley/service-kit';
import type { Announcements } from './announcements.ts';
import type { ByteStore } from './byte-store.ts';
import { MissingChunkError } from './chunk-store.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { FileStore } from './file-store.ts';
import { assemblySeconds, filesAssembled } from './metrics.ts';
import { SequenceSet } from './sequence-set.ts';
import type { Upload, UploadStore } from './upload-store.ts';

export interface AssemblyParts {
  uploads: Pick<UploadStore, 'claim' | 'renew' | 'release' | 'finish' | 'forgetStale'>;
  files: Pick<FileStore, 'noteObject' | 'removeObject'>;
  chunks: Pick<ChunkStore, 'count' | 'list' | 'read' | 'purge'>;
  bytes: Pick<ByteStore, 'write' | 'remove'>;
  announcements: Pick<Announcements, 'tell'>;
  log: Log;
  timeoutMs: number;
}

/** One attempt to put an upload together: the listed file, or why there is none. */
export interface Attempt {
  file: Promise<FileInfo>;
}

/** An attempt whose process died is taken over after this time, in ms. */
const leaseMs = 5_000;

/** Each takes up to 40 MiB of memory: parts on their way, and chunks read ahead. */
const maxAttempts = 2;

/**
 * Puts finished uploads together. The attempt that has the upload's lease is the only one that can list its file; each
 * writes to an object of its own, so that one that lost its lease without knowing disturbs nobody.
 */
export class Assembly implements AsyncDisposable {
  readonly #parts: AssemblyParts;
  readonly #attempts = new Map<UploadId, Attempt>();
  readonly #closing = new AbortController();

  constructor(parts: AssemblyParts) {
    this.#parts = parts;
  }

  /** The attempt that this instance has under way. */
  attemptAt(uploadId: UploadId): Attempt | undefined {
    return this.#attempts.get(uploadId);
  }

  /** Begins an attempt; undefined where another instance has one under way, or this one has its hands full. */
  async begin(upload: Upload, caller: Caller): Promise<Attempt | undefined> {
    const { uploads, log } = this.#parts;
    const { uploadId } = upload;
    if (this.#attempts.size >= maxAttempts || this.#closing.signal.aborted) return undefined;
    const assembler = randomBytes(12).toString('hex');
    if (!(await uploads.claim(uploadId, assembler, leaseMs))) return undefined;

    const stop = assemblySeconds.startTimer();
    const file = this.#underLease(upload, assembler, caller)
      .then(
        (listed) => {
          filesAssembled.inc({ outcome: 'ok' });
          return listed;
        },
        async (thrown: unknown) => {
          const error = ParleyError.from(thrown);
          filesAssembled.inc({ outcome: error.code });
          if (error.code === 'unavailable' || error.code === 'internal')
            log.warn({ err: error.cause ?? error, uploadId }, 'file could not be put together');
          await uploads.release(uploadId, assembler).catch(() => {}); // else the lease ends by itself
          throw error;
        },
      )
      .finally(() => {
        stop();
        this.#attempts.delete(uploadId);
      });
    file.catch(() => {}); // it may be that nobody waits for it any more
    const attempt = { file };
    this.#attempts.set(uploadId, attempt);
    return attempt;
  }

  async #underLease(upload: Upload, assembler: string, caller: Caller): Promise<FileInfo> {
    const lost = new AbortController();
    const renewal = setInterval(() => {
      this.#parts.uploads.renew(upload.uploadId, assembler, leaseMs).then(
        (renewed) => {
          if (!renewed) lost.abort(new Error('the upload was begun afresh or taken over'));
        },
        () => {}, // the commit finds out whether the lease is still ours
      );
    }, leaseMs / 3);
    const timeout = AbortSignal.timeout(this.#parts.timeoutMs);
    const signal = AbortSignal.any([this.#closing.signal, lost.signal, timeout]);
    try {
      return await this.#assemble(upload, assembler, caller, signal);
    } finally {
      clearInterval(renewal);
    }
  }

  async #assemble(upload: Upload, assembler: string, caller: Caller, signal: AbortSignal): Promise<FileInfo> {
    const { uploads, files, chunks, bytes } = this.#parts;
    const { uploadId, packets } = upload;
    if ((await chunks.count(uploadId)) < packets) throw await this.#chunksMissing(upload);

    const objectId = randomBytes(12).toString('hex');
    await files.noteObject(objectId);
    const content = new Content(upload);
    try {
      const source = chunks.read(uploadId, upload.base ?? 1, packets);
      await bytes.write(objectId, content.checked(source, signal), signal);
      const { name, size, type } = upload;
      const file = { name, size, type, sha256: content.sha256 };
      const sender = { userId: caller.userId, name: caller.name };
      const origin = caller.connectionId;
      if (!(await uploads.finish(upload, assembler, { file, objectId, sender, origin })))
        throw new ParleyError('upload_not_found');
      await this.#followUp(upload, { file, sender, origin });
      return file;
    } catch (error) {
      void this.#discard(objectId);
      throw error instanceof MissingChunkError ? await this.#chunksMissing(upload) : error;
    }
  }

  /** What is left to do once the file is listed; what fails here is done by the sweeper. */
  async #followUp(
    { uploadId, roomId }: Upload,
    told: Pick<Parameters<Announcements['tell']>[0], 'file' | 'sender' | 'origin'>,
  ): Promise<void> {
    const { announcements, chunks, uploads, log } = this.#parts;
    const later = (err: unknown): void => {
      log.warn({ err, uploadId }, 'file is listed, the rest is left to the sweeper');
    };
    void chunks
      .purge(uploadId)
      .then(() => uploads.forgetStale(uploadId))
      .catch(later);
    await announcements.tell({ uploadId, roomId, ...told }).catch(later);
  }

  async #discard(objectId: string): Promise<void> {
    const { bytes, files } = this.#parts;
    // What stays is removed by the sweeper.
    await files.removeObject(objectId, () => bytes.remove(objectId)).catch(() => {});
  }

  /** @returns the error that tells which chunks have to be sent. */
  async #chunksMissing(upload: Upload): Promise<ParleyError> {
    const { packets, uploadId } = upload;
    const first = upload.base ?? 1;
    const stored = new SequenceSet(packets);
    await this.#parts.chunks.list(uploadId, Infinity, (sequence) => {
      stored.add(sequence);
    });
    const missing = stored.ranges('absent', first, first + packets - 1, maxRanges);
    return new ParleyError('chunks_missing', { missing });
  }

  /** Ends what is under way; another instance can begin it again at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the service is closing'));
    await Promise.allSettled([...this.#attempts.values()].map(({ file }) => file));
  }
}

/** Watches the bytes of an upload as they pass. */
class Content {
  readonly #upload: Upload;
  readonly #hash = createHash('sha256');
  sha256 = '';

  constructor(upload: Upload) {
    this.#upload = upload;
  }

  /**
   * The same bytes; ends with an error, before the last of them can count, where they are not what was announced.
   * @throws ParleyError `invalid_field`, `unavailable`.
   */
  async *checked(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { size, sha256 } = this.#upload;
    let total = 0;
    for await (const chunk of source) {
      if (signal.aborted) throw new ParleyError('unavailable', {}, { cause: signal.reason });
      this.#hash.update(chunk);
      total += chunk.length;
      yield chunk;
    }
    if (total !== size) {
      const message = `The chunks have ${total} bytes together, but ${size} were announced.`;
      throw new ParleyError('invalid_field', { field: 'size' }, { message });
    }
    this.sha256 = this.#hash.digest('hex');
    if (sha256 !== null && sha256 !== this.sha256) {
      const message = `The bytes have the SHA-256 ${this.sha256}, but another was announced.`;
      throw new ParleyError('invalid_field', { field: 'sha256' }, { message });
    }
  }
}
