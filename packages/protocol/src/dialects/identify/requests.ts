import { Type } from '@parley/schema';
import {
  createPublicRoom,
  enterRoom,
  exitRoom,
  identifyGuest,
  renameSelf,
  sendMessage,
  showLobby,
} from '../../contract/gateway.ts';
import { browseHistory, maxPageMessages } from '../../contract/messages.ts';
import { deleteRoom } from '../../contract/rooms.ts';
import { MessageId } from '../../ids.ts';
import { ClientMessageId, Content, NameInput, normalizeName } from '../../text.ts';
import { rowsWith } from '../request-rows.ts';
import type { RequestTable } from '../request-rows.ts';
import { toldFile } from '../told-files.ts';
import { joined, left, message, renamed } from './frames.ts';
import type { Frame } from './frames.ts';

const defaultPageMessages = 100;

const row = rowsWith({}, () => ({}));
/** About a public room, which this dialect calls by its name. */
const roomRow = rowsWith({ room: NameInput }, ({ room }) => ({ roomName: room }));
const roomOnly = { fields: {}, request: () => ({}) };

/** Every request of the dialect (protocol.md, "Identify dialect"; seed 002). */
export const requests: RequestTable<Frame> = {
  identify: row(identifyGuest, {
    fields: { username: NameInput },
    request: ({ username }) => ({ name: normalizeName(username) }),
    reply: ({ name, room }) => (room ? joined(room.name) : renamed(name)),
  }),

  rename: row(renameSelf, {
    fields: { newUsername: NameInput },
    request: ({ newUsername }) => ({ newName: normalizeName(newUsername) }),
    reply: ({ name }) => renamed(name),
  }),

  // The list of rooms, which an event tells, answers this request and the next.
  createRoom: row(createPublicRoom, {
    fields: { room: NameInput },
    request: ({ room }) => ({ name: normalizeName(room) }),
    reply: () => undefined,
  }),

  roomsList: row(showLobby, { fields: {}, request: () => ({}), reply: () => undefined }),

  joinRoom: roomRow(enterRoom, { ...roomOnly, reply: ({ room }) => joined(room.name) }),

  leaveRoom: roomRow(exitRoom, { ...roomOnly, reply: (_reply, { roomName }) => left(roomName) }),

  deleteRoom: roomRow(deleteRoom, { ...roomOnly, reply: (_reply, { roomName }) => left(roomName) }),

  sendMessage: roomRow(sendMessage, {
    fields: { message: Content, clientMessageId: Type.Optional(ClientMessageId) },
    request: ({ message: content, clientMessageId }) => ({
      content,
      ...(clientMessageId === undefined ? {} : { clientMessageId }),
    }),
    // A message that is new comes back to its sender as it comes to all.
    reply: ({ repeated, sender, messageId: id, sentAt }, { roomName, request }) =>
      repeated ? message({ ...request, sender, roomName, id, sentAt }) : undefined,
  }),

  history: roomRow(browseHistory, {
    fields: {
      before: Type.Optional(MessageId),
      after: Type.Optional(MessageId),
      limit: Type.Optional(Type.Integer({ minimum: 1 })),
    },
    request: ({ before, after, limit = defaultPageMessages }) => ({
      limit: Math.min(limit, maxPageMessages),
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    }),
    reply: ({ roomId, messages, hasMore }, { roomName }) => ({
      action: 'history',
      payload: {
        room: roomName,
        messages: messages.map(({ id, sender, content, sentAt, file }) => ({
          id,
          from: sender,
          message: content,
          timestamp: sentAt,
          ...(file ? toldFile(roomId, file) : {}),
        })),
        has_more: hasMore,
      },
    }),
  }),
};
