import { Type } from '@parley/schema';
import type { Static } from '@parley/schema';
import { MessageId, RoomId } from '../ids.ts';
import { User } from '../models.ts';
import { UserName } from '../text.ts';
import { Time } from '../times.ts';
import { method } from './method.ts';

/** Most rooms, or acknowledgements, of one request. */
export const maxReceiptsPerRequest = 1_000;

/** Ids from the first to the second, both included. */
export const IdRange = Type.Tuple([MessageId, MessageId]);
export type IdRange = Static<typeof IdRange>;

/** What one user has acknowledged of one room: sorted ranges that do not touch; the first begins with 0. */
export const Acknowledged = Type.Object({ roomId: RoomId, ranges: Type.Array(IdRange) });
export type Acknowledged = Static<typeof Acknowledged>;

/**
 * The caller has logged in with a handshake client: what it has acknowledged of these rooms. The first time, that is everything so
 * far: what is owed begins there. Rooms that it is not in are left out.
 */
export const beginReading = method('messages.beginReading', {
  request: Type.Object({ roomIds: Type.Array(RoomId, { maxItems: maxReceiptsPerRequest }) }),
  reply: Type.Object({ rooms: Type.Array(Acknowledged) }),
});

/** A user is about to enter the room: what was sent before is not owed to it. Answers with the room's last id. */
export const noteEntry = method('messages.noteEntry', {
  request: Type.Object({ roomId: RoomId, user: User }),
  reply: Type.Object({ lastId: MessageId }),
});

/**
 * For gateways: what users have acknowledged, of rooms they are in; anything else is left out. The senders of what was not
 * acknowledged before are told.
 */
export const acknowledge = method('messages.acknowledge', {
  request: Type.Object({
    acknowledgements: Type.Array(
      Type.Object({ roomId: RoomId, user: User, ranges: Type.Array(IdRange, { minItems: 1 }) }),
      { maxItems: maxReceiptsPerRequest },
    ),
  }),
  reply: Type.Object({}),
});

/** Up to which message each member has acknowledged everything, and when it last acknowledged something; by name. */
export const listReceipts = method('messages.listReceipts', {
  request: Type.Object({ roomId: RoomId }),
  reply: Type.Object({
    roomId: RoomId,
    receipts: Type.Array(Type.Object({ name: UserName, position: MessageId, at: Time })),
  }),
  errors: ['room_not_found', 'not_in_room'],
});
