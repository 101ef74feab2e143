import {
  beginUpload,
  FileName,
  FileType,
  listFiles,
  matches,
  openDownload,
  ParleyError,
  Sha256,
} from '@parley/protocol';
import type { ListedFile } from '@parley/protocol';
import { Type } from '@parley/schema';
import type { Static } from '@parley/schema';
import type { HttpApp, HttpOptions } from './app.ts';
import { acceptBytes } from './bodies.ts';
import type { BodyClock } from './body-clock.ts';
import { errorFrom, sendError } from './errors.ts';
import { described, RoomIdField, SuccessField, UserNameField } from './fields.ts';
import { sendFile, unknownType } from './file-download.ts';
import { receiveFile } from './file-upload.ts';
import { nextPage } from './links.ts';
import { bearer } from './open-api.ts';
import { documented, errorReply, errors, linkHeader } from './replies.ts';
import type { Header } from './replies.ts';

const tags = ['Files'];

const FileNameField = described(FileName, {
  description: 'A name, not a path; at most 255 bytes.',
  examples: ['my_document.pdf'],
});
const Sha256Field = described(Sha256, { description: '64 hexadecimal digits.' });
const fileFields = {
  name: FileNameField,
  size: Type.Integer({ minimum: 0, description: 'In bytes.' }),
  type: Type.String({ description: 'As its sender said.', examples: ['application/pdf'] }),
  sha256: Sha256Field,
};
const Stored = Type.Object({ status: SuccessField, roomId: RoomIdField, file: Type.Object(fileFields) });
const Files = Type.Array(
  Type.Object({
    ...fileFields,
    sender: UserNameField,
    timestamp: Type.String({ format: 'date-time' }),
  }),
);
/** A body of any type, which no schema says more about. */
const bytes = { content: { '*/*': { schema: Type.Unknown({ description: 'The bytes of the file.' }) } } };

const validatorHeaders: Record<string, Header> = {
  ETag: { type: 'string', description: 'The SHA-256 of the whole file, in hex.' },
  'Last-Modified': { type: 'string', description: 'When the file was listed.' },
};
const fileHeaders: Record<string, Header> = {
  ...validatorHeaders,
  'Accept-Ranges': { type: 'string', description: '`bytes`.' },
  'Content-Disposition': { type: 'string', description: '`attachment`, with the name of the file.' },
};
const rangeHeader: Record<string, Header> = {
  'Content-Range': { type: 'string', description: 'Which bytes of how many.' },
};

/** Where over HTTP the fields come that the services speak of. */
const headersOfFields: Record<string, string> = { size: 'Content-Length', type: 'Content-Type' };

/** Files as they are: the body of a request or of an answer. In a scope of their own, where bodies are no JSON. */
export function fileRoutes(app: HttpApp, options: HttpOptions, bodies: BodyClock): void {
  const { bus, downloads, log } = options;
  acceptBytes(app);
  app.setErrorHandler((thrown, request, reply) => {
    const error = isNoMediaType(thrown) ? noMediaType(thrown) : errorFrom(thrown);
    sendError(inHttpWords(error), request, reply, log);
  });

  app.post(
    '/api/rooms/:roomId/files',
    {
      schema: {
        operationId: 'storeFile',
        summary: 'Store a file in a room',
        description:
          'For members. The body is the file, of any `Content-Type`, which is kept with it; `Content-Length` is needed. The file is ' +
          'listed, and the room told of it, once all of it is there; a file that has the name already is replaced.',
        tags,
        security: [bearer],
        params: Type.Object({ roomId: RoomIdField }),
        querystring: Type.Object({
          name: FileNameField,
          sha256: Type.Optional(described(Sha256, { description: 'Other bytes than these are refused.' })),
        }),
        body: bytes,
        response: {
          201: documented(Stored, 'The file is stored and listed.'),
          ...errors('not_authenticated', 'missing_field', 'chunks_missing', ...beginUpload.errors),
        },
      },
    },
    async (
      { params: { roomId }, query, headers, raw, busContext },
      reply,
    ): Promise<Static<typeof Stored>> => {
      const { name, sha256 } = query;
      const announced = {
        roomId,
        name,
        size: sizeOf(headers),
        type: typeOf(headers),
        ...(sha256 !== undefined && { sha256 }),
      };
      const file = await receiveFile({ ...options, bodies }, raw, announced, busContext);
      reply.code(201);
      return { status: 'success', roomId, file };
    },
  );

  app.get(
    '/api/rooms/:roomId/files',
    {
      schema: {
        operationId: 'listFiles',
        summary: 'List the files of a room',
        description:
          'Of a public room for everybody, of a private one for its members. In the order of their names.',
        tags,
        security: [bearer],
        params: Type.Object({ roomId: RoomIdField }),
        querystring: Type.Object({ after: Type.Optional(FileNameField) }),
        response: {
          200: documented(Files, 'The files.', linkHeader),
          ...errors('not_authenticated', ...listFiles.errors),
        },
      },
    },
    async ({ params: { roomId }, query, busContext }, reply): Promise<Static<typeof Files>> => {
      const { files, hasMore } = await bus.call(listFiles, { roomId, ...query }, busContext);
      const last = files.at(-1);
      if (hasMore && last) {
        reply.header(
          'link',
          nextPage(`/api/rooms/${encodeURIComponent(roomId)}/files`, { after: last.name }),
        );
      }
      return files.map(toldFile);
    },
  );

  app.get(
    '/api/rooms/:roomId/files/:name',
    {
      schema: {
        operationId: 'readFile',
        summary: 'Download a file',
        description:
          'For those who may list it. `If-None-Match` and `If-Modified-Since`, one `Range` and `If-Range` with an `ETag` are heeded.',
        tags,
        security: [bearer],
        params: Type.Object({ roomId: RoomIdField, name: FileNameField }),
        response: {
          200: documented(bytes, 'The file, of the type that its sender gave it.', fileHeaders),
          206: documented(bytes, 'The range asked for.', { ...fileHeaders, ...rangeHeader }),
          304: documented(Type.Null(), 'The file is the one that the client has.', validatorHeaders),
          416: documented(
            errorReply(416, ['invalid_field']),
            'The file has nothing in this range.',
            rangeHeader,
          ),
          ...errors('not_authenticated', ...openDownload.errors),
        },
      },
    },
    async (request, reply) => {
      const download = await downloads.open(request.params, request.busContext);
      return sendFile(downloads, download, request, reply);
    },
  );
}

/** @throws ParleyError `missing_field`: a body that does not say its length could be a part of what was meant. */
function sizeOf({ 'content-length': length }: { 'content-length'?: string | undefined }): number {
  if (length !== undefined) return Number(length);
  const message = 'The header `Content-Length` is missing; send the length of the file with it.';
  throw new ParleyError('missing_field', { field: 'size' }, { message });
}

/** @throws ParleyError `invalid_field` */
function typeOf({ 'content-type': type = unknownType }: { 'content-type'?: string | undefined }): string {
  if (!matches(FileType, type)) throw noMediaType();
  return type;
}

function isNoMediaType(thrown: unknown): boolean {
  return (thrown as { code?: string }).code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE';
}

function noMediaType(cause?: unknown): ParleyError {
  const message =
    'The `Content-Type` is no media type of at most 128 characters; send one, or none for just bytes.';
  return new ParleyError('invalid_field', { field: 'type' }, { message, cause });
}

function inHttpWords(error: ParleyError): ParleyError {
  const { field } = error.details;
  const header = field === undefined ? undefined : headersOfFields[field];
  return header === undefined ? error : error.with({ field: header });
}

function toldFile({ name, size, type, sha256, sender, sentAt }: ListedFile): Static<typeof Files>[number] {
  return { name, size, type, sha256, sender, timestamp: sentAt };
}
