import type { SeenMessage, Sent } from '../journal.ts';
import { seen } from './account.ts';
import type { Frame } from './wire.ts';

/** What answers each request. */
const replies: Record<string, string> = {
  register: 'register_success',
  login: 'login_success',
  create_room: 'room_created',
  get_rooms: 'rooms_list',
  add_user_to_room: 'user_added',
  remove_user_from_room: 'user_removed',
  join_room: 'room_joined',
  leave_room: 'room_left',
  get_room_users: 'room_users_list',
  get_messages: 'messages_list',
  get_receipts: 'receipts_list',
  file_send_init: 'file_send_init',
  file_send_data: 'file_send_data',
  file_send_fin: 'file_send_fin',
};

/** Whether the frame is the reply to such a request of this user, or its error. */
export function answersRequest(
  frame: Frame,
  asked: string,
  request: Record<string, any>,
  name: string,
): boolean {
  const { action, original_action, data } = frame;
  if (action === 'error' || action === 'login_fail') return original_action === asked;
  if (action !== replies[asked]) return false;
  if (asked === 'join_room' || asked === 'leave_room') return data.chatid === name;
  if (asked === 'add_user_to_room') return data.user_added === request.user_to_add;
  if (asked === 'remove_user_from_room') return data.user_removed === request.user_to_remove;
  if (asked === 'create_room') return data.room_name === undefined;
  return true;
}

/** For ever that of the message: its text is like no other's. */
export function clientMessageId({ text }: Sent): string {
  return text;
}

export function messagesOf(page: Record<string, any>): SeenMessage[] {
  return (page.messages as Record<string, any>[]).map(({ message_id, sender_chatid, content, timestamp }) =>
    seen(message_id, sender_chatid, content, timestamp),
  );
}
