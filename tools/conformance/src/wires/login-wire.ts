import { Failure } from '../failure.ts';
import { isFields, number, text } from '../fields.ts';
import type { Fields } from '../fields.ts';
import { afterRateLimit } from './rate-limit.ts';
import { Wire } from './wire.ts';
import type { Got } from './wire.ts';

/** The reply to each request, where it is not named as the request. */
const replies: Record<string, string> = {
  register: 'register_success',
  login: 'login_success',
  login_as_guest: 'login_success',
  logout: 'logout_success',
  create_room: 'room_created',
  get_rooms: 'rooms_list',
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
};

/** A message as history tells it. */
export interface Line {
  id: number;
  sender: string;
  content: string;
  timestamp: string;
}

/** A connection of the login dialect. */
export class LoginWire extends Wire {
  /** Who is logged in. */
  name = '';
  sessionKey = '';

  /** Sends a request; answers its reply or error, as it came. @throws Failure */
  async request(action: string, data?: object): Promise<Got> {
    return afterRateLimit(
      () => this.requestOnce(action, data),
      ({ frame }) => (frame['code'] === 'rate_limited' ? dataOf(frame)['retry_after_ms'] : undefined),
    );
  }

  /** Without patience where the rate is limited. */
  requestOnce(action: string, data?: object): Promise<Got> {
    const answer = this.next(`the answer to \`${action}\``, (got) => answers(got, action));
    this.send({ action, ...(data && { data }) });
    return answer;
  }

  /** Sends a request and answers the `data` of its reply. @throws Failure where it is refused. */
  async ask(action: string, data?: object): Promise<Fields> {
    const { frame } = await this.request(action, data);
    if (frame['status'] !== 'success')
      throw new Failure(`\`${action}\` was refused: ${text(frame, 'message')}`);
    return dataOf(frame);
  }

  /** The answer to a request that has to be refused. @throws Failure where it is not. */
  async refusal(action: string, data?: object): Promise<Fields> {
    const { frame } = await this.request(action, data);
    if (frame['status'] !== 'error') throw new Failure(`\`${action}\` was not refused`);
    return frame;
  }

  /** @throws Failure where it is refused. */
  async logIn(name: string, proof: object): Promise<void> {
    this.name = name;
    this.sessionKey = text(await this.ask('login', { chatid: name, ...proof }), 'session_key');
  }

  /** Sends a message and answers its confirmation. @throws Failure */
  say(room_id: string, content: string, more: object = {}): Promise<Fields> {
    return this.ask('send_message', { room_id, content, ...more });
  }

  /** The messages of the room that were delivered so far. */
  heard(roomId: string): Line[] {
    return this.all('receive_message')
      .map(({ frame }) => dataOf(frame))
      .filter((data) => data['room_id'] === roomId)
      .map(lineOf);
  }

  /** Resolves when a message of the room with the content was delivered. @throws Failure */
  async hears(roomId: string, content: string): Promise<Fields> {
    const { frame } = await this.next(
      `the delivery of "${content.slice(0, 40)}"`,
      ({ action, frame }) =>
        action === 'receive_message' &&
        dataOf(frame)['room_id'] === roomId &&
        dataOf(frame)['content'] === content,
    );
    return frame;
  }
}

export function dataOf(frame: Fields): Fields {
  return isFields(frame['data']) ? frame['data'] : {};
}

/** @throws Failure where a field is missing. */
export function lineOf(data: Fields): Line {
  return {
    id: number(data, 'message_id'),
    sender: text(data, 'sender_chatid'),
    content: text(data, 'content'),
    timestamp: text(data, 'timestamp'),
  };
}

function answers({ action, frame }: Got, asked: string): boolean {
  if (action === 'character_count') return false;
  if (frame['original_action'] !== undefined) return frame['original_action'] === asked;
  // Under the handshake every exchange ends with an `ack`; the one that confirms a message has its id.
  if (asked === 'send_message') return action === 'ack' && dataOf(frame)['message_id'] !== undefined;
  return action === (replies[asked] ?? asked);
}
