import type { Journal } from '../journal.ts';
import type { Violation } from './violation.ts';

/** Refusals that a client of good manners meets when parts are away, or that follow from what it could not know. */
const understandable = new Set([
  'unavailable',
  'already_logged_in',
  'invalid_credentials',
  'not_authenticated',
  'username_taken',
  'not_in_room',
  'user_not_found',
  'upload_not_found',
  'chunks_missing',
]);

/** (8) Every request has its reply or an error while its connection lives, and no error is a surprise. */
export function auditAnswers({ silences, refusals }: Journal): Violation[] {
  return [
    ...silences.map(({ at, user, connection, action }) => ({
      point: 8,
      what: `connection ${connection}: ${action} was never answered`,
      user,
      at,
    })),
    ...refusals
      .filter(({ code }) => !understandable.has(code))
      .map(({ at, user, connection, action, code }) => ({
        point: 8,
        what: `connection ${connection}: ${action} was refused with ${code}`,
        user,
        at,
      })),
  ];
}
