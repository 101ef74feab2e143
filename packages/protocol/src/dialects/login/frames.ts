import type { FileInfo } from '../../models.ts';
import type { JsonObject } from '../dialect.ts';

/** A frame of the server: the form of every reply and notification of the dialect. */
export interface Frame {
  action: string;
  /** Absent in the frames of the handshake that ask or tell a count. */
  status?: 'success' | 'error';
  message?: string;
  code?: string;
  data: JsonObject;
}

export function success(action: string, message: string, data: JsonObject): Frame {
  return { action, status: 'success', message, data };
}

/** A file in the dialect's spelling. */
export function fileFields({ name, size, type, sha256 }: FileInfo): JsonObject {
  return { file_path: name, file_size: size, file_type: type, sha256 };
}
