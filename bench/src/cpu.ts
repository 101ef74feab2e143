/** CPU times from Linux's /proc (proc(5)); elsewhere there are none. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Stack } from '@parley/local-stack';

/** Linux tells CPU times in hundredths of a second to all programs, whatever its own clock (USER_HZ). */
const ticksPerSecond = 100;

/** The processes of one kind, by their pids; those they started count too. */
export type ProcessGroups = ReadonlyMap<string, readonly number[]>;

/** CPU seconds, by kind of process. */
export type CpuSeconds = ReadonlyMap<string, number>;

/** Everything that runs for the stack. */
export function stackProcesses({ gateways, services, servers }: Stack): Map<string, readonly number[]> {
  return new Map([
    ['gateway', processesOf(gateways)],
    ...Object.entries(services).map(([name, instances]) => [name, processesOf(instances)] as const),
    ['nats', processesOf([servers.nats])],
    ['redis', processesOf([servers.redis])],
    ['postgres', processesOf([servers.postgres])],
  ]);
}

/** The pids of those that run. */
export function processesOf(processes: readonly ({ pid: number | undefined } | undefined)[]): number[] {
  return processes.flatMap((found) => found?.pid ?? []);
}

/** CPU time so far of each group: user and system, with all threads, and with children, also those that have ended. */
export function readCpu(groups: ProcessGroups): CpuSeconds {
  const children = childrenByParent();
  return new Map(
    Array.from(groups, ([name, pids]) => [name, sum(pids.map((pid) => secondsOf(pid, children)))] as const),
  );
}

/**
 * CPU time so far of the whole machine, idling and waiting for disks not included. Linux samples it at each tick, so that
 * short turns of many processes are seen less exactly than in {@link readCpu}.
 */
export function readMachineCpu(): number {
  // user, nice, system, idle, iowait, irq, softirq
  const ticks = (readProc('stat') ?? '').split('\n', 1)[0]!.split(/ +/).slice(1, 8).map(Number);
  return sum(ticks.filter((_, kind) => kind !== 3 && kind !== 4)) / ticksPerSecond;
}

interface ProcessTimes {
  parent: number;
  /** Its own and that of its ended children, in seconds. */
  seconds: number;
}

function secondsOf(pid: number, children: ReadonlyMap<number, readonly number[]>): number {
  const own = timesOf(pid)?.seconds ?? 0;
  return own + sum((children.get(pid) ?? []).map((child) => secondsOf(child, children)));
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const pid of processIds()) {
    const parent = timesOf(pid)?.parent;
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings) siblings.push(pid);
    else children.set(parent, [pid]);
  }
  return children;
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function timesOf(pid: number): ProcessTimes | undefined {
  const stat = readProc(`${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field, the name in brackets, may hold anything; the third follows the last bracket.
  const [, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = rest.slice(9, 13).map(Number); // utime, stime, cutime, cstime
  return { parent: Number(parent), seconds: sum(ticks) / ticksPerSecond };
}

function readProc(file: string): string | undefined {
  try {
    return readFileSync(`/proc/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
