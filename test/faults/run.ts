import { setTimeout as delay } from 'node:timers/promises';
import { audit } from './audit/audit.ts';
import type { Violation } from './audit/violation.ts';
import { assemble } from './cast.ts';
import { readFinalState } from './final-state.ts';
import { fillReader } from './flood.ts';
import { injectAll, type InflictedFault } from './injection/injector.ts';
import { onlyFaults, planFaults } from './injection/schedule.ts';
import { Journal } from './journal.ts';
import { SeededRandom } from './random.ts';
import { awaitRecovery } from './recovery.ts';
import { startSystem } from './system.ts';

export interface RunOptions {
  seed: number;
  /** How long faults happen, in minutes. */
  minutes: number;
  /** Kinds or numbers of faults; all of the plan where it is empty. */
  only: readonly string[];
  abort: AbortSignal;
  log: (line: string) => void;
}

export interface RunResult {
  journal: Journal;
  faults: readonly InflictedFault[];
  violations: readonly Violation[];
  /** When faults began, on the run's clock. */
  beganAt: number;
  /** From the end of the last fault until everything worked, in ms. */
  recoveredMs: number;
}

/** So that a run without any fault has something to talk about, too. */
const quietMs = 2_000;
const msPerMinute = 60_000;

/** Runs the system and its clients, injects the faults of the seed's plan, and audits everything that happened. */
export async function run({ seed, minutes, only, abort, log }: RunOptions): Promise<RunResult> {
  const forMs = minutes * msPerMinute;
  const plan = onlyFaults(planFaults(seed, forMs), only);
  await using system = await startSystem(abort);
  const journal = new Journal();
  const { gateways } = system;
  await using cast = await assemble({ journal, random: new SeededRandom(seed), gateways, abort });
  const failure = cast.running.then(() => {
    throw new Error('all clients ended');
  });
  failure.catch(() => undefined);
  log(`${cast.talkers.length} clients are in their rooms; ${plan.length} faults follow.`);

  const beganAt = performance.now();
  for (const talker of cast.talkers) talker.isResting = talker === cast.reader || talker === cast.flooder;
  await delay(quietMs, undefined, { signal: abort });
  const field = { system, fillReader: (ms: number) => fillReader(cast, ms) };
  const injecting = injectAll(field, plan, beganAt, abort);
  const [faults] = await Promise.race([
    Promise.all([injecting, delay(forMs - quietMs, undefined, { signal: abort })]),
    failure,
  ]);
  log('No more faults; everything has to work again within 30 s.');
  const recovery = awaitRecovery(system, cast, journal, abort);
  const { unrecovered, recoveredMs } = await Promise.race([recovery, failure]);
  const final = await readFinalState(cast, journal, gateways);
  await cast[Symbol.asyncDispose]();
  const violations = audit(journal, { ...final, unrecovered });
  return { journal, faults, violations, beganAt, recoveredMs };
}
