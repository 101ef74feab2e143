import { resolve } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { ContenderName } from './contenders/index.ts';
import type { MetricName } from './metrics.ts';
import { printComparison, printResult } from './print.ts';
import { UsageError, wholeNumber, type Numbers } from './options.ts';
import { readCommit, resultsFolder, saveResults, type Measured, type Result } from './results.ts';

/** What a scenario is told for one run. */
export interface Run<Options> {
  options: Options;
  contender: ContenderName;
  /** Where processes leave CPU profiles; absent: none are taken. */
  profileDir?: string | undefined;
  /** Hears what a start has to say. Default: nobody does. */
  log?: ((line: string) => void) | undefined;
  abort: AbortSignal;
}

/** Something that can be measured: `npm run bench -- <its name> [options]`. */
export interface Scenario<Options extends Numbers = Numbers> {
  name: string;
  /** One line. */
  summary: string;
  /** Whole numbers: what they mean, their default and bounds. Those without a default may be left out. */
  options: OptionTable<Options>;
  /** Who can be measured beside Parley. */
  peers: readonly ContenderName[];
  /** The option that a growth series multiplies, with those that grow along; absent where none does. */
  grows?: readonly (keyof Options & string)[];
  /** What the report draws. */
  plots: readonly MetricName[];
  /** One line on what is measured. */
  headline(options: Options): string;
  /** Measures one contender once, started anew. */
  measure(run: Run<Options>): Promise<Measured>;
}

export type OptionTable<Options> = { [Name in keyof Options]-?: OptionSpec };

export interface OptionSpec {
  doc: string;
  /** As text of the command line; absent: the option may be left out, and then is undefined. */
  standard?: string;
  min: number;
  max: number;
}

/** Of a growth series. */
const growthFactors = [1, 2, 4, 8] as const;

const longestComparison = 100;

const commonUsage = `  --peer NAME        measure that one instead of Parley
  --compare          Parley and the peers in turn, or only that of --peer, with the ratios (medians of the runs)
  --runs N           runs of each; by default 1, with --compare 5
  --series           a growth series: x1, x2, x4 and x8 of the size
  --profile FOLDER   keep CPU profiles of the processes there (they cost some speed)
  --results FOLDER   where to keep what was found; by default bench/results`;

/** The options of the scenario and those that all have, a line each. */
export function usageOf({ options, peers }: Scenario): string {
  const own = Object.entries(options).map(
    ([name, { doc, standard }]) => `  ${`--${kebab(name)} ${standard ?? 'N'}`.padEnd(18)} ${doc}`,
  );
  const those = peers.length > 0 ? `\n  peers: ${peers.join(', ')}` : '';
  return `${own.join('\n')}\n${commonUsage}${those}`;
}

/**
 * Measures what the command line asks for, prints it and keeps it.
 * @returns Whether the audits of Parley found nothing; numbers are never judged.
 * @throws UsageError
 */
export async function runScenario(scenario: Scenario, args: string[], abort: AbortSignal): Promise<boolean> {
  const command = readCommand(scenario, args);
  const { contenders, runs, factors, profileDir, folder } = command;
  const results: Result[] = [];
  for (const factor of factors) {
    const options = grown(scenario, command.options, factor);
    console.log(scenario.headline(options));
    for (let run = 0; run < runs; run += 1) {
      for (const contender of contenders) {
        const measured = await scenario.measure({
          options,
          contender,
          profileDir,
          log: console.error,
          abort,
        });
        const commit = readCommit();
        const result: Result = {
          scenario: scenario.name,
          contender,
          at: new Date().toISOString(),
          ...(commit !== undefined && { commit }),
          options,
          ...(factors.length > 1 && { factor }),
          ...measured,
        };
        results.push(result);
        // At once: what was measured is kept whatever happens to the next.
        saveResults(folder, [result]);
        printResult(result, results.length === 1);
      }
    }
  }
  if (contenders.length > 1 || runs > 1) printComparison(results);
  return results.every(({ contender, audit }) => contender !== 'parley' || audit.problems.length === 0);
}

interface Command {
  options: Record<string, number>;
  contenders: readonly ContenderName[];
  runs: number;
  factors: readonly number[];
  profileDir: string | undefined;
  folder: string;
}

function readCommand(scenario: Scenario, args: string[]): Command {
  const own = Object.keys(scenario.options).map((name) => [kebab(name), { type: 'string' }] as const);
  const options = {
    peer: { type: 'string' },
    compare: { type: 'boolean', default: false },
    runs: { type: 'string' },
    series: { type: 'boolean', default: false },
    profile: { type: 'string' },
    results: { type: 'string', default: resultsFolder },
    ...Object.fromEntries(own),
  } satisfies ParseArgsConfig['options'];
  const { values } = parseArgs({ args, options });
  const given = values as Record<string, string | boolean | undefined>;
  if (values.series && !scenario.grows) throw new UsageError('--series: nothing grows in this scenario');
  return {
    options: readOptions(scenario, given),
    contenders: contendersOf(scenario, values.peer, values.compare),
    runs: wholeNumber('runs', values.runs ?? (values.compare ? '5' : '1'), 1, longestComparison),
    factors: values.series ? growthFactors : [1],
    profileDir: values.profile === undefined ? undefined : resolve(values.profile),
    folder: resolve(values.results),
  };
}

/** @throws UsageError */
function contendersOf({ peers }: Scenario, name: string | undefined, isCompared: boolean): ContenderName[] {
  if (name === undefined) return isCompared ? ['parley', ...peers] : ['parley'];
  const peer = peers.find((known) => known === name);
  if (!peer)
    throw new UsageError(`--peer: expected one of ${peers.join(', ') || '(none here)'}, got '${name}'`);
  return isCompared ? ['parley', peer] : [peer];
}

/** @param given By the names of the command line. @throws UsageError */
export function readOptions(
  scenario: Scenario,
  given: Readonly<Record<string, string | boolean | number | undefined>>,
): Record<string, number> {
  const read: Record<string, number> = {};
  for (const [name, { standard, min, max }] of Object.entries(scenario.options)) {
    const text = given[kebab(name)] ?? standard;
    if (text !== undefined) read[name] = wholeNumber(kebab(name), String(text), min, max);
  }
  return read;
}

function grown(
  { grows = [] }: Scenario,
  options: Record<string, number>,
  factor: number,
): Record<string, number> {
  const larger = { ...options };
  for (const name of grows) if (options[name] !== undefined) larger[name] = options[name] * factor;
  return larger;
}

/** `maxMessages` is `--max-messages`. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
