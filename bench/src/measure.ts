import { setTimeout as delay } from 'node:timers/promises';
import { readCpu, readMachineCpu, type ProcessGroups } from './cpu.ts';
import type { LoadGenerator, LoadResult } from './load-generator.ts';
import type { LoadPlan } from './load-plan.ts';
import type { Values } from './metrics.ts';
import type { Part } from './results.ts';

export const generator = 'load generator';
export const elsewhere = 'rest of machine';

/** CPU seconds that were spent while some work was done. */
export interface CpuSpent {
  /** By kind of process. */
  byGroup: Record<string, number>;
  /** By all of them. */
  total: number;
  generator: number;
  /** By everything else on the machine. */
  elsewhere: number;
}

/** Does the work, and tells what was spent meanwhile. */
export async function spending<Result>(
  groups: ProcessGroups,
  generatorPids: readonly number[],
  work: () => Promise<Result>,
): Promise<{ result: Result; cpu: CpuSpent }> {
  const watched = new Map([...groups, [generator, generatorPids]]);
  const machineBefore = readMachineCpu();
  const before = readCpu(watched);
  const result = await work();
  const after = readCpu(watched);
  const machine = readMachineCpu() - machineBefore;
  const spent = new Map(Array.from(after, ([group, used]) => [group, used - (before.get(group) ?? 0)]));
  const byGroup = Object.fromEntries(Array.from(groups.keys(), (group) => [group, spent.get(group) ?? 0]));
  const total = Object.values(byGroup).reduce((sum, seconds) => sum + seconds, 0);
  const generatorSeconds = spent.get(generator) ?? 0;
  return {
    result,
    cpu: {
      byGroup,
      total,
      generator: generatorSeconds,
      elsewhere: Math.max(machine - total - generatorSeconds, 0),
    },
  };
}

export interface PartPlan {
  name: string;
  load: LoadPlan;
  /** Load that is not measured yet, in ms. */
  warmUpMs: number;
  measuredMs: number;
}

/** Puts a load on the connections that are open, and measures it. */
export async function measurePart(
  load: LoadGenerator,
  groups: ProcessGroups,
  plan: PartPlan,
  abort: AbortSignal,
): Promise<Part> {
  await load.start(plan.load);
  await delay(plan.warmUpMs, undefined, { signal: abort });
  const { cpu } = await spending(groups, load.pids, async () => {
    await load.begin();
    await delay(plan.measuredMs, undefined, { signal: abort });
    await load.end();
  });
  return partOf(plan.name, await load.finish(), cpu);
}

function partOf(name: string, result: LoadResult, cpu: CpuSpent): Part {
  const { elapsedMs, confirmed, delivered, reads, latencyMs, deliveryMs, latenessMs } = result;
  const seconds = elapsedMs / 1_000;
  const values: Values = {
    committedPerSecond: confirmed / seconds,
    ...(delivered > 0 && {
      deliveredPerSecond: delivered / seconds,
      deliveryP50Ms: deliveryMs.p50,
      deliveryP99Ms: deliveryMs.p99,
      deliveriesPerRead: delivered / Math.max(reads, 1),
      cpuPerMillionDeliveries: (cpu.total * 1e6) / delivered,
    }),
    sendP50Ms: latencyMs.p50,
    sendP99Ms: latencyMs.p99,
    ...(confirmed > 0 && { cpuPerThousandSends: (cpu.total * 1_000) / confirmed }),
    ...(latenessMs.count > 0 && { lateP99Ms: latenessMs.p99 }),
    generatorCores: cpu.generator / seconds,
    elsewhereCores: cpu.elsewhere / seconds,
  };
  return { name, values, cpu: cpu.byGroup };
}
