import { Type } from '@parley/schema';
import type { Static } from '@parley/schema';
import type { ErrorCode } from '../errors.ts';
import { RoomId, UploadId } from '../ids.ts';
import { FileInfo } from '../models.ts';
import { FileName, FileType, Sha256, UserName } from '../text.ts';
import { Time } from '../times.ts';
import { method } from './method.ts';

/** Most chunks of one upload. */
export const maxPackets = 2 ** 20;
/** Largest chunk, and most bytes read at once. More than this should not be put into one request either. */
export const maxChunkBytes = 512 * 1_024;
/** Most chunks of one request. */
export const maxChunksPerRequest = 512;
/** Most ranges of chunks that are told at once. Of more, the first are: what is left out is sent once more. */
export const maxRanges = 10_000;

/** How many chunks an upload has. */
export const Packets = Type.Integer({ minimum: 0, maximum: maxPackets });
const Bytes = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** The number of a chunk, as the client counts: 1 to `packets`, or 0 to `packets` - 1 once a 0 was seen. */
export const ChunkNumber = Type.Integer({ minimum: 0, maximum: maxPackets });

/** Chunk numbers from the first to the second, both included. */
export const SequenceRange = Type.Tuple([ChunkNumber, ChunkNumber]);
export type SequenceRange = Static<typeof SequenceRange>;

/**
 * Starts or resumes the caller's upload of that name to the room. Another size, count or hash than before starts afresh:
 * the former upload is no more. Guests are `forbidden`; with too many bytes in unfinished uploads it is `rate_limited`.
 */
export const beginUpload = method('files.beginUpload', {
  request: Type.Object({
    roomId: RoomId,
    name: FileName,
    size: Bytes,
    packets: Packets,
    type: FileType,
    sha256: Type.Optional(Sha256),
    /** Nothing is resumed: an unfinished upload of that name is no more. */
    afresh: Type.Optional(Type.Boolean()),
  }),
  /** `received`: the chunks that are stored already. */
  reply: Type.Object({ uploadId: UploadId, received: Type.Array(SequenceRange) }),
  errors: ['room_not_found', 'not_in_room', 'forbidden', 'invalid_field', 'too_large', 'rate_limited'],
});

/** Why one chunk of a request was not stored. */
export const ChunkRefusal = Type.Object({
  /** Of the chunk in its request, from 0. */
  index: Type.Integer({ minimum: 0 }),
  code: Type.Unsafe<ErrorCode>(Type.String()),
  message: Type.String(),
  /** The offending field: `sequence` or `bytes`. */
  field: Type.Optional(Type.String()),
});
export type ChunkRefusal = Static<typeof ChunkRefusal>;

/**
 * Stores chunks of one upload, whose bytes come beside the request, one behind the other: `sizes` says how many are
 * each chunk's. What is not refused is stored when the reply comes; chunks are refused one by one, with `invalid_field`
 * (its number), `too_large` (itself, or all together more than was announced), `rate_limited` (no space) or `unavailable`.
 */
export const putChunks = method('files.putChunks', {
  request: Type.Object({
    uploadId: UploadId,
    sequences: Type.Array(ChunkNumber, { minItems: 1, maxItems: maxChunksPerRequest }),
    sizes: Type.Array(Bytes, { minItems: 1, maxItems: maxChunksPerRequest }),
  }),
  reply: Type.Object({ refused: Type.Array(ChunkRefusal) }),
  errors: ['upload_not_found', 'invalid_field'],
});

/**
 * Puts the upload together and lists the file; safe to repeat, also once it is finished. Assembling takes longer than a
 * request may: while it is under way the reply comes without `file`, and the caller asks again.
 */
export const finishUpload = method('files.finishUpload', {
  request: Type.Object({ roomId: RoomId, name: FileName, packets: Packets }),
  reply: Type.Object({ file: Type.Optional(FileInfo) }),
  errors: [
    'room_not_found',
    'not_in_room',
    'forbidden',
    'upload_not_found',
    'invalid_field',
    'chunks_missing',
  ],
});

/** A file as its room's list shows it. */
export const ListedFile = Type.Object({ ...FileInfo.properties, sender: UserName, sentAt: Time });
export type ListedFile = Static<typeof ListedFile>;

/** Files in the order of their names, after a name, as many as fit a page. For members; of public rooms for everybody. */
export const listFiles = method('files.list', {
  request: Type.Object({ roomId: RoomId, after: Type.Optional(FileName) }),
  reply: Type.Object({ files: Type.Array(ListedFile), hasMore: Type.Boolean() }),
  errors: ['room_not_found', 'not_in_room'],
});

/** Names stored bytes, which never change. */
export const ObjectId = Type.String({ pattern: '^[0-9a-f]{24}$' });

/** The file as it is now, and where its bytes are: they stay readable for hours after another file took its name. */
export const openDownload = method('files.openDownload', {
  request: Type.Object({ roomId: RoomId, name: FileName }),
  reply: Type.Object({ file: ListedFile, objectId: ObjectId }),
  errors: ['room_not_found', 'not_in_room', 'file_not_found'],
});

/**
 * For gateways, which have opened the download: some of the bytes, beside the reply; fewer than asked at the end of the
 * file, none behind it.
 */
export const readFile = method('files.read', {
  request: Type.Object({
    objectId: ObjectId,
    offset: Bytes,
    length: Type.Integer({ minimum: 1, maximum: maxChunkBytes }),
  }),
  reply: Type.Object({}),
  errors: ['file_not_found'],
});
