import { ParleyError } from '@parley/protocol';
import type { Caller, User } from '@parley/protocol';
import type { Connection } from '../connection/connection.ts';

/** For whom a request of the connection is made; undefined while it is nobody's. */
export function callerFor({ id, session }: Connection): Caller | undefined {
  return session && { ...session, connectionId: id };
}

/** Only a connection that is nobody's may log in. @throws ParleyError `already_logged_in` */
export function requireNobody({ session }: Connection): void {
  if (!session) return;
  const message = 'This connection is logged in already; log out first.';
  throw new ParleyError('already_logged_in', {}, { message });
}

/**
 * Nobody speaks for another.
 * @param claimedName Who the client says it is, if it does.
 * @throws ParleyError `not_authenticated` or `forbidden`.
 */
export function authorize(user: Pick<User, 'name'> | undefined, claimedName: string | undefined): void {
  if (!user) throw new ParleyError('not_authenticated');
  if (claimedName === undefined || claimedName === user.name) return;
  const message = `You are ${user.name} here and can only speak for yourself.`;
  throw new ParleyError('forbidden', {}, { message });
}
