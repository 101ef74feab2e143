import { Type } from '@parley/schema';
import type { Static } from '@parley/schema';
import { ConnectionId, MessageId, RoomId, UploadId, UserId } from '../ids.ts';
import { FileInfo, Message, Send, SentMessage, User } from '../models.ts';
import { Time, TimeInput } from '../times.ts';
import { method } from './method.ts';

/** Most messages of one page of history, and most sends of one request. */
export const maxPageMessages = 1_000;
export const maxSendsPerRequest = 500;

/** What became of one send: its message's id and time (for a repeat the first's), or why it was refused. */
export const SendResult = Type.Union([
  Type.Object({ id: MessageId, sentAt: Time, repeated: Type.Boolean() }),
  Type.Object({ error: Type.Union([Type.Literal('room_not_found'), Type.Literal('not_in_room')]) }),
]);
export type SendResult = Static<typeof SendResult>;

/** Most bytes of JSON of one `SendResult`, and of what stands around all of them. */
const maxResultBytes = 100;

/** Commits what the caller sends to one room, in the order given; one result each, in that order. */
export const commitSends = method('messages.commitSends', {
  request: Type.Object({
    roomId: RoomId,
    sends: Type.Array(Send, { minItems: 1, maxItems: maxSendsPerRequest }),
    /** Where traces are made: of each send but the first, which is part of the request's; null for those of which none is made. */
    traceparents: Type.Optional(
      Type.Array(Type.Union([Type.String({ maxLength: 256 }), Type.Null()]), {
        maxItems: maxSendsPerRequest,
      }),
    ),
  }),
  reply: Type.Object({ results: Type.Array(SendResult) }),
  maxReplyBytes: ({ sends }) => (sends.length + 1) * maxResultBytes,
});

/**
 * For the files service: commits the message that announces a file, once for each upload. Answers with the first's id and time where
 * it was announced before.
 */
export const announceFile = method('messages.announceFile', {
  request: Type.Object({
    roomId: RoomId,
    uploadId: UploadId,
    /** Who uploaded it. */
    sender: User,
    /** The connection that it was uploaded over. */
    origin: Type.Optional(ConnectionId),
    file: FileInfo,
  }),
  reply: SendResult,
});

export const Page = Type.Object({ roomId: RoomId, messages: Type.Array(Message), hasMore: Type.Boolean() });
export type Page = Static<typeof Page>;

const PageRequest = Type.Object({
  roomId: RoomId,
  from: Type.Optional(TimeInput),
  after: Type.Optional(MessageId),
  before: Type.Optional(MessageId),
  limit: Type.Integer({ minimum: 1, maximum: maxPageMessages }),
});

/**
 * A page of history for a member, in id order. With `after` or `from`: the oldest that fit, from there on; else the newest,
 * or the newest before `before`. Cut at 512 KiB.
 */
export const readHistory = method('messages.readHistory', {
  request: PageRequest,
  reply: Page,
  errors: ['room_not_found', 'not_in_room'],
});

/** The same for whoever may look into the room: into a public one everybody, guests too. */
export const browseHistory = method('messages.browseHistory', {
  request: PageRequest,
  reply: Page,
  errors: ['room_not_found', 'not_in_room'],
});

/**
 * For gateways: what follows a message, oldest first, with the connections that it came from. Named is one of those that it is read for:
 * a member, or a guest where the room is public. So a gateway that has nobody in a room gets nothing of it; whom it delivers to beside
 * the one that it names, it watches over itself.
 */
export const replay = method('messages.replay', {
  request: Type.Object({
    roomId: RoomId,
    readerId: UserId,
    after: MessageId,
    /** By default as many as fit. */
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxPageMessages })),
  }),
  reply: Type.Object({ roomId: RoomId, messages: Type.Array(SentMessage), hasMore: Type.Boolean() }),
  errors: ['room_not_found', 'not_in_room'],
});

/** The last id of each room, 0 where nothing was ever sent; in the order asked. */
export const findLastIds = method('messages.findLastIds', {
  request: Type.Object({ roomIds: Type.Array(RoomId, { maxItems: 1_000 }) }),
  reply: Type.Object({ lastIds: Type.Array(MessageId) }),
});
