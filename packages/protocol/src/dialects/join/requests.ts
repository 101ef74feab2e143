import { Type } from '@parley/schema';
import { enterRoom, exitRoom, sendMessage } from '../../contract/gateway.ts';
import { MessageId, RoomId } from '../../ids.ts';
import { ClientMessageId, Content, NameInput, storableText } from '../../text.ts';
import { rowsWith } from '../request-rows.ts';
import type { RequestTable } from '../request-rows.ts';
import { left, newMessage } from './frames.ts';
import type { Frame } from './frames.ts';

const row = rowsWith({ username: Type.Optional(NameInput) }, ({ username }) => ({ claimedName: username }));

/** Every request of the dialect over WebSocket (protocol.md, "Join dialect"; seed 003). */
export const requests: RequestTable<Frame> = {
  join: row(enterRoom, {
    fields: {
      username: NameInput,
      roomId: RoomId,
      token: Type.Optional(storableText(1, 256)),
      lastId: Type.Optional(MessageId),
    },
    request: ({ roomId, token, lastId }) => ({
      roomId,
      ...(token === undefined ? {} : { token }),
      ...(lastId === undefined ? {} : { lastId }),
    }),
    reply: ({ room: { roomId, name } }) => ({ action: 'joined', roomId, message: `Welcome to ${name}!` }),
  }),

  'send-message': row(sendMessage, {
    fields: { roomId: RoomId, message: Content, clientMessageId: Type.Optional(ClientMessageId) },
    request: ({ roomId, message, clientMessageId }) => ({
      roomId,
      content: message,
      ...(clientMessageId === undefined ? {} : { clientMessageId }),
    }),
    // A message that is new comes back to its sender as it comes to all.
    reply: ({ repeated, sender, messageId: id, sentAt }, { request }) =>
      repeated ? newMessage({ ...request, sender, id, sentAt }) : undefined,
  }),

  leave: row(exitRoom, {
    fields: { roomId: RoomId },
    request: ({ roomId }) => ({ roomId }),
    reply: ({ roomId }) => left(roomId),
  }),
};
