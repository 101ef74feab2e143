import { Type } from '@parley/schema';
import {
  closeSession,
  joinAsUser,
  leaveAsUser,
  makeRoom,
  openGuestSession,
  openSession,
  registerAccount,
  renameSelf,
  sendMessage,
  watchLobby,
} from '../../contract/gateway.ts';
import { acknowledgeEvent, confirmRequest, countEvent } from '../../contract/handshake.ts';
import { listReceipts } from '../../contract/receipts.ts';
import {
  addMember,
  deleteRoom,
  listMembers,
  listRooms,
  maxParticipants,
  removeMember,
  renameRoom,
} from '../../contract/rooms.ts';
import { ParleyError } from '../../errors.ts';
import { MessageId, RoomId, transactionIdOf } from '../../ids.ts';
import { LetterFrequencies } from '../../letter-frequencies.ts';
import { Visibility } from '../../models.ts';
import {
  ClientMessageId,
  Content,
  NameInput,
  NewPassword,
  normalizeName,
  Password,
  storableText,
} from '../../text.ts';
import type { RequestTable } from '../request-rows.ts';
import { fileRequests } from './files.ts';
import { success } from './frames.ts';
import type { Frame } from './frames.ts';
import { historyRequest } from './history.ts';
import { row } from './speaker.ts';

const TransactionId = storableText(1, 128);
const SessionKey = storableText(1, 256);
const loginOptions = {
  handshake: Type.Optional(Type.Boolean()),
  receipts: Type.Optional(Type.Boolean()),
};
const roomOnly = { room_id: RoomId };
const toRoomOnly = ({ room_id }: { room_id: RoomId }) => ({ roomId: room_id });

/** Every request of the dialect (protocol.md, "Login dialect"; seeds 000 and 001). */
export const requests: RequestTable<Frame> = {
  register: row(registerAccount, {
    fields: { chatid: NameInput, password: NewPassword },
    request: ({ chatid, password }) => ({ name: normalizeName(chatid), password }),
    reply: ({ name }) => success('register_success', 'Account created successfully', { chatid: name }),
  }),

  login: row(openSession, {
    fields: {
      chatid: NameInput,
      password: Type.Optional(Password),
      session_key: Type.Optional(SessionKey),
      ...loginOptions,
    },
    request: ({ chatid, password, session_key: sessionKey, handshake = false, receipts = false }) => {
      const login = { name: normalizeName(chatid), handshake, receipts };
      if (sessionKey !== undefined) return { ...login, proof: { sessionKey } };
      if (password !== undefined) return { ...login, proof: { password } };
      const message = 'The field `password` is missing; add it, or `session_key` to resume a session.';
      throw new ParleyError('missing_field', { field: 'password' }, { message });
    },
    reply: loggedIn,
  }),

  login_as_guest: row(openGuestSession, {
    fields: { chatid: NameInput, session_key: Type.Optional(SessionKey), ...loginOptions },
    request: ({ chatid, session_key: sessionKey, handshake = false, receipts = false }) => ({
      name: normalizeName(chatid),
      ...(sessionKey === undefined ? {} : { sessionKey }),
      handshake,
      receipts,
    }),
    reply: loggedIn,
  }),

  rename_user: row(renameSelf, {
    fields: { new_chatid: NameInput },
    request: ({ new_chatid }) => ({ newName: normalizeName(new_chatid) }),
    reply: ({ name }) => success('user_renamed', 'User renamed successfully', { chatid: name }),
  }),

  logout: row(closeSession, {
    fields: {},
    request: () => ({}),
    reply: ({ name }) => success('logout_success', 'Logout successful', { chatid: name }),
  }),

  create_room: row(makeRoom, {
    fields: {
      participants: Type.Array(NameInput, { maxItems: maxParticipants }),
      room_name: NameInput,
      visibility: Type.Optional(Visibility),
    },
    request: ({ participants, room_name, visibility = 'private' }) => ({
      name: normalizeName(room_name),
      visibility,
      participants: participants.map(normalizeName),
    }),
    reply: ({ roomId }) => success('room_created', 'Room created successfully', { room_id: roomId }),
  }),

  get_rooms: row(listRooms, {
    fields: { scope: Type.Optional(Type.Union([Type.Literal('mine'), Type.Literal('public')])) },
    request: ({ scope = 'mine' }) => ({ scope }),
    reply: ({ rooms }, { request: { scope } }) =>
      success('rooms_list', 'Room list retrieved successfully.', {
        rooms: rooms.map(({ roomId, name, visibility, owner, users, member }) =>
          scope === 'mine'
            ? { id: roomId, name, visibility, owner, users }
            : { id: roomId, name, users, owner, member },
        ),
      }),
  }),

  add_user_to_room: row(addMember, {
    fields: { room_id: RoomId, user_to_add: NameInput },
    request: ({ room_id, user_to_add }) => ({ roomId: room_id, user: normalizeName(user_to_add) }),
    reply: ({ roomId, user }) =>
      success('user_added', 'User added to room successfully', { room_id: roomId, user_added: user.name }),
  }),

  remove_user_from_room: row(removeMember, {
    fields: { room_id: RoomId, user_to_remove: NameInput },
    request: ({ room_id, user_to_remove }) => ({ roomId: room_id, user: normalizeName(user_to_remove) }),
    reply: ({ roomId, user }) =>
      success('user_removed', 'User removed from room successfully', {
        room_id: roomId,
        user_removed: user.name,
      }),
  }),

  delete_room: row(deleteRoom, {
    fields: roomOnly,
    request: toRoomOnly,
    reply: ({ roomId }) => success('room_deleted', 'Room deleted successfully', { room_id: roomId }),
  }),

  rename_room: row(renameRoom, {
    fields: { room_id: RoomId, new_room_name: NameInput },
    request: ({ room_id, new_room_name }) => ({ roomId: room_id, newName: normalizeName(new_room_name) }),
    reply: ({ roomId, name }) =>
      success('room_renamed', 'Room renamed successfully', { room_id: roomId, new_room_name: name }),
  }),

  watch_rooms: row(watchLobby, {
    fields: { watch: Type.Optional(Type.Boolean()) },
    request: ({ watch = true }) => ({ watch }),
    reply: ({ watch }) => success('rooms_watched', 'Public rooms are watched as asked.', { watch }),
  }),

  join_room: row(joinAsUser, {
    fields: { ...roomOnly, last_id: Type.Optional(MessageId) },
    request: ({ room_id, last_id: lastId }) => ({
      roomId: room_id,
      ...(lastId === undefined ? {} : { lastId }),
    }),
    reply: ({ room, user }) =>
      success('room_joined', 'Room joined successfully', {
        room_id: room.roomId,
        room_name: room.name,
        chatid: user.name,
      }),
  }),

  leave_room: row(leaveAsUser, {
    fields: roomOnly,
    request: toRoomOnly,
    reply: ({ roomId, user }) =>
      success('room_left', 'Room left successfully', { room_id: roomId, chatid: user.name }),
  }),

  get_room_users: row(listMembers, {
    fields: { room_id: RoomId, after: Type.Optional(NameInput) },
    request: ({ room_id, after }) => ({
      roomId: room_id,
      ...(after === undefined ? {} : { after: normalizeName(after) }),
    }),
    reply: ({ roomId, members, hasMore }) =>
      success('room_users_list', 'Room users retrieved successfully.', {
        room_id: roomId,
        users: members.map(({ name, online, role }) => ({ chatid: name, online, role })),
        has_more: hasMore,
      }),
  }),

  send_message: row(sendMessage, {
    fields: { room_id: RoomId, content: Content, client_message_id: Type.Optional(ClientMessageId) },
    request: ({ room_id, content, client_message_id: clientMessageId }) => ({
      roomId: room_id,
      content,
      ...(clientMessageId === undefined ? {} : { clientMessageId }),
    }),
    reply: ({ roomId, messageId, sentAt }, { request }) =>
      success('ack', 'Action processed successfully.', {
        transaction_id: transactionIdOf(roomId, messageId),
        room_id: roomId,
        message_id: messageId,
        timestamp: sentAt,
        client_message_id: request.clientMessageId,
      }),
  }),

  get_messages: historyRequest,

  get_receipts: row(listReceipts, {
    fields: roomOnly,
    request: toRoomOnly,
    reply: ({ roomId, receipts }) =>
      success('receipts_list', 'Receipts retrieved successfully.', {
        room_id: roomId,
        receipts: receipts.map(({ name, position, at }) => ({ chatid: name, message_id: position, at })),
      }),
  }),

  ...fileRequests,

  confirm_count: row(confirmRequest, {
    fields: { transaction_id: TransactionId, confirm: Type.Boolean() },
    request: ({ transaction_id, confirm }) => ({ transactionId: transaction_id, confirm }),
    reply: () => undefined,
  }),

  character_count: row(countEvent, {
    fields: { transaction_id: TransactionId, letter_frequencies: LetterFrequencies },
    request: ({ transaction_id, letter_frequencies }) => ({
      transactionId: transaction_id,
      letterFrequencies: letter_frequencies,
    }),
    reply: ({ transactionId, confirm }) => ({
      action: 'confirm_count',
      data: { transaction_id: transactionId, confirm },
    }),
  }),

  ack: row(acknowledgeEvent, {
    fields: { transaction_id: TransactionId },
    request: ({ transaction_id }) => ({ transactionId: transaction_id }),
    reply: () => undefined,
  }),
};

function loggedIn({ name, sessionKey }: { name: string; sessionKey: string }): Frame {
  return success('login_success', 'Login successful', { chatid: name, session_key: sessionKey });
}
