import type { DialectDescription } from '../../documents/description.ts';
import { frames } from './frame-descriptions.ts';
import { loginDialect } from './index.ts';
import { requests } from './requests.ts';
import { words } from './words.ts';

/** The dialect for those who write its clients. */
export const loginDescription: DialectDescription = {
  dialect: loginDialect,
  requests,
  bodyField: 'data',
  title: 'Parley: login dialect',
  description:
    'Accounts and guests, private and public rooms that are called by id, files, delivery receipts, and an integrity handshake. ' +
    'Bodies are in `data`, actions are snake_case. The guide with worked examples is `docs/protocol/login.md`. ' +
    '*(ext)*, or the tag `extension`, marks what goes beyond the original protocol.',
  address: '/ws',
  words,
  correlationField: 'transaction_id',
  requestDescriptions: {
    register: {
      summary: 'Make an account.',
      isExtension: true,
      replies: ['register_success'],
    },
    login: {
      summary: 'Log in, by password or by the key of a session.',
      replies: ['login_success', 'login_fail'],
      extensions: ['session_key', 'handshake', 'receipts'],
      shown: ['password'],
    },
    login_as_guest: {
      summary: 'Become a guest, or with a key the same guest again.',
      isExtension: true,
      replies: ['login_success'],
    },
    rename_user: { summary: 'Take another name; for guests.', isExtension: true, replies: ['user_renamed'] },
    logout: {
      summary: 'End the session everywhere: its other connections close with 4003.',
      isExtension: true,
      replies: ['logout_success'],
    },
    create_room: {
      summary: 'Make a room, which you own. An unknown participant: no room.',
      replies: ['room_created'],
      extensions: ['visibility'],
    },
    get_rooms: {
      summary: 'List your rooms, or the public ones.',
      replies: ['rooms_list'],
      extensions: ['scope'],
    },
    watch_rooms: {
      summary: 'Be told the public rooms, at once and whenever they change.',
      isExtension: true,
      replies: ['rooms_watched'],
    },
    add_user_to_room: { summary: 'Add a member; for the owner.', replies: ['user_added'] },
    remove_user_from_room: { summary: 'Remove a member; for the owner.', replies: ['user_removed'] },
    rename_room: { summary: 'Give the room another name; for the owner.', replies: ['room_renamed'] },
    delete_room: { summary: 'Delete the room; for the owner.', replies: ['room_deleted'] },
    join_room: { summary: 'Come into a public room.', isExtension: true, replies: ['room_joined'] },
    leave_room: { summary: 'Leave a room that is not yours.', isExtension: true, replies: ['room_left'] },
    get_room_users: {
      summary: 'List the members of a room.',
      isExtension: true,
      replies: ['room_users_list'],
    },
    send_message: {
      summary: 'Say something in a room. It is confirmed once it is committed.',
      replies: ['ack'],
      extensions: ['client_message_id'],
      shown: ['client_message_id'],
    },
    get_messages: {
      summary:
        'Read a page of messages: with `after_id` or `from_time` the oldest from there on; else the newest, or the newest before `before_id`.',
      replies: ['messages_list'],
      extensions: ['after_id', 'before_id', 'limit', 'preview'],
      shown: ['after_id', 'limit'],
    },
    get_receipts: {
      summary: 'How far each member has acknowledged.',
      isExtension: true,
      replies: ['receipts_list'],
    },
    file_send_init: {
      summary: 'Begin an upload, or go on with it.',
      replies: ['file_send_init'],
      extensions: ['sha256'],
      shown: ['file_type'],
    },
    file_send_data: {
      summary: 'Send a chunk, in any order, any number of times.',
      replies: ['file_send_data'],
    },
    file_send_fin: {
      summary: 'End an upload: the file is put together and listed.',
      replies: ['file_send_fin'],
    },
    file_list_req: {
      summary: 'List the files of a room.',
      replies: ['file_list_req'],
      extensions: ['after'],
    },
    file_down_req: {
      summary: 'Download a file: its description, its chunks, its end.',
      replies: ['file_down_meta', 'file_down_data', 'file_down_fin'],
      extensions: ['from_sequence'],
    },
    confirm_count: {
      summary: 'Handshake: whether the server counted what you sent. True: it does what you asked for.',
      replies: ['ack'],
    },
    character_count: {
      summary: 'Handshake: what you counted in a frame that you got.',
      replies: ['confirm_count'],
    },
    ack: { summary: 'Handshake: you have a frame for good. It is not answered.', replies: [] },
  },
  frames,
  notifications: [
    'receive_message',
    'receive_file',
    'message_delivered',
    'room_created',
    'user_added',
    'user_removed',
    'room_joined',
    'room_left',
    'room_renamed',
    'room_deleted',
    'public_rooms',
    'character_count',
  ],
};
