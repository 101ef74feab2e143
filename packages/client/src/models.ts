import type { Room } from './room.ts';

/** Who the client is logged in as. */
export interface User {
  name: string;
  isGuest: boolean;
}

/** A message that is committed: the same for everybody in the room, for ever. */
export interface Message {
  /** 1, 2, 3 ... within the room, without holes. */
  id: number;
  roomId: string;
  /** The sender's name when it was sent. */
  sender: string;
  /** 1 to 8,192 characters (code points), exactly as sent; of a file its name. */
  content: string;
  /** Does not go back as ids grow within a room. */
  sentAt: Date;
  /** The file that came into the room with this message. */
  file?: FileFacts;
  /** Of what this client sent itself, as far as it is told by the confirmation. */
  clientMessageId?: string;
}

/** What is known of a file wherever it is told of. */
export interface FileFacts {
  name: string;
  /** In bytes. */
  size: number;
  /** The media type that its sender gave it; don't trust it. */
  type: string;
  /** In hex. */
  sha256: string;
}

/** A file of a room. */
export interface FileInfo extends FileFacts {
  sender: string;
  sentAt: Date;
}

export type Visibility = 'private' | 'public';

/** A public room in the lobby's list. */
export interface PublicRoom {
  id: string;
  name: string;
  /** Those present now. */
  users: number;
}

export interface PublicRoomDetails extends PublicRoom {
  /** Nobody owns the room `default`. */
  owner: string | null;
  isMember: boolean;
}

export interface Member {
  name: string;
  isOnline: boolean;
  role: 'owner' | 'member';
}

/** How far somebody has acknowledged a room's messages. */
export interface Receipt {
  name: string;
  /** Up to this one all are acknowledged, but for one's own. */
  messageId: number;
  at: Date;
}

/** Messages of a page of history, in the order of their ids. */
export interface HistoryPage {
  messages: Message[];
  /** Whether there are more in the direction that was asked for. */
  hasMore: boolean;
}

/** Why a client does not try to connect any more; `logIn` and its like begin anew, but for `closed`. */
export type CloseReason =
  /** By `close()`. */
  | 'closed'
  | 'logged-out'
  /** The session goes on in another connection, which resumed it. */
  | 'taken-over'
  /** It ran out, or was ended elsewhere: log in again. */
  | 'session-ended';

/** Where the connection is. */
export type ConnectionState =
  /** Nothing was asked for yet. */
  | { status: 'idle' }
  /** @property attempt 1 for the first since the client was last online. */
  | { status: 'connecting'; attempt: number }
  /** Connected; where there is a session, it is resumed. */
  | { status: 'online' }
  /** @property retryAt In ms since 1970. @property reason In words, for people. */
  | { status: 'waiting'; attempt: number; retryAt: number; reason: string }
  | { status: 'closed'; reason: CloseReason };

/** What `client.on` tells, by the event's name. */
export interface ClientEvents {
  state: ConnectionState;
  user: User | undefined;
  /** The list or a room's facts changed. */
  rooms: readonly Room[];
  'public-rooms': readonly PublicRoom[];
  /** Every message of every room the user is in, own ones too: each once, in its room's order. */
  message: { room: Room; message: Message };
  /** With `receipts`: somebody has acknowledged a message of the user. */
  delivered: { room: Room; messageId: number; reader: string };
  /** What happened to others in rooms the user is in. */
  members: { room: Room; change: 'added' | 'joined' | 'removed' | 'left'; name: string };
  /** The user is in the room no more. */
  'room-gone': { room: Room; reason: GoneReason };
}

export type GoneReason = 'deleted' | 'removed' | 'left';

/** What everything that waits takes. */
export interface RequestOptions {
  /** Ends the waiting; the promise rejects with `aborted`. What the server was asked for already may still happen. */
  signal?: AbortSignal | undefined;
}

/** How far a transfer is. */
export interface Progress {
  bytes: number;
  total: number;
}

/** What can be uploaded where there is no `Blob`: read a piece at a time, any piece more than once. */
export interface UploadSource {
  name: string;
  /** In bytes. */
  size: number;
  type?: string;
  /** The bytes from `start` to before `end`. */
  slice(start: number, end: number): Promise<Uint8Array>;
}
