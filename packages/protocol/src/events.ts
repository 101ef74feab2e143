import type { ConnectionId, MessageId, RoomId, SessionId, UserId } from './ids.ts';
import type { Message, SentMessage, User } from './models.ts';

/** Something that happened in a room and is told to those in it. Each dialect has its own frame for it, or none. */
export type RoomEvent = MessageSent | MessageDelivered | RoomChange;

export interface MessageSent extends Message {
  type: 'message';
  roomId: RoomId;
}

/** A member has acknowledged a message: told to its sender. */
export interface MessageDelivered {
  type: 'message-delivered';
  roomId: RoomId;
  messageId: MessageId;
  reader: string;
}

/** A change of a room itself or of who belongs to it. */
export type RoomChange =
  RoomCreated | MemberAdded | MemberJoined | MemberRemoved | MemberLeft | RoomRenamed | RoomDeleted;

/** Told to the creator's other connections. */
export interface RoomCreated {
  type: 'room-created';
  roomId: RoomId;
  roomName: string;
  owner: string;
}

/** The owner added a user. */
export interface MemberAdded {
  type: 'member-added';
  roomId: RoomId;
  roomName: string;
  owner: string;
  user: User;
}

/** A user joined by itself. */
export interface MemberJoined {
  type: 'member-joined';
  roomId: RoomId;
  roomName: string;
  user: User;
}

/** The owner removed a user. */
export interface MemberRemoved {
  type: 'member-removed';
  roomId: RoomId;
  user: User;
}

/** A user left by itself. */
export interface MemberLeft {
  type: 'member-left';
  roomId: RoomId;
  user: User;
}

export interface RoomRenamed {
  type: 'room-renamed';
  roomId: RoomId;
  newName: string;
}

export interface RoomDeleted {
  type: 'room-deleted';
  roomId: RoomId;
}

/** On the bus, to a room: messages committed together, in the order of their ids, without a hole between them. */
export interface MessagesCommitted {
  roomId: RoomId;
  messages: SentMessage[];
}

/**
 * On the bus, to a room: a change, told to everyone in it except the connection that asked for it. Who came or went is
 * told by a `UserEvent` instead, which reaches a user that is not in the room's channel yet, or any more.
 */
export interface RoomChanged {
  change: RoomChange;
  origin: ConnectionId | undefined;
}

/** On the bus, to one user, wherever it is connected. */
export type UserEvent = EnteredRoom | LeftRoom | ConnectionsEnded | MessageDelivered;

/** The user is a member of the room from now on. */
export interface EnteredRoom {
  type: 'entered-room';
  roomId: RoomId;
  /** What follows this message is delivered to the user. */
  sinceId: MessageId;
  /** What the user's connections are told, except the one that asked. */
  change: RoomChange;
  origin: ConnectionId | undefined;
}

/** The user is no member of the room any more. */
export interface LeftRoom {
  type: 'left-room';
  roomId: RoomId;
  /** What the user's connections are told, except the one that asked. */
  change: RoomChange;
  origin: ConnectionId | undefined;
}

/** Connections of the user have to go. */
export interface ConnectionsEnded {
  type: 'connections-ended';
  userId: UserId;
  /** All connections bound to these sessions. */
  sessionIds: SessionId[];
  /** `taken-over`: somebody logged in elsewhere (4001). `session-ended`: logged out (4003). */
  reason: 'taken-over' | 'session-ended';
  /** The connection that brought this about and stays. */
  except: ConnectionId;
}
