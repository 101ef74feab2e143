import { setTimeout as delay } from 'node:timers/promises';
import { inflict } from './inflict.ts';
import type { FaultField } from './inflict.ts';
import type { ScheduledFault } from './schedule.ts';

/** A fault as it happened. Times are of the run's clock. */
export interface InflictedFault {
  fault: ScheduledFault;
  beganAt: number;
  /** When the system was left to itself again. */
  endedAt: number;
  /** Why it could not be done; for the summary, as a fault that fails proves nothing. */
  failure?: string;
}

/**
 * Does the faults at their times, those of one target one after the other; resolves when the last is over.
 * @param began When the run began, on the clock of `performance.now()`.
 */
export async function injectAll(
  field: FaultField,
  plan: readonly ScheduledFault[],
  began: number,
  abort: AbortSignal,
): Promise<InflictedFault[]> {
  const busy = new Map<string, Promise<unknown>>();
  const inflicted: Promise<InflictedFault>[] = [];
  for (const fault of plan) {
    await delay(Math.max(0, began + fault.atMs - performance.now()), undefined, { signal: abort });
    const before = busy.get(fault.target) ?? Promise.resolve();
    const done = before.then(() => injectOne(field, fault));
    busy.set(fault.target, done);
    inflicted.push(done);
  }
  return Promise.all(inflicted);
}

async function injectOne(field: FaultField, fault: ScheduledFault): Promise<InflictedFault> {
  const beganAt = performance.now();
  try {
    await inflict(field, fault);
    return { fault, beganAt, endedAt: performance.now() };
  } catch (error) {
    return { fault, beganAt, endedAt: performance.now(), failure: (error as Error).message };
  }
}
