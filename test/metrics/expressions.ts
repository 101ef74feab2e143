import type { DocumentedMetric } from './reference.ts';

/** What Prometheus adds to every series, as deploy/prometheus/prometheus.yml names it. */
const ofEverySeries = ['job', 'instance'];
const ofHistogram = /_(?:bucket|sum|count)$/;

/**
 * What is wrong with the metrics and labels that a PromQL expression asks for, by docs/metrics.md. Whether it is PromQL at all
 * is for promtool to say.
 */
export function problemsOfExpression(expression: string, reference: readonly DocumentedMetric[]): string[] {
  const problems: string[] = [];
  const known = new Set(ofEverySeries);
  for (const [, name, selector = ''] of expression.matchAll(/\b(parley_\w+)(?:\{([^}]*)\})?/g)) {
    const metric = findMetric(name!, reference);
    if (!metric) {
      problems.push(`${name} is not in docs/metrics.md`);
      continue;
    }
    const labels = [...metric.labels, ...ofEverySeries, ...(name!.endsWith('_bucket') ? ['le'] : [])];
    for (const label of labels) known.add(label);
    for (const [, label] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)) {
      if (!labels.includes(label!)) problems.push(`${name} has no label ${label}`);
    }
  }
  for (const [, list] of expression.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)) {
    for (const label of list!.split(',').map((each) => each.trim())) {
      if (label !== '' && !known.has(label)) problems.push(`no metric here has a label ${label}`);
    }
  }
  return problems;
}

/** Of a histogram there are only its parts, and of anything else none. */
function findMetric(name: string, reference: readonly DocumentedMetric[]): DocumentedMetric | undefined {
  const whole = reference.find((metric) => metric.name === name);
  if (whole) return whole.type === 'histogram' ? undefined : whole;
  const histogram = reference.find((metric) => metric.name === name.replace(ofHistogram, ''));
  return histogram?.type === 'histogram' ? histogram : undefined;
}
