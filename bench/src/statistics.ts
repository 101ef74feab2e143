import { metricNames, metricOf, type MetricName, type Values } from './metrics.ts';
import type { Part, Result } from './results.ts';

/** @throws RangeError of no numbers. */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new RangeError('no numbers have no median');
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The medians of what several runs found, for each part by its name and in the order of the first run. */
export function medians(runs: readonly (readonly Part[])[]): { name: string; values: Values }[] {
  const names = new Set(runs.flatMap((parts) => parts.map(({ name }) => name)));
  return Array.from(names, (name) => {
    const same = runs.flatMap((parts) => parts.filter((part) => part.name === name));
    const values: Values = {};
    for (const metric of metricNames) {
      const found = same.flatMap((part) => part.values[metric] ?? []);
      if (found.length > 0) values[metric] = median(found);
    }
    return { name, values };
  });
}

/** How two contenders compare in one number of one part. */
export interface Ratio {
  part: string;
  metric: MetricName;
  ours: number;
  theirs: number;
  /** The median, over the pairs of runs that were neighbours, of how many times better ours is: above 1 is better. */
  better: number;
}

/**
 * Compares run by run, so that what slows the machine down for a while slows both of a pair.
 * @param ours In the order of the runs; so are `theirs`.
 */
export function ratiosOf(
  ours: readonly Pick<Result, 'parts'>[],
  theirs: readonly Pick<Result, 'parts'>[],
): Ratio[] {
  const ourMedians = medians(ours.map(({ parts }) => parts));
  const theirMedians = medians(theirs.map(({ parts }) => parts));
  return ourMedians.flatMap(({ name, values }) => {
    const others = theirMedians.find((part) => part.name === name)?.values ?? {};
    return metricNames.flatMap((metric) => {
      const { better } = metricOf(metric);
      const [our, their] = [values[metric], others[metric]];
      if (better === undefined || our === undefined || their === undefined) return [];
      const pairs = ours.flatMap(({ parts }, run) => {
        const [a, b] = [parts, theirs[run]?.parts ?? []].map(
          (side) => side.find((part) => part.name === name)?.values[metric],
        );
        if (!a || !b) return [];
        return better === 'more' ? a / b : b / a;
      });
      return pairs.length === 0
        ? []
        : [{ part: name, metric, ours: our, theirs: their, better: median(pairs) }];
    });
  });
}
