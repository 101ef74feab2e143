import { setTimeout as delay } from 'node:timers/promises';
import { createId, maxChunkBytes, maxRanges, ParleyError } from '@parley/protocol';
import type {
  beginUpload,
  Caller,
  ChunkRefusal,
  FileInfo,
  finishUpload,
  putChunks,
  ReplyOf,
  RequestOf,
  SequenceRange,
} from '@parley/protocol';
import type { Access } from './access.ts';
import type { Assembly, Attempt } from './assembly.ts';
import { ByteCounts } from './byte-counts.ts';
import type { ChunkStore } from './chunk-store.ts';
import { chunkBytesStored, chunksStored, uploadsBegun } from './metrics.ts';
import { SequenceSet } from './sequence-set.ts';
import { reservedBytes } from './upload-store.ts';
import type { Announced, Quotas, Upload, UploadStore } from './upload-store.ts';

export interface UploadsParts {
  store: Pick<UploadStore, 'begin' | 'find' | 'findByName' | 'settleBase' | 'forgetStale'>;
  chunks: Pick<ChunkStore, 'put' | 'count' | 'list' | 'purge'>;
  assembly: Pick<Assembly, 'attemptAt' | 'begin'>;
  access: Access;
  maxFileBytes: number;
  /** Asked at each beginning: the space for chunks is known from the server. */
  quotas: () => Quotas;
}

/** How long a request to finish waits for the file, and how soon before its deadline it is answered at least, in ms. */
const patienceMs = 2_000;
const marginMs = 500;

/** How often an attempt of another instance is looked after, in ms. */
const lookEveryMs = 100;

/** A client that met a quota may try again after this time, in ms. */
const quotaRetryMs = 60_000;

export type Uploads = ReturnType<typeof createUploads>;

/** Uploads from their beginning to their end. */
export function createUploads({ store, chunks, assembly, access, maxFileBytes, quotas }: UploadsParts) {
  const byteCounts = new ByteCounts();

  /** @param deadline The chunks that could not be told by then are not told: the client sends them again. In ms since 1970. */
  async function begin(
    caller: Caller,
    request: RequestOf<typeof beginUpload>,
    deadline: number,
  ): Promise<ReplyOf<typeof beginUpload>> {
    const { roomId, name, size, packets, type, sha256 = null, afresh = false } = request;
    const announced: Announced = { roomId, userId: caller.userId, name, size, packets, type, sha256 };
    await access.requireMember(caller, roomId);
    checkSize(announced);
    const beginning = await store.begin(createId('upload'), announced, quotas(), afresh);
    if ('exceeded' in beginning) throw quotaError(beginning.exceeded);
    const { upload, resumed, replaced } = beginning;
    uploadsBegun.inc();
    if (replaced) void removeChunks(replaced);
    return { uploadId: upload.uploadId, received: resumed ? await listReceived(upload, deadline) : [] };
  }

  function checkSize(announced: Announced): void {
    const { size, packets } = announced;
    const { bytesOfUser, bytesOfAll } = quotas();
    if (size > maxFileBytes || reservedBytes(announced) > Math.min(bytesOfUser, bytesOfAll)) {
      const message = `A file may have at most ${Math.min(maxFileBytes, bytesOfUser, bytesOfAll)} bytes.`;
      throw new ParleyError('too_large', { field: 'size' }, { message });
    }
    if (size > packets * maxChunkBytes) {
      const message = `${packets} chunks cannot have ${size} bytes; each may have at most ${maxChunkBytes}.`;
      throw new ParleyError('invalid_field', { field: 'packets' }, { message });
    }
  }

  /** Of an upload that was begun afresh. What is left is removed by the sweeper. */
  async function removeChunks(uploadId: Upload['uploadId']): Promise<void> {
    byteCounts.forget(uploadId);
    try {
      await chunks.purge(uploadId);
      await store.forgetStale(uploadId);
    } catch {
      // It stays noted as stale.
    }
  }

  async function listReceived(
    { uploadId, packets, base }: Upload,
    deadline: number,
  ): Promise<SequenceRange[]> {
    // Reading the numbers of very many chunks takes longer than a request may; that all are there is known at once.
    const isComplete = base !== null && (await chunks.count(uploadId)) === packets;
    if (isComplete) return [[base, base + packets - 1]];
    const received = new SequenceSet(packets);
    await chunks.list(uploadId, deadline - marginMs, (sequence) => {
      received.add(sequence);
    });
    return received.ranges('present', 0, packets, maxRanges);
  }

  /** Stores chunks of one upload. What is not refused is safe. @param bytes The chunks, one behind the other. */
  async function put(
    caller: Caller,
    { uploadId, sequences, sizes }: RequestOf<typeof putChunks>,
    bytes: Uint8Array,
    deadline: number,
  ): Promise<ChunkRefusal[]> {
    const parts = partsOf(bytes, sizes);
    if (!parts || parts.length !== sequences.length)
      throw new ParleyError('invalid_field', { field: 'sizes' });
    const upload = await store.find(uploadId);
    if (upload?.userId !== caller.userId || upload.finished) throw new ParleyError('upload_not_found');

    const stored: Promise<ChunkRefusal | undefined>[] = [];
    for (const [index, sequence] of sequences.entries()) {
      const part = parts[index]!;
      // One behind the other: of two with the same number the last one counts.
      const error = await findFault(upload, sequence, part.length);
      stored.push(
        error
          ? Promise.resolve(refusal(index, error))
          : putOne(upload, sequence, part, deadline).then(
              () => undefined,
              (thrown: unknown) => refusal(index, ParleyError.from(thrown)),
            ),
      );
    }
    return (await Promise.all(stored)).filter((each) => each !== undefined);
  }

  async function putOne(
    { uploadId }: Upload,
    sequence: number,
    part: Uint8Array,
    deadline: number,
  ): Promise<void> {
    await chunks.put(uploadId, sequence, part, deadline);
    chunksStored.inc();
    chunkBytesStored.inc(part.length);
  }

  /** Why a chunk can't be one of the upload. */
  async function findFault(
    upload: Upload,
    sequence: number,
    bytes: number,
  ): Promise<ParleyError | undefined> {
    const { packets } = upload;
    if (packets === 0 || sequence > packets) {
      const message = `There is no chunk ${sequence}: the upload has ${packets}.`;
      return new ParleyError('invalid_field', { field: 'sequence' }, { message });
    }
    if (bytes > maxChunkBytes) {
      const message = `A chunk may have at most ${maxChunkBytes} bytes.`;
      return new ParleyError('too_large', { field: 'bytes' }, { message });
    }
    if ((sequence === 0 || sequence === packets) && !(await fitsBase(upload, sequence === 0 ? 0 : 1))) {
      const message = `Chunks are numbered from 1 to ${packets} or from 0 to ${packets - 1}, not both.`;
      return new ParleyError('invalid_field', { field: 'sequence' }, { message });
    }
    if (!byteCounts.add(upload, sequence, bytes)) {
      const message = `The chunks have more bytes together than the ${upload.size} that were announced.`;
      return new ParleyError('too_large', { field: 'bytes' }, { message });
    }
    return undefined;
  }

  async function fitsBase(upload: Upload, base: 0 | 1): Promise<boolean> {
    if (upload.base !== null) return upload.base === base;
    if (!(await store.settleBase(upload.uploadId, base))) return false;
    upload.base = base;
    return true;
  }

  /**
   * The listed file, once the upload is finished, however often it is asked for; undefined while it is put together.
   * @param deadline In ms since 1970.
   */
  async function finish(
    caller: Caller,
    { roomId, name, packets }: RequestOf<typeof finishUpload>,
    deadline: number,
  ): Promise<FileInfo | undefined> {
    await access.requireMember(caller, roomId);
    const until = Math.min(Date.now() + patienceMs, deadline - marginMs);
    do {
      const upload = await store.findByName(roomId, caller.userId, name);
      if (!upload) throw new ParleyError('upload_not_found');
      if (upload.packets !== packets) {
        const message = `The upload was announced with ${upload.packets} chunks.`;
        throw new ParleyError('invalid_field', { field: 'packets' }, { message });
      }
      if (upload.finished) return finishedFile(upload);
      const attempt = assembly.attemptAt(upload.uploadId) ?? (await assembly.begin(upload, caller));
      const file = attempt && (await resultBy(until, attempt));
      if (file) return file;
      if (!attempt) await delay(lookEveryMs);
    } while (Date.now() < until);
    return undefined;
  }

  return { begin, put, finish };
}

/** The bytes cut into parts of these sizes; undefined where they do not add up to them. */
function partsOf(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] | undefined {
  let end = 0;
  const parts = sizes.map((size) => bytes.subarray(end, (end += size)));
  return end === bytes.length ? parts : undefined;
}

function refusal(index: number, { code, message, details }: ParleyError): ChunkRefusal {
  return { index, code, message, ...(details.field && { field: details.field }) };
}

function quotaError(exceeded: keyof Quotas): ParleyError {
  const messages: Record<keyof Quotas, string> = {
    bytesOfUser: 'Your unfinished uploads have too many bytes; finish some of them first.',
    uploadsOfUser: 'You have too many unfinished uploads; finish some of them first.',
    bytesOfAll: 'There is no space for more unfinished uploads; try again later.',
  };
  return new ParleyError('rate_limited', { retryAfterMs: quotaRetryMs }, { message: messages[exceeded] });
}

function finishedFile({ name, size, type, sha256 }: Upload): FileInfo {
  return { name, size, type, sha256: sha256! };
}

/** The attempt's file, unless it takes longer. @param until In ms since 1970. */
async function resultBy(until: number, attempt: Attempt): Promise<FileInfo | undefined> {
  const waiting = new AbortController();
  const late = delay(Math.max(until - Date.now(), 0), undefined, { signal: waiting.signal });
  late.catch(() => {}); // no longer waited for
  try {
    return await Promise.race([attempt.file, late]);
  } finally {
    waiting.abort();
  }
}
