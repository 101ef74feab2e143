import { createId, isGuest, ParleyError } from '@parley/protocol';
import type { AccountRole, User, UserId, UserName } from '@parley/protocol';
import type { GuestNames } from './guest-names.ts';
import { hashPassword } from './passwords.ts';
import type { RateLimit } from './rate-limits.ts';
import type { AccountStore } from './store.ts';

export interface AccountsParts {
  accounts: AccountStore;
  guestNames: GuestNames;
  limit: RateLimit;
  limits: { registrationsPerAddress: number };
}

export type Accounts = ReturnType<typeof createAccounts>;

/** Who has an account, and what it may do. */
export function createAccounts({ accounts, guestNames, limit, limits }: AccountsParts) {
  async function register(name: UserName, password: string, address: string): Promise<User> {
    await limit(`register:address:${address}`, limits.registrationsPerAddress);
    const passwordHash = await hashPassword(password);
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

  async function setRole(name: UserName, role: AccountRole): Promise<void> {
    if (!(await accounts.setRole(name, role))) throw new ParleyError('user_not_found', { users: [name] });
  }

  /** Of an unknown user `member`, as of guests. */
  async function findRole(userId: UserId): Promise<AccountRole> {
    return (isGuest(userId) ? undefined : await accounts.findRole(userId)) ?? 'member';
  }

  return { register, setRole, findRole };
}
