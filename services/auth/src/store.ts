import type { AccountRole, User, UserId, UserName } from '@parley/protocol';
import { Gatherer, violates } from '@parley/service-kit';
import type { Database } from '@parley/service-kit';

export interface NewAccount extends User {
  passwordHash: string;
}

export interface Account extends NewAccount {
  isDisabled: boolean;
}

/** An account as operators see it. */
export interface ListedAccount extends User {
  role: AccountRole;
  createdAt: Date;
  disabledAt: Date | null;
}

export type AccountStore = ReturnType<typeof createAccountStore>;

/** Most accounts that one statement looks for. */
const maxNames = 1_000;

/** Accounts in Postgres. */
export function createAccountStore({ query }: Pick<Database, 'query'>) {
  // Many look at once when a gateway's connections come back.
  const finding = new Gatherer<UserName, Account | undefined>(maxNames, async (names) => {
    const text = `select id as "userId", name, password_hash as "passwordHash", disabled_at is not null as "isDisabled"
                  from auth.account where name = any($1)`;
    const accounts = await query<Account>({ name: 'auth.find', text, values: [names] });
    const byName = new Map(accounts.map((account) => [account.name, account]));
    return names.map((name) => byName.get(name));
  });

  return {
    /** False where the name is taken. */
    async insert({ userId, name, passwordHash }: NewAccount): Promise<boolean> {
      const text = 'insert into auth.account (id, name, password_hash) values ($1, $2, $3)';
      try {
        await query({ name: 'auth.insert', text, values: [userId, name, passwordHash] });
        return true;
      } catch (error) {
        if (violates(error, 'account_name_key')) return false;
        throw error;
      }
    },

    find: (name: UserName): Promise<Account | undefined> => finding.add(name),

    async findUsers(names: readonly UserName[]): Promise<User[]> {
      const text = 'select id as "userId", name from auth.account where name = any($1)';
      return query<{ userId: UserId; name: UserName }>({ name: 'auth.findUsers', text, values: [names] });
    },

    /** Undefined where there is no such account. */
    async setRole(name: UserName, role: AccountRole): Promise<User | undefined> {
      const text = 'update auth.account set role = $2 where name = $1 returning id as "userId", name';
      return (await query<User>({ name: 'auth.setRole', text, values: [name, role] }))[0];
    },

    async findRole(userId: UserId): Promise<AccountRole | undefined> {
      const text = 'select role from auth.account where id = $1';
      const accounts = await query<{ role: AccountRole }>({ name: 'auth.findRole', text, values: [userId] });
      return accounts[0]?.role;
    },

    /** Accounts in the order of their names, after a name. */
    async list(after: UserName, limit: number): Promise<ListedAccount[]> {
      const text = `select id as "userId", name, role, created_at as "createdAt", disabled_at as "disabledAt"
                    from auth.account where name > $1 order by name limit $2`;
      return query<ListedAccount>({ name: 'auth.list', text, values: [after, limit] });
    },

    /** Undefined where there is no such account. */
    async setPassword(name: UserName, passwordHash: string): Promise<User | undefined> {
      const text =
        'update auth.account set password_hash = $2 where name = $1 returning id as "userId", name';
      return (await query<User>({ name: 'auth.setPassword', text, values: [name, passwordHash] }))[0];
    },

    /** Disabled again, an account stays disabled since the first time. Undefined where there is no such account. */
    async setDisabled(name: UserName, isDisabled: boolean): Promise<User | undefined> {
      const text = `update auth.account set disabled_at = case when $2 then coalesce(disabled_at, now()) end
                    where name = $1 returning id as "userId", name`;
      return (await query<User>({ name: 'auth.setDisabled', text, values: [name, isDisabled] }))[0];
    },
  };
}
