import { Type } from '@parley/schema';
import { storableText } from './text.ts';

type Branded<Name extends string> = string & { readonly __id: Name };

export type UserId = Branded<'user'>;
export type RoomId = Branded<'room'>;
/** One WebSocket connection, for as long as it lasts. */
export type ConnectionId = Branded<'connection'>;
/** One run of a gateway process. */
export type GatewayId = Branded<'gateway'>;
/** One exchange of the integrity handshake, begun by a request. */
export type ExchangeId = Branded<'exchange'>;
/** One upload of a file, from its first announcement to its end. */
export type UploadId = Branded<'upload'>;
/** The SHA-256 of a session key, in hex: it names the session and is no use to a thief. */
export type SessionId = Branded<'session'>;
/** 1, 2, 3 ... within its room, without holes. */
export type MessageId = number;

/*
 * Ids reach bus subjects, so they are only ever made by `createId`. A client's text in an id's place is looked up as
 * it is and not found; the schemas bound it.
 */
export const UserId = Type.Unsafe<UserId>(storableText(1, 64));
export const RoomId = Type.Unsafe<RoomId>(storableText(1, 64));
export const ConnectionId = Type.Unsafe<ConnectionId>(storableText(1, 64));
export const GatewayId = Type.Unsafe<GatewayId>(storableText(1, 64));
export const UploadId = Type.Unsafe<UploadId>(storableText(1, 64));
export const SessionId = Type.Unsafe<SessionId>(storableText(1, 64));
export const MessageId = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

interface IdByKind {
  user: UserId;
  guest: UserId;
  upload: UploadId;
  room: RoomId;
  connection: ConnectionId;
  gateway: GatewayId;
  exchange: ExchangeId;
}

/** Whether the user is a guest: somebody without an account. */
export function isGuest(userId: UserId): boolean {
  return userId.startsWith('guest_');
}

/** The room `default`, which always exists, is public and belongs to nobody. */
export const defaultRoomId = 'room_000000000000000000000000' as RoomId;

/** A new random id such as `room_5f0c...`: 96 random bits, of characters that a bus subject may hold. */
export function createId<Kind extends keyof IdByKind>(kind: Kind): IdByKind[Kind] {
  const random = crypto.getRandomValues(new Uint8Array(12));
  const hex = Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${kind}_${hex}` as IdByKind[Kind];
}

/**
 * The `transaction_id` of a message: one per message, the same for all its receivers and for ever, because it is made
 * of what identifies the message.
 */
export function transactionIdOf(roomId: RoomId, messageId: MessageId): string {
  return `${roomId}.${messageId}`;
}

/** The message that a `transaction_id` was made for; undefined where it is none of a message. */
export function messageOfTransaction(
  transactionId: string,
): { roomId: RoomId; messageId: MessageId } | undefined {
  const match = /^(room_[0-9a-f]{24})\.([1-9]\d{0,15})$/.exec(transactionId);
  const messageId = Number(match?.[2]);
  return match && Number.isSafeInteger(messageId) ? { roomId: match[1] as RoomId, messageId } : undefined;
}
