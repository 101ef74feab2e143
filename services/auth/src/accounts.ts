import { createId, ParleyError } from '@parley/protocol';
import type {
  Caller,
  ConnectionPlace,
  logIn,
  ReplyOf,
  SessionId,
  User,
  UserEvent,
  UserName,
} from '@parley/protocol';
import { hashPassword, isPassword } from './passwords.ts';
import type { RateLimit } from './rate-limits.ts';
import type { LoginPolicy, SessionStore } from './sessions.ts';
import type { AccountStore } from './store.ts';

export interface AccountsParts {
  accounts: AccountStore;
  sessions: SessionStore;
  limit: RateLimit;
  limits: { loginsPerAccount: number; loginsPerAddress: number; registrationsPerAddress: number };
  loginPolicy: LoginPolicy;
  /** Whether the connection still answers; false too when its gateway is gone. */
  isAlive: (place: ConnectionPlace) => Promise<boolean>;
  publish: (event: UserEvent & { type: 'connections-ended' }) => void;
}

export interface Credentials {
  name: UserName;
  /** The client's address, for its limit. */
  address: string;
  place: ConnectionPlace;
}

export type Session = ReplyOf<typeof logIn>;
export type Accounts = ReturnType<typeof createAccounts>;

/** Who may come in, and as whom. */
export function createAccounts({
  accounts,
  sessions,
  limit,
  limits,
  loginPolicy,
  isAlive,
  publish,
}: AccountsParts) {
  async function register(name: UserName, password: string, address: string): Promise<User> {
    await limit(`register:address:${address}`, limits.registrationsPerAddress);
    const account = { userId: createId('user'), name, passwordHash: await hashPassword(password) };
    if (!(await accounts.insert(account))) throw new ParleyError('username_taken');
    return { userId: account.userId, name };
  }

  /** Opens a session by password. An unknown user and a wrong password are one answer, after the same work. */
  async function logIn({ name, address, place }: Credentials, password: string): Promise<Session> {
    await limit(`login:address:${address}`, limits.loginsPerAddress);
    await limit(`login:account:${name}`, limits.loginsPerAccount);
    const account = await accounts.find(name);
    const right = await isPassword(account?.passwordHash, password);
    if (!account || !right) throw new ParleyError('invalid_credentials');
    return openSession({ userId: account.userId, name }, place);
  }

  /**
   * Under `single`, a connection that is in the way is probed, and taken over when it does not answer: that one only,
   * as another login may have been quicker.
   */
  async function openSession(user: User, place: ConnectionPlace, dead?: ConnectionPlace): Promise<Session> {
    const opening = await sessions.open(user, place, loginPolicy, dead);
    if (opening.outcome === 'occupied') {
      if (await isAlive(opening.place)) throw new ParleyError('already_logged_in');
      return openSession(user, place, opening.place);
    }
    const { sessionId, sessionKey, ended } = opening;
    if (ended.length > 0) endConnections(user, ended, 'taken-over', place);
    return { ...user, sessionId, sessionKey };
  }

  /** Binds an open session to another connection and sends its former one away. */
  async function resume({ name, address, place }: Credentials, sessionKey: string): Promise<Session> {
    await limit(`login:address:${address}`, limits.loginsPerAddress);
    const resumed = await sessions.resume(name, sessionKey, place);
    if (!resumed) throw new ParleyError('invalid_credentials');
    const { userId, sessionId } = resumed;
    endConnections({ userId, name }, [sessionId], 'taken-over', place);
    return { userId, name, sessionId, sessionKey };
  }

  /** Ends the caller's session; its other connections have to go, the caller's own stays. */
  async function endSession(caller: Caller): Promise<void> {
    await sessions.end(caller.userId, caller.sessionId);
    endConnections(caller, [caller.sessionId], 'session-ended', caller);
  }

  function endConnections(
    { userId }: User,
    sessionIds: SessionId[],
    reason: 'taken-over' | 'session-ended',
    { connectionId }: Pick<ConnectionPlace, 'connectionId'>,
  ): void {
    publish({ type: 'connections-ended', userId, sessionIds, reason, except: connectionId });
  }

  return { register, logIn, resume, endSession };
}
