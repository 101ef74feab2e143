import type { MessageSent } from '../../events.ts';
import { transactionIdOf } from '../../ids.ts';
import type { FileInfo } from '../../models.ts';
import type { EventTable } from '../define-dialect.ts';
import { fileFields, success } from './frames.ts';
import type { Frame } from './frames.ts';

/** Every event that this dialect tells: where one answers a request too, in the same words. */
export const events: EventTable<Frame> = {
  message: (event) => (event.file ? fileReceived(event, event.file) : messageReceived(event)),
  'message-delivered': ({ roomId, messageId, reader }) =>
    success('message_delivered', 'Message delivered.', {
      room_id: roomId,
      message_id: messageId,
      chatid: reader,
    }),
  'room-created': ({ roomId, roomName, owner }) =>
    success('room_created', 'Room created successfully', { room_id: roomId, room_name: roomName, owner }),
  'member-added': ({ roomId, roomName, owner, user }) =>
    success('user_added', 'User added to room successfully', {
      room_id: roomId,
      user_added: user.name,
      room_name: roomName,
      owner,
    }),
  'member-joined': ({ roomId, roomName, user }) =>
    success('room_joined', 'Room joined successfully', {
      room_id: roomId,
      room_name: roomName,
      chatid: user.name,
    }),
  'member-removed': ({ roomId, user }) =>
    success('user_removed', 'User removed from room successfully', {
      room_id: roomId,
      user_removed: user.name,
    }),
  'member-left': ({ roomId, user }) =>
    success('room_left', 'Room left successfully', { room_id: roomId, chatid: user.name }),
  'room-renamed': ({ roomId, newName }) =>
    success('room_renamed', 'Room renamed successfully', { room_id: roomId, new_room_name: newName }),
  'room-deleted': ({ roomId }) => success('room_deleted', 'Room deleted successfully', { room_id: roomId }),
  'lobby-listed': ({ rooms }) =>
    success('public_rooms', 'Public rooms.', {
      rooms: rooms.map(({ roomId, name, users }) => ({ id: roomId, name, users })),
    }),
};

function messageReceived({ roomId, id, sender, content, sentAt }: MessageSent): Frame {
  return success('receive_message', 'New message received.', {
    transaction_id: transactionIdOf(roomId, id),
    room_id: roomId,
    sender_chatid: sender,
    content,
    timestamp: sentAt,
    message_id: id,
  });
}

function fileReceived({ roomId, id, sender, sentAt }: MessageSent, file: FileInfo): Frame {
  const { sha256, ...ofSeed } = fileFields(file);
  return success('receive_file', 'New file received.', {
    room_id: roomId,
    sender_chatid: sender,
    ...ofSeed,
    timestamp: sentAt,
    transaction_id: transactionIdOf(roomId, id),
    message_id: id,
    sha256,
  });
}
