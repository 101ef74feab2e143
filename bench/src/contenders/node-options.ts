import { fileURLToPath } from 'node:url';
import type { ContenderOptions } from './contender.ts';

const collector = fileURLToPath(new URL('collect-on-signal.ts', import.meta.url));

/** The environment that gives a process of Node what was asked for, beside what it has from ours. */
export function nodeOptions({
  profileDir,
  collectsOnSignal,
}: Pick<ContenderOptions, 'profileDir' | 'collectsOnSignal'>): Record<string, string> {
  const options = [
    process.env.NODE_OPTIONS,
    profileDir !== undefined && `--cpu-prof --cpu-prof-dir=${profileDir}`,
    collectsOnSignal && `--import=${collector}`,
  ].filter(Boolean);
  return options.length === 0 ? {} : { NODE_OPTIONS: options.join(' ') };
}
