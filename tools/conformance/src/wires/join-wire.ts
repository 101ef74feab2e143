import { Failure } from '../failure.ts';
import { number, text } from '../fields.ts';
import type { Fields } from '../fields.ts';
import type { Line } from './login-wire.ts';
import { Wire } from './wire.ts';
import type { Got } from './wire.ts';

const replies: Record<string, string> = { join: 'joined', leave: 'left' };

/** A connection of the join dialect. */
export class JoinWire extends Wire {
  /** Sends a request; answers its reply or error, as it came. @throws Failure */
  request(action: string, fields: Fields): Promise<Got> {
    const answer = this.next(
      `the answer to \`${action}\``,
      (got) => got.action === 'error' || got.action === replies[action],
    );
    this.send({ action, ...fields });
    return answer;
  }

  /** @throws Failure where it is refused. */
  async ask(action: string, fields: Fields): Promise<Fields> {
    const got = await this.request(action, fields);
    if (got.action === 'error') throw new Failure(`\`${action}\` was refused: ${got.text}`);
    return got.frame;
  }

  /** The error. @throws Failure where it is not refused. */
  async refusal(action: string, fields: Fields): Promise<Fields> {
    const got = await this.request(action, fields);
    if (got.action !== 'error') throw new Failure(`\`${action}\` was not refused`);
    return got.frame;
  }

  /** Sends a message and answers it as it comes back. @throws Failure */
  async say(roomId: string, message: string, more: Fields = {}): Promise<Fields> {
    this.send({ action: 'send-message', roomId, message, ...more });
    return this.hears(roomId, message);
  }

  async hears(roomId: string, message: string): Promise<Fields> {
    const got = await this.next(
      `the message "${message.slice(0, 40)}"`,
      ({ action, frame }) =>
        action === 'new-message' && frame['roomId'] === roomId && frame['message'] === message,
    );
    return got.frame;
  }

  /** The messages of the room so far. */
  heard(roomId: string): Line[] {
    return this.all('new-message')
      .map(({ frame }) => frame)
      .filter((frame) => frame['roomId'] === roomId)
      .map(joinLine);
  }
}

export function joinLine(fields: Fields): Line {
  return {
    id: number(fields, 'id'),
    sender: text(fields, 'sender'),
    content: text(fields, 'message'),
    timestamp: text(fields, 'timestamp'),
  };
}
