import { readFileSync } from 'node:fs';

/**
 * The memory that is a process's own, in bytes: what it wrote, not the programs and libraries it has mapped (Linux, proc(5)).
 * @throws Error where the process is gone, or the system does not say.
 */
export function readMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`the memory of process ${pid} is not told here`);
  return Number(kibibytes) * 1_024;
}
