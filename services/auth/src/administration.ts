import { ParleyError } from '@parley/protocol';
import type {
  AccountRole,
  ConnectionsEnded,
  listAccounts,
  ReplyOf,
  RequestOf,
  SessionId,
  User,
  UserId,
  UserName,
} from '@parley/protocol';
import type { Log } from '@parley/service-kit';
import type { Passwords } from './password-queue.ts';
import type { SessionStore } from './sessions.ts';
import type { AccountStore, ListedAccount } from './store.ts';

export interface AdministrationParts {
  accounts: AccountStore;
  sessions: SessionStore;
  passwords: Pick<Passwords, 'hash'>;
  publish: (event: ConnectionsEnded) => void;
  /** Who runs a Parley may have to say who was locked out, and when. */
  log: Pick<Log, 'info'>;
}

export type Administration = ReturnType<typeof createAdministration>;

/** An event of so many fits the bus, which takes 1 MiB. */
const maxSessionsPerEvent = 1_000;

/** What an operator does with other people's accounts. */
export function createAdministration({ accounts, sessions, passwords, publish, log }: AdministrationParts) {
  async function list({
    after = '',
    limit,
  }: RequestOf<typeof listAccounts>): Promise<ReplyOf<typeof listAccounts>> {
    const found = await accounts.list(after, limit + 1);
    const page = found.slice(0, limit);
    const counts = await sessions.count(page.map(({ userId }) => userId));
    return {
      accounts: page.map((account, index) => recordOf(account, counts[index]!)),
      hasMore: found.length > limit,
    };
  }

  async function setRole(name: UserName, role: AccountRole): Promise<void> {
    const { userId } = known(name, await accounts.setRole(name, role));
    log.info({ userId, role }, 'role given');
  }

  /**
   * Ends what was opened with the former password. Answers how many sessions that were.
   * @param deadline In ms since 1970.
   */
  async function setPassword(name: UserName, password: string, deadline: number): Promise<number> {
    const passwordHash = await passwords.hash(password, deadline);
    const { userId } = known(name, await accounts.setPassword(name, passwordHash));
    const endedSessions = await endAll(userId);
    log.info({ userId, endedSessions }, 'password set');
    return endedSessions;
  }

  /** Answers how many sessions were ended. */
  async function disable(name: UserName): Promise<number> {
    const { userId } = known(name, await accounts.setDisabled(name, true));
    const endedSessions = await endAll(userId);
    log.info({ userId, endedSessions }, 'account disabled');
    return endedSessions;
  }

  async function enable(name: UserName): Promise<void> {
    const { userId } = known(name, await accounts.setDisabled(name, false));
    log.info({ userId }, 'account enabled');
  }

  /** Answers how many sessions were ended. */
  async function endSessions(name: UserName): Promise<number> {
    const { userId } = known(name, await accounts.find(name));
    const endedSessions = await endAll(userId);
    log.info({ userId, endedSessions }, 'sessions ended');
    return endedSessions;
  }

  /** Always after what is changed about the account is stored: see `confirmed` in logins.ts. */
  async function endAll(userId: UserId): Promise<number> {
    const ended: SessionId[] = await sessions.endAll(userId);
    for (let start = 0; start < ended.length; start += maxSessionsPerEvent) {
      const sessionIds = ended.slice(start, start + maxSessionsPerEvent);
      publish({ type: 'connections-ended', userId, sessionIds, reason: 'session-ended', except: undefined });
    }
    return ended.length;
  }

  return { list, setRole, setPassword, disable, enable, endSessions };
}

function known(name: UserName, user: User | undefined): User {
  if (!user) throw new ParleyError('user_not_found', { users: [name] });
  return user;
}

function recordOf({ createdAt, disabledAt, ...account }: ListedAccount, openSessions: number) {
  return {
    ...account,
    createdAt: createdAt.toISOString(),
    disabledAt: disabledAt?.toISOString() ?? null,
    sessions: openSessions,
  };
}
