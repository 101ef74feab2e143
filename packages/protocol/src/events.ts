import type { LobbyRoom } from './contract/rooms.ts';
import type { ConnectionId, MessageId, RoomId, SessionId, UserId } from './ids.ts';
import type { Message, SentMessage, User } from './models.ts';

/** What clients are told beside the answers to their requests. Each dialect has its own frames for it, or none. */
export type ClientEvent = RoomEvent | LobbyListed;

/** Something that happened in a room and is told to those in it. */
export type RoomEvent = MessageSent | MessageDelivered | UserJoined | UserLeft | PresenceEnded | RoomChange;

export interface MessageSent extends Message {
  type: 'message';
  roomId: RoomId;
  /** As the room is called now; left out for dialects that address rooms by id alone. */
  roomName?: string;
}

/** A member has acknowledged a message: told to its sender. */
export interface MessageDelivered {
  type: 'message-delivered';
  roomId: RoomId;
  messageId: MessageId;
  reader: string;
}

/** Somebody is present who was not before, with whichever connection; told to the others. */
export interface UserJoined {
  type: 'user-joined';
  roomId: RoomId;
  user: string;
}

/** Somebody's last connection has left the room. */
export interface UserLeft {
  type: 'user-left';
  roomId: RoomId;
  user: string;
}

/** A connection that had joined the room is in it no more, by no request of its own; told to it alone. */
export interface PresenceEnded {
  type: 'presence-ended';
  roomId: RoomId;
  roomName: string;
}

/** The public rooms with the users present in each. */
export interface LobbyListed {
  type: 'lobby-listed';
  rooms: readonly LobbyRoom[];
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
  /** Null where the room is nobody's. */
  owner: string | null;
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
  oldName: string;
  newName: string;
}

export interface RoomDeleted {
  type: 'room-deleted';
  roomId: RoomId;
  roomName: string;
}

/** On the bus, to a room: messages committed together, in the order of their ids, without a hole between them. */
export interface MessagesCommitted {
  roomId: RoomId;
  messages: SentMessage[];
  /** Where traces are made: for each message that which its delivery is a part of. */
  traceparents?: (string | null)[];
}

/**
 * On the bus, to a room: a change, told to everyone in it except the connection that asked for it. Who came or went is
 * told by a `UserEvent` instead, which reaches a user that is not in the room's channel yet, or any more.
 */
export interface RoomChanged {
  change: RoomChange;
  origin: ConnectionId | undefined;
}

/** On the bus, to a room: users who came into sight and who went from it, by name. */
export interface PresenceChanged {
  roomId: RoomId;
  joined: string[];
  left: string[];
}

/** On the bus, to all gateways: public rooms that are new, changed or gone. Of two that tell of one room the greater version counts. */
export interface LobbyChanged {
  version: number;
  rooms: LobbyRoom[];
  removed: RoomId[];
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
  /**
   * `resumed`: the session goes on elsewhere; its connection of the login dialect has to go (4001), others may stay.
   * `taken-over`: somebody logged in elsewhere, and the sessions are no more (4001). `session-ended`: logged out (4003).
   */
  reason: 'resumed' | 'taken-over' | 'session-ended';
  /** The connection that brought this about and stays; over HTTP there is none. */
  except: ConnectionId | undefined;
}
