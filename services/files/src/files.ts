import { firstThatFit } from '@parley/protocol';
import { ParleyError } from '@parley/protocol';
import type { Caller, listFiles, openDownload, readFile, ReplyOf, RequestOf, RoomId } from '@parley/protocol';
import type { Log } from '@parley/service-kit';
import type { Access } from './access.ts';
import type { ByteStore } from './byte-store.ts';
import type { FileStore } from './file-store.ts';
import { bytesRead } from './metrics.ts';

export interface FilesParts {
  store: Pick<FileStore, 'find' | 'list' | 'removeRoom'>;
  bytes: Pick<ByteStore, 'read'>;
  access: Pick<Access, 'requireReader'>;
  log: Log;
}

/** Most files of one page, which is bounded by its bytes too. */
const maxPageFiles = 1_000;

export type Files = ReturnType<typeof createFiles>;

/** Finished files: listed, read, and gone with their room. */
export function createFiles({ store, bytes, access, log }: FilesParts) {
  async function list(
    caller: Caller,
    { roomId, after = '' }: RequestOf<typeof listFiles>,
  ): Promise<ReplyOf<typeof listFiles>> {
    await access.requireReader(caller, roomId);
    const found = await store.list(roomId, after, maxPageFiles + 1);
    const files = firstThatFit(found.slice(0, maxPageFiles));
    return { files, hasMore: files.length < found.length };
  }

  async function open(
    caller: Caller,
    { roomId, name }: RequestOf<typeof openDownload>,
  ): Promise<ReplyOf<typeof openDownload>> {
    await access.requireReader(caller, roomId);
    const file = await store.find(roomId, name);
    if (!file) throw new ParleyError('file_not_found');
    return file;
  }

  /** @param deadline In ms since 1970. */
  async function read(
    { objectId, offset, length }: RequestOf<typeof readFile>,
    deadline: number,
  ): Promise<Uint8Array> {
    try {
      const signal = AbortSignal.timeout(Math.max(deadline - Date.now(), 1));
      const found = await bytes.read(objectId, offset, length, signal);
      bytesRead.inc(found.length);
      return found;
    } catch (thrown) {
      const error = ParleyError.from(thrown);
      if (error.code === 'unavailable') log.warn({ err: error.cause, objectId }, 'file could not be read');
      throw error;
    }
  }

  /** Everything of a room that is no more. The sweeper does it again where this fails. */
  async function removeRoom(roomId: RoomId): Promise<void> {
    try {
      await store.removeRoom(roomId);
    } catch (err) {
      log.warn({ err, roomId }, 'files of a deleted room are left to the sweeper');
    }
  }

  return { list, open, read, removeRoom };
}
