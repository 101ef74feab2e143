import { ParleyError } from '@parley/protocol';
import type {
  Caller,
  ConnectionId,
  ConnectionPlace,
  ConnectionsEnded,
  findSession,
  logIn,
  openToken,
  ReplyOf,
  RequestOf,
  resumeSession,
  SessionId,
  User,
} from '@parley/protocol';
import type { LoginLimits } from './login-limits.ts';
import { countLogin, countResume } from './login-outcomes.ts';
import type { Passwords } from './password-queue.ts';
import type { LoginPolicy, SessionStore } from './sessions.ts';
import type { Account, AccountStore } from './store.ts';

export interface LoginsParts {
  accounts: AccountStore;
  sessions: SessionStore;
  passwords: Pick<Passwords, 'isRight'>;
  limits: LoginLimits;
  loginPolicy: LoginPolicy;
  /** Whether the connection still answers; false too when its gateway is gone. */
  isAlive: (place: ConnectionPlace) => Promise<boolean>;
  publish: (event: ConnectionsEnded) => void;
}

/** Who wants to come in, and from which address, for its limit. */
export type Credentials = RequestOf<typeof openToken>;

export type Session = ReplyOf<typeof logIn>;
export type Logins = ReturnType<typeof createLogins>;

/** Who may come in, as whom, and for how long. */
export function createLogins({
  accounts,
  sessions,
  passwords,
  limits,
  loginPolicy,
  isAlive,
  publish,
}: LoginsParts) {
  /** Opens a session for a connection of the login dialect. */
  async function logIn(credentials: Credentials, place: ConnectionPlace, deadline: number): Promise<Session> {
    const account = await authenticate(credentials, deadline);
    return confirmed(account, await openSession(account, place));
  }

  /** Opens a session that is bound to no connection and in the way of none. */
  async function openToken(credentials: Credentials, deadline: number): Promise<Session> {
    const account = await authenticate(credentials, deadline);
    const { userId, name } = account;
    return confirmed(account, { userId, name, ...(await sessions.openToken(account)) });
  }

  /** An unknown user and a wrong password are one answer, after the same work. Only who is right hears of more. */
  async function authenticate({ name, password, address }: Credentials, deadline: number): Promise<Account> {
    await limits.admit(address);
    const account = await limits.tryPassword(name, address, async () => {
      const found = await accounts.find(name);
      const right = await passwords.isRight(found?.passwordHash, password, deadline);
      return right ? found : undefined;
    });
    if (!account) throw new ParleyError('invalid_credentials');
    if (account.isDisabled) throw accountIsDisabled();
    return account;
  }

  /**
   * The session, if it may stay. An operator's order changes the account first and ends its sessions then: of a session
   * that is opened meanwhile either that end takes notice, or this second look does.
   */
  async function confirmed({ name, passwordHash }: Account, session: Session): Promise<Session> {
    const account = await accounts.find(name);
    if (account?.passwordHash === passwordHash && !account.isDisabled) return session;
    await revoke(session);
    throw account?.isDisabled ? accountIsDisabled() : new ParleyError('invalid_credentials');
  }

  /**
   * Under `single`, a connection that is in the way is probed, and taken over when it does not answer: that one only,
   * as another login may have been quicker.
   */
  async function openSession(
    { userId, name }: User,
    place: ConnectionPlace,
    dead?: ConnectionPlace,
  ): Promise<Session> {
    const user = { userId, name };
    const opening = await sessions.open(user, place, loginPolicy, dead);
    if (opening.outcome === 'occupied') {
      if (await isAlive(opening.place)) throw new ParleyError('already_logged_in');
      return openSession(user, place, opening.place);
    }
    const { sessionId, sessionKey, ended } = opening;
    endConnections(user, ended, 'taken-over', place.connectionId);
    return { ...user, sessionId, sessionKey };
  }

  /** Binds an open session to another connection and sends its former one away, with those that may not be beside it. */
  async function resume(
    { name, sessionKey, address }: Omit<RequestOf<typeof resumeSession>, 'place'>,
    place: ConnectionPlace,
  ): Promise<Session> {
    await limits.admit(address);
    const resumed = await sessions.resume(name, sessionKey, place, loginPolicy);
    if (!resumed) throw new ParleyError('invalid_credentials');
    const { userId, sessionId, ended } = resumed;
    // Its sessions were ended, but one may come back: Redis may lose its last second.
    if ((await accounts.find(name))?.isDisabled) {
      await revoke({ userId, sessionId });
      throw accountIsDisabled();
    }
    endConnections({ userId }, [sessionId], 'resumed', place.connectionId);
    endConnections({ userId }, ended, 'taken-over', place.connectionId);
    return { userId, name, sessionId, sessionKey };
  }

  async function find(sessionKey: string): Promise<ReplyOf<typeof findSession>> {
    const session = await sessions.find(sessionKey);
    if (!session) throw new ParleyError('not_authenticated');
    return session;
  }

  /** Ends the caller's session; its other connections have to go, the caller's own stays. */
  async function endSession(caller: Caller): Promise<void> {
    if (caller.sessionId === undefined) {
      const message = 'A guest has no session that could be ended.';
      throw new ParleyError('forbidden', {}, { message });
    }
    const { userId, sessionId, connectionId } = caller;
    await revoke({ userId, sessionId }, connectionId);
  }

  async function revoke(
    { userId, sessionId }: Pick<Session, 'userId' | 'sessionId'>,
    except?: ConnectionId,
  ): Promise<void> {
    await sessions.end(userId, sessionId);
    endConnections({ userId }, [sessionId], 'session-ended', except);
  }

  function endConnections(
    { userId }: Pick<User, 'userId'>,
    sessionIds: SessionId[],
    reason: ConnectionsEnded['reason'],
    except: ConnectionId | undefined,
  ): void {
    if (sessionIds.length === 0) return;
    publish({ type: 'connections-ended', userId, sessionIds, reason, except });
  }

  return {
    logIn: (...login: Parameters<typeof logIn>) => countLogin(logIn(...login)),
    openToken: (...login: Parameters<typeof openToken>) => countLogin(openToken(...login)),
    resume: (...login: Parameters<typeof resume>) => countResume(resume(...login)),
    find,
    endSession,
  };
}

function accountIsDisabled(): ParleyError {
  return new ParleyError('forbidden', {}, { message: 'This account is disabled.' });
}
