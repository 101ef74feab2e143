import { Type } from '@parley/schema';
import { ConnectionId, MessageId, RoomId } from '../ids.ts';
import { FileInfo, Room, Visibility } from '../models.ts';
import {
  ClientMessageId,
  Content,
  FileName,
  NewPassword,
  Password,
  RoomName,
  storableText,
  UserName,
} from '../text.ts';
import { Time } from '../times.ts';
import { beginUpload, ChunkNumber, finishUpload, SequenceRange } from './files.ts';
import { method } from './method.ts';
import { createRoom, joinRoom, leaveRoom, maxParticipants } from './rooms.ts';

/*
 * What belongs to the connection itself is asked of the gateway that holds it: by a client, through its dialect;
 * `probeConnection` by a service, on the bus.
 */

export const registerAccount = method('gateway.registerAccount', {
  request: Type.Object({ name: UserName, password: NewPassword }),
  reply: Type.Object({ name: UserName }),
  errors: ['username_taken', 'rate_limited'],
});

const SessionKey = storableText(1, 256);

/** What a login asks for beside itself. */
const loginOptions = {
  /** From this login on the connection is under the integrity handshake. */
  handshake: Type.Boolean(),
  /** The connection is told who has acknowledged its user's messages. */
  receipts: Type.Boolean(),
};

/** By password, or by the key of an open session. */
export const openSession = method('gateway.openSession', {
  request: Type.Object({
    name: UserName,
    proof: Type.Union([Type.Object({ password: Password }), Type.Object({ sessionKey: SessionKey })]),
    ...loginOptions,
  }),
  reply: Type.Object({ name: UserName, sessionKey: Type.String() }),
  errors: ['invalid_credentials', 'already_logged_in', 'forbidden', 'rate_limited'],
});

/** Makes the connection a guest's, in no room yet; by the key of an earlier one that of the same guest. */
export const openGuestSession = method('gateway.openGuestSession', {
  request: Type.Object({ name: UserName, sessionKey: Type.Optional(SessionKey), ...loginOptions }),
  reply: Type.Object({ name: UserName, sessionKey: SessionKey }),
  errors: ['username_taken', 'already_logged_in', 'invalid_credentials', 'forbidden'],
});

export const closeSession = method('gateway.closeSession', {
  request: Type.Object({}),
  reply: Type.Object({ name: UserName }),
});

/** Confirmed once the message is committed. */
export const sendMessage = method('gateway.sendMessage', {
  request: Type.Object({ roomId: RoomId, content: Content, clientMessageId: Type.Optional(ClientMessageId) }),
  reply: Type.Object({
    roomId: RoomId,
    messageId: MessageId,
    sentAt: Time,
    sender: UserName,
    /** Nothing was stored or delivered: it was before. */
    repeated: Type.Boolean(),
  }),
  errors: ['room_not_found', 'not_in_room', 'rate_limited'],
});

/** Whether the connection answers a ping within 3 s. */
export const probeConnection = method('gateway.probeConnection', {
  request: Type.Object({ connectionId: ConnectionId }),
  reply: Type.Object({ alive: Type.Boolean() }),
});

/** Makes the connection a guest's, in room `default`; a guest that asks again is renamed. The lobby's list follows. */
export const identifyGuest = method('gateway.identifyGuest', {
  request: Type.Object({ name: UserName }),
  reply: Type.Object({
    name: UserName,
    /** The room it joined; undefined where it was renamed. */
    room: Type.Optional(Room),
  }),
  errors: ['username_taken', 'forbidden'],
});

export const renameSelf = method('gateway.renameSelf', {
  request: Type.Object({ newName: UserName }),
  reply: Type.Object({ name: UserName }),
  errors: ['username_taken', 'forbidden'],
});

/**
 * Makes the connection present in a room; an account becomes a member. A connection that is nobody's yet becomes that of
 * the user it says it is: of an account by a token, else of a guest.
 */
export const enterRoom = method('gateway.enterRoom', {
  request: Type.Object({
    roomId: RoomId,
    token: Type.Optional(SessionKey),
    /** What follows this message is delivered; by default what is sent from now on. */
    lastId: Type.Optional(MessageId),
  }),
  reply: Type.Object({ room: Room, name: UserName }),
  errors: ['room_not_found', 'not_in_room', 'forbidden', 'username_taken'],
});

/** Ends the connection's presence in a room; its user stays a member. */
export const exitRoom = method('gateway.exitRoom', {
  request: Type.Object({ roomId: RoomId }),
  reply: Type.Object({ roomId: RoomId }),
  errors: ['room_not_found', 'not_in_room'],
});

/** Takes the user into a room: an account becomes a member, a guest present with this connection. */
export const joinAsUser = method('gateway.joinAsUser', {
  request: Type.Object({
    roomId: RoomId,
    /** For guests: what follows this message is delivered; by default what is sent from now on. */
    lastId: Type.Optional(MessageId),
  }),
  reply: joinRoom.reply,
  errors: joinRoom.errors,
});

/** Takes the user out of a room: an account's membership ends, a guest's presence with this connection. */
export const leaveAsUser = method('gateway.leaveAsUser', {
  request: leaveRoom.request,
  reply: leaveRoom.reply,
  errors: leaveRoom.errors,
});

/** Makes a room with the user as its owner: see `createRoom`. */
export const makeRoom = method('gateway.makeRoom', {
  request: Type.Object({
    name: RoomName,
    visibility: Visibility,
    participants: Type.Array(UserName, { maxItems: maxParticipants }),
  }),
  reply: createRoom.reply,
  errors: createRoom.errors,
});

/** Makes a public room. The lobby's list is the answer, at once. */
export const createPublicRoom = method('gateway.createPublicRoom', {
  request: Type.Object({ name: RoomName }),
  reply: Type.Object({}),
  errors: ['room_exists', 'rate_limited'],
});

/** The lobby's list is the answer. */
export const showLobby = method('gateway.showLobby', { request: Type.Object({}), reply: Type.Object({}) });

/** Whether the connection is told the lobby's list, at once and whenever it changes. */
export const watchLobby = method('gateway.watchLobby', {
  request: Type.Object({ watch: Type.Boolean() }),
  reply: Type.Object({ watch: Type.Boolean() }),
});

/** Starts or resumes an upload: see `beginUpload`. Its chunks are sent over this connection. */
export const startUpload = method('gateway.startUpload', {
  request: beginUpload.request,
  reply: Type.Object({ user: UserName, received: Type.Array(SequenceRange) }),
  errors: beginUpload.errors,
});

/** Confirmed once the chunk is safe against the death of any one process. */
export const sendChunk = method('gateway.sendChunk', {
  request: Type.Object({
    roomId: RoomId,
    name: FileName,
    sequence: ChunkNumber,
    /** In standard base64 (RFC 4648, section 4). */
    data: Type.String(),
  }),
  reply: Type.Object({ user: UserName }),
  errors: ['upload_not_found', 'invalid_field', 'too_large', 'rate_limited'],
});

/** Confirmed once the file is listed; it may take as long as `ASSEMBLY_TIMEOUT_MS`. */
export const endUpload = method('gateway.endUpload', {
  request: finishUpload.request,
  reply: Type.Object({ user: UserName, file: FileInfo }),
  errors: finishUpload.errors,
});

/** Sends the file in chunks at the reader's pace, in frames of the dialect's own, before the reply. */
export const downloadFile = method('gateway.downloadFile', {
  request: Type.Object({
    roomId: RoomId,
    name: FileName,
    /** The first chunk to send, from 1; by default all are. */
    fromSequence: Type.Optional(ChunkNumber),
  }),
  reply: Type.Object({ roomId: RoomId, name: FileName }),
  errors: ['room_not_found', 'not_in_room', 'file_not_found', 'invalid_field'],
});
