import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { faultKinds } from './injection/schedule.ts';

export interface FaultsArguments {
  seed: number;
  minutes: number;
  only: string[];
}

export const usage = `Usage: npm run test:faults -- [--seed N] [--minutes N] [--only KINDS OR NUMBERS]
  --seed     of the plan of faults; another one each time unless it is given
  --minutes  how long faults happen (default 5)
  --only     only faults of these kinds, or with these numbers in the plan, separated by commas:
             ${faultKinds.join(', ')}`;

const defaultMinutes = '5';
const seeds = 1_000_000;

/** @throws Error about what is wrong with the arguments. */
export function parseArguments(args: readonly string[]): FaultsArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string', default: defaultMinutes },
      only: { type: 'string', default: '' },
    },
  });
  const seed = values.seed === undefined ? randomInt(seeds) : Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new Error(`--seed is a whole number, got ${values.seed}`);
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes is a number above 0, got ${values.minutes}`);
  const only = values.only.split(',').filter((item) => item !== '');
  const unknown = only.find((item) => !/^\d+$/.test(item) && !(faultKinds as string[]).includes(item));
  if (unknown !== undefined) throw new Error(`--only: there is no fault "${unknown}"`);
  return { seed, minutes, only };
}
