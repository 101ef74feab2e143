import type { UserName } from '@parley/protocol';
import type { Log, RedisStore } from '@parley/service-kit';
import type { AccountStore } from './store.ts';

/** How often the log tells of one account, in ms. */
const everyMs = 60_000;

export interface LoginAlarmParts {
  redis: RedisStore;
  accounts: Pick<AccountStore, 'find'>;
  log: Pick<Log, 'warn'>;
}

/**
 * Tells the log that somebody tries passwords: of all instances one, at most once a minute for an account. Names that are no
 * account's are left out: anybody can make up any number of them, and people type passwords there by mistake.
 */
export function createLoginAlarm({ redis, accounts, log }: LoginAlarmParts) {
  /** @param address From where the limit was reached. Never rejects. */
  return async function noticeReached(name: UserName, address: string): Promise<void> {
    try {
      const key = `parley:limit:alarm:${name}`;
      const isFirst = await redis.run((commands) => commands.set(key, '1', 'PX', everyMs, 'NX'));
      if (!isFirst) return;
      const account = await accounts.find(name);
      if (account) log.warn({ userId: account.userId, name, address }, 'login limit of an account reached');
    } catch {
      // What matters is that the login is refused; whoever goes on trying is noticed a minute later.
    }
  };
}
