import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { beginUpload, maxPackets, ParleyError } from '@parley/protocol';
import type { FileInfo, RequestOf } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, RequestContext } from '@parley/service-kit';
import { ChunkLane } from '../files/chunk-lane.ts';
import type { Uploads } from '../files/uploads.ts';
import type { BodyClock } from './body-clock.ts';
import { textsOverHttp } from './errors.ts';

export interface FileUploadParts {
  bus: Pick<Bus, 'call' | 'callTogether' | 'callWithBytes'>;
  uploads: Pick<Uploads, 'finish'>;
  bodies: Pick<BodyClock, 'restart'>;
  requestTimeoutMs: number;
}

/** What is known of the file before its bytes. */
export type Announced = Omit<RequestOf<typeof beginUpload>, 'packets' | 'afresh'>;

const chunkBytes = 256 * 1_024;
/** Chunks on their way to storage; the client's connection is not read meanwhile. */
const maxUnderWay = 4;
/** How soon what is unavailable is tried again, in ms. */
const retryMs = 250;

/**
 * Stores the body of a request as a file, as fast as it can be stored, and lists it once it is whole. What fails on the way
 * lists nothing; a service that dies is waited for, for one more request timeout.
 * @throws ParleyError as `beginUpload`; `invalid_field` where the bytes are not what was announced; `chunks_missing`
 * where another upload of the same user and name took the place of this one; `unavailable`.
 */
export async function receiveFile(
  parts: FileUploadParts,
  body: IncomingMessage,
  announced: Announced,
  context: RequestContext,
): Promise<FileInfo> {
  const { bus, uploads, requestTimeoutMs } = parts;
  const { roomId, name, size } = announced;
  const packets = Math.ceil(size / chunkBytes);
  if (packets > maxPackets) throw new ParleyError('too_large', { field: 'size' });
  const newContext = () => createContext(requestTimeoutMs, context.caller, context.traceparent);
  const { uploadId } = await bus.call(beginUpload, { ...announced, packets, afresh: true }, context);
  try {
    const sha256 = await storeBody(parts, body, new ChunkLane(bus, uploadId), newContext);
    // Nothing moves on the connection until the file is put together: that is no silence of the client's.
    body.socket.setTimeout(0);
    const file = await patiently(requestTimeoutMs, () =>
      uploads.finish({ roomId, name, packets }, newContext),
    );
    if (file.sha256 !== sha256) throw replaced();
    return file;
  } catch (thrown) {
    // Whoever is still sending could not read the answer else.
    body.resume();
    throw isReplacement(thrown) ? replaced(thrown) : thrown;
  }
}

/** Answers the SHA-256 of what was stored, in hex. */
async function storeBody(
  { bodies, requestTimeoutMs }: FileUploadParts,
  body: IncomingMessage,
  lane: ChunkLane,
  newContext: () => RequestContext,
): Promise<string> {
  const hash = createHash('sha256');
  const underWay: Promise<void>[] = [];
  let sequence = 0;
  for await (const chunk of inChunks(arriving(body, bodies))) {
    hash.update(chunk);
    const number = (sequence += 1);
    const stored = patiently(requestTimeoutMs, () => lane.put(number, chunk, newContext()));
    // Looked at when its turn comes; until then a failure is nobody's.
    stored.catch(() => undefined);
    underWay.push(stored);
    if (underWay.length < maxUnderWay) continue;
    await underWay.shift();
    bodies.restart(body);
  }
  await Promise.all(underWay);
  return hash.digest('hex');
}

/** The body as it comes. Who stops in the middle leaves the connection open for an answer. @throws ParleyError where it breaks off. */
async function* arriving(
  body: IncomingMessage,
  bodies: Pick<BodyClock, 'restart'>,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const bytes of body.iterator({ destroyOnReturn: false })) {
      bodies.restart(body);
      yield bytes as Buffer;
    }
  } catch (cause) {
    const message = 'The connection ended before the file did; send it again.';
    throw new ParleyError('invalid_field', { field: 'size' }, { message, cause });
  }
}

/** The same bytes, cut anew: all chunks but the last have `chunkBytes`. */
async function* inChunks(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let parts: Buffer[] = [];
  let missing = chunkBytes;
  for await (const bytes of source) {
    let rest = bytes;
    while (rest.length >= missing) {
      yield Buffer.concat([...parts, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      parts = [];
      missing = chunkBytes;
    }
    if (rest.length === 0) continue;
    parts.push(rest);
    missing -= rest.length;
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}

/**
 * Does again what is unavailable: a service that dies is made good by another, or by itself once it is back.
 * @param patienceMs From the first failure on.
 */
async function patiently<Result>(patienceMs: number, work: () => Promise<Result>): Promise<Result> {
  let deadline: number | undefined;
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      deadline ??= Date.now() + patienceMs;
      if (ParleyError.from(thrown).code !== 'unavailable' || Date.now() + retryMs > deadline) throw thrown;
      await delay(retryMs);
    }
  }
}

/** Whether it went wrong as it can only if what was begun here is no more, or another's chunks are in its place. */
function isReplacement(thrown: unknown): boolean {
  const { code, details } = ParleyError.from(thrown);
  return (
    code === 'upload_not_found' ||
    code === 'chunks_missing' ||
    details.field === 'packets' ||
    details.field === 'sequence'
  );
}

function replaced(cause?: unknown): ParleyError {
  return new ParleyError('chunks_missing', {}, { message: textsOverHttp.chunks_missing, cause });
}
