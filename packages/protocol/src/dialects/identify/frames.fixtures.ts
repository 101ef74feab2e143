import {
  createPublicRoom,
  enterRoom,
  exitRoom,
  identifyGuest,
  renameSelf,
  sendMessage,
  showLobby,
} from '../../contract/gateway.ts';
import { browseHistory } from '../../contract/messages.ts';
import { deleteRoom } from '../../contract/rooms.ts';
import { defaultRoomId } from '../../ids.ts';
import type { RoomId } from '../../ids.ts';
import { fixtureRoomId as roomId, fixtureUserId as senderId, reply, request } from '../fixtures.ts';
import type {
  AnsweredFixture,
  DialectFixtures,
  EventFixture,
  ReplyFixture,
  RequestFixture,
} from '../fixtures.ts';

/*
 * The frames of seed 002 in its order, with words in place of its `string`, and what they mean in the house's own words;
 * and the same for our extensions.
 */

const roomName = 'tea';
const sentAt = '2024-01-01T12:00:00.000Z';
const room = { roomId, name: roomName, visibility: 'public', owner: 'anna' } as const;
const file = { name: 'tea & cake.txt', size: 1024, type: 'text/plain', sha256: 'f0'.repeat(32) };
const url = '/api/rooms/room_0123456789abcdef01234567/files/tea%20%26%20cake.txt';

const requests: RequestFixture[] = [
  request('1) Identify', identifyGuest, {
    frame: { action: 'identify', payload: { username: 'anna' } },
    request: { name: 'anna' },
  }),
  request('2) Create Room', createPublicRoom, {
    frame: { action: 'createRoom', payload: { room: 'tea' } },
    request: { name: 'tea' },
  }),
  request('3) Join Room', enterRoom, {
    frame: { action: 'joinRoom', payload: { room: 'tea' } },
    request: {},
    roomName,
  }),
  request('4) Leave Room', exitRoom, {
    frame: { action: 'leaveRoom', payload: { room: 'tea' } },
    request: {},
    roomName,
  }),
  request('5) Send Message', sendMessage, {
    frame: { action: 'sendMessage', payload: { message: 'hello', room: 'tea' } },
    request: { content: 'hello' },
    roomName,
  }),
  request('6) Delete Room', deleteRoom, {
    frame: { action: 'deleteRoom', payload: { room: 'tea' } },
    request: {},
    roomName,
  }),
  request('7) Rename User', renameSelf, {
    frame: { action: 'rename', payload: { newUsername: 'anne' } },
    request: { newName: 'anne' },
  }),

  // Our extensions.
  request('sendMessage with an id of the client', sendMessage, {
    frame: { action: 'sendMessage', payload: { message: 'hello', room: 'tea', clientMessageId: 'c-1' } },
    request: { content: 'hello', clientMessageId: 'c-1' },
    roomName,
  }),
  request('roomsList that asks for the list', showLobby, {
    frame: { action: 'roomsList', payload: {} },
    request: {},
  }),
  request('history', browseHistory, {
    frame: { action: 'history', payload: { room: 'tea' } },
    request: { limit: 100 },
    roomName,
  }),
  request('history by ids', browseHistory, {
    frame: { action: 'history', payload: { room: 'tea', before: 12, after: 0, limit: 10 } },
    request: { limit: 10, before: 12, after: 0 },
    roomName,
  }),
];

const replies: ReplyFixture[] = [
  reply('2) Joined, by identify', identifyGuest, {
    action: 'identify',
    request: { name: 'anna' },
    reply: { name: 'anna', room: { ...room, name: 'default', owner: null } },
    frame: { action: 'joined', payload: { room: 'default' } },
  }),
  reply('2) Joined, by joinRoom', enterRoom, {
    action: 'joinRoom',
    roomName,
    request: { roomId },
    reply: { room, name: 'anna' },
    frame: { action: 'joined', payload: { room: 'tea' } },
  }),
  reply('4) Left, by leaveRoom', exitRoom, {
    action: 'leaveRoom',
    roomName,
    request: { roomId },
    reply: { roomId },
    frame: { action: 'left', payload: { room: 'tea' } },
  }),
  reply('4) Left, by deleteRoom', deleteRoom, {
    action: 'deleteRoom',
    roomName,
    request: { roomId },
    reply: { roomId },
    frame: { action: 'left', payload: { room: 'tea' } },
  }),
  reply('3) Chat Message, which was sent before', sendMessage, {
    action: 'sendMessage',
    roomName,
    request: { roomId, content: 'hello', clientMessageId: 'c-1' },
    reply: { roomId, messageId: 7, sentAt, sender: 'anna', repeated: true },
    frame: { action: 'message', payload: { from: 'anna', room: 'tea', message: 'hello' } },
    added: { id: 7, timestamp: sentAt, clientMessageId: 'c-1' },
  }),

  // Our extensions.
  reply('renamed', renameSelf, {
    action: 'rename',
    request: { newName: 'anne' },
    reply: { name: 'anne' },
    frame: { action: 'renamed', payload: { username: 'anne' } },
  }),
  reply('renamed, by a second identify', identifyGuest, {
    action: 'identify',
    request: { name: 'anne' },
    reply: { name: 'anne' },
    frame: { action: 'renamed', payload: { username: 'anne' } },
  }),
  reply('history', browseHistory, {
    action: 'history',
    roomName,
    request: { roomId, limit: 100 },
    reply: {
      roomId,
      messages: [
        { id: 1, senderId, sender: 'anna', content: 'hello', sentAt },
        { id: 2, senderId, sender: 'anna', content: file.name, sentAt, file },
      ],
      hasMore: true,
    },
    frame: {
      action: 'history',
      payload: {
        room: 'tea',
        messages: [
          { id: 1, from: 'anna', message: 'hello', timestamp: sentAt },
          { id: 2, from: 'anna', message: 'tea & cake.txt', timestamp: sentAt, file, url },
        ],
        has_more: true,
      },
    },
  }),
];

const unanswered: AnsweredFixture[] = [
  reply('createRoom, but the list of rooms', createPublicRoom, {
    action: 'createRoom',
    request: { name: 'tea' },
    reply: {},
  }),
  reply('roomsList, but the list of rooms', showLobby, { action: 'roomsList', request: {}, reply: {} }),
  reply('sendMessage, but the message as all get it', sendMessage, {
    action: 'sendMessage',
    roomName,
    request: { roomId, content: 'hello', clientMessageId: 'c-1' },
    reply: { roomId, messageId: 7, sentAt, sender: 'anna', repeated: false },
  }),
];

const events: EventFixture[] = [
  {
    title: '1) Rooms List',
    event: {
      type: 'lobby-listed',
      rooms: [
        { roomId: 'unique_room_id_1' as RoomId, name: 'room_name_1', users: 3 },
        { roomId: 'unique_room_id_2' as RoomId, name: 'room_name_2', users: 1 },
        { roomId: defaultRoomId, name: 'default', users: 5 },
      ],
    },
    frame: { action: 'roomsList', payload: { rooms: { room_name_1: 3, room_name_2: 1, default: 5 } } },
  },
  {
    title: '3) Chat Message',
    event: { type: 'message', roomId, roomName, id: 1, senderId, sender: 'anna', content: 'hello', sentAt },
    frame: { action: 'message', payload: { from: 'anna', room: 'tea', message: 'hello' } },
    added: { id: 1, timestamp: sentAt },
  },
  {
    title: '4) Left, when the room is deleted',
    event: { type: 'room-deleted', roomId, roomName },
    frame: { action: 'left', payload: { room: 'tea' } },
  },
  {
    title: '4) Left, when the room was left for the user',
    event: { type: 'presence-ended', roomId, roomName },
    frame: { action: 'left', payload: { room: 'tea' } },
  },
  {
    title: '4) Left and 2) Joined, when the room has another name',
    event: { type: 'room-renamed', roomId, oldName: 'tea', newName: 'coffee' },
    frame: { action: 'left', payload: { room: 'tea' } },
    then: { frame: { action: 'joined', payload: { room: 'coffee' } } },
  },

  // Our extensions.
  {
    title: 'file',
    event: {
      type: 'message',
      roomId,
      roomName,
      id: 2,
      senderId,
      sender: 'anna',
      content: file.name,
      sentAt,
      file,
    },
    frame: { action: 'file', payload: { from: 'anna', room: 'tea', file, url, id: 2, timestamp: sentAt } },
  },
];

export const identifyFixtures: DialectFixtures = {
  requests,
  replies,
  unanswered,
  events,
  untold: [
    ...(['message-delivered', 'user-joined', 'user-left', 'room-created'] as const),
    ...(['member-added', 'member-joined', 'member-removed', 'member-left'] as const),
  ],
};
