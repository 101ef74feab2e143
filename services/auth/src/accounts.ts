import { createId, isGuest, ParleyError } from '@parley/protocol';
import type { AccountRole, User, UserId, UserName } from '@parley/protocol';
import type { RateLimit } from '@parley/service-kit';
import type { GuestNames } from './guest-names.ts';
import type { Passwords } from './password-queue.ts';
import type { AccountStore } from './store.ts';

export interface AccountsParts {
  accounts: AccountStore;
  guestNames: GuestNames;
  passwords: Pick<Passwords, 'hash'>;
  limit: RateLimit;
  limits: { registrationsPerAddress: number };
}

export type Accounts = ReturnType<typeof createAccounts>;

/** Who has an account, and what it may do. */
export function createAccounts({ accounts, guestNames, passwords, limit, limits }: AccountsParts) {
  async function register(
    name: UserName,
    password: string,
    address: string,
    deadline: number,
  ): Promise<User> {
    await limit(`register:address:${address}`, limits.registrationsPerAddress);
    return add(name, password, deadline);
  }

  /**
   * @param deadline In ms since 1970.
   * @throws ParleyError `username_taken`, by an account or a guest who is here; `unavailable`.
   */
  async function add(name: UserName, password: string, deadline: number): Promise<User> {
    const passwordHash = await passwords.hash(password, deadline);
    const user = { userId: createId('user'), name };
    if (!(await guestNames.reserve(user))) throw new ParleyError('username_taken');
    // Where this fails the account may still come into being: the name stays reserved until that is settled.
    const isInserted = await accounts.insert({ ...user, passwordHash });
    await guestNames.release(user).catch(() => {
      // The account is made; the reservation, which is in nobody's way but guests', ends by itself.
    });
    if (!isInserted) throw new ParleyError('username_taken');
    return user;
  }

  /** Of an unknown user `member`, as of guests. */
  async function findRole(userId: UserId): Promise<AccountRole> {
    return (isGuest(userId) ? undefined : await accounts.findRole(userId)) ?? 'member';
  }

  return { register, add, findRole };
}
