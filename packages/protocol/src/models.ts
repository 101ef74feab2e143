import { Type } from 'typebox';
import type { Static } from 'typebox';
import { ClientMessageId, Content, UserName, RoomName } from './text.ts';
import { ConnectionId, GatewayId, MessageId, RoomId, SessionId, UserId } from './ids.ts';
import { Time } from './times.ts';

/** Somebody, by the id that stays and the name that is shown. */
export const User = Type.Object({ userId: UserId, name: UserName });
export type User = Static<typeof User>;

/** Who asks: travels with every bus request made for a client. */
export const Caller = Type.Object({
  userId: UserId,
  name: UserName,
  sessionId: SessionId,
  connectionId: ConnectionId,
});
export type Caller = Static<typeof Caller>;

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

export const Room = Type.Object({
  roomId: RoomId,
  name: RoomName,
  visibility: Visibility,
  owner: UserName,
});
export type Room = Static<typeof Room>;

export const Role = Type.Union([Type.Literal('owner'), Type.Literal('member')]);

export const RoomMember = Type.Object({ name: UserName, online: Type.Boolean(), role: Role });
export type RoomMember = Static<typeof RoomMember>;

/** A stored message. Neither its id, its sender's name nor its time ever changes. */
export const Message = Type.Object({
  id: MessageId,
  senderId: UserId,
  sender: UserName,
  content: Content,
  sentAt: Time,
});
export type Message = Static<typeof Message>;

/** A message with the connection it came from, which got a confirmation instead of a delivery. */
export const SentMessage = Type.Object({ ...Message.properties, origin: ConnectionId });
export type SentMessage = Static<typeof SentMessage>;

/** A message on its way into a room. */
export const Send = Type.Object({
  sender: User,
  content: Content,
  clientMessageId: Type.Optional(ClientMessageId),
  /** The connection that gets the confirmation instead of the delivery. */
  origin: ConnectionId,
});
export type Send = Static<typeof Send>;
