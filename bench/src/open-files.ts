import { readFileSync } from 'node:fs';
import { LoadError } from './load-process.ts';

/** What a process of Node has open beside its connections, generously. */
const besideConnections = 200;

/**
 * Looks whether one process may hold so many connections: each is an open file, and what is refused in the middle of a run explains nothing.
 * @throws LoadError telling what to do.
 */
export function checkOpenFiles(connections: number): void {
  const allowed = openFilesIn(readLimits());
  const needed = connections + besideConnections;
  if (allowed >= needed) return;
  throw new LoadError(
    `${connections} connections in one process need ${needed} open files, and ${allowed} are allowed here: ` +
      `\`ulimit -n ${needed}\` before, or fewer connections`,
  );
}

/** @param limits As in `/proc/self/limits`. @returns The soft limit, which Node has raised to the hard one; Infinity where none is told. */
export function openFilesIn(limits: string): number {
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  return soft === undefined || soft === 'unlimited' ? Infinity : Number(soft);
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
