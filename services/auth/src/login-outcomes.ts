import { ParleyError } from '@parley/protocol';
import type { ErrorCode } from '@parley/protocol';
import { logins } from './metrics.ts';

/** What became of a login: `success` by password, `resumed` a session, `session_ended` where there is none to resume, or an error. */
export type LoginOutcome = 'success' | 'resumed' | 'session_ended' | ErrorCode;

/** Those that are there from the start, so that a first attack is seen as a rise. */
const expected: readonly LoginOutcome[] = [
  'success',
  'resumed',
  'session_ended',
  'invalid_credentials',
  'already_logged_in',
  'forbidden',
  'rate_limited',
  'unavailable',
];
for (const outcome of expected) logins.inc({ outcome }, 0);

/** Counts a login by password as what it comes to. */
export function countLogin<Session>(login: Promise<Session>): Promise<Session> {
  return count(login, 'success', (code) => code);
}

/** Counts a resumed session as what it comes to: one that has ended is everyday, unlike a wrong password. */
export function countResume<Session>(resume: Promise<Session>): Promise<Session> {
  return count(resume, 'resumed', (code) => (code === 'invalid_credentials' ? 'session_ended' : code));
}

async function count<Session>(
  attempt: Promise<Session>,
  success: LoginOutcome,
  outcomeOf: (code: ErrorCode) => LoginOutcome,
): Promise<Session> {
  try {
    const session = await attempt;
    logins.inc({ outcome: success });
    return session;
  } catch (thrown) {
    logins.inc({ outcome: outcomeOf(ParleyError.from(thrown).code) });
    throw thrown;
  }
}
