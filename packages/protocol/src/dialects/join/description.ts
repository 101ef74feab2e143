import { Type } from '@parley/schema';
import { errorCodes } from '../../errors.ts';
import type { DialectDescription, FrameDescription, Words } from '../../documents/description.ts';
import {
  camelCaseWords,
  contentRule,
  exampleValues,
  nameRule,
  repeatRule,
} from '../../documents/shared-words.ts';
import { MessageId, RoomId } from '../../ids.ts';
import { FileInfo } from '../../models.ts';
import { Content, RoomName, UserName } from '../../text.ts';
import { Time } from '../../times.ts';
import { joinDialect } from './index.ts';
import { requests } from './requests.ts';

const words: Words = {
  ...camelCaseWords,
  username: { description: `The user's name. ${nameRule}`, example: 'john_doe' },
  'join.username': {
    description: `Who joins: the account whose token it is; without a token a guest of that name. ${nameRule}`,
    example: 'john_doe',
  },
  'send-message.username': {
    description: "Who speaks: the connection's own user, else `forbidden`.",
    example: 'john_doe',
  },
  'leave.username': {
    description: "Who leaves: the connection's own user, else `forbidden`.",
    example: 'john_doe',
  },
  roomId: { description: 'The room.', example: exampleValues.roomId },
  roomName: { description: 'What the room is called now.', example: 'TechTalk' },
  token: {
    description: 'The token of `POST /api/login`, where none came with the upgrade.',
    example: 'abcd1234',
  },
  lastId: {
    description:
      'The last message that was seen, or 0: what followed it comes after `joined`, then what is new.',
    example: 41,
  },
  message: { description: contentRule, example: 'Hello, everyone!' },
  'joined.message': { description: 'A welcome that names the room.', example: 'Welcome to TechTalk!' },
  'error.message': {
    description: 'What happened and what to do about it.',
    example: errorCodes.rate_limited.text,
  },
  sender: { description: "The sender's name.", example: 'john_doe' },
  code: { description: 'One of the error codes.', example: 'rate_limited' },
  'error.originalAction': {
    description: 'The action that failed; null where none could be read.',
    example: 'send-message',
  },
};

function frame<Action extends string, Fields extends Record<string, object>>(action: Action, fields: Fields) {
  return Type.Object({ action: Type.Literal(action), ...fields });
}

const ofMessages = { roomId: RoomId, sender: UserName };

const frames: Record<string, FrameDescription> = {
  joined: {
    summary: 'You are in the room.',
    schema: frame('joined', { roomId: RoomId, message: Type.String() }),
  },
  'new-message': {
    summary: 'A message was sent to the room. Everyone present gets it, the sender too: that confirms it.',
    extensions: ['id', 'clientMessageId'],
    schema: frame('new-message', {
      ...ofMessages,
      message: Content,
      timestamp: Time,
      id: MessageId,
      clientMessageId: Type.Optional(
        Type.String({
          description: `*(ext)* Where a repeated send is confirmed once more: its id. ${repeatRule}`,
        }),
      ),
    }),
  },
  file: {
    summary: 'A file came into the room: it is a message of the room, with an id of its own.',
    isExtension: true,
    schema: frame('file', {
      ...ofMessages,
      file: FileInfo,
      url: Type.String(),
      timestamp: Time,
      id: MessageId,
    }),
  },
  left: {
    summary: 'You are in the room no more: you left it, or were taken out of it.',
    isExtension: true,
    schema: frame('left', { roomId: RoomId }),
  },
  'user-joined': {
    summary: 'Another user came into the room, once per user, with whatever connection and dialect.',
    extensions: ['roomId'],
    schema: frame('user-joined', { username: UserName, roomId: RoomId }),
  },
  'user-left': {
    summary: 'The last connection of another user is gone from the room.',
    extensions: ['roomId'],
    schema: frame('user-left', { username: UserName, roomId: RoomId }),
  },
  'room-renamed': {
    summary: 'The room has another name.',
    isExtension: true,
    schema: frame('room-renamed', { roomId: RoomId, roomName: RoomName }),
  },
  'room-deleted': {
    summary: 'The room is no more.',
    isExtension: true,
    schema: frame('room-deleted', { roomId: RoomId }),
  },
  error: {
    summary: 'A request was refused; nothing was done.',
    shown: ['retry_after_ms'],
    schema: frame('error', {
      code: Type.Unsafe<string>({ type: 'string', enum: Object.keys(errorCodes) }),
      message: Type.String(),
      originalAction: Type.Union([Type.String(), Type.Null()]),
      field: Type.Optional(Type.String()),
      retry_after_ms: Type.Optional(Type.Integer({ minimum: 1 })),
    }),
  },
};

/** The dialect for those who write its clients. */
export const joinDescription: DialectDescription = {
  dialect: joinDialect,
  requests,
  bodyField: undefined,
  title: 'Parley: join dialect',
  description:
    'Accounts by token and guests in public rooms that are called by id. Frames are flat, actions are kebab-case. ' +
    'Accounts, rooms, history and files are over HTTP: the OpenAPI document at `/api/openapi.json`. ' +
    'The guide with worked examples is `docs/protocol/join.md`. *(ext)*, or the tag `extension`, marks what goes beyond the original protocol.',
  address: '/chat',
  bindings: {
    ws: {
      query: {
        type: 'object',
        properties: { token: { type: 'string', description: 'The token of `POST /api/login`.' } },
      },
      headers: {
        type: 'object',
        properties: { authorization: { type: 'string', description: '`Bearer TOKEN`: the same.' } },
      },
      bindingVersion: '0.1.0',
    },
  },
  words,
  requestDescriptions: {
    join: {
      summary: 'Come into a room. An account becomes its member.',
      replies: ['joined'],
      extensions: ['token', 'lastId'],
      shown: ['lastId'],
    },
    'send-message': {
      summary: 'Say something in a room. The message itself confirms it, once it is committed.',
      replies: ['new-message'],
      extensions: ['clientMessageId', 'username'],
      shown: ['clientMessageId'],
    },
    leave: {
      summary: 'Leave a room with this connection. An account stays its member.',
      replies: ['left'],
      shown: ['username'],
    },
  },
  frames,
  notifications: ['new-message', 'file', 'user-joined', 'user-left', 'room-renamed', 'room-deleted', 'left'],
};
