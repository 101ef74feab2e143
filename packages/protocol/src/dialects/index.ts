import type { Dialect } from './dialect.ts';
import { loginDialect } from './login/index.ts';

/** The dialects spoken here. A new one is a folder beside this file and a name in this list. */
export const dialects: readonly Dialect[] = [loginDialect];

/** The dialect of a connection whose first action is not known yet: errors are told in it. */
export function defaultDialect(): Dialect {
  return loginDialect;
}
