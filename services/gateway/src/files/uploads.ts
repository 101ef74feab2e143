import { beginUpload, finishUpload, ParleyError } from '@parley/protocol';
import type {
  ErrorDetails,
  endUpload,
  FileInfo,
  ReplyOf,
  RequestOf,
  RoomId,
  sendChunk,
  startUpload,
} from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, RequestContext } from '@parley/service-kit';
import type { Connection } from '../connection/connection.ts';
import { callerFor } from '../users/caller.ts';
import { decodeBase64 } from './base64.ts';
import { ChunkLane } from './chunk-lane.ts';

export interface UploadsParts {
  bus: Pick<Bus, 'call' | 'callWithBytes'>;
  requestTimeoutMs: number;
  /** Longest wait for a file to be put together, in ms. */
  assemblyTimeoutMs: number;
}

/** Uploads that one connection may have open; of more the oldest has to be started again. */
const maxLanes = 64;

interface NamedFile {
  roomId: RoomId;
  name: string;
}

/** Uploads over the clients' connections. What an upload is, the files service knows; here are only the ways to it. */
export class Uploads {
  readonly #parts: UploadsParts;
  readonly #lanes = new WeakMap<Connection, Map<string, ChunkLane>>();

  constructor(parts: UploadsParts) {
    this.#parts = parts;
  }

  start(
    connection: Connection,
    request: RequestOf<typeof startUpload>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof startUpload>> {
    // By the end the connection may be nobody's any more.
    const { name: user } = connection.user;
    return about(request, async () => {
      const { bus } = this.#parts;
      const { uploadId, received } = await bus.call(beginUpload, request, context);
      const lanes = this.#lanes.get(connection) ?? new Map<string, ChunkLane>();
      this.#lanes.set(connection, lanes);
      const key = keyOf(request);
      lanes.delete(key);
      lanes.set(key, new ChunkLane(bus, uploadId));
      const [oldest] = lanes.keys();
      if (lanes.size > maxLanes && oldest !== undefined) lanes.delete(oldest);
      return { user, received };
    });
  }

  sendChunk(
    connection: Connection,
    { sequence, data, ...file }: RequestOf<typeof sendChunk>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof sendChunk>> {
    const { name: user } = connection.user;
    return about({ ...file, sequence }, async () => {
      const lane = this.#lanes.get(connection)?.get(keyOf(file));
      if (!lane) throw new ParleyError('upload_not_found');
      await lane.put(sequence, decodeBase64(data), context);
      return { user };
    });
  }

  /** @param traceparent Where traces are made: of the client's frame. */
  end(
    connection: Connection,
    request: RequestOf<typeof endUpload>,
    traceparent?: string,
  ): Promise<ReplyOf<typeof endUpload>> {
    const caller = callerFor(connection);
    const { name: user } = connection.user;
    return about(request, async () => ({
      user,
      file: await this.finish(request, () =>
        createContext(this.#parts.requestTimeoutMs, caller, traceparent),
      ),
    }));
  }

  /** Asks until the file is put together. @throws ParleyError as `finishUpload`, `unavailable`. */
  async finish(request: RequestOf<typeof finishUpload>, newContext: () => RequestContext): Promise<FileInfo> {
    const { bus, assemblyTimeoutMs } = this.#parts;
    const deadline = Date.now() + assemblyTimeoutMs;
    while (Date.now() < deadline) {
      const { file } = await bus.call(finishUpload, request, newContext());
      if (file) return file;
    }
    throw new ParleyError('unavailable');
  }
}

function keyOf({ roomId, name }: NamedFile): string {
  return `${roomId}/${name}`;
}

/** Does something with a file; errors say which it is about. */
async function about<Result>(
  { name, sequence }: NamedFile & { sequence?: number },
  work: () => Promise<Result>,
): Promise<Result> {
  const details: ErrorDetails = { fileName: name, ...(sequence !== undefined && { sequence }) };
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof ParleyError) throw thrown.with(details);
    throw thrown;
  }
}
