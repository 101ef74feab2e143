import { letterFrequencies } from '../../letter-frequencies.ts';
import { errorCodes } from '../../errors.ts';
import type { Words } from '../../documents/description.ts';
import { contentRule, exampleValues, nameRule, repeatRule, timeRule } from '../../documents/shared-words.ts';
import { transactionIdOf } from '../../ids.ts';
import type { RoomId } from '../../ids.ts';

const { roomId, time, fileName, fileData, fileSize, fileType, sha256 } = exampleValues;
const messageId = 7;
const transactionId = transactionIdOf(roomId as RoomId, messageId);
const sessionKey = 'NKXagiUnt8959FcJ6kJcot5a62tf409T9hVodmZLXdI';
const ownName = { description: `The account's name. ${nameRule}`, example: 'anna' };
const guestName = { description: `The guest's name. ${nameRule}`, example: 'anna' };
const userName = { description: "A user's name.", example: 'bob' };
const delivered = { description: 'That of the message that was delivered.', example: transactionId };

/** What the fields of the dialect's frames mean. */
export const words: Words = {
  chatid: {
    description: "Who speaks: the connection's own user, else `forbidden`. It may be left out.",
    example: 'anna',
  },
  chat_id: { description: 'As `chatid`.', example: 'anna' },
  'register.chatid': ownName,
  'login.chatid': ownName,
  'login_as_guest.chatid': guestName,
  'register_success.chatid': ownName,
  'login_success.chatid': { description: 'The name as it is kept.', example: 'anna' },
  'logout_success.chatid': { description: 'Who it was.', example: 'anna' },
  'user_renamed.chatid': guestName,
  'room_joined.chatid': { description: 'Who came.', example: 'bob' },
  'room_left.chatid': { description: 'Who left.', example: 'bob' },
  'message_delivered.chatid': { description: 'Who has it.', example: 'bob' },
  'users.chatid': userName,
  'receipts.chatid': userName,
  password: { description: 'The password.', example: 'password123' },
  'register.password': { description: 'Of 8 to 256 characters.', example: 'password123' },
  'login.password': { description: 'The password; needed without `session_key`.', example: 'password123' },
  session_key: {
    description: 'Resumes this session in place of a password, and takes its connection over at once.',
    example: sessionKey,
  },
  'login_as_guest.session_key': {
    description: 'The same guest again, who owns what it owned. Without it somebody new.',
    example: sessionKey,
  },
  'login_success.session_key': {
    description:
      'For `login` after a lost connection, and a token of the HTTP API. Keep it as you would a password.',
    example: sessionKey,
  },
  handshake: { description: 'Whether this connection is under the integrity handshake, from this login on.' },
  receipts: { description: 'Whether it is told `message_delivered`.', example: true },
  'receipts_list.receipts': { description: 'By name.' },
  new_chatid: { description: `The name from now on. ${nameRule}`, example: 'annika' },
  participants: {
    description: 'Users who become members: at most 1,000 accounts.',
    example: ['bob', 'clara'],
  },
  room_name: { description: `The room's name. ${nameRule}`, example: 'Kitchen' },
  visibility: { description: 'Who may come in: whom the owner adds, or all.' },
  scope: { description: 'The rooms one is in, or the public ones.', example: 'public' },
  rooms: { description: 'The rooms.' },
  'rooms.id': { description: 'The room.', example: roomId },
  'rooms.name': { description: 'Its name.', example: 'Kitchen' },
  'rooms.users': { description: 'How many users are present.', example: 3 },
  'rooms.owner': { description: "The owner's name; null where it is nobody's.", example: 'anna' },
  'rooms.member': { description: 'Whether one is in it.', example: true },
  watch: { description: 'Whether `public_rooms` is told; true where it is left out.' },
  room_id: { description: 'The room.', example: roomId },
  user_to_add: userName,
  user_added: userName,
  user_to_remove: userName,
  user_removed: userName,
  new_room_name: { description: `The name from now on. ${nameRule}`, example: 'Parlour' },
  owner: { description: "The owner's name; null where it is nobody's.", example: 'anna' },
  last_id: {
    description:
      'For guests: the last message that was seen, or 0: what followed it comes after `room_joined`.',
    example: 41,
  },
  after: { description: 'Those that follow this name.', example: 'bob' },
  'file_list_req.after': { description: 'Those that follow this name.', example: fileName },
  users: { description: 'The members.' },
  'data.users': { description: 'Who was not found.', example: ['bob'] },
  online: { description: 'Whether the user is present.' },
  role: { description: 'What the user is in the room.' },
  has_more: { description: 'Whether there are more in that direction.', example: false },
  content: { description: contentRule, example: 'Hello everyone!' },
  client_message_id: { description: repeatRule, example: 'c-1' },
  from_time: {
    description: 'Messages from that time on, the oldest first: ISO 8601 with a zone.',
    example: '2026-11-21T12:00:00Z',
  },
  after_id: { description: 'The oldest messages that follow this one.', example: 41 },
  before_id: { description: 'The newest messages before this one.', example: 101 },
  limit: {
    description: 'How many messages at most; above 1,000 counts as 1,000, which is the default.',
    example: 100,
  },
  preview: { description: 'Whether a public room is read without being in it.' },
  messages: { description: 'In the order of their ids.' },
  message_id: { description: 'The message: 1, 2, 3 ... within its room, without holes.', example: messageId },
  'receipts.message_id': {
    description: "Up to there everything is acknowledged, but for the user's own.",
    example: messageId,
  },
  at: { description: `When the user last acknowledged something; ${timeRule}`, example: time },
  sender_chatid: { description: "The sender's name.", example: 'bob' },
  timestamp: { description: `When it was committed; ${timeRule}`, example: time },
  transaction_id: {
    description: 'Under the handshake: the exchange that this belongs to.',
    example: 'exchange_0f5c2b7d9e1a4c3f8b6d7e90',
  },
  'receive_message.transaction_id': {
    description: 'One per message, the same for all.',
    example: transactionId,
  },
  'receive_file.transaction_id': {
    description: 'One per message, the same for all.',
    example: transactionId,
  },
  'ack.transaction_id': {
    description: 'Of a message sent: its own. Of an exchange of the handshake: the exchange.',
    example: transactionId,
  },
  'confirm_count.transaction_id': { description: 'That of the count.', example: transactionId },
  'character_count.transaction_id': delivered,
  letter_frequencies: {
    description:
      'How often each code point occurs in the text of the frame; the keys are one-character strings.',
    example: letterFrequencies('{"a":"bb"}'),
    schema: { additionalProperties: { type: 'integer', minimum: 0 } },
  },
  original_action: {
    description: 'The action that this is about; null where none could be read.',
    example: 'send_message',
  },
  'login_fail.original_action': { description: 'It is a login.', example: 'login' },
  confirm: { description: 'Whether the count is what was sent.' },
  file_path: { description: "The file's name, never a path; at most 255 bytes.", example: fileName },
  file_size: { description: 'In bytes.', example: fileSize },
  file_type: {
    description: 'Its media type; `application/octet-stream` where nothing is said.',
    example: fileType,
  },
  total_packets: { description: 'How many chunks it has; an empty file has none.', example: 1 },
  sha256: { description: 'Of its bytes, in hex.', example: sha256 },
  sequence_number: {
    description: 'The chunk: 1 to `total_packets`, or 0 to one less once a 0 was seen.',
    example: 1,
  },
  file_data: {
    description: 'The bytes in standard base64 with padding; at most 512 KiB decoded.',
    example: fileData,
  },
  received: {
    description: 'The chunks that are stored already, from the first to the second of each pair.',
    example: [[1, 3]],
  },
  missing: {
    description: 'The chunks that are missing, from the first to the second of each pair.',
    example: [[2, 4]],
  },
  file_list: { description: 'The names, joined by `", "`.', example: fileName },
  files: { description: 'The files in the order of their names.' },
  file: { description: 'The file, where the message announces one; its content is the name then.' },
  from_sequence: { description: 'The first chunk to send: goes on with a broken download.', example: 3 },
  status: { description: 'Whether it worked.' },
  message: { description: 'What happened, for people.' },
  'error.message': {
    description: 'What happened and what to do about it.',
    example: errorCodes.rate_limited.text,
  },
  code: { description: 'One of the error codes.', example: 'rate_limited' },
  field: { description: 'The offending field.', example: 'content' },
  retry_after_ms: { description: 'How long to wait before trying again, in ms.', example: 250 },
};
