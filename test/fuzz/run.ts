import { setTimeout as delay } from 'node:timers/promises';
import { processesOf, readCpu } from '../../bench/src/cpu.ts';
import { SeededRandom } from '../faults/random.ts';
import { examine, pidsOf } from './afterwards.ts';
import type { PartName } from './arguments.ts';
import { Budget } from './budget.ts';
import { Findings } from './findings.ts';
import type { Finding } from './findings.ts';
import { Vocabulary } from './generation/vocabulary.ts';
import { growth, readHeld } from './memory.ts';
import type { HeldMemory } from './memory.ts';
import { fuzzBus } from './parts/bus.ts';
import { fuzzBytes } from './parts/bytes.ts';
import { fuzzFrames } from './parts/frames.ts';
import { fuzzHttp } from './parts/http.ts';
import type { PartContext } from './parts/part.ts';
import { startSystem } from './system.ts';
import type { System } from './system.ts';

export interface RunOptions {
  seed: number;
  forMs: number;
  /** Over when so many frames of WebSocket were sent. */
  mostFrames: number;
  only: readonly PartName[];
  abort: AbortSignal;
}

export interface RunResult {
  findings: readonly Finding[];
  sent: Readonly<Record<PartName, number>>;
  /** Without the start of the system and what is looked at afterwards. */
  seconds: number;
  /** Processor time of the gateway meanwhile, in seconds. */
  gatewaySeconds: number;
  held: { before: readonly HeldMemory[]; after: readonly HeldMemory[] };
}

const parts: Readonly<Record<PartName, (context: PartContext) => Promise<void>>> = {
  frames: fuzzFrames,
  bytes: fuzzBytes,
  http: fuzzHttp,
  bus: fuzzBus,
};

/** The share of the time before memory is first looked at: so much is needed for everything to have been used. */
const warmUpShare = 0.25;

/** Sends what nobody should to a system of its own; answers with what was found. @throws LocalStackError */
export async function run({ seed, forMs, mostFrames, only, abort }: RunOptions): Promise<RunResult> {
  await using system = await startSystem(abort);
  const random = new SeededRandom(seed);
  const findings = new Findings();
  const secrets = new Set(system.secrets);
  const vocabulary = new Vocabulary();
  const pids = pidsOf(system.all);
  const sent: Record<PartName, number> = { frames: 0, bytes: 0, http: 0, bus: 0 };
  const budget = new Budget({ parts: only.length, forMs, mostFrames, sent, abort });
  const context = { system, findings, secrets, vocabulary, budget };
  const watch = async () => {
    await budget.begun;
    const beganAt = performance.now();
    await delay(forMs * warmUpShare, undefined, { signal: abort });
    return { beganAt, before: await readHeld(system.processes) };
  };
  const [{ beganAt, before }] = await Promise.all([
    watch(),
    ...only.map((name) => parts[name]({ ...context, random: random.fork() })),
  ]);
  const gatewaySeconds = processorSeconds(system);
  const seconds = (performance.now() - beganAt) / 1_000;
  for (const finding of await examine(system, pids, secrets)) findings.add(finding);
  const after = await readHeld(system.processes);
  for (const what of growth(before, after)) findings.add({ part: 'afterwards', what, input: [] });
  abort.throwIfAborted();
  return { findings: findings.all, sent, seconds, gatewaySeconds, held: { before, after } };
}

/** What the gateway has used since its start. */
function processorSeconds({ gateway }: System): number {
  return readCpu(new Map([['gateway', processesOf([gateway])]])).get('gateway')!;
}
