import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceProcess } from '@parley/local-stack';
import { readMemory } from '../../bench/src/memory.ts';
import { readHeap } from '../../bench/src/served.ts';

/** What one process holds when its garbage is collected, in bytes. */
export interface HeldMemory {
  name: string;
  /** Of the process's own, whatever it is for. */
  resident: number;
  /** Objects in use. */
  heap: number;
}

/** Longest until a collection begins, in ms. Then nothing is answered until it is over. */
const beginsMs = 1_500;
const mebibyte = 2 ** 20;

/**
 * How much more a process may hold after a run than after its beginning: far more than the rooms, names and sessions that a run
 * leaves behind, and far less than what a million frames would leave if each left a hundred bytes.
 */
const mostGrowth = { resident: 96 * mebibyte, heap: 32 * mebibyte };

/** What the processes hold. They have their garbage collected first. @throws Error where one is gone. */
export async function readHeld(processes: readonly ServiceProcess[]): Promise<HeldMemory[]> {
  for (const process of processes) process.signal('SIGUSR2');
  await delay(beginsMs);
  return Promise.all(
    processes.map(async (process) => {
      if (process.pid === undefined) throw new Error(`${process.name} has ended`);
      const { name, pid } = process;
      // The answer about the heap says that the collection is over.
      const heap = await readHeap([process]);
      return { name, resident: readMemory(pid), heap };
    }),
  );
}

/** What of it grew more than it may, in words. */
export function growth(before: readonly HeldMemory[], after: readonly HeldMemory[]): string[] {
  return after.flatMap(({ name, ...held }) => {
    const first = before.find((each) => each.name === name)!;
    return (['resident', 'heap'] as const)
      .filter((kind) => held[kind] - first[kind] > mostGrowth[kind])
      .map(
        (kind) =>
          `${name} holds more than before: ${kind} ${inMebibytes(first[kind])}, now ${inMebibytes(held[kind])}`,
      );
  });
}

export function inMebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(0)} MiB`;
}
