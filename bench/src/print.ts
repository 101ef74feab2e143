import { contenderNames, contenderTitles } from './contenders/index.ts';
import { hostText, machineText, type HostFacts, type MachineFacts } from './machine.ts';
import { metricOf, metricsIn } from './metrics.ts';
import type { Result } from './results.ts';
import { medians, ratiosOf } from './statistics.ts';
import { number, table } from './table.ts';

/** The machine, as two lines. */
export function factsText(facts: HostFacts | MachineFacts): string {
  return 'syncMs' in facts ? machineText(facts) : hostText(facts);
}

/** Prints one run. @param withFacts Also the machine it ran on. */
export function printResult(
  { contender, facts, parts, audit, notes = [] }: Result,
  withFacts: boolean,
): void {
  if (withFacts) console.log(`${factsText(facts)}\n`);
  const names = metricsIn(parts.map(({ values }) => values));
  const rows = parts.map(({ name, values }) => [
    name,
    ...names.map((metric) => shown(values[metric], metricOf(metric).digits)),
  ]);
  console.log(table([[contender, ...names.map((metric) => metricOf(metric).label)], ...rows]));
  const withCpu = parts.filter(({ cpu }) => cpu !== undefined);
  if (withCpu.length > 0) {
    const groups = Object.keys(withCpu[0]!.cpu!);
    const seconds = withCpu.map(({ name, cpu }) => [
      name,
      ...groups.map((group) => number(cpu![group] ?? 0, 2)),
    ]);
    console.log(`\n${table([['CPU s', ...groups], ...seconds])}`);
  }
  if (notes.length > 0) console.log(`\n${notes.join('\n')}`);
  const problems = audit.problems.map(
    ({ what, count, example }) => `  ${what}: ${number(count)}${example && `, first ${example}`}`,
  );
  console.log(
    [`\nAudit ${problems.length === 0 ? 'passed' : 'FAILED'}: ${audit.text}`, ...problems, ''].join('\n'),
  );
}

/** Prints the medians of all runs of each contender, and how Parley compares with each peer; for each size by itself. */
export function printComparison(results: readonly Result[]): void {
  for (const [factor, same] of Map.groupBy(results, (result) => result.factor ?? 1)) {
    if (factor > 1) console.log(`x${factor}`);
    const runsOf = (name: string): Result[] => same.filter(({ contender }) => contender === name);
    const measured = contenderNames.filter((name) => runsOf(name).length > 0);
    const rows = measured.flatMap((name) =>
      medians(runsOf(name).map(({ parts }) => parts)).map((part) => ({ contender: name, ...part })),
    );
    const names = metricsIn(rows.map(({ values }) => values));
    console.log(
      `Medians of ${runsOf(measured[0]!).length}\n${table([
        ['', ...names.map((metric) => metricOf(metric).label)],
        ...rows.map(({ contender, name, values }) => [
          `${contender}, ${name}`,
          ...names.map((metric) => shown(values[metric], metricOf(metric).digits)),
        ]),
      ])}\n`,
    );
    for (const peer of measured.filter((name) => name !== 'parley')) {
      const ratios = ratiosOf(runsOf('parley'), runsOf(peer));
      if (ratios.length === 0) continue;
      console.log(
        `Parley beside ${contenderTitles[peer]} (above 1: Parley is better)\n${table(
          ratios.map(({ part, metric, ours, theirs, better }) => [
            `${part}, ${metricOf(metric).label}`,
            `x ${number(better, 2)}`,
            number(ours, metricOf(metric).digits),
            number(theirs, metricOf(metric).digits),
          ]),
        )}\n`,
      );
    }
  }
}

function shown(value: number | undefined, digits: number): string {
  return value === undefined ? '-' : number(value, digits);
}
