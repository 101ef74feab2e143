import { enterRoom, exitRoom, sendMessage } from '../../contract/gateway.ts';
import type { RoomId } from '../../ids.ts';
import { fixtureUserId as senderId, reply, request } from '../fixtures.ts';
import type {
  AnsweredFixture,
  DialectFixtures,
  EventFixture,
  ReplyFixture,
  RequestFixture,
} from '../fixtures.ts';

/*
 * The WebSocket frames of seed 003 as they are written there, and what they mean in the house's own words; and the same
 * for our extensions.
 */

const roomId = 'room_12345' as RoomId;
const sentAt = '2024-12-10T12:10:00.000Z';
const room = { roomId, name: 'TechTalk', visibility: 'public', owner: 'john_doe' } as const;
const file = { name: '50 % off?.pdf', size: 1024, type: 'application/pdf', sha256: 'f0'.repeat(32) };

const requests: RequestFixture[] = [
  request('join', enterRoom, {
    frame: { action: 'join', username: 'john_doe', roomId: 'room_12345' },
    request: { roomId },
    claimedName: 'john_doe',
  }),
  request('send-message', sendMessage, {
    frame: { action: 'send-message', roomId: 'room_12345', message: 'Hello, everyone!' },
    request: { roomId, content: 'Hello, everyone!' },
  }),
  request('leave', exitRoom, {
    frame: { action: 'leave', username: 'john_doe', roomId: 'room_12345' },
    request: { roomId },
    claimedName: 'john_doe',
  }),

  // Our extensions.
  request('join with a token, after a message', enterRoom, {
    frame: { action: 'join', username: 'john_doe', roomId: 'room_12345', token: 'abcd1234', lastId: 41 },
    request: { roomId, token: 'abcd1234', lastId: 41 },
    claimedName: 'john_doe',
  }),
  request('send-message with an id of the client', sendMessage, {
    frame: {
      action: 'send-message',
      roomId: 'room_12345',
      message: 'Hello, everyone!',
      clientMessageId: 'c-1',
      username: 'john_doe',
    },
    request: { roomId, content: 'Hello, everyone!', clientMessageId: 'c-1' },
    claimedName: 'john_doe',
  }),
  request('leave that does not say who leaves', exitRoom, {
    frame: { action: 'leave', roomId: 'room_12345' },
    request: { roomId },
  }),
];

const replies: ReplyFixture[] = [
  reply('joined', enterRoom, {
    action: 'join',
    request: { roomId },
    reply: { room, name: 'john_doe' },
    frame: { action: 'joined', roomId: 'room_12345', message: 'Welcome to TechTalk!' },
  }),
  reply('new-message, which was sent before', sendMessage, {
    action: 'send-message',
    request: { roomId, content: 'Hello, everyone!', clientMessageId: 'c-1' },
    reply: { roomId, messageId: 7, sentAt, sender: 'john_doe', repeated: true },
    frame: {
      action: 'new-message',
      roomId: 'room_12345',
      sender: 'john_doe',
      message: 'Hello, everyone!',
      timestamp: sentAt,
    },
    added: { id: 7, clientMessageId: 'c-1' },
  }),

  // Our extensions.
  reply('left', exitRoom, {
    action: 'leave',
    request: { roomId },
    reply: { roomId },
    frame: { action: 'left', roomId: 'room_12345' },
  }),
];

const unanswered: AnsweredFixture[] = [
  reply('send-message, but the message as all get it', sendMessage, {
    action: 'send-message',
    request: { roomId, content: 'Hello, everyone!', clientMessageId: 'c-1' },
    reply: { roomId, messageId: 7, sentAt, sender: 'john_doe', repeated: false },
  }),
];

const events: EventFixture[] = [
  {
    title: 'user-joined',
    event: { type: 'user-joined', roomId, user: 'john_doe' },
    frame: { action: 'user-joined', username: 'john_doe' },
    added: { roomId: 'room_12345' },
  },
  {
    title: 'new-message',
    event: {
      type: 'message',
      roomId,
      roomName: 'TechTalk',
      id: 1,
      senderId,
      sender: 'john_doe',
      content: 'Hello, everyone!',
      sentAt,
    },
    frame: {
      action: 'new-message',
      roomId: 'room_12345',
      sender: 'john_doe',
      message: 'Hello, everyone!',
      timestamp: sentAt,
    },
    added: { id: 1 },
  },
  {
    title: 'user-left',
    event: { type: 'user-left', roomId, user: 'john_doe' },
    frame: { action: 'user-left', username: 'john_doe' },
    added: { roomId: 'room_12345' },
  },

  // Our extensions.
  {
    title: 'file',
    event: { type: 'message', roomId, id: 2, senderId, sender: 'john_doe', content: file.name, sentAt, file },
    frame: {
      action: 'file',
      roomId: 'room_12345',
      sender: 'john_doe',
      file,
      url: '/api/rooms/room_12345/files/50%20%25%20off%3F.pdf',
      timestamp: sentAt,
      id: 2,
    },
  },
  {
    title: 'room-renamed',
    event: { type: 'room-renamed', roomId, oldName: 'TechTalk', newName: 'GamingZone' },
    frame: { action: 'room-renamed', roomId: 'room_12345', roomName: 'GamingZone' },
  },
  {
    title: 'room-deleted',
    event: { type: 'room-deleted', roomId, roomName: 'TechTalk' },
    frame: { action: 'room-deleted', roomId: 'room_12345' },
  },
  {
    title: 'left, when the room was left for the user',
    event: { type: 'presence-ended', roomId, roomName: 'TechTalk' },
    frame: { action: 'left', roomId: 'room_12345' },
  },
];

export const joinFixtures: DialectFixtures = {
  requests,
  replies,
  unanswered,
  events,
  untold: [
    ...(['message-delivered', 'room-created', 'lobby-listed'] as const),
    ...(['member-added', 'member-joined', 'member-removed', 'member-left'] as const),
  ],
};
