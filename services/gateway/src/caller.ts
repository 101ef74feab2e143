import { ParleyError } from '@parley/protocol';
import type { Caller, User } from '@parley/protocol';
import type { Connection } from './connection.ts';

/** For whom a request of the connection is made; undefined while it is nobody's. */
export function callerFor({ id, session }: Connection): Caller | undefined {
  return session && { ...session, connectionId: id };
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
