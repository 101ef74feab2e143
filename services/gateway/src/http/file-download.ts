import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { MIMEType } from 'node:util';
import { ParleyError } from '@parley/protocol';
import type { ListedFile, openDownload, ReplyOf } from '@parley/protocol';
import { create as contentDisposition } from 'content-disposition';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fresh from 'fresh';
import type { Downloads } from '../files/downloads.ts';
import { byteRange } from './byte-ranges.ts';
import { errorBody } from './errors.ts';

export const unknownType = 'application/octet-stream';

/**
 * Answers with a file, or with what was asked for of it, at the reader's pace: a few hundred KiB of it are in memory.
 * Nothing of it is ever shown by a browser in our name: it is an attachment, whatever its type.
 * @throws ParleyError `file_not_found`, `unavailable`.
 */
export async function sendFile(
  downloads: Pick<Downloads, 'read'>,
  { file, objectId }: ReplyOf<typeof openDownload>,
  { headers, method }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { size } = file;
  const validators = validatorsOf(file);
  if (isFresh(headers, validators)) return reply.code(304).headers(validators).send();

  // Only GET knows ranges (RFC 9110, section 14.2).
  const range = method === 'GET' ? rangeOf(headers, validators.etag, size) : undefined;
  if (range === 'unsatisfiable') {
    const message = `The file has ${size} bytes and none of this range; ask for others.`;
    const error = new ParleyError('invalid_field', { field: 'Range' }, { message });
    return reply.code(416).header('content-range', `bytes */${size}`).send(errorBody(error));
  }
  const start = range?.first ?? 0;
  const end = range ? range.last + 1 : size;
  const bytes =
    method === 'HEAD'
      ? Readable.from([])
      : Readable.from(downloads.read(objectId, start, end, () => !reply.raw.destroyed));
  // What can't be read at all is told as an error, not as a file that breaks off.
  await once(bytes, 'readable');
  if (range) reply.code(206).header('content-range', `bytes ${range.first}-${range.last}/${size}`);
  return reply
    .headers({
      ...validators,
      'accept-ranges': 'bytes',
      'content-disposition': contentDisposition(file.name),
      'content-length': end - start,
      'content-type': mediaType(file.type),
    })
    .send(bytes);
}

/** What tells a file from the one that had its name before; browsers may keep it, but have to ask whether it is still the same. */
function validatorsOf({ sha256, sentAt }: ListedFile) {
  return {
    etag: `"${sha256}"`,
    'last-modified': new Date(sentAt).toUTCString(),
    'cache-control': 'private, no-cache',
  };
}

/**
 * Whether the client has the file as it is. That it wants no answer of a cache's is no reason to send it again: `fetch` says
 * so with every condition.
 */
function isFresh(headers: IncomingHttpHeaders, validators: Record<string, string>): boolean {
  const { 'if-none-match': tags, 'if-modified-since': date } = headers;
  return fresh({ 'if-none-match': tags, 'if-modified-since': date }, validators);
}

/** A range that goes on with a former answer holds only for the same bytes; a date, being of whole seconds, can't tell. */
function rangeOf({ range, 'if-range': condition }: IncomingHttpHeaders, etag: string, size: number) {
  const isMeant = range !== undefined && (condition === undefined || condition === etag);
  return isMeant ? byteRange(range, size) : undefined;
}

/** Clients of other dialects may give any text as a file's type. */
function mediaType(type: string): string {
  try {
    return String(new MIMEType(type));
  } catch {
    return unknownType;
  }
}
