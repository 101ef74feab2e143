import { Failure, NotApplicable } from '../failure.ts';
import { isFields, number, text } from '../fields.ts';
import type { Fields } from '../fields.ts';
import type { Line } from './login-wire.ts';
import { Wire } from './wire.ts';
import type { Got } from './wire.ts';

const replies: Record<string, string> = {
  identify: 'joined',
  createRoom: 'roomsList',
  joinRoom: 'joined',
  leaveRoom: 'left',
  deleteRoom: 'left',
  rename: 'renamed',
};

/** A connection of the identify dialect. */
export class IdentifyWire extends Wire {
  name = '';

  /** Sends a request; answers its reply or error, as it came. @throws Failure */
  request(action: string, payload: Fields = {}, reply = replies[action] ?? action): Promise<Got> {
    const answer = this.next(`the answer to \`${action}\``, (got) => {
      if (got.action === 'error') return true;
      if (got.action !== reply) return false;
      // Lists come unasked, too: only one with the room can be the answer to its making.
      return action !== 'createRoom' || Object.hasOwn(roomsIn(got), String(payload['room']));
    });
    this.send({ action, payload });
    return answer;
  }

  /** @throws Failure where it is refused. */
  async ask(action: string, payload?: Fields, reply?: string): Promise<Fields> {
    const got = await this.request(action, payload, reply);
    if (got.action === 'error') throw new Failure(`\`${action}\` was refused: ${got.text}`);
    return payloadOf(got);
  }

  /** The payload of the error. @throws Failure where it is not refused. */
  async refusal(action: string, payload?: Fields): Promise<Fields> {
    const got = await this.request(action, payload);
    if (got.action !== 'error') throw new Failure(`\`${action}\` was not refused`);
    return payloadOf(got);
  }

  /** @throws NotApplicable where guests are not allowed; Failure where it is refused otherwise. */
  async identify(username: string): Promise<Got> {
    const got = await this.request('identify', { username });
    if (got.action === 'error') {
      if (payloadOf(got)['reason'] === 'forbidden') throw new NotApplicable('guests are not allowed here');
      throw new Failure(`\`identify\` was refused: ${got.text}`);
    }
    this.name = username;
    return got;
  }

  /** Sends a message and answers it as it comes back. @throws Failure */
  async say(room: string, message: string, more: Fields = {}): Promise<Fields> {
    this.send({ action: 'sendMessage', payload: { room, message, ...more } });
    return this.hears(room, message);
  }

  async hears(room: string, message: string): Promise<Fields> {
    const got = await this.next(`the message "${message.slice(0, 40)}"`, (candidate) => {
      const payload = payloadOf(candidate);
      return candidate.action === 'message' && payload['room'] === room && payload['message'] === message;
    });
    return payloadOf(got);
  }

  /** The messages of the room so far. */
  heard(room: string): Line[] {
    return this.all('message')
      .map(payloadOf)
      .filter((payload) => payload['room'] === room)
      .map(identifyLine);
  }
}

export function payloadOf({ frame }: Got): Fields {
  return isFields(frame['payload']) ? frame['payload'] : {};
}

export function roomsIn(got: Got): Fields {
  const { rooms } = payloadOf(got) as { rooms?: unknown };
  return isFields(rooms) ? rooms : {};
}

export function identifyLine(payload: Fields): Line {
  return {
    id: number(payload, 'id'),
    sender: text(payload, 'from'),
    content: text(payload, 'message'),
    timestamp: text(payload, 'timestamp'),
  };
}
