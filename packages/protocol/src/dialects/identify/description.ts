import { Type } from '@parley/schema';
import { errorCodes } from '../../errors.ts';
import type { DialectDescription, FrameDescription, Words } from '../../documents/description.ts';
import { camelCaseWords, contentRule, nameRule, repeatRule } from '../../documents/shared-words.ts';
import { MessageId } from '../../ids.ts';
import { FileInfo } from '../../models.ts';
import { Content, RoomName, UserName } from '../../text.ts';
import { Time } from '../../times.ts';
import { identifyDialect } from './index.ts';
import { requests } from './requests.ts';

const words: Words = {
  ...camelCaseWords,
  username: { description: `The guest's name. ${nameRule}`, example: 'bob' },
  newUsername: { description: `The name from now on. ${nameRule}`, example: 'robert' },
  room: { description: `The room's name. ${nameRule}`, example: 'tea' },
  rooms: {
    description: 'The public rooms by name, with the users present in each.',
    example: { default: 5, tea: 3 },
    schema: { additionalProperties: { type: 'integer', minimum: 0 } },
  },
  message: { description: contentRule, example: 'Hello everyone!' },
  from: { description: "The sender's name.", example: 'bob' },
  before: { description: 'The newest messages before this one.', example: 101 },
  after: { description: 'The oldest messages that follow this one.', example: 41 },
  limit: {
    description: 'How many messages at most; 100 by default, above 1,000 counts as 1,000.',
    example: 100,
  },
  messages: { description: 'In the order of their ids; what announced a file has `file` and `url` too.' },
  has_more: { description: 'Whether there are more in that direction.', example: false },
  reason: { description: 'One of the error codes.', example: 'rate_limited' },
  detail: { description: 'What happened and what to do about it.', example: errorCodes.rate_limited.text },
  'error.originalAction': {
    description: 'The action that failed; null where none could be read.',
    example: 'sendMessage',
  },
};

function frame<Action extends string, Fields extends Record<string, object>>(action: Action, fields: Fields) {
  return Type.Object({ action: Type.Literal(action), payload: Type.Object(fields) });
}

const toldFile = { file: FileInfo, url: Type.String() };

const frames: Record<string, FrameDescription> = {
  roomsList: {
    summary:
      'The public rooms: when one or its count changes, at most four times a second, and when asked for.',
    schema: frame('roomsList', { rooms: Type.Object({}) }),
  },
  joined: { summary: 'You are in the room.', schema: frame('joined', { room: RoomName }) },
  left: {
    summary:
      'You are in the room no more: you left it, it was deleted, or you were taken out of it. Followed by `joined`: it has another name.',
    schema: frame('left', { room: RoomName }),
  },
  message: {
    summary: 'A message was sent to the room. Everyone present gets it, the sender too: that confirms it.',
    extensions: ['id', 'timestamp', 'clientMessageId'],
    schema: frame('message', {
      from: UserName,
      room: RoomName,
      message: Content,
      id: MessageId,
      timestamp: Time,
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
    schema: frame('file', { from: UserName, room: RoomName, ...toldFile, id: MessageId, timestamp: Time }),
  },
  renamed: {
    summary: 'You have another name.',
    isExtension: true,
    schema: frame('renamed', { username: UserName }),
  },
  history: {
    summary: 'A page of messages.',
    isExtension: true,
    schema: frame('history', {
      room: RoomName,
      messages: Type.Array(
        Type.Object({
          id: MessageId,
          from: UserName,
          message: Content,
          timestamp: Time,
          file: Type.Optional(FileInfo),
          url: Type.Optional(Type.String()),
        }),
      ),
      has_more: Type.Boolean(),
    }),
  },
  error: {
    summary: 'A request was refused; nothing was done.',
    extensions: ['originalAction', 'field', 'retry_after_ms'],
    shown: ['retry_after_ms'],
    schema: frame('error', {
      reason: Type.Unsafe<string>({ type: 'string', enum: Object.keys(errorCodes) }),
      detail: Type.String(),
      originalAction: Type.Union([Type.String(), Type.Null()]),
      field: Type.Optional(Type.String()),
      retry_after_ms: Type.Optional(Type.Integer({ minimum: 1 })),
    }),
  },
};

/** The dialect for those who write its clients. */
export const identifyDescription: DialectDescription = {
  dialect: identifyDialect,
  requests,
  bodyField: 'payload',
  title: 'Parley: identify dialect',
  description:
    'Guests in public rooms that are called by name. Bodies are in `payload`, actions are camelCase. ' +
    'The guide with worked examples is `docs/protocol/identify.md`. *(ext)*, or the tag `extension`, marks what goes beyond the original protocol.',
  address: '/',
  words,
  requestDescriptions: {
    identify: {
      summary: 'Become a guest, who is in room `default`; `roomsList` follows. Again: another name.',
      replies: ['joined', 'renamed'],
    },
    createRoom: { summary: 'Make a public room. It is not joined by that.', replies: ['roomsList'] },
    joinRoom: { summary: 'Come into a room; one may be in several.', replies: ['joined'] },
    leaveRoom: { summary: 'Leave a room.', replies: ['left'] },
    sendMessage: {
      summary: 'Say something in a room. The message itself confirms it, once it is committed.',
      replies: ['message'],
      extensions: ['clientMessageId'],
      shown: ['clientMessageId'],
    },
    deleteRoom: { summary: 'Delete a room that you made; as an admin any.', replies: ['left'] },
    rename: { summary: 'Take another name.', replies: ['renamed'] },
    roomsList: { summary: 'Ask for the public rooms.', isExtension: true, replies: ['roomsList'] },
    history: {
      summary: 'Read a page of any public room, without joining it.',
      isExtension: true,
      replies: ['history'],
      shown: ['after', 'limit'],
    },
  },
  frames,
  notifications: ['roomsList', 'message', 'file', 'left', 'joined'],
};
