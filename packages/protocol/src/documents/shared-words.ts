import type { Words } from './description.ts';

/** Values that the examples of all dialects are made of. */
export const exampleValues = {
  roomId: 'room_5f0c2b7d9e1a4c3f8b6d7e90',
  time: '2026-11-21T12:00:00.000Z',
  fileName: 'notes.txt',
  /** The file that says `Hello`, with a line end. */
  fileData: 'SGVsbG8K',
  fileSize: 6,
  fileType: 'text/plain',
  sha256: '66a045b452102c59d840ec097d59d9467e13a3f34f6494e539ffd32c1bb35f18',
} as const;

const { roomId, time, fileName, fileSize, fileType, sha256 } = exampleValues;

/** What is told alike in several dialects. */
export const nameRule = '1 to 64 characters after trimming, without control characters; case-sensitive.';
export const contentRule = '1 to 8,192 characters, kept exactly as sent.';
export const timeRule = 'ISO 8601 UTC with milliseconds.';
export const repeatRule =
  'A name of your own for the message, 1 to 128 characters: sent again with it, it is confirmed again and stored once.';

/** The fields that the dialects of camelCase have in common. */
export const camelCaseWords: Words = {
  id: { description: 'The message: 1, 2, 3 ... within its room, without holes.', example: 7 },
  timestamp: { description: `When it was committed; ${timeRule}`, example: time },
  clientMessageId: { description: repeatRule, example: 'c-1' },
  file: { description: 'The file.' },
  name: { description: 'Its name.', example: fileName },
  size: { description: 'In bytes.', example: fileSize },
  type: { description: 'The media type that its sender gave it.', example: fileType },
  sha256: { description: 'Of its bytes, in hex.', example: sha256 },
  url: {
    description: 'Where it is downloaded over HTTP, with a token; relative to the server.',
    example: `/api/rooms/${roomId}/files/${fileName}`,
  },
  originalAction: {
    description: 'The action that failed; null where none could be read.',
    example: null,
  },
  field: { description: 'The offending field.', example: 'message' },
  retry_after_ms: { description: 'How long to wait before trying again, in ms.', example: 250 },
};
