import { number, text } from './frames.ts';
import type { Fields } from './frames.ts';

/** How a request is told from others, and its answer from notifications of the same name. */
export interface ActionSpec {
  /** The action of its reply. */
  reply: string;
  /** Requests under way at the same time; those of one key are one behind the other. Default 1. */
  window?: number;
  /** Asked again where the connection was lost before the answer: done twice is the same as done once. */
  isRepeatable?: boolean;
  /** May take longer than any other: as long as a file does. */
  isLong?: boolean;
  /** What it is about. */
  keyOf?: (request: Fields) => string;
  /**
   * What a frame of that action answers; undefined where it is no answer.
   * @param self The name of the user, where somebody is logged in.
   */
  keyOfReply?: (data: Fields, self: string | undefined) => string | undefined;
  /** What an error is about, where it says so. */
  keyOfError?: (data: Fields) => string | undefined;
}

const room = (fields: Fields): string => text(fields, 'room_id');
const roomAnd = (fields: Fields, field: string): string => `${room(fields)}/${text(fields, field)}`;
const file = (fields: Fields): string => roomAnd(fields, 'file_path');
const chunk = (fields: Fields): string => `${file(fields)}/${number(fields, 'sequence_number')}`;
const ifFile = (fields: Fields) => (fields['file_path'] === undefined ? undefined : file(fields));

const aboutRoom = { keyOf: room, keyOfReply: room } satisfies Partial<ActionSpec>;
const read = { isRepeatable: true, window: 16 } satisfies Partial<ActionSpec>;
const aboutFile = { keyOf: file, keyOfReply: file, keyOfError: ifFile } satisfies Partial<ActionSpec>;

/** Of what others do, too, members are told in the same words: it is only an answer where it names the user. */
const ofSelf = (data: Fields, self: string | undefined) =>
  text(data, 'chatid') === self ? room(data) : undefined;

/** What the client asks for (docs/protocol.md, "Login dialect"). */
export const actions = {
  register: { reply: 'register_success' },
  login: { reply: 'login_success', isRepeatable: true },
  login_as_guest: { reply: 'login_success', isRepeatable: true },
  logout: { reply: 'logout_success' },
  rename_user: { reply: 'user_renamed' },
  watch_rooms: { reply: 'rooms_watched', isRepeatable: true },
  // A notification has the room's name.
  create_room: {
    reply: 'room_created',
    keyOfReply: (data) => (data['room_name'] === undefined ? '' : undefined),
  },
  get_rooms: { reply: 'rooms_list', isRepeatable: true },
  add_user_to_room: {
    reply: 'user_added',
    keyOf: (request) => roomAnd(request, 'user_to_add'),
    keyOfReply: (data) => (data['room_name'] === undefined ? roomAnd(data, 'user_added') : undefined),
  },
  remove_user_from_room: {
    reply: 'user_removed',
    keyOf: (request) => roomAnd(request, 'user_to_remove'),
    keyOfReply: (data) => roomAnd(data, 'user_removed'),
  },
  rename_room: { reply: 'room_renamed', isRepeatable: true, ...aboutRoom },
  delete_room: { reply: 'room_deleted', ...aboutRoom },
  join_room: { reply: 'room_joined', ...read, keyOf: room, keyOfReply: ofSelf },
  leave_room: { reply: 'room_left', keyOf: room, keyOfReply: ofSelf },
  get_room_users: { reply: 'room_users_list', ...read, ...aboutRoom },
  get_messages: { reply: 'messages_list', ...read, ...aboutRoom },
  get_receipts: { reply: 'receipts_list', ...read, ...aboutRoom },
  // Under the handshake there are other `ack`s, which name no message.
  send_message: {
    reply: 'ack',
    window: 32,
    isRepeatable: true,
    keyOf: room,
    keyOfReply: (data) => (data['message_id'] === undefined ? undefined : room(data)),
  },
  file_send_init: { reply: 'file_send_init', ...read, ...aboutFile },
  // Not repeated as it was: a new connection has to announce the upload first.
  file_send_data: {
    reply: 'file_send_data',
    window: 16,
    keyOf: chunk,
    keyOfReply: chunk,
    keyOfError: (data) => (data['sequence_number'] === undefined ? undefined : chunk(data)),
  },
  file_send_fin: { reply: 'file_send_fin', isRepeatable: true, isLong: true, window: 2, ...aboutFile },
  file_list_req: { reply: 'file_list_req', ...read, ...aboutRoom },
  // Not repeated as it was: it goes on where it broke off.
  file_down_req: { reply: 'file_down_fin', isLong: true, window: 2, ...aboutFile },
} as const satisfies Record<string, ActionSpec>;

export type Action = keyof typeof actions;

/** @returns Undefined for an action that the client never asks for. */
export function specOf(action: string): ActionSpec | undefined {
  return Object.hasOwn(actions, action) ? actions[action as Action] : undefined;
}

/** Which requests a frame of the action may answer. */
export const askedBy: ReadonlyMap<string, readonly Action[]> = Map.groupBy(
  Object.keys(actions) as Action[],
  (action) => actions[action].reply,
);
