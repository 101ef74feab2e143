/** What runs found, kept in files: one for each day and scenario, with all its runs. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Problem } from './audit.ts';
import type { ContenderName } from './contenders/index.ts';
import type { HostFacts, MachineFacts } from './machine.ts';
import type { Values } from './metrics.ts';

export const resultsFolder = fileURLToPath(new URL('../results', import.meta.url));

/** One thing that was measured in a run. */
export interface Part {
  name: string;
  values: Values;
  /** CPU seconds spent meanwhile, by kind of process. */
  cpu?: Record<string, number>;
}

/** What was looked at beside the clock; the run is good where there are no problems. */
export interface AuditSummary {
  /** What was compared, in one line. */
  text: string;
  problems: Problem[];
}

/** Values over the time of a run. */
export interface Timeline {
  title: string;
  /** What x counts, as `minutes`. */
  xLabel: string;
  lines: { name: string; points: (readonly [x: number, y: number])[] }[];
}

/** What one run of one contender found. */
export interface Measured {
  facts: HostFacts | MachineFacts;
  parts: Part[];
  audit: AuditSummary;
  timelines?: Timeline[];
  /** What the numbers say, a sentence each, for a reader to check. */
  notes?: string[];
}

export type OptionValue = string | number | boolean;

/** A run as it is kept. */
export interface Result extends Measured {
  scenario: string;
  contender: ContenderName;
  /** When it ended, in ISO 8601. */
  at: string;
  /** The version that ran; with `+` where files had been changed since. Absent outside of a repository. */
  commit?: string;
  options: Record<string, OptionValue>;
  /** In a growth series: how many times the size of its first run. */
  factor?: number;
}

/** Adds the runs to the file of their day and scenario. @returns The file's path. */
export function saveResults(folder: string, results: readonly [Result, ...Result[]]): string {
  const [{ at, scenario }] = results;
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${at.slice(0, 10)}-${scenario}.json`);
  const before = existsSync(path) ? readFile(path) : [];
  writeFileSync(path, `${textOf([...before, ...results])}\n`);
  return path;
}

/** As JSON with the points of a timeline on one line each. */
function textOf(results: readonly Result[]): string {
  const text = JSON.stringify(results, undefined, 2);
  return text.replace(/\[\s+([-\d.e]+),\s+([-\d.e]+)\s+\]/g, '[$1, $2]');
}

/** All runs in the folder, oldest first. */
export function loadResults(folder: string): Result[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files
    .flatMap((name) => readFile(join(folder, name)))
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function readFile(path: string): Result[] {
  return JSON.parse(readFileSync(path, 'utf8')) as Result[];
}

/** The commit that is checked out; see {@link Result}. */
export function readCommit(): string | undefined {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : '+'}`;
  } catch {
    return undefined;
  }
}
