import { WireClient } from './wire-client.ts';

/** A frame of the join dialect as it came. */
export interface JoinFrame {
  action: string;
  code?: string;
  originalAction?: string;
  // Each test knows which fields its frame has.
  [field: string]: any;
}

const replies: Record<string, string> = { join: 'joined', leave: 'left' };

/** A client of the join dialect. */
export class JoinClient extends WireClient<JoinFrame> {
  /** Sends a request and resolves with its reply or error. A message that was sent is answered by `new-message`. */
  request(action: string, fields: object): Promise<JoinFrame> {
    const reply = this.upcoming(`reply to ${action}`, (frame) => {
      if (frame.action === 'error') return frame.originalAction === action;
      return frame.action === replies[action];
    });
    this.send({ action, ...fields });
    return reply;
  }

  /** @throws Error where it is refused. */
  async join(username: string, roomId: string, more: object = {}): Promise<JoinFrame> {
    this.name = username;
    const reply = await this.request('join', { username, roomId, ...more });
    if (reply.action === 'error') throw new Error(`join: ${reply.code ?? ''}`);
    return reply;
  }
}
