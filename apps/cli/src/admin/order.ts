import { normalizeName } from '@parley/protocol';
import type { AccountRole, UserName } from '@parley/protocol';

/** What the operator wants. */
export interface Order {
  name: UserName;
  role: AccountRole;
}

export const usage = `Usage:
  npm run admin -- grant NAME     makes the account an admin, who may delete any public room
  npm run admin -- revoke NAME    makes it an ordinary account again

It speaks to the Parley that \`npm start\` runs on this machine, or to that with its NATS server at NATS_URL.`;

const roles = new Map<string | undefined, AccountRole>([
  ['grant', 'admin'],
  ['revoke', 'member'],
]);

/** Undefined where the arguments are no order. */
export function readOrder([verb, name, ...more]: readonly string[]): Order | undefined {
  const role = roles.get(verb);
  if (role === undefined || name === undefined || more.length > 0) return undefined;
  return { name: normalizeName(name), role };
}
