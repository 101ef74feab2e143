import type { AnswerRules, AnyFrame } from './ledger.ts';

/** What answers the requests of the login dialect, beside errors. */
const loginAnswers: Readonly<Record<string, string>> = {
  register_success: 'register',
  login_success: 'login',
  user_renamed: 'rename_user',
  logout_success: 'logout',
  room_created: 'create_room',
  rooms_list: 'get_rooms',
  user_added: 'add_user_to_room',
  user_removed: 'remove_user_from_room',
  room_deleted: 'delete_room',
  room_renamed: 'rename_room',
  rooms_watched: 'watch_rooms',
  room_joined: 'join_room',
  room_left: 'leave_room',
  room_users_list: 'get_room_users',
  ack: 'send_message',
  messages_list: 'get_messages',
  receipts_list: 'get_receipts',
  file_send_init: 'file_send_init',
  file_send_data: 'file_send_data',
  file_send_fin: 'file_send_fin',
  file_list_req: 'file_list_req',
  file_down_fin: 'file_down_req',
};

export const loginRules: AnswerRules = {
  errorIn: ({ action, code, message, original_action }) =>
    action === 'error' || action === 'login_fail' ? { code, message, action: original_action } : undefined,
  actionOf({ action, data }) {
    // Under the handshake the count is what answers first; an exchange's further frames have its id.
    if (action === 'character_count') return data.original_action;
    return Object.hasOwn(loginAnswers, action) ? loginAnswers[action] : undefined;
  },
  accounts: { login_as_guest: 'login' },
  // What happens in rooms is told in the words of replies. A step of the handshake is answered where nothing waits for it.
  unasked: [
    ...['add_user_to_room', 'remove_user_from_room', 'delete_room', 'rename_room', 'join_room', 'leave_room'],
    ...['create_room', 'ack', 'confirm_count'],
  ],
};

export const identifyRules: AnswerRules = {
  errorIn: ({ action, payload }) =>
    action === 'error' && payload
      ? { code: payload.reason, message: payload.detail, action: payload.originalAction }
      : undefined,
  actionOf({ action }) {
    switch (action) {
      case 'joined':
      case 'renamed':
        return 'joinRoom';
      case 'roomsList':
        return 'roomsList';
      case 'left':
        return 'leaveRoom';
      case 'message':
        return 'sendMessage';
      case 'history':
        return 'history';
      default:
        return undefined;
    }
  },
  accounts: { identify: 'joinRoom', rename: 'joinRoom', createRoom: 'roomsList', deleteRoom: 'leaveRoom' },
  unasked: ['roomsList', 'leaveRoom', 'joinRoom', 'sendMessage'],
};

export const joinRules: AnswerRules = {
  errorIn: ({ action, code, message, originalAction }) =>
    action === 'error' ? { code, message, action: originalAction } : undefined,
  actionOf({ action }) {
    switch (action) {
      case 'joined':
        return 'join';
      case 'left':
        return 'leave';
      case 'new-message':
        return 'send-message';
      default:
        return undefined;
    }
  },
  accounts: {},
  unasked: ['leave', 'send-message'],
};

/** The text of a message that a frame delivers, where it comes back to its sender, too: that answers the sending. */
export const deliveredText: Readonly<Record<string, (frame: AnyFrame) => unknown>> = {
  identify: ({ action, payload }) => (action === 'message' ? payload.message : undefined),
  join: ({ action, message }) => (action === 'new-message' ? message : undefined),
};

/** The text of a message that a frame sends there. */
export const sentText: Readonly<Record<string, (frame: AnyFrame) => unknown>> = {
  identify: ({ payload }) => payload?.message,
  join: ({ message }) => message,
};
