import { listFiles } from '../../contract/files.ts';
import {
  closeSession,
  downloadFile,
  endUpload,
  joinAsUser,
  leaveAsUser,
  makeRoom,
  openGuestSession,
  openSession,
  registerAccount,
  renameSelf,
  sendChunk,
  sendMessage,
  startUpload,
  watchLobby,
} from '../../contract/gateway.ts';
import { acknowledgeEvent, confirmRequest, countEvent } from '../../contract/handshake.ts';
import { browseHistory, readHistory } from '../../contract/messages.ts';
import { listReceipts } from '../../contract/receipts.ts';
import {
  addMember,
  deleteRoom,
  listMembers,
  listRooms,
  removeMember,
  renameRoom,
} from '../../contract/rooms.ts';
import type { RoomId, UserId } from '../../ids.ts';
import { reply, request } from '../fixtures.ts';
import type {
  AnsweredFixture,
  DialectFixtures,
  EventFixture,
  ReplyFixture,
  RequestFixture,
} from '../fixtures.ts';

/*
 * The frames of seeds 000 and 001 as they are written there, and what they mean in the
 * house's own words; and the same for our extensions.
 */

const roomId = 'unique_room_id' as RoomId;

const sha256 = 'a'.repeat(64);
const named = { roomId, name: 'my_document.pdf' };
const upload = { ...named, size: 1_048_576, type: 'application/pdf', packets: 1_024 };
const chunk = { ...named, sequence: 5, data: 'BASE64_ENCODED_CHUNK_DATA...' };
const info = { name: 'my_document.pdf', size: 1_048_576, type: 'application/pdf', sha256 };

const requests: RequestFixture[] = [
  request('Login', openSession, {
    frame: { action: 'login', data: { chatid: 'user123', password: 'password123' } },
    request: { name: 'user123', proof: { password: 'password123' }, handshake: false, receipts: false },
    claimedName: 'user123',
  }),
  request('Create Room', makeRoom, {
    frame: {
      action: 'create_room',
      data: { chatid: 'user123', participants: ['user456', 'user789'], room_name: 'My Room' },
    },
    request: { name: 'My Room', visibility: 'private', participants: ['user456', 'user789'] },
    claimedName: 'user123',
  }),
  request('Send Message', sendMessage, {
    frame: {
      action: 'send_message',
      data: { chatid: 'user123', room_id: 'unique_room_id', content: 'Hello everyone!' },
    },
    request: { roomId, content: 'Hello everyone!' },
    claimedName: 'user123',
  }),
  request('Get Rooms', listRooms, {
    frame: { action: 'get_rooms', data: { chatid: 'user123' } },
    request: { scope: 'mine' },
    claimedName: 'user123',
  }),
  request('Get Messages', readHistory, {
    frame: {
      action: 'get_messages',
      data: { chatid: 'user123', room_id: 'unique_room_id', from_time: '2024-01-01T00:00:00Z' },
    },
    request: { roomId, limit: 1_000, from: '2024-01-01T00:00:00.000Z' },
    claimedName: 'user123',
  }),
  request('Add User to Room', addMember, {
    frame: {
      action: 'add_user_to_room',
      data: { chatid: 'owner123', room_id: 'unique_room_id', user_to_add: 'user456' },
    },
    request: { roomId, user: 'user456' },
    claimedName: 'owner123',
  }),
  request('Remove User from Room', removeMember, {
    frame: {
      action: 'remove_user_from_room',
      data: { chatid: 'owner123', room_id: 'unique_room_id', user_to_remove: 'user456' },
    },
    request: { roomId, user: 'user456' },
    claimedName: 'owner123',
  }),
  request('Delete Room', deleteRoom, {
    frame: { action: 'delete_room', data: { chatid: 'owner123', room_id: 'unique_room_id' } },
    request: { roomId },
    claimedName: 'owner123',
  }),
  request('Rename Room', renameRoom, {
    frame: {
      action: 'rename_room',
      data: { chatid: 'owner123', room_id: 'unique_room_id', new_room_name: 'New Room Name' },
    },
    request: { roomId, newName: 'New Room Name' },
    claimedName: 'owner123',
  }),
  // The client's part of the handshake.
  request('Character Count', countEvent, {
    frame: {
      action: 'character_count',
      data: {
        transaction_id: 'unique_transaction_id',
        letter_frequencies: { a: 10, b: 5, c: 3 },
        original_action: 'send_message',
      },
    },
    request: { transactionId: 'unique_transaction_id', letterFrequencies: { a: 10, b: 5, c: 3 } },
    claimedName: undefined,
  }),
  request('Confirm Count', confirmRequest, {
    frame: {
      action: 'confirm_count',
      data: { transaction_id: 'unique_transaction_id', confirm: true },
    },
    request: { transactionId: 'unique_transaction_id', confirm: true },
    claimedName: undefined,
  }),
  request('Ack', acknowledgeEvent, {
    frame: {
      action: 'ack',
      status: 'success',
      message: 'Action processed successfully.',
      data: { transaction_id: 'unique_transaction_id' },
    },
    request: { transactionId: 'unique_transaction_id' },
    claimedName: undefined,
  }),

  // Our extensions.
  request('register', registerAccount, {
    frame: { action: 'register', data: { chatid: 'user123', password: 'password123' } },
    request: { name: 'user123', password: 'password123' },
    claimedName: 'user123',
  }),
  request('login that resumes a session', openSession, {
    frame: { action: 'login', data: { chatid: 'user123', session_key: 'unique_session_key' } },
    request: {
      name: 'user123',
      proof: { sessionKey: 'unique_session_key' },
      handshake: false,
      receipts: false,
    },
    claimedName: 'user123',
  }),
  request('login under the handshake that asks for receipts', openSession, {
    frame: {
      action: 'login',
      data: { chatid: 'user123', password: 'password123', handshake: true, receipts: true },
    },
    request: { name: 'user123', proof: { password: 'password123' }, handshake: true, receipts: true },
    claimedName: 'user123',
  }),
  request('logout', closeSession, {
    frame: { action: 'logout', data: {} },
    request: {},
    claimedName: undefined,
  }),
  request('get_rooms of the public', listRooms, {
    frame: { action: 'get_rooms', data: { scope: 'public' } },
    request: { scope: 'public' },
    claimedName: undefined,
  }),
  request('login_as_guest', openGuestSession, {
    frame: { action: 'login_as_guest', data: { chatid: 'user123' } },
    request: { name: 'user123', handshake: false, receipts: false },
    claimedName: 'user123',
  }),
  request('login_as_guest, the same again', openGuestSession, {
    frame: {
      action: 'login_as_guest',
      data: { chatid: 'user123', session_key: 'unique_session_key', handshake: true, receipts: true },
    },
    request: { name: 'user123', sessionKey: 'unique_session_key', handshake: true, receipts: true },
    claimedName: 'user123',
  }),
  request('rename_user', renameSelf, {
    frame: { action: 'rename_user', data: { new_chatid: 'user456' } },
    request: { newName: 'user456' },
    claimedName: undefined,
  }),
  request('create_room for all', makeRoom, {
    frame: { action: 'create_room', data: { participants: [], room_name: 'My Room', visibility: 'public' } },
    request: { name: 'My Room', visibility: 'public', participants: [] },
    claimedName: undefined,
  }),
  request('watch_rooms', watchLobby, {
    frame: { action: 'watch_rooms', data: {} },
    request: { watch: true },
    claimedName: undefined,
  }),
  request('watch_rooms that ends it', watchLobby, {
    frame: { action: 'watch_rooms', data: { watch: false } },
    request: { watch: false },
    claimedName: undefined,
  }),
  request('join_room', joinAsUser, {
    frame: { action: 'join_room', data: { room_id: 'unique_room_id' } },
    request: { roomId },
    claimedName: undefined,
  }),
  request('join_room after an id', joinAsUser, {
    frame: { action: 'join_room', data: { room_id: 'unique_room_id', last_id: 7 } },
    request: { roomId, lastId: 7 },
    claimedName: undefined,
  }),
  request('leave_room', leaveAsUser, {
    frame: { action: 'leave_room', data: { room_id: 'unique_room_id' } },
    request: { roomId },
    claimedName: undefined,
  }),
  request('get_room_users', listMembers, {
    frame: { action: 'get_room_users', data: { room_id: 'unique_room_id' } },
    request: { roomId },
    claimedName: undefined,
  }),
  request('get_room_users after a name', listMembers, {
    frame: { action: 'get_room_users', data: { room_id: 'unique_room_id', after: 'user456' } },
    request: { roomId, after: 'user456' },
    claimedName: undefined,
  }),
  request('send_message with an id of the client', sendMessage, {
    frame: {
      action: 'send_message',
      data: { room_id: 'unique_room_id', content: 'Hello everyone!', client_message_id: 'c-1' },
    },
    request: { roomId, content: 'Hello everyone!', clientMessageId: 'c-1' },
    claimedName: undefined,
  }),
  request('get_messages by ids', readHistory, {
    frame: {
      action: 'get_messages',
      data: { room_id: 'unique_room_id', after_id: 0, before_id: 12, limit: 10 },
    },
    request: { roomId, after: 0, before: 12, limit: 10 },
    claimedName: undefined,
  }),
  request('get_messages without being in the room', browseHistory, {
    frame: { action: 'get_messages', data: { room_id: 'unique_room_id', limit: 10, preview: true } },
    request: { roomId, limit: 10 },
    claimedName: undefined,
  }),
  request('get_messages without a preview', readHistory, {
    frame: { action: 'get_messages', data: { room_id: 'unique_room_id', limit: 10, preview: false } },
    request: { roomId, limit: 10 },
    claimedName: undefined,
  }),
  request('get_receipts', listReceipts, {
    frame: { action: 'get_receipts', data: { room_id: 'unique_room_id' } },
    request: { roomId },
    claimedName: undefined,
  }),
  request('confirm_count that refuses', confirmRequest, {
    frame: {
      action: 'confirm_count',
      data: { transaction_id: 'unique_transaction_id', confirm: false },
    },
    request: { transactionId: 'unique_transaction_id', confirm: false },
    claimedName: undefined,
  }),
  request('ack of nothing but its transaction', acknowledgeEvent, {
    frame: { action: 'ack', data: { transaction_id: 'unique_transaction_id' } },
    request: { transactionId: 'unique_transaction_id' },
    claimedName: undefined,
  }),
  // The transfer of files: seed 001.
  request('File Send Init', startUpload, {
    frame: {
      action: 'file_send_init',
      data: {
        chat_id: 'user123',
        room_id: 'unique_room_id',
        file_path: 'my_document.pdf',
        file_size: 1_048_576,
        file_type: 'application/pdf',
        total_packets: 1_024,
      },
    },
    request: upload,
    claimedName: 'user123',
  }),
  request('File Send Init of a known hash and an unknown type', startUpload, {
    frame: {
      action: 'file_send_init',
      data: {
        room_id: 'unique_room_id',
        file_path: 'my_document.pdf',
        file_size: 1_048_576,
        total_packets: 1_024,
        sha256,
      },
    },
    request: { ...upload, type: 'application/octet-stream', sha256 },
    claimedName: undefined,
  }),
  request('File Send Data', sendChunk, {
    frame: {
      action: 'file_send_data',
      data: {
        chat_id: 'user123',
        room_id: 'unique_room_id',
        file_path: 'my_document.pdf',
        sequence_number: 5,
        file_data: 'BASE64_ENCODED_CHUNK_DATA...',
      },
    },
    request: chunk,
    claimedName: 'user123',
  }),
  request('File Send Fin', endUpload, {
    frame: {
      action: 'file_send_fin',
      data: {
        chat_id: 'user123',
        room_id: 'unique_room_id',
        file_path: 'my_document.pdf',
        total_packets: 1_024,
      },
    },
    request: { ...named, packets: 1_024 },
    claimedName: 'user123',
  }),
  request('File List Request', listFiles, {
    frame: { action: 'file_list_req', data: { chat_id: 'user123', room_id: 'unique_room_id' } },
    request: { roomId },
    claimedName: 'user123',
  }),
  request('File List Request after a name', listFiles, {
    frame: { action: 'file_list_req', data: { room_id: 'unique_room_id', after: 'image.jpg' } },
    request: { roomId, after: 'image.jpg' },
    claimedName: undefined,
  }),
  request('File Download Request', downloadFile, {
    frame: {
      action: 'file_down_req',
      data: { chat_id: 'user456', room_id: 'unique_room_id', file_path: 'my_document.pdf' },
    },
    request: named,
    claimedName: 'user456',
  }),
  request('File Download Request that goes on', downloadFile, {
    frame: {
      action: 'file_down_req',
      data: { room_id: 'unique_room_id', file_path: 'my_document.pdf', from_sequence: 3 },
    },
    request: { ...named, fromSequence: 3 },
    claimedName: undefined,
  }),
];

/** Requests that nothing answers: they are answers themselves. */
const unanswered: AnsweredFixture[] = [
  reply('confirm_count', confirmRequest, {
    action: 'confirm_count',
    request: { transactionId: 'unique_transaction_id', confirm: true },
    reply: undefined,
  }),
  reply('ack', acknowledgeEvent, {
    action: 'ack',
    request: { transactionId: 'unique_transaction_id' },
    reply: undefined,
  }),
];

const user456 = { userId: 'user_000000000000000000000456' as UserId, name: 'user456' };
const user123 = { userId: 'user_000000000000000000000123' as UserId, name: 'user123' };
const file = { name: 'uploaded_file.txt', size: 1024, type: 'text/plain', sha256: 'f0'.repeat(32) };
const room = { roomId, name: 'My Room', visibility: 'private', owner: 'user123' } as const;
const publicRoom = { roomId, name: 'My Room', visibility: 'public', owner: null } as const;

const replies: ReplyFixture[] = [
  reply('Login Success', openSession, {
    action: 'login',
    request: { name: 'user123', proof: { password: 'password123' }, handshake: false, receipts: false },
    reply: { name: 'user123', sessionKey: 'unique_session_key' },
    frame: {
      action: 'login_success',
      status: 'success',
      message: 'Login successful',
      data: { chatid: 'user123', session_key: 'unique_session_key' },
    },
  }),
  reply('Room Created', makeRoom, {
    action: 'create_room',
    request: { name: 'My Room', visibility: 'private', participants: [] },
    reply: room,
    frame: {
      action: 'room_created',
      status: 'success',
      message: 'Room created successfully',
      data: { room_id: 'unique_room_id' },
    },
  }),
  reply('Get Rooms', listRooms, {
    action: 'get_rooms',
    request: { scope: 'mine' },
    reply: {
      rooms: [
        { ...room, roomId: 'unique_room_id_1' as RoomId, name: 'Room One', member: true, users: 1 },
        { ...publicRoom, roomId: 'unique_room_id_2' as RoomId, name: 'Room Two', member: true, users: 0 },
      ],
    },
    frame: {
      action: 'rooms_list',
      status: 'success',
      message: 'Room list retrieved successfully.',
      data: {
        rooms: [
          { id: 'unique_room_id_1', name: 'Room One', visibility: 'private', owner: 'user123', users: 1 },
          { id: 'unique_room_id_2', name: 'Room Two', visibility: 'public', owner: null, users: 0 },
        ],
      },
    },
  }),
  reply('Get Messages', readHistory, {
    action: 'get_messages',
    request: { roomId, limit: 1_000 },
    reply: {
      roomId,
      messages: [
        {
          id: 1,
          senderId: user123.userId,
          sender: 'user123',
          content: 'Hi!',
          sentAt: '2024-01-01T12:00:00.000Z',
        },
        {
          id: 2,
          senderId: user456.userId,
          sender: 'user456',
          content: 'Hello!',
          sentAt: '2024-01-01T12:01:00.000Z',
        },
      ],
      hasMore: false,
    },
    frame: {
      action: 'messages_list',
      status: 'success',
      message: 'Messages retrieved successfully.',
      data: {
        room_id: 'unique_room_id',
        messages: [
          {
            message_id: 1,
            sender_chatid: 'user123',
            content: 'Hi!',
            timestamp: '2024-01-01T12:00:00.000Z',
          },
          {
            message_id: 2,
            sender_chatid: 'user456',
            content: 'Hello!',
            timestamp: '2024-01-01T12:01:00.000Z',
          },
        ],
      },
    },
    added: { has_more: false },
  }),
  reply('User Added', addMember, {
    action: 'add_user_to_room',
    request: { roomId, user: 'user456' },
    reply: { roomId, user: user456 },
    frame: {
      action: 'user_added',
      status: 'success',
      message: 'User added to room successfully',
      data: { room_id: 'unique_room_id', user_added: 'user456' },
    },
  }),
  reply('User Removed', removeMember, {
    action: 'remove_user_from_room',
    request: { roomId, user: 'user456' },
    reply: { roomId, user: user456 },
    frame: {
      action: 'user_removed',
      status: 'success',
      message: 'User removed from room successfully',
      data: { room_id: 'unique_room_id', user_removed: 'user456' },
    },
  }),
  reply('Room Deleted', deleteRoom, {
    action: 'delete_room',
    request: { roomId },
    reply: { roomId },
    frame: {
      action: 'room_deleted',
      status: 'success',
      message: 'Room deleted successfully',
      data: { room_id: 'unique_room_id' },
    },
  }),
  reply('Room Renamed', renameRoom, {
    action: 'rename_room',
    request: { roomId, newName: 'New Room Name' },
    reply: { ...room, name: 'New Room Name' },
    frame: {
      action: 'room_renamed',
      status: 'success',
      message: 'Room renamed successfully',
      data: { room_id: 'unique_room_id', new_room_name: 'New Room Name' },
    },
  }),
  // Without the handshake a message's `ack` carries the message's own id, and more.
  reply('Ack', sendMessage, {
    action: 'send_message',
    request: { roomId, content: 'Hello everyone!', clientMessageId: 'c-1' },
    reply: {
      roomId,
      messageId: 7,
      sentAt: '2024-01-01T12:00:00.000Z',
      sender: 'user123',
      repeated: false,
    },
    frame: {
      action: 'ack',
      status: 'success',
      message: 'Action processed successfully.',
      data: { transaction_id: 'unique_room_id.7' },
    },
    added: {
      room_id: 'unique_room_id',
      message_id: 7,
      timestamp: '2024-01-01T12:00:00.000Z',
      client_message_id: 'c-1',
    },
  }),
  reply('Confirm Count', countEvent, {
    action: 'character_count',
    request: { transactionId: 'unique_transaction_id', letterFrequencies: { a: 10, b: 5, c: 3 } },
    reply: { transactionId: 'unique_transaction_id', confirm: true },
    frame: {
      action: 'confirm_count',
      data: { transaction_id: 'unique_transaction_id', confirm: true },
    },
  }),

  // Our extensions.
  reply('register_success', registerAccount, {
    action: 'register',
    request: { name: 'user123', password: 'password123' },
    reply: { name: 'user123' },
    frame: {
      action: 'register_success',
      status: 'success',
      message: 'Account created successfully',
      data: { chatid: 'user123' },
    },
  }),
  reply('logout_success', closeSession, {
    action: 'logout',
    request: {},
    reply: { name: 'user123' },
    frame: {
      action: 'logout_success',
      status: 'success',
      message: 'Logout successful',
      data: { chatid: 'user123' },
    },
  }),
  reply('login_success of a guest', openGuestSession, {
    action: 'login_as_guest',
    request: { name: 'user123', handshake: false, receipts: false },
    reply: { name: 'user123', sessionKey: 'unique_session_key' },
    frame: {
      action: 'login_success',
      status: 'success',
      message: 'Login successful',
      data: { chatid: 'user123', session_key: 'unique_session_key' },
    },
  }),
  reply('user_renamed', renameSelf, {
    action: 'rename_user',
    request: { newName: 'user456' },
    reply: { name: 'user456' },
    frame: {
      action: 'user_renamed',
      status: 'success',
      message: 'User renamed successfully',
      data: { chatid: 'user456' },
    },
  }),
  reply('rooms_watched', watchLobby, {
    action: 'watch_rooms',
    request: { watch: true },
    reply: { watch: true },
    frame: {
      action: 'rooms_watched',
      status: 'success',
      message: 'Public rooms are watched as asked.',
      data: { watch: true },
    },
  }),
  reply('rooms_list of the public', listRooms, {
    action: 'get_rooms',
    request: { scope: 'public' },
    reply: {
      rooms: [{ ...publicRoom, name: 'Room One', owner: 'user456', member: false, users: 3 }],
    },
    frame: {
      action: 'rooms_list',
      status: 'success',
      message: 'Room list retrieved successfully.',
      data: {
        rooms: [{ id: 'unique_room_id', name: 'Room One', users: 3, owner: 'user456', member: false }],
      },
    },
  }),
  reply('messages_list with a file, and more behind', readHistory, {
    action: 'get_messages',
    request: { roomId, limit: 1 },
    reply: {
      roomId,
      messages: [
        {
          id: 2,
          senderId: user123.userId,
          sender: 'user123',
          content: 'uploaded_file.txt',
          sentAt: '2024-01-01T12:05:00.000Z',
          file,
        },
      ],
      hasMore: true,
    },
    frame: {
      action: 'messages_list',
      status: 'success',
      message: 'Messages retrieved successfully.',
      data: {
        room_id: 'unique_room_id',
        messages: [
          {
            message_id: 2,
            sender_chatid: 'user123',
            content: 'uploaded_file.txt',
            timestamp: '2024-01-01T12:05:00.000Z',
            file: {
              file_path: 'uploaded_file.txt',
              file_size: 1024,
              file_type: 'text/plain',
              sha256: file.sha256,
            },
          },
        ],
      },
    },
    added: { has_more: true },
  }),
  reply('room_joined', joinAsUser, {
    action: 'join_room',
    request: { roomId },
    reply: { room, user: user456 },
    frame: {
      action: 'room_joined',
      status: 'success',
      message: 'Room joined successfully',
      data: { room_id: 'unique_room_id', room_name: 'My Room', chatid: 'user456' },
    },
  }),
  reply('room_left', leaveAsUser, {
    action: 'leave_room',
    request: { roomId },
    reply: { roomId, user: user456 },
    frame: {
      action: 'room_left',
      status: 'success',
      message: 'Room left successfully',
      data: { room_id: 'unique_room_id', chatid: 'user456' },
    },
  }),
  reply('room_users_list', listMembers, {
    action: 'get_room_users',
    request: { roomId },
    reply: {
      roomId,
      members: [
        { name: 'user123', online: true, role: 'owner' },
        { name: 'user456', online: false, role: 'member' },
      ],
      hasMore: true,
    },
    frame: {
      action: 'room_users_list',
      status: 'success',
      message: 'Room users retrieved successfully.',
      data: {
        room_id: 'unique_room_id',
        users: [
          { chatid: 'user123', online: true, role: 'owner' },
          { chatid: 'user456', online: false, role: 'member' },
        ],
        has_more: true,
      },
    },
  }),
  reply('ack of a message without an id of the client', sendMessage, {
    action: 'send_message',
    request: { roomId, content: 'Hello everyone!' },
    reply: {
      roomId,
      messageId: 7,
      sentAt: '2024-01-01T12:00:00.000Z',
      sender: 'user123',
      repeated: true,
    },
    frame: {
      action: 'ack',
      status: 'success',
      message: 'Action processed successfully.',
      data: {
        transaction_id: 'unique_room_id.7',
        room_id: 'unique_room_id',
        message_id: 7,
        timestamp: '2024-01-01T12:00:00.000Z',
      },
    },
  }),
  reply('receipts_list', listReceipts, {
    action: 'get_receipts',
    request: { roomId },
    reply: {
      roomId,
      receipts: [
        { name: 'user123', position: 0, at: '2024-01-01T12:00:00.000Z' },
        { name: 'user456', position: 7, at: '2024-01-01T12:01:00.000Z' },
      ],
    },
    frame: {
      action: 'receipts_list',
      status: 'success',
      message: 'Receipts retrieved successfully.',
      data: {
        room_id: 'unique_room_id',
        receipts: [
          { chatid: 'user123', message_id: 0, at: '2024-01-01T12:00:00.000Z' },
          { chatid: 'user456', message_id: 7, at: '2024-01-01T12:01:00.000Z' },
        ],
      },
    },
  }),
  reply('confirm_count of a count that differs', countEvent, {
    action: 'character_count',
    request: { transactionId: 'unique_transaction_id', letterFrequencies: {} },
    reply: { transactionId: 'unique_transaction_id', confirm: false },
    frame: {
      action: 'confirm_count',
      data: { transaction_id: 'unique_transaction_id', confirm: false },
    },
  }),
  reply('File Send Init Ack', startUpload, {
    action: 'file_send_init',
    request: upload,
    reply: { user: 'user123', received: [[1, 3]] },
    frame: {
      action: 'file_send_init',
      status: 'success',
      message: 'Server ready to receive file.',
      data: { chat_id: 'user123', room_id: 'unique_room_id', file_path: 'my_document.pdf' },
    },
    added: { received: [[1, 3]] },
  }),
  reply('File Send Data Ack', sendChunk, {
    action: 'file_send_data',
    request: chunk,
    reply: { user: 'user123' },
    frame: {
      action: 'file_send_data',
      status: 'success',
      message: 'Chunk 5 received.',
      data: {
        chat_id: 'user123',
        room_id: 'unique_room_id',
        file_path: 'my_document.pdf',
        sequence_number: 5,
      },
    },
  }),
  reply('File Send Fin Ack', endUpload, {
    action: 'file_send_fin',
    request: { ...named, packets: 1_024 },
    reply: { user: 'user123', file: info },
    frame: {
      action: 'file_send_fin',
      status: 'success',
      message: 'File assembled successfully.',
      data: { chat_id: 'user123', room_id: 'unique_room_id', file_path: 'my_document.pdf' },
    },
    added: { file_size: 1_048_576, file_type: 'application/pdf', sha256 },
  }),
  reply('File List Response', listFiles, {
    action: 'file_list_req',
    request: { roomId },
    reply: {
      files: ['file1.txt', 'image.jpg', 'report.pdf'].map((name) => ({
        ...info,
        name,
        sender: 'user123',
        sentAt: '2024-01-01T12:00:00.000Z',
      })),
      hasMore: false,
    },
    frame: {
      action: 'file_list_req',
      status: 'success',
      message: 'File list for room unique_room_id',
      data: { file_list: 'file1.txt, image.jpg, report.pdf' },
    },
    added: {
      room_id: 'unique_room_id',
      files: ['file1.txt', 'image.jpg', 'report.pdf'].map((name) => ({
        file_path: name,
        file_size: 1_048_576,
        file_type: 'application/pdf',
        sender_chatid: 'user123',
        timestamp: '2024-01-01T12:00:00.000Z',
        sha256,
      })),
      has_more: false,
    },
  }),
  reply('File Download Fin', downloadFile, {
    action: 'file_down_req',
    request: named,
    reply: named,
    frame: {
      action: 'file_down_fin',
      status: 'success',
      message: 'File download complete.',
      data: { room_id: 'unique_room_id', file_path: 'my_document.pdf' },
    },
  }),
];

const events: EventFixture[] = [
  {
    title: 'Receive Message',
    event: {
      type: 'message',
      roomId,
      id: 1,
      senderId: user123.userId,
      sender: 'user123',
      content: 'Hello everyone!',
      sentAt: '2024-01-01T12:00:00.000Z',
    },
    frame: {
      action: 'receive_message',
      status: 'success',
      message: 'New message received.',
      data: {
        transaction_id: 'unique_room_id.1',
        room_id: 'unique_room_id',
        sender_chatid: 'user123',
        content: 'Hello everyone!',
        timestamp: '2024-01-01T12:00:00.000Z',
      },
    },
    added: { message_id: 1 },
  },
  {
    title: 'Receive File',
    event: {
      type: 'message',
      roomId,
      id: 2,
      senderId: user123.userId,
      sender: 'user123',
      content: 'uploaded_file.txt',
      sentAt: '2024-01-01T12:05:00.000Z',
      file,
    },
    frame: {
      action: 'receive_file',
      status: 'success',
      message: 'New file received.',
      data: {
        room_id: 'unique_room_id',
        sender_chatid: 'user123',
        file_path: 'uploaded_file.txt',
        file_size: 1024,
        file_type: 'text/plain',
        timestamp: '2024-01-01T12:05:00.000Z',
      },
    },
    added: { transaction_id: 'unique_room_id.2', message_id: 2, sha256: file.sha256 },
  },
  {
    title: 'Room Created, on the other connections of its creator',
    event: { type: 'room-created', roomId, roomName: 'My Room', owner: 'user123' },
    frame: {
      action: 'room_created',
      status: 'success',
      message: 'Room created successfully',
      data: { room_id: 'unique_room_id' },
    },
    added: { room_name: 'My Room', owner: 'user123' },
  },
  {
    title: 'User Added',
    event: { type: 'member-added', roomId, roomName: 'My Room', owner: 'user123', user: user456 },
    frame: {
      action: 'user_added',
      status: 'success',
      message: 'User added to room successfully',
      data: { room_id: 'unique_room_id', user_added: 'user456' },
    },
    added: { room_name: 'My Room', owner: 'user123' },
  },
  {
    title: 'User Removed',
    event: { type: 'member-removed', roomId, user: user456 },
    frame: {
      action: 'user_removed',
      status: 'success',
      message: 'User removed from room successfully',
      data: { room_id: 'unique_room_id', user_removed: 'user456' },
    },
  },
  {
    title: 'Room Deleted',
    event: { type: 'room-deleted', roomId, roomName: 'My Room' },
    frame: {
      action: 'room_deleted',
      status: 'success',
      message: 'Room deleted successfully',
      data: { room_id: 'unique_room_id' },
    },
  },
  {
    title: 'Room Renamed',
    event: { type: 'room-renamed', roomId, oldName: 'My Room', newName: 'New Room Name' },
    frame: {
      action: 'room_renamed',
      status: 'success',
      message: 'Room renamed successfully',
      data: { room_id: 'unique_room_id', new_room_name: 'New Room Name' },
    },
  },
  // Our extensions.
  {
    title: 'message_delivered',
    event: { type: 'message-delivered', roomId, messageId: 7, reader: 'user456' },
    frame: {
      action: 'message_delivered',
      status: 'success',
      message: 'Message delivered.',
      data: { room_id: 'unique_room_id', message_id: 7, chatid: 'user456' },
    },
  },
  {
    title: 'room_joined',
    event: { type: 'member-joined', roomId, roomName: 'My Room', user: user456 },
    frame: {
      action: 'room_joined',
      status: 'success',
      message: 'Room joined successfully',
      data: { room_id: 'unique_room_id', room_name: 'My Room', chatid: 'user456' },
    },
  },
  {
    title: 'room_left',
    event: { type: 'member-left', roomId, user: user456 },
    frame: {
      action: 'room_left',
      status: 'success',
      message: 'Room left successfully',
      data: { room_id: 'unique_room_id', chatid: 'user456' },
    },
  },
  {
    title: 'public_rooms',
    event: { type: 'lobby-listed', rooms: [{ roomId, name: 'My Room', users: 3 }] },
    frame: {
      action: 'public_rooms',
      status: 'success',
      message: 'Public rooms.',
      data: { rooms: [{ id: 'unique_room_id', name: 'My Room', users: 3 }] },
    },
  },
];

export const loginFixtures: DialectFixtures = {
  requests,
  replies,
  unanswered,
  events,
  untold: ['user-joined', 'user-left', 'presence-ended'],
};
