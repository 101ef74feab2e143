import { openSocket, textFrame, type RawSocket } from './websocket.ts';

/** A frame of the login dialect. */
export interface LoginFrame {
  action: string;
  original_action?: string;
  status: string;
  code?: string;
  data?: Record<string, unknown>;
}

/** The connection is gone, so there will be no reply. */
export class ConnectionLostError extends Error {}

/** Longest wait for a reply, in ms: twice what the server promises. */
const requestMs = 10_000;

/** What answers each request; errors and failed logins name it themselves. */
const requestsByReply: Readonly<Record<string, string>> = {
  register_success: 'register',
  login_success: 'login',
  room_created: 'create_room',
  ack: 'send_message',
  messages_list: 'get_messages',
  room_joined: 'join_room',
  room_left: 'leave_room',
};

export interface LoginListeners {
  onDelivery: (messageId: number) => void;
  /** Not called for a connection that we close ourselves. @param reason The server's close code, or what broke. */
  onLost: (reason: string) => void;
}

/** A connection of the login dialect with one request under way at a time. */
export class LoginConnection {
  readonly #listeners: LoginListeners;
  #socket!: RawSocket;
  #pending:
    { action: string; resolve: (frame: LoginFrame) => void; reject: (error: Error) => void } | undefined;
  /** Why it is gone; `undefined` while it is open. */
  #end: string | undefined;

  private constructor(listeners: LoginListeners) {
    this.#listeners = listeners;
  }

  /** @throws Error where the server refuses. */
  static async open(webSocketUrl: string, listeners: LoginListeners): Promise<LoginConnection> {
    const connection = new LoginConnection(listeners);
    connection.#socket = await openSocket(webSocketUrl, {
      onText: (bytes, start, end) => {
        connection.#hear(JSON.parse(bytes.toString('utf8', start, end)) as LoginFrame);
      },
      onRead: () => {},
      onClose: (reason) => {
        connection.#lost(reason);
      },
    });
    return connection;
  }

  /**
   * Resolves with the reply, or the error in its place.
   * @throws ConnectionLostError; Error where there is no reply.
   */
  async request(action: string, data: object): Promise<LoginFrame> {
    if (this.#end !== undefined) throw new ConnectionLostError(this.#end);
    const { promise, resolve, reject } = Promise.withResolvers<LoginFrame>();
    this.#pending = { action, resolve, reject };
    const timer = setTimeout(() => {
      reject(new Error(`${action}: no reply within ${requestMs / 1_000} s`));
    }, requestMs);
    this.#socket.write(textFrame(JSON.stringify({ action, data })).bytes);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Resolves with the `data` of the reply.
   * @throws as `request`; Error where it is refused, with the error's code.
   */
  async ask(action: string, data: object): Promise<Record<string, unknown>> {
    const { status, code = '', data: answer = {} } = await this.request(action, data);
    if (status !== 'success') throw new Error(`${action}: ${code}`);
    return answer;
  }

  #hear({ action, ...frame }: LoginFrame): void {
    if (action === 'receive_message') {
      this.#listeners.onDelivery(frame.data?.message_id as number);
      return;
    }
    const pending = this.#pending;
    if (!pending || (frame.original_action ?? requestsByReply[action]) !== pending.action) return;
    this.#pending = undefined;
    pending.resolve({ action, ...frame });
  }

  #lost(reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    this.#listeners.onLost(reason);
    this.#pending?.reject(new ConnectionLostError(reason));
  }

  close(): void {
    this.#end = 'closed';
    this.#socket.destroy();
  }
}
