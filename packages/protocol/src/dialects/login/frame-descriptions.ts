import { Type } from '@parley/schema';
import type { TProperties } from '@parley/schema';
import { ChunkNumber, Packets, SequenceRange } from '../../contract/files.ts';
import { errorCodes } from '../../errors.ts';
import type { FrameDescription } from '../../documents/description.ts';
import { MessageId, RoomId } from '../../ids.ts';
import { LetterFrequencies } from '../../letter-frequencies.ts';
import { Role, RoomOwner, Visibility } from '../../models.ts';
import { ClientMessageId, Content, FileName, FileType, RoomName, Sha256, UserName } from '../../text.ts';
import { Time } from '../../times.ts';

const Bytes = Type.Integer({ minimum: 0 });
const Count = Type.Integer({ minimum: 0 });
const Code = Type.Unsafe<string>({ type: 'string', enum: Object.keys(errorCodes) });
const TransactionId = Type.String();

/** A notification. @param text Its message, as it is. */
function told(action: string, text: string, data: TProperties) {
  return Type.Object({
    action: Type.Literal(action),
    status: Type.Literal('success'),
    message: Type.String({ description: 'What happened, for people.', examples: [text] }),
    data: Type.Object(data),
  });
}

/** What answers a request: under the handshake it says to which exchange it belongs. */
function reply(action: string, text: string, data: TProperties) {
  return told(action, text, { ...data, transaction_id: Type.Optional(TransactionId) });
}

/** A frame that is nothing but its data. */
function bare(action: string, data: TProperties) {
  return Type.Object({ action: Type.Literal(action), data: Type.Object(data) });
}

const inRoom = { room_id: RoomId };
const ofFile = { file_path: FileName, file_size: Bytes, file_type: FileType, sha256: Sha256 };
const ofUpload = { chat_id: UserName, room_id: RoomId, file_path: FileName };

const accountFrames: Record<string, FrameDescription> = {
  register_success: {
    summary: 'The account is there; log in next.',
    isExtension: true,
    schema: reply('register_success', 'Account created successfully', { chatid: UserName }),
  },
  login_success: {
    summary: 'You are logged in.',
    schema: reply('login_success', 'Login successful', { chatid: UserName, session_key: Type.String() }),
  },
  login_fail: {
    summary:
      'The login failed: wrong name or password, which are not told apart, or the user is logged in already.',
    extensions: ['code', 'data'],
    schema: Type.Object({
      action: Type.Literal('login_fail'),
      original_action: Type.Literal('login'),
      status: Type.Literal('error'),
      message: Type.String({
        description: 'Always these words; `code` tells which.',
        examples: ['Invalid credentials or user already logged in'],
      }),
      code: Type.Unsafe<string>({
        type: 'string',
        enum: ['invalid_credentials', 'already_logged_in'],
        examples: ['invalid_credentials'],
        description: '*(ext)* Which of the two it was.',
      }),
      data: Type.Optional(Type.Object({ transaction_id: Type.Optional(TransactionId) })),
    }),
  },
  logout_success: {
    summary: 'The session is no more; this connection may log in again.',
    isExtension: true,
    schema: reply('logout_success', 'Logout successful', { chatid: UserName }),
  },
  user_renamed: {
    summary: 'The guest has another name.',
    isExtension: true,
    schema: reply('user_renamed', 'User renamed successfully', { chatid: UserName }),
  },
};

const roomFrames: Record<string, FrameDescription> = {
  room_created: {
    summary: 'The room is there. Your other connections are told too, with its name.',
    extensions: ['room_name', 'owner'],
    schema: reply('room_created', 'Room created successfully', {
      ...inRoom,
      room_name: Type.Optional(RoomName),
      owner: Type.Optional(UserName),
    }),
  },
  rooms_list: {
    summary: 'The rooms that were asked for.',
    extensions: ['visibility', 'owner', 'users', 'member'],
    shown: ['visibility'],
    schema: reply('rooms_list', 'Room list retrieved successfully.', {
      rooms: Type.Array(
        Type.Object({
          id: RoomId,
          name: RoomName,
          visibility: Type.Optional(Visibility),
          owner: RoomOwner,
          users: Count,
          member: Type.Optional(Type.Boolean()),
        }),
      ),
    }),
  },
  rooms_watched: {
    summary: 'Public rooms are told, or are told no more.',
    isExtension: true,
    schema: reply('rooms_watched', 'Public rooms are watched as asked.', { watch: Type.Boolean() }),
  },
  public_rooms: {
    summary: 'The public rooms: when one or its count changes, at most four times a second. For who watches.',
    isExtension: true,
    schema: told('public_rooms', 'Public rooms.', {
      rooms: Type.Array(Type.Object({ id: RoomId, name: RoomName, users: Count })),
    }),
  },
  user_added: {
    summary: 'The owner added a user, perhaps you.',
    extensions: ['room_name', 'owner'],
    shown: ['room_name', 'owner'],
    schema: reply('user_added', 'User added to room successfully', {
      ...inRoom,
      user_added: UserName,
      room_name: Type.Optional(RoomName),
      owner: Type.Optional(RoomOwner),
    }),
  },
  user_removed: {
    summary: 'The owner removed a user, perhaps you.',
    schema: reply('user_removed', 'User removed from room successfully', {
      ...inRoom,
      user_removed: UserName,
    }),
  },
  room_renamed: {
    summary: 'The room has another name.',
    schema: reply('room_renamed', 'Room renamed successfully', { ...inRoom, new_room_name: RoomName }),
  },
  room_deleted: {
    summary: 'The room is no more.',
    schema: reply('room_deleted', 'Room deleted successfully', inRoom),
  },
  room_joined: {
    summary: 'A user came into the room by itself, perhaps you.',
    isExtension: true,
    schema: reply('room_joined', 'Room joined successfully', {
      ...inRoom,
      room_name: RoomName,
      chatid: UserName,
    }),
  },
  room_left: {
    summary: 'A user left the room by itself, perhaps you.',
    isExtension: true,
    schema: reply('room_left', 'Room left successfully', { ...inRoom, chatid: UserName }),
  },
  room_users_list: {
    summary: 'The members of the room, by name.',
    isExtension: true,
    schema: reply('room_users_list', 'Room users retrieved successfully.', {
      ...inRoom,
      users: Type.Array(Type.Object({ chatid: UserName, online: Type.Boolean(), role: Role })),
      has_more: Type.Boolean(),
    }),
  },
};

const messageFrames: Record<string, FrameDescription> = {
  ack: {
    summary: 'Your message is committed; under the handshake also: an exchange is over.',
    extensions: ['room_id', 'message_id', 'timestamp', 'client_message_id', 'code'],
    shown: ['room_id', 'message_id', 'timestamp', 'client_message_id'],
    schema: Type.Object({
      action: Type.Literal('ack'),
      status: Type.Unsafe<string>({
        type: 'string',
        enum: ['success', 'error'],
        description: '`error`: the count was refused, and nothing was done.',
      }),
      message: Type.String({
        description: 'What happened, for people.',
        examples: ['Action processed successfully.'],
      }),
      code: Type.Optional(
        Type.Literal('handshake_mismatch', { description: '*(ext)* Of an error: the count was refused.' }),
      ),
      data: Type.Object({
        transaction_id: TransactionId,
        room_id: Type.Optional(RoomId),
        message_id: Type.Optional(MessageId),
        timestamp: Type.Optional(Time),
        client_message_id: Type.Optional(ClientMessageId),
      }),
    }),
  },
  receive_message: {
    summary: 'A message was sent to the room. Everyone present gets it but the connection that sent it.',
    extensions: ['message_id'],
    schema: told('receive_message', 'New message received.', {
      transaction_id: TransactionId,
      room_id: RoomId,
      sender_chatid: UserName,
      content: Content,
      timestamp: Time,
      message_id: MessageId,
    }),
  },
  receive_file: {
    summary: 'A file came into the room: it is a message of the room, with an id of its own.',
    extensions: ['transaction_id', 'message_id', 'sha256'],
    schema: told('receive_file', 'New file received.', {
      room_id: RoomId,
      sender_chatid: UserName,
      ...ofFile,
      timestamp: Time,
      transaction_id: TransactionId,
      message_id: MessageId,
    }),
  },
  messages_list: {
    summary: 'A page of messages.',
    extensions: ['file', 'has_more'],
    schema: reply('messages_list', 'Messages retrieved successfully.', {
      ...inRoom,
      messages: Type.Array(
        Type.Object({
          message_id: MessageId,
          sender_chatid: UserName,
          content: Content,
          timestamp: Time,
          file: Type.Optional(Type.Object(ofFile)),
        }),
      ),
      has_more: Type.Boolean(),
    }),
  },
  receipts_list: {
    summary: 'How far each member has acknowledged, by name.',
    isExtension: true,
    schema: reply('receipts_list', 'Receipts retrieved successfully.', {
      ...inRoom,
      receipts: Type.Array(Type.Object({ chatid: UserName, message_id: MessageId, at: Time })),
    }),
  },
  message_delivered: {
    summary: 'Somebody has acknowledged a message of yours. For who asked for receipts at login.',
    isExtension: true,
    schema: told('message_delivered', 'Message delivered.', {
      ...inRoom,
      message_id: MessageId,
      chatid: UserName,
    }),
  },
};

const handshakeFrames: Record<string, FrameDescription> = {
  character_count: {
    summary: 'What the server counted in a request of yours: compare it, and answer with `confirm_count`.',
    schema: bare('character_count', {
      transaction_id: Type.String({
        description: 'The exchange.',
        examples: ['exchange_0f5c2b7d9e1a4c3f8b6d7e90'],
      }),
      letter_frequencies: LetterFrequencies,
      original_action: Type.String(),
    }),
  },
  confirm_count: {
    summary: 'Whether what you counted is what the server sent. Where it is: answer with `ack`.',
    schema: bare('confirm_count', { transaction_id: TransactionId, confirm: Type.Boolean() }),
  },
};

const fileFrames: Record<string, FrameDescription> = {
  file_send_init: {
    summary: 'The chunks may come.',
    extensions: ['received'],
    schema: told('file_send_init', 'Server ready to receive file.', {
      ...ofUpload,
      received: Type.Array(SequenceRange),
    }),
  },
  file_send_data: {
    summary: 'The chunk is safe against the death of any one process.',
    schema: told('file_send_data', 'Chunk 1 received.', { ...ofUpload, sequence_number: ChunkNumber }),
  },
  file_send_fin: {
    summary: 'The file is listed, and the others are told.',
    extensions: ['file_size', 'file_type', 'sha256'],
    schema: told('file_send_fin', 'File assembled successfully.', {
      chat_id: UserName,
      ...inRoom,
      ...ofFile,
    }),
  },
  file_list_req: {
    summary: 'The files of the room.',
    extensions: ['room_id', 'files', 'has_more'],
    schema: told('file_list_req', 'File list for room room_5f0c2b7d9e1a4c3f8b6d7e90', {
      file_list: Type.String(),
      room_id: RoomId,
      files: Type.Array(Type.Object({ ...ofFile, sender_chatid: UserName, timestamp: Time })),
      has_more: Type.Boolean(),
    }),
  },
  file_down_meta: {
    summary: 'The file is about to come, in so many chunks.',
    extensions: ['file_type', 'sha256'],
    schema: told('file_down_meta', 'Starting file download.', {
      ...inRoom,
      ...ofFile,
      total_packets: Packets,
    }),
  },
  file_down_data: {
    summary: 'A chunk of the file, in order from 1.',
    schema: bare('file_down_data', {
      ...inRoom,
      file_path: FileName,
      sequence_number: ChunkNumber,
      file_data: Type.String(),
    }),
  },
  file_down_fin: {
    summary: 'That was all of it.',
    schema: told('file_down_fin', 'File download complete.', { ...inRoom, file_path: FileName }),
  },
};

const errorFrames: Record<string, FrameDescription> = {
  error: {
    summary: 'A request was refused; nothing was done.',
    extensions: ['code', 'data'],
    shown: ['data', 'retry_after_ms'],
    schema: Type.Object({
      action: Type.Literal('error'),
      original_action: Type.Union([Type.String(), Type.Null()]),
      status: Type.Literal('error'),
      message: Type.String(),
      code: Code,
      data: Type.Optional(
        Type.Object({
          field: Type.Optional(Type.String()),
          retry_after_ms: Type.Optional(Type.Integer({ minimum: 1 })),
          transaction_id: Type.Optional(TransactionId),
          users: Type.Optional(Type.Array(Type.String())),
          file_path: Type.Optional(Type.String()),
          sequence_number: Type.Optional(ChunkNumber),
          missing: Type.Optional(Type.Array(SequenceRange)),
        }),
      ),
    }),
  },
};

/** Every frame of the server. */
export const frames: Readonly<Record<string, FrameDescription>> = {
  ...accountFrames,
  ...roomFrames,
  ...messageFrames,
  ...handshakeFrames,
  ...fileFrames,
  ...errorFrames,
};
