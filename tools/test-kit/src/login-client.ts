import { WireClient } from './wire-client.ts';

/** A frame of the login dialect as it came. */
export interface Frame {
  action: string;
  status?: string;
  message?: string;
  code?: string;
  original_action?: string | null;
  // Each test knows which fields its frame has.
  data?: any;
}

/** What answers each request. */
const replies: Record<string, string> = {
  register: 'register_success',
  login: 'login_success',
  login_as_guest: 'login_success',
  rename_user: 'user_renamed',
  logout: 'logout_success',
  create_room: 'room_created',
  get_rooms: 'rooms_list',
  watch_rooms: 'rooms_watched',
  add_user_to_room: 'user_added',
  remove_user_from_room: 'user_removed',
  delete_room: 'room_deleted',
  rename_room: 'room_renamed',
  join_room: 'room_joined',
  leave_room: 'room_left',
  get_room_users: 'room_users_list',
  send_message: 'ack',
  get_messages: 'messages_list',
  get_receipts: 'receipts_list',
  file_send_init: 'file_send_init',
  file_send_fin: 'file_send_fin',
  file_list_req: 'file_list_req',
};

/** A client of the login dialect. */
export class LoginClient extends WireClient<Frame> {
  /** Set by `logIn` and `logInAsGuest`. */
  sessionKey = '';

  /** Sends a request and resolves with its reply or error. */
  request(action: string, data?: object): Promise<Frame> {
    const reply = this.next(`reply to ${action}`, (frame) => answers(frame, action));
    this.send({ action, ...(data && { data }) });
    return reply;
  }

  /** Sends a request and resolves with the `data` of its reply. @throws Error where it is refused. */
  async ask(action: string, data?: object): Promise<Frame['data']> {
    const reply = await this.request(action, data);
    if (reply.status === 'error') throw new Error(`${action}: ${reply.code ?? ''} ${reply.message ?? ''}`);
    return reply.data;
  }

  /** @throws Error where it is refused. */
  async logIn(name: string, proof: { password: string } | { session_key: string }): Promise<void> {
    this.name = name;
    this.sessionKey = (await this.ask('login', { chatid: name, ...proof })).session_key;
  }

  /** Becomes a guest. @throws Error where it is refused. */
  async logInAsGuest(
    name: string,
    options: { session_key?: string; receipts?: boolean } = {},
  ): Promise<void> {
    this.name = name;
    this.sessionKey = (await this.ask('login_as_guest', { chatid: name, ...options })).session_key;
  }

  /** The messages delivered so far, as `[message_id, content]`. */
  messagesOf(roomId: string): [number, string][] {
    return this.received
      .filter(({ action, data }) => action === 'receive_message' && data.room_id === roomId)
      .map(({ data }) => [data.message_id, data.content]);
  }
}

/** Whether the frame is the reply to such a request, or its error. */
function answers({ action, original_action, data }: Frame, asked: string): boolean {
  if (original_action !== undefined && action !== 'character_count') return original_action === asked;
  // Under the handshake an `ack` closes every exchange; the one that confirms a message has its id.
  if (asked === 'send_message') return action === 'ack' && data.message_id !== undefined;
  return action === replies[asked];
}
