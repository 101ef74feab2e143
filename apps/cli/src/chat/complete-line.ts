import type { NamedRoom } from '../rooms.ts';
import { commandNames } from './chat-command.ts';

/** What the Tab key offers: commands, and the names of rooms behind `/join`. */
export function completeLine(line: string, rooms: readonly NamedRoom[]): [matches: string[], typed: string] {
  const [, wanted] = /^\/join\s+(.*)$/u.exec(line) ?? [];
  const [candidates, typed] =
    wanted === undefined ? [commandNames, line] : [rooms.map(({ name }) => name), wanted];
  return [line.startsWith('/') ? candidates.filter((candidate) => candidate.startsWith(typed)) : [], typed];
}
