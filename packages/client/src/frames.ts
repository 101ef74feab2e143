import { parseJson } from '@parley/protocol/json';
import { isErrorCode } from '@parley/protocol/errors';
import { ParleyClientError } from './errors.ts';
import type { ErrorDetails } from './errors.ts';
import type { FileFacts, Message } from './models.ts';

/** The body of a frame: which fields it has, its action says (docs/protocol.md, "Login dialect"). */
export type Fields = Readonly<Record<string, unknown>>;

/** A frame of the server. */
export interface Frame {
  action: string;
  status?: string;
  message?: string;
  code?: string;
  original_action?: string | null;
  data: Fields;
}

/** Undefined where the text is no frame: what can't be understood is not ours to judge. */
export function readFrame(text: string): Frame | undefined {
  try {
    const frame = parseJson(text) as Partial<Frame> | null;
    if (typeof frame?.action !== 'string') return undefined;
    const data = typeof frame.data === 'object' ? (frame.data as Fields | null) : null;
    return { ...frame, action: frame.action, data: data ?? {} };
  } catch {
    return undefined;
  }
}

export function writeFrame(action: string, data: object): string {
  return JSON.stringify({ action, data });
}

export function isError({ status }: Frame): boolean {
  return status === 'error';
}

export function errorOf({ code, message, data }: Frame): ParleyClientError {
  const details: ErrorDetails = {};
  if (typeof data['field'] === 'string') details.field = data['field'];
  if (typeof data['retry_after_ms'] === 'number') details.retryAfterMs = data['retry_after_ms'];
  if (Array.isArray(data['users'])) details.users = data['users'].map(String);
  return new ParleyClientError(isErrorCode(code) ? code : 'internal', { message, details });
}

/** A field that is text; empty where it is none. */
export function text(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

/** A field that is a number; NaN where it is none. */
export function number(fields: Fields, name: string): number {
  const value = fields[name];
  return typeof value === 'number' ? value : NaN;
}

/** A field that is a list of objects; empty where it is none. */
export function list(fields: Fields, name: string): readonly Fields[] {
  const value = fields[name];
  return Array.isArray(value) ? (value as readonly Fields[]) : [];
}

export function time(fields: Fields, name: string): Date {
  return new Date(text(fields, name));
}

export function fileOf(fields: Fields): FileFacts {
  return {
    name: text(fields, 'file_path'),
    size: number(fields, 'file_size'),
    type: text(fields, 'file_type'),
    sha256: text(fields, 'sha256'),
  };
}

/** The message of a `receive_message`, a `receive_file`, or a line of `messages_list`. */
export function messageOf(roomId: string, fields: Fields): Message {
  const file = fields['file_path'] === undefined ? fields['file'] : fields;
  return {
    id: number(fields, 'message_id'),
    roomId,
    sender: text(fields, 'sender_chatid'),
    content: fields['content'] === undefined ? text(fields, 'file_path') : text(fields, 'content'),
    sentAt: time(fields, 'timestamp'),
    ...(typeof file === 'object' && file !== null && { file: fileOf(file as Fields) }),
  };
}
