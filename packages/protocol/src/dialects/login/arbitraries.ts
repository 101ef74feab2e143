import fc from 'fast-check';
import { letterFrequencies } from '../../letter-frequencies.ts';
import { FileName } from '../../text.ts';
import { matches } from '../../validation.ts';
import {
  anyText,
  limit,
  messageId,
  name,
  optional,
  roomId,
  text,
  time,
  transactionId,
} from '../arbitraries.ts';
import type { Bodies } from '../arbitraries.ts';

const fileName = text(1, 60).filter((written) => matches(FileName, written));
const chunkNumber = fc.nat({ max: 2 ** 20 });

/** Well-formed bodies of each action, without who speaks where that is optional. */
export const loginBodies: Bodies = {
  register: { chatid: name, password: text(8, 256) },
  login: {
    chatid: name,
    password: text(1, 256),
    session_key: optional(text(1, 256)),
    handshake: optional(fc.boolean()),
    receipts: optional(fc.boolean()),
  },
  login_as_guest: {
    chatid: name,
    session_key: optional(text(1, 256)),
    handshake: optional(fc.boolean()),
    receipts: optional(fc.boolean()),
  },
  rename_user: { new_chatid: name },
  logout: {},
  create_room: {
    participants: fc.array(name, { maxLength: 20 }),
    room_name: name,
    visibility: optional(fc.constantFrom('private', 'public')),
  },
  get_rooms: { scope: optional(fc.constantFrom('mine', 'public')) },
  add_user_to_room: { room_id: roomId, user_to_add: name },
  remove_user_from_room: { room_id: roomId, user_to_remove: name },
  delete_room: { room_id: roomId },
  rename_room: { room_id: roomId, new_room_name: name },
  watch_rooms: { watch: optional(fc.boolean()) },
  join_room: { room_id: roomId, last_id: optional(messageId) },
  leave_room: { room_id: roomId },
  get_room_users: { room_id: roomId, after: optional(name) },
  send_message: { room_id: roomId, content: text(1, 200), client_message_id: optional(text(1, 128)) },
  get_messages: {
    room_id: roomId,
    from_time: optional(time),
    after_id: optional(messageId),
    before_id: optional(messageId),
    limit,
    preview: optional(fc.boolean()),
  },
  get_receipts: { room_id: roomId },
  file_send_init: {
    room_id: roomId,
    file_path: fileName,
    file_size: fc.nat(),
    file_type: optional(text(0, 128)),
    total_packets: chunkNumber,
    sha256: optional(fc.stringMatching(/^[0-9a-f]{64}$/)),
  },
  file_send_data: {
    room_id: roomId,
    file_path: fileName,
    sequence_number: chunkNumber,
    file_data: fc.base64String(),
  },
  file_send_fin: { room_id: roomId, file_path: fileName, total_packets: chunkNumber },
  file_list_req: { room_id: roomId, after: optional(fileName) },
  file_down_req: { room_id: roomId, file_path: fileName, from_sequence: optional(chunkNumber) },
  confirm_count: { transaction_id: transactionId, confirm: fc.boolean() },
  character_count: {
    transaction_id: transactionId,
    letter_frequencies: anyText.map(letterFrequencies),
    original_action: optional(anyText),
  },
  ack: { transaction_id: transactionId, status: optional(anyText) },
};
