import type { ErrorCode, ErrorDetails, ParleyError } from '../../errors.ts';
import { defineDialect, replyFrame, spelledDetails } from '../define-dialect.ts';
import { events } from './events.ts';
import { downloadFrames, inClientsWords } from './files.ts';
import { handshakeFrames } from './handshake.ts';
import { requests } from './requests.ts';

/** The failures of a login that have a frame of their own; all others, as a malformed login, are an `error`. */
const loginFailures: readonly ErrorCode[] = ['invalid_credentials', 'already_logged_in'];
/** The words of seed 001, which clients may compare; the code tells the two apart. */
const loginFailureText = 'Invalid credentials or user already logged in';

const detailSpelling: Record<keyof ErrorDetails, string> = {
  field: 'field',
  retryAfterMs: 'retry_after_ms',
  transactionId: 'transaction_id',
  users: 'users',
  fileName: 'file_path',
  sequence: 'sequence_number',
  missing: 'missing',
};

/** The dialect of seeds 000 and 001: snake_case actions with their body in `data`, accounts, private rooms. */
export const loginDialect = defineDialect({
  name: 'login',
  tellsSenders: false,
  bodyField: 'data',
  requests,
  events,
  errorFrame,
  download: downloadFrames,
  handshake: handshakeFrames((command, reply) => replyFrame(requests, command, reply)),
});

function errorFrame(error: ParleyError, action: string | undefined): object {
  const failedLogin = action === 'login' && loginFailures.includes(error.code);
  const details = spelledDetails(inClientsWords(error.details, action), detailSpelling);
  return {
    action: failedLogin ? 'login_fail' : 'error',
    original_action: action ?? null,
    status: 'error',
    message: failedLogin ? loginFailureText : error.message,
    code: error.code,
    data: Object.keys(details).length > 0 ? details : undefined,
  };
}
