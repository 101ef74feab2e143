import type { AccountRole, User, UserId, UserName } from '@parley/protocol';
import { violates } from '@parley/service-kit';
import type { Database } from '@parley/service-kit';

export interface Account extends User {
  passwordHash: string;
}

export type AccountStore = ReturnType<typeof createAccountStore>;

/** Accounts in Postgres. */
export function createAccountStore({ query }: Pick<Database, 'query'>) {
  return {
    /** False where the name is taken. */
    async insert({ userId, name, passwordHash }: Account): Promise<boolean> {
      const text = 'insert into auth.account (id, name, password_hash) values ($1, $2, $3)';
      try {
        await query({ name: 'auth.insert', text, values: [userId, name, passwordHash] });
        return true;
      } catch (error) {
        if (violates(error, 'account_name_key')) return false;
        throw error;
      }
    },

    async find(name: UserName): Promise<Account | undefined> {
      const text =
        'select id as "userId", name, password_hash as "passwordHash" from auth.account where name = $1';
      return (await query<Account>({ name: 'auth.find', text, values: [name] }))[0];
    },

    async findUsers(names: readonly UserName[]): Promise<User[]> {
      const text = 'select id as "userId", name from auth.account where name = any($1)';
      return query<{ userId: UserId; name: UserName }>({ name: 'auth.findUsers', text, values: [names] });
    },

    /** False where there is no such account. */
    async setRole(name: UserName, role: AccountRole): Promise<boolean> {
      const text = 'update auth.account set role = $2 where name = $1 returning id';
      return (await query({ name: 'auth.setRole', text, values: [name, role] })).length > 0;
    },

    async findRole(userId: UserId): Promise<AccountRole | undefined> {
      const text = 'select role from auth.account where id = $1';
      const accounts = await query<{ role: AccountRole }>({ name: 'auth.findRole', text, values: [userId] });
      return accounts[0]?.role;
    },
  };
}
