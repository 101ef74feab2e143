import { Type } from '@parley/schema';
import type { Static } from '@parley/schema';
import { ClientMessageId, Content, FileName, FileType, RoomName, Sha256, UserName } from './text.ts';
import { ConnectionId, GatewayId, MessageId, RoomId, SessionId, UserId } from './ids.ts';
import { Time } from './times.ts';

/** Somebody, by the id that stays and the name that is shown. */
export const User = Type.Object({ userId: UserId, name: UserName });
export type User = Static<typeof User>;

/** Who asks: travels with every bus request made for a client. */
export const Caller = Type.Object({
  userId: UserId,
  name: UserName,
  /** Guests have none. */
  sessionId: Type.Optional(SessionId),
  /** None over HTTP. */
  connectionId: Type.Optional(ConnectionId),
});
export type Caller = Static<typeof Caller>;

/** A client's address in the network, as limits count it. */
export const Address = Type.String({ maxLength: 64 });

/** Where a connection lives. */
export const ConnectionPlace = Type.Object({ connectionId: ConnectionId, gatewayId: GatewayId });
export type ConnectionPlace = Static<typeof ConnectionPlace>;

/** What a gateway is told when it renews a lease. */
export const LeaseReply = Type.Object({
  /** Whether there was a lease to prolong. */
  known: Type.Boolean(),
  /** How long the lease is good from now on, in ms. */
  leaseMs: Type.Integer({ minimum: 1 }),
});
export type LeaseReply = Static<typeof LeaseReply>;

/** Private: the owner and those added. Public: addressed by its unique name, open to all. */
export const Visibility = Type.Union([Type.Literal('private'), Type.Literal('public')]);
export type Visibility = Static<typeof Visibility>;

/** The owner's name; null for the room `default`, which is nobody's. */
export const RoomOwner = Type.Union([UserName, Type.Null()]);

export const Room = Type.Object({
  roomId: RoomId,
  name: RoomName,
  visibility: Visibility,
  owner: RoomOwner,
});
export type Room = Static<typeof Room>;

export const Role = Type.Union([Type.Literal('owner'), Type.Literal('member')]);

export const RoomMember = Type.Object({ name: UserName, online: Type.Boolean(), role: Role });
export type RoomMember = Static<typeof RoomMember>;

/** A file as it is listed in a room. */
export const FileInfo = Type.Object({
  name: FileName,
  /** In bytes. */
  size: Type.Integer({ minimum: 0 }),
  /** The media type that the sender gave it. */
  type: FileType,
  /** In hex. */
  sha256: Sha256,
});
export type FileInfo = Static<typeof FileInfo>;

/**
 * A stored message. Neither its id, its sender's name nor its time ever changes. With `file` it announces that file, and
 * its content is the file's name.
 */
export const Message = Type.Object({
  id: MessageId,
  senderId: UserId,
  sender: UserName,
  content: Content,
  sentAt: Time,
  file: Type.Optional(FileInfo),
});
export type Message = Static<typeof Message>;

/** A message with the connection it came from; over HTTP it came from none. */
export const SentMessage = Type.Object({ ...Message.properties, origin: Type.Optional(ConnectionId) });
export type SentMessage = Static<typeof SentMessage>;

/** A message on its way into a room. Whose it is, and the connection that it comes from, its caller tells. */
export const Send = Type.Object({
  content: Content,
  clientMessageId: Type.Optional(ClientMessageId),
});
export type Send = Static<typeof Send>;
