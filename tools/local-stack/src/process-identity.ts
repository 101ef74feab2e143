import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A text that tells one run of a process from another that later got the same number (after a restart of a container the
 * numbers begin anew, so a number alone proves nothing). `undefined` when no such process runs; a zombie counts as gone.
 */
export function processIdentity(pid: number): string | undefined {
  if (!isAlive(pid)) return undefined;
  return startedAtFromProc(pid) ?? startedAtFromPs(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function startedAtFromProc(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name in parentheses may hold anything; state and start time are the 3rd and 22nd field, counted from 1.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

function startedAtFromPs(pid: number): string | undefined {
  const answer = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  if (answer.status !== 0) return undefined;
  const [state, ...startedAt] = answer.stdout.trim().split(/\s+/);
  return !state || state.startsWith('Z') ? undefined : startedAt.join(' ');
}
