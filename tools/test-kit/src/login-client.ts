import { once } from 'node:events';
import { WebSocket } from 'ws';
import { inTime } from './wait.ts';

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

interface Waiter {
  accepts: (frame: Frame) => boolean;
  resolve: (frame: Frame) => void;
}

/** A client of the login dialect that hides nothing: every frame can be seen. */
export class LoginClient implements Disposable {
  readonly socket: WebSocket;
  /** Every frame that came, in order. */
  readonly received: Frame[] = [];
  /** The frames that nobody has asked for yet. */
  readonly inbox: Frame[] = [];
  /** The close code, once the connection is closed. */
  readonly closed: Promise<number>;
  /** Set by `logIn`. */
  name = '';
  sessionKey = '';
  readonly #waiters: Waiter[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {
      // A refused or broken connection is seen as `closed`.
    });
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame;
      this.received.push(frame);
      const waiter = this.#waiters.findIndex(({ accepts }) => accepts(frame));
      if (waiter === -1) this.inbox.push(frame);
      else this.#waiters.splice(waiter, 1)[0]!.resolve(frame);
    });
  }

  /** @param webSocketUrl As `ws://127.0.0.1:20200`. */
  static async open(webSocketUrl: string): Promise<LoginClient> {
    const socket = new WebSocket(webSocketUrl, { perMessageDeflate: false });
    const client = new LoginClient(socket);
    await inTime(`connection to ${webSocketUrl}`, once(socket, 'open'));
    return client;
  }

  /** Sends a frame; a string goes out as it is. */
  send(frame: object | string): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The first frame that is accepted, among those that came already or come next. */
  next(what: string, accepts: (frame: Frame) => boolean = () => true): Promise<Frame> {
    const index = this.inbox.findIndex(accepts);
    if (index !== -1) return Promise.resolve(this.inbox.splice(index, 1)[0]!);
    return inTime(
      `${what} (${this.name})`,
      new Promise((resolve) => this.#waiters.push({ accepts, resolve })),
    );
  }

  /** The next frame with the action. */
  event(action: string): Promise<Frame> {
    return this.next(action, (frame) => frame.action === action);
  }

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

  /** The messages delivered so far, as `[message_id, content]`. */
  messagesOf(roomId: string): [number, string][] {
    return this.received
      .filter(({ action, data }) => action === 'receive_message' && data.room_id === roomId)
      .map(({ data }) => [data.message_id, data.content]);
  }

  /** Closes as a client does that goes away. */
  close(): Promise<number> {
    this.socket.close();
    return this.closed;
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

/** Whether the frame is the reply to such a request, or its error. */
function answers({ action, original_action, data }: Frame, asked: string): boolean {
  if (original_action !== undefined && action !== 'character_count') return original_action === asked;
  // Under the handshake an `ack` closes every exchange; the one that confirms a message has its id.
  if (asked === 'send_message') return action === 'ack' && data.message_id !== undefined;
  return action === replies[asked];
}
