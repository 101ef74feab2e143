import type { Dialect } from './dialect.ts';
import { identifyDialect } from './identify/index.ts';
import { joinDialect } from './join/index.ts';
import { loginDialect } from './login/index.ts';

/** The dialects spoken here. A new one is a folder beside this file and a name in this list. */
export const dialects: readonly Dialect[] = [loginDialect, identifyDialect, joinDialect];

/**
 * The dialect of a connection whose first action is not known yet: errors are told in it.
 * @param path Where the connection was opened, as `/chat`.
 */
export function defaultDialect(path: string): Dialect {
  return dialects.find(({ homePath }) => homePath === path) ?? loginDialect;
}
