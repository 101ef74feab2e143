import { ParleyError } from '@parley/protocol';
import type { UserName } from '@parley/protocol';
import type { RateLimit } from '@parley/service-kit';
import { loginOrigin } from './failed-logins.ts';
import type { CountedAttempt, FailedLogins } from './failed-logins.ts';

export interface LoginLimitsParts {
  limit: RateLimit;
  failedLogins: FailedLogins;
  limits: { loginsPerAccount: number; loginsPerAddress: number; failedLoginsPerAccount: number };
  /** A limit of the account was reached from there. Never rejects. */
  noticeReached: (name: UserName, address: string) => Promise<void>;
}

/** How often it may be tried to log in. */
export interface LoginLimits {
  /** Counts a login from the address, by whatever proof. @throws ParleyError `rate_limited` */
  admit: (address: string) => Promise<void>;
  /**
   * Looks at a password, if it may be tried: as a failure counts what is answered with undefined.
   * @param look May fail, which counts for nothing.
   * @throws ParleyError `rate_limited`; what `look` throws.
   */
  tryPassword: <Account>(
    name: UserName,
    address: string,
    look: () => Promise<Account | undefined>,
  ) => Promise<Account | undefined>;
}

/** Limits shared by all instances. */
export function createLoginLimits({
  limit,
  failedLogins,
  limits,
  noticeReached,
}: LoginLimitsParts): LoginLimits {
  async function begin(name: UserName, address: string): Promise<CountedAttempt> {
    await limit(`login:origin:${loginOrigin(name, address)}`, limits.loginsPerAccount);
    // Strangers share what an account may be tried a minute; who is known there has that of its address, whatever they do.
    if (!(await failedLogins.isKnown(name, address)))
      await limit(`login:account:${name}`, limits.loginsPerAccount);
    const attempt = await failedLogins.begin(name, address);
    if (attempt.failures <= limits.failedLoginsPerAccount) return attempt;
    throw new ParleyError('rate_limited', { retryAfterMs: Math.max(attempt.remainingMs, 1) });
  }

  return {
    admit: (address) => limit(`login:address:${address}`, limits.loginsPerAddress),

    async tryPassword(name, address, look) {
      const attempt = await begin(name, address).catch(async (error: unknown) => {
        if (ParleyError.from(error).code === 'rate_limited') await noticeReached(name, address);
        throw error;
      });
      const account = await look().catch(async (error: unknown) => {
        await attempt.withdrawn().catch(() => {
          // Redis is away: a failure too many, for an hour.
        });
        throw error;
      });
      if (account !== undefined) await attempt.succeeded();
      return account;
    },
  };
}

/** For `RATE_LIMITS=off`. */
export const noLoginLimits: LoginLimits = {
  admit: () => Promise.resolve(),
  tryPassword: (_name, _address, look) => look(),
};
