import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceProcess } from '@parley/local-stack';
import { readMemory } from './memory.ts';
import { readHeap } from './served.ts';
import type { Point } from './trend.ts';

const bytesPerMegabyte = 1e6;

/** What the processes of one kind had over time, all together: points of seconds and MB. */
export interface WatchedMemory {
  /** See {@link readMemory}. */
  private: Point[];
  /** The same right after their garbage was collected, which is done now and then: what they hold. */
  held: Point[];
  /** Objects in use in V8's heap, with garbage that is not collected yet. */
  heap: Point[];
}

/** Longest that a collection takes, in ms. */
const collectionMs = 1_000;

/** In ms. Garbage is collected at every so many samples. */
export interface WatchTimes {
  everyMs: number;
  samplesPerCollection: number;
  durationMs: number;
}

/**
 * Reads the memory of running processes again and again, at once and then every so often until the time is over.
 * @param kinds The processes by their kind; they collect their garbage on SIGUSR2.
 * @throws Error where a process is gone.
 */
export async function watchMemory(
  kinds: ReadonlyMap<string, readonly ServiceProcess[]>,
  { everyMs, samplesPerCollection, durationMs }: WatchTimes,
  abort: AbortSignal,
): Promise<Map<string, WatchedMemory>> {
  const watched = new Map(
    Array.from(kinds.keys(), (kind): [string, WatchedMemory] => [kind, { private: [], held: [], heap: [] }]),
  );
  const startedAt = performance.now();
  for (let atMs = 0; atMs <= durationMs; atMs += everyMs) {
    await delay(Math.max(startedAt + atMs - performance.now(), 0), undefined, { signal: abort });
    const isCollected = Math.round(atMs / everyMs) % samplesPerCollection === 0;
    if (isCollected) await collect([...kinds.values()].flat(), abort);
    for (const [kind, processes] of kinds) {
      const { private: own, held, heap } = watched.get(kind)!;
      const point: Point = [atMs / 1_000, megabytes(sumOf(processes.map(pidOf).map(readMemory)))];
      own.push(point);
      if (isCollected) held.push(point);
      heap.push([atMs / 1_000, megabytes(await readHeap(processes))]);
    }
  }
  return watched;
}

async function collect(processes: readonly ServiceProcess[], abort: AbortSignal): Promise<void> {
  for (const pid of processes.map(pidOf)) process.kill(pid, 'SIGUSR2');
  await delay(collectionMs, undefined, { signal: abort });
}

function pidOf({ name, pid }: ServiceProcess): number {
  if (pid === undefined) throw new Error(`${name} has ended`);
  return pid;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** In steps of 0.1, to be kept. */
function megabytes(bytes: number): number {
  return Math.round((bytes * 10) / bytesPerMegabyte) / 10;
}
