import { createHash } from 'node:crypto';
import {
  beginUpload,
  createId,
  createRoom,
  finishUpload,
  joinRoom,
  listFiles,
  maxChunkBytes,
  openDownload,
  putChunks,
  readFile,
} from '@parley/protocol';
import type { ChunkRefusal, FileInfo, ListedFile, RequestOf, RoomId, UploadId, User } from '@parley/protocol';
import { createContext, noBytes } from '@parley/service-kit';
import { answerMs, contextOf as userContext } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';

/** What a client tells of a file, and its bytes. */
export interface Sending {
  name: string;
  chunks: Uint8Array[];
}

export type FilesClient = ReturnType<typeof clientOf>;

/** Asks the service over the bus, as gateways do. @param timeoutMs Bounds each request. */
export function clientOf({ bus }: Pick<Parley, 'bus'>, timeoutMs = answerMs) {
  const contextOf = (user: User) => userContext(user, timeoutMs);

  async function begin(
    user: User,
    roomId: RoomId,
    { name, chunks }: Sending,
    more: Partial<RequestOf<typeof beginUpload>> = {},
  ) {
    const size = chunks.reduce((sum, { length }) => sum + length, 0);
    const request = { roomId, name, size, packets: chunks.length, type: 'text/plain', ...more };
    return bus.call(beginUpload, request, contextOf(user));
  }

  /** Stores chunks in one request, or says why they were refused. */
  async function put(
    user: User,
    uploadId: UploadId,
    chunks: readonly (readonly [sequence: number, bytes: Uint8Array])[],
  ): Promise<ChunkRefusal[]> {
    const sequences = chunks.map(([sequence]) => sequence);
    const sizes = chunks.map(([, { length }]) => length);
    const bytes = Buffer.concat(chunks.map(([, each]) => each));
    const request = { uploadId, sequences, sizes };
    return (await bus.callWithBytes(putChunks, request, bytes, contextOf(user))).reply.refused;
  }

  /** Stores all chunks, numbered from `first` on, as many in a request as fit, several requests at a time. */
  async function putAll(
    user: User,
    uploadId: UploadId,
    chunks: readonly Uint8Array[],
    first = 1,
  ): Promise<void> {
    const batches: [number, Uint8Array][][] = [[]];
    let room = maxChunkBytes;
    for (const [index, chunk] of chunks.entries()) {
      if (chunk.length > room || batches.at(-1)!.length === 256) {
        batches.push([]);
        room = maxChunkBytes;
      }
      batches.at(-1)!.push([first + index, chunk]);
      room -= chunk.length;
    }
    const waiting = batches.filter(({ length }) => length > 0).values();
    const worker = async () => {
      for (const batch of waiting) {
        const [refused] = await put(user, uploadId, batch);
        if (refused) throw new Error(`a chunk was refused: ${refused.code} ${refused.message}`);
      }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
  }

  /** Asks until the file is there. @throws ParleyError as the service does. */
  async function finish(user: User, roomId: RoomId, name: string, packets: number): Promise<FileInfo> {
    for (;;) {
      const { file } = await bus.call(finishUpload, { roomId, name, packets }, contextOf(user));
      if (file) return file;
    }
  }

  return {
    begin,
    put,
    putAll,
    finish,

    async openRoom(
      owner: User,
      members: User[] = [],
      visibility: 'public' | 'private' = 'public',
    ): Promise<RoomId> {
      const request = { name: createId('room'), visibility, participants: [], address: '192.0.2.1' };
      const { roomId } = await bus.call(createRoom, request, contextOf(owner));
      for (const member of members) await bus.call(joinRoom, { roomId }, contextOf(member));
      return roomId;
    },

    /** From beginning to end. */
    async send(user: User, roomId: RoomId, sending: Sending): Promise<FileInfo> {
      const { uploadId } = await begin(user, roomId, sending);
      await putAll(user, uploadId, sending.chunks);
      return finish(user, roomId, sending.name, sending.chunks.length);
    },

    async list(user: User, roomId: RoomId): Promise<ListedFile[]> {
      return (await bus.call(listFiles, { roomId }, contextOf(user))).files;
    },

    open: (user: User, roomId: RoomId, name: string) =>
      bus.call(openDownload, { roomId, name }, contextOf(user)),

    async read(objectId: string, offset: number, length: number): Promise<Uint8Array> {
      const request = { objectId, offset, length };
      return (await bus.callWithBytes(readFile, request, noBytes, createContext(answerMs))).bytes;
    },

    /** All bytes of a file, read as a gateway does. */
    async download(user: User, roomId: RoomId, name: string): Promise<Buffer> {
      const { file, objectId } = await this.open(user, roomId, name);
      const parts: Uint8Array[] = [];
      for (let offset = 0; offset < file.size; offset += parts.at(-1)!.length)
        parts.push(await this.read(objectId, offset, maxChunkBytes));
      return Buffer.concat(parts);
    },
  };
}

export function someone(name: string): User {
  return { userId: createId('user'), name };
}

/** Bytes that are the same each time and look random, in chunks of one size but for the last. */
export function chunksOf(bytes: number, chunkBytes: number, seed = 'parley'): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < bytes; from += chunkBytes) {
    const chunk = Buffer.alloc(Math.min(chunkBytes, bytes - from));
    const pattern = createHash('sha256').update(`${seed} ${from}`).digest();
    for (let at = 0; at < chunk.length; at += pattern.length) pattern.copy(chunk, at);
    chunks.push(chunk);
  }
  return chunks;
}

export function sha256(chunks: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}
