import { SeededRandom } from '../random.ts';
import { lineNames, partNames, serverNames } from '../system.ts';
import type { LineName, PartName, ProcessName, ServerName } from '../system.ts';

/** What can be done to the system. Times are in ms. */
export type Fault =
  | { kind: 'kill'; target: ProcessName; downMs: number }
  | { kind: 'freeze'; target: ProcessName; forMs: number }
  | { kind: 'drain'; target: PartName; downMs: number }
  | { kind: 'restart'; target: ServerName; downMs: number }
  | { kind: 'empty'; target: 'redis' }
  | { kind: 'cut'; target: LineName; share: number }
  | { kind: 'slow'; target: LineName; delayMs: number; forMs: number }
  | { kind: 'hold'; target: LineName; forMs: number }
  | { kind: 'terminate-backends'; target: 'postgres' }
  | { kind: 'lock-tables'; target: 'postgres'; forMs: number }
  | { kind: 'take-connections'; target: 'postgres'; forMs: number }
  | { kind: 'fill-reader'; target: 'reader'; forMs: number };

export type FaultKind = Fault['kind'];

export type ScheduledFault = Fault & {
  /** Its number in the plan, from 1. */
  number: number;
  /** From the beginning of the run, in ms. */
  atMs: number;
};

const shortestGapMs = 600;
const longestGapMs = 2_600;
const everyProcess = [...partNames, ...serverNames];

/** How each kind is drawn, and how often compared with the others. */
const kinds: { [K in FaultKind]: { weight: number; draw: (random: SeededRandom) => Fault & { kind: K } } } = {
  kill: {
    weight: 6,
    draw: (random) => ({
      kind: 'kill',
      target: random.pick(everyProcess),
      downMs: wholeMs(random, 0, 2_000),
    }),
  },
  freeze: {
    weight: 4,
    draw: (random) => ({
      kind: 'freeze',
      target: random.pick(everyProcess),
      forMs: wholeMs(random, 200, 6_000),
    }),
  },
  drain: {
    weight: 3,
    draw: (random) => ({ kind: 'drain', target: random.pick(partNames), downMs: wholeMs(random, 0, 1_500) }),
  },
  restart: {
    weight: 2,
    draw: (random) => ({
      kind: 'restart',
      target: random.pick(serverNames),
      downMs: wholeMs(random, 0, 1_500),
    }),
  },
  empty: { weight: 1, draw: () => ({ kind: 'empty', target: 'redis' }) },
  cut: {
    weight: 4,
    draw: (random) => ({ kind: 'cut', target: random.pick(lineNames), share: random.between(0.2, 1) }),
  },
  slow: {
    weight: 2,
    draw: (random) => ({
      kind: 'slow',
      target: random.pick(lineNames),
      delayMs: wholeMs(random, 5, 300),
      forMs: wholeMs(random, 500, 4_000),
    }),
  },
  hold: {
    weight: 3,
    draw: (random) => ({
      kind: 'hold',
      target: random.pick(lineNames),
      forMs: wholeMs(random, 200, 6_000),
    }),
  },
  'terminate-backends': { weight: 1, draw: () => ({ kind: 'terminate-backends', target: 'postgres' }) },
  'lock-tables': {
    weight: 1,
    draw: (random) => ({ kind: 'lock-tables', target: 'postgres', forMs: wholeMs(random, 300, 6_000) }),
  },
  'take-connections': {
    weight: 1,
    draw: (random) => ({ kind: 'take-connections', target: 'postgres', forMs: wholeMs(random, 300, 4_000) }),
  },
  'fill-reader': {
    weight: 1,
    draw: (random) => ({ kind: 'fill-reader', target: 'reader', forMs: wholeMs(random, 5_000, 9_000) }),
  },
};

export const faultKinds = Object.keys(kinds) as FaultKind[];

/** One entry for each unit of weight. */
const lots = faultKinds.flatMap((kind) => Array<FaultKind>(kinds[kind].weight).fill(kind));

/**
 * What happens when, from the beginning of the run until `forMs`: a function of the seed, of which a shorter run sees the
 * beginning.
 */
export function planFaults(seed: number, forMs: number): ScheduledFault[] {
  const random = new SeededRandom(seed);
  const plan: ScheduledFault[] = [];
  for (let atMs = 0; ;) {
    atMs += wholeMs(random, shortestGapMs, longestGapMs);
    const fault = kinds[random.pick(lots)].draw(random);
    if (atMs >= forMs) return plan;
    plan.push({ ...fault, number: plan.length + 1, atMs });
  }
}

/** The faults that were asked for: by kind, by number, or all. */
export function onlyFaults(plan: readonly ScheduledFault[], only: readonly string[]): ScheduledFault[] {
  if (only.length === 0) return [...plan];
  return plan.filter(({ kind, number }) => only.includes(kind) || only.includes(String(number)));
}

/** One line for a person. */
export function describeFault(fault: ScheduledFault): string {
  const { number, kind, target } = fault;
  const values = Object.entries(fault)
    .filter(([name, value]) => typeof value === 'number' && name !== 'number' && name !== 'atMs')
    .map(([name, value]) => `${name} ${Math.round(Number(value) * 100) / 100}`);
  return [`#${number}`, kind, target, ...values].join(' ');
}

function wholeMs(random: SeededRandom, low: number, high: number): number {
  return Math.round(random.between(low, high));
}
