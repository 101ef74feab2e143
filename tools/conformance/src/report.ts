import type { Result } from './run.ts';

const marks = { passed: 'pass', failed: 'FAIL', skipped: 'skip' } as const;

/** One result, as people read it. */
export function describe({ id, says, section, outcome, reason, transcript }: Result): string {
  const first = `${marks[outcome]}  ${id}`;
  if (outcome === 'passed') return first;
  if (outcome === 'skipped') return `${first}: ${reason ?? ''}`;
  const lines = [
    first,
    `      ${says}`,
    `      docs/protocol.md, "${section}"`,
    `      ${reason ?? ''}`,
    ...(transcript ?? []).map((line) => `        ${line}`),
  ];
  return lines.join('\n');
}

export function count(results: readonly Result[]): Record<Result['outcome'], number> {
  const countOf = (wanted: Result['outcome']) => results.filter(({ outcome }) => outcome === wanted).length;
  return { passed: countOf('passed'), failed: countOf('failed'), skipped: countOf('skipped') };
}

export function summary(results: readonly Result[]): string {
  const { passed, failed, skipped } = count(results);
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
