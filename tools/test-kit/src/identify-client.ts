import { WireClient } from './wire-client.ts';

/** A frame of the identify dialect as it came. */
export interface IdentifyFrame {
  action: string;
  // Each test knows which fields its frame has.
  payload: any;
}

/** What answers each request that has an answer of its own. */
const replies: Record<string, string> = {
  identify: 'joined',
  createRoom: 'roomsList',
  roomsList: 'roomsList',
  joinRoom: 'joined',
  leaveRoom: 'left',
  deleteRoom: 'left',
  rename: 'renamed',
  history: 'history',
};

/** A client of the identify dialect. */
export class IdentifyClient extends WireClient<IdentifyFrame> {
  /** Sends a request and resolves with its reply or error. A message that was sent is answered by `message`. */
  request(action: string, payload: Record<string, unknown> = {}): Promise<IdentifyFrame> {
    // Lists come unasked too; only one with the room can be the answer to its making.
    const reply = this.upcoming(`reply to ${action}`, (frame) => {
      if (frame.action === 'error') return frame.payload.originalAction === action;
      if (action === 'createRoom' && frame.action === 'roomsList') {
        return Object.hasOwn(frame.payload.rooms, String(payload.room));
      }
      return frame.action === replies[action];
    });
    this.send({ action, payload });
    return reply;
  }

  /** @throws Error where it is refused. */
  async ask(action: string, payload?: Record<string, unknown>): Promise<IdentifyFrame['payload']> {
    const reply = await this.request(action, payload);
    if (reply.action === 'error') throw new Error(`${action}: ${reply.payload.reason as string}`);
    return reply.payload;
  }

  /** Becomes a guest. @throws Error where it is refused. */
  async identify(username: string): Promise<void> {
    this.name = username;
    await this.ask('identify', { username });
  }

  /** The lobby's list as it was last told. */
  get rooms(): Record<string, number> {
    return (this.all('roomsList').at(-1)?.payload.rooms ?? {}) as Record<string, number>;
  }
}
