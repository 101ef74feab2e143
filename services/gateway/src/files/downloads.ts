import { setTimeout as delay } from 'node:timers/promises';
import { openDownload, ParleyError, readFile } from '@parley/protocol';
import type { Download, downloadFile, ReplyOf, RequestOf } from '@parley/protocol';
import { createContext, noBytes } from '@parley/service-kit';
import type { Bus, RequestContext } from '@parley/service-kit';
import type { Connection } from '../connection/connection.ts';
import { textFrame } from '../connection/websocket-frame.ts';

export interface DownloadsParts {
  bus: Pick<Bus, 'call' | 'callWithBytes'>;
  requestTimeoutMs: number;
  /** Of each frame. */
  chunkBytes: number;
}

/** Read at once: so much is under way to the gateway while as much is under way to the client. */
const readBytes = 256 * 1_024;
/** How soon it is tried again to read what is unavailable, in ms. */
const retryMs = 250;

/** Reads stored files, in order, a little ahead of whoever takes the bytes. */
export class Downloads {
  readonly #parts: DownloadsParts;

  constructor(parts: DownloadsParts) {
    this.#parts = parts;
  }

  /** Sends the file over the connection, in frames of its dialect, as fast as these are read. */
  async send(
    connection: Connection,
    { roomId, name, fromSequence = 1 }: RequestOf<typeof downloadFile>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof downloadFile>> {
    const { chunkBytes } = this.#parts;
    const frames = connection.dialect.download!;
    try {
      const { file, objectId } = await this.open({ roomId, name }, context);
      const packets = Math.ceil(file.size / chunkBytes);
      if (fromSequence < 1 || fromSequence > packets + 1) throw noSuchChunk(packets);
      const download: Download = { roomId, file, packets };
      connection.send(frames.meta(download));
      let sequence = fromSequence;
      const start = (fromSequence - 1) * chunkBytes;
      for await (const bytes of this.read(objectId, start, file.size, () => connection.isOpen())) {
        const parts: Buffer[] = [];
        for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
          const part = bytes.subarray(offset, offset + chunkBytes);
          parts.push(textFrame(frames.data(download, sequence, part.toString('base64'))));
          sequence += 1;
        }
        connection.write(Buffer.concat(parts));
        await connection.drained();
      }
      return { roomId, name };
    } catch (thrown) {
      throw thrown instanceof ParleyError ? thrown.with({ fileName: name }) : thrown;
    }
  }

  /** The file as it is now, and where its bytes are. @throws ParleyError `file_not_found`, `not_in_room`, `room_not_found`, `unavailable`. */
  open(file: RequestOf<typeof openDownload>, context: RequestContext): Promise<ReplyOf<typeof openDownload>> {
    return this.#parts.bus.call(openDownload, file, context);
  }

  /**
   * The bytes from `start` to before `end`, in whole chunks but for the last, as long as somebody wants them.
   * @throws ParleyError `file_not_found`, `unavailable`.
   */
  async *read(objectId: string, start: number, end: number, isWanted: () => boolean): AsyncGenerator<Buffer> {
    const { chunkBytes } = this.#parts;
    const length = Math.max(1, Math.floor(readBytes / chunkBytes)) * chunkBytes;
    const readAt = (offset: number) => {
      const bytes = this.#readSome(objectId, offset, Math.min(length, end - offset));
      // Looked at when its turn comes; until then a failure is nobody's.
      bytes.catch(() => undefined);
      return bytes;
    };
    let next = start < end ? readAt(start) : undefined;
    for (let offset = start; next && isWanted();) {
      const bytes = await next;
      offset += bytes.length;
      next = offset < end ? readAt(offset) : undefined;
      yield bytes;
    }
  }

  /** A service that dies while it answers is made good by another, or by itself once it is back. */
  async #readSome(objectId: string, offset: number, length: number): Promise<Buffer> {
    const { bus, requestTimeoutMs } = this.#parts;
    const deadline = Date.now() + requestTimeoutMs;
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      try {
        const request = { objectId, offset: offset + length - missing, length: missing };
        const context = { ...createContext(0), deadline };
        const { bytes } = await bus.callWithBytes(readFile, request, noBytes, context);
        if (bytes.length === 0) throw new ParleyError('file_not_found');
        parts.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
        missing -= bytes.length;
      } catch (thrown) {
        if (ParleyError.from(thrown).code !== 'unavailable' || Date.now() + retryMs > deadline) throw thrown;
        await delay(retryMs);
      }
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }
}

function noSuchChunk(packets: number): ParleyError {
  const message = `The file has the chunks 1 to ${packets}; begin with one of them.`;
  return new ParleyError('invalid_field', { field: 'fromSequence' }, { message });
}
