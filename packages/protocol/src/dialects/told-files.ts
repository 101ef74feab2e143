import type { RoomId } from '../ids.ts';
import type { FileInfo } from '../models.ts';
import type { JsonObject } from './dialect.ts';

/** A file as the dialects identify and join tell it; `url` is where it is downloaded over HTTP. */
export function toldFile(roomId: RoomId, { name, size, type, sha256 }: FileInfo): JsonObject {
  return {
    file: { name, size, type, sha256 },
    url: `/api/rooms/${roomId}/files/${encodeURIComponent(name)}`,
  };
}
