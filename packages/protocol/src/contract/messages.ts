import { Type } from 'typebox';
import type { Static } from 'typebox';
import { MessageId, RoomId } from '../ids.ts';
import { Message, Send, SentMessage } from '../models.ts';
import { Time } from '../times.ts';
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

/** Commits sends of one room in the order given; one result each, in that order. */
export const commitSends = method('messages.commitSends', {
  request: Type.Object({
    roomId: RoomId,
    sends: Type.Array(Send, { minItems: 1, maxItems: maxSendsPerRequest }),
  }),
  reply: Type.Object({ results: Type.Array(SendResult) }),
});

export const Page = Type.Object({ roomId: RoomId, messages: Type.Array(Message), hasMore: Type.Boolean() });
export type Page = Static<typeof Page>;

const PageRequest = Type.Object({
  roomId: RoomId,
  from: Type.Optional(Time),
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

/** For gateways, which watch over membership themselves: what follows a message. */
export const replay = method('messages.replay', {
  request: Type.Object({ roomId: RoomId, after: MessageId }),
  reply: Type.Object({ roomId: RoomId, messages: Type.Array(SentMessage), hasMore: Type.Boolean() }),
});

/** The last id of each room, 0 where nothing was ever sent; in the order asked. */
export const findLastIds = method('messages.findLastIds', {
  request: Type.Object({ roomIds: Type.Array(RoomId, { maxItems: 1_000 }) }),
  reply: Type.Object({ lastIds: Type.Array(MessageId) }),
});
