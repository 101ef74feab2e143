import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

/** What is fuzzed in a system: frames of all dialects, WebSocket and HTTP byte by byte, the HTTP API, and the bus. */
export const partNames = ['frames', 'bytes', 'http', 'bus'] as const;
export type PartName = (typeof partNames)[number];
/** And what needs no system: a million frames that are only read, in this process. */
const reading = 'reading';

export interface FuzzArguments {
  seed: number;
  minutes: number;
  only: readonly PartName[];
  /** Whether frames are read, too. */
  reading: boolean;
}

export const usage = `Usage: npm run test:fuzz -- [--seed N] [--minutes N] [--only PARTS]
  --seed     of everything that is drawn; another one each time unless it is given
  --minutes  how long it goes on (default 5)
  --only     only these parts, separated by commas: ${[reading, ...partNames].join(', ')}`;

const defaultMinutes = '5';
const seeds = 1_000_000;

/** @throws Error about what is wrong with the arguments. */
export function parseArguments(args: readonly string[]): FuzzArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string', default: defaultMinutes },
      only: { type: 'string', default: [reading, ...partNames].join(',') },
    },
  });
  const seed = values.seed === undefined ? randomInt(seeds) : Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new Error(`--seed is a whole number, got ${values.seed}`);
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes is a number above 0, got ${values.minutes}`);
  const only = values.only.split(',').filter((item) => item !== '');
  const isPart = (item: string): item is PartName => (partNames as readonly string[]).includes(item);
  const unknown = only.find((item) => item !== reading && !isPart(item));
  if (unknown !== undefined) throw new Error(`--only: there is no part "${unknown}"`);
  return { seed, minutes, only: only.filter(isPart), reading: only.includes(reading) };
}
