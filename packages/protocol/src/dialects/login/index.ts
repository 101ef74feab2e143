import type { Command } from '../../command.ts';
import type { ErrorCode, ErrorDetails, ParleyError } from '../../errors.ts';
import type { RoomEvent } from '../../events.ts';
import type { Dialect, JsonObject } from '../dialect.ts';
import { events } from './events.ts';
import type { Frame } from './frames.ts';
import { handshakeFrames } from './handshake.ts';
import { dataOf, requests } from './requests.ts';
import type { RequestRow } from './requests.ts';

/** The failures of a login that have a frame of their own; all others, as a malformed login, are an `error`. */
const loginFailures: readonly ErrorCode[] = ['invalid_credentials', 'already_logged_in'];
/** The words of seed 001, which clients may compare; the code tells the two apart. */
const loginFailureText = 'Invalid credentials or user already logged in';

/** The dialect of seeds 000 and 001: snake_case actions with their body in `data`, accounts, private rooms. */
export const loginDialect: Dialect = {
  name: 'login',
  recognises: (action) => Object.hasOwn(requests, action),

  decode(frame) {
    const action = frame['action'] as string;
    return rowOf(action).decode(dataOf(frame), action);
  },

  encodeReply(command, reply) {
    const frame = replyFrame(command, reply);
    return frame && JSON.stringify(frame);
  },

  encodeEvent(event) {
    const encode = events[event.type] as (event: RoomEvent) => Frame;
    return JSON.stringify(encode(event));
  },

  encodeError(error, action) {
    const failedLogin = action === 'login' && loginFailures.includes(error.code);
    return JSON.stringify({
      action: failedLogin ? 'login_fail' : 'error',
      original_action: action ?? null,
      status: 'error',
      message: failedLogin ? loginFailureText : error.message,
      code: error.code,
      data: dataOfError(error),
    });
  },

  handshake: handshakeFrames(replyFrame),
};

function replyFrame({ action, request }: Command, reply: unknown): Frame | undefined {
  return rowOf(action).encodeReply(reply, request);
}

function rowOf(action: string): RequestRow {
  const row = requests[action];
  if (!row) throw new Error(`the login dialect has no action ${action}`);
  return row;
}

/** The details in the dialect's spelling, or undefined where there are none. */
function dataOfError({ details }: ParleyError): JsonObject | undefined {
  const spelled: Record<keyof ErrorDetails, string> = {
    field: 'field',
    retryAfterMs: 'retry_after_ms',
    transactionId: 'transaction_id',
    users: 'users',
  };
  const data = Object.entries(details).map(
    ([key, value]) => [spelled[key as keyof ErrorDetails], value] as const,
  );
  return data.length > 0 ? Object.fromEntries(data) : undefined;
}
