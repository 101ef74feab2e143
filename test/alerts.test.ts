import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { problemsOfExpression } from './metrics/expressions.ts';
import { prometheusObstacle, promtool } from './metrics/prometheus.ts';
import { readReference } from './metrics/reference.ts';
import type { DocumentedMetric } from './metrics/reference.ts';

interface Alert {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook: string };
}

interface AlertTest {
  alert_rule_test: { alertname: string; exp_alerts: unknown[] }[];
}

const folder = new URL('../deploy/prometheus/', import.meta.url);
const pathOf = (name: string) => fileURLToPath(new URL(name, folder));

let reference: DocumentedMetric[];
let alerts: Alert[];
beforeAll(async () => {
  reference = await readReference();
  const { groups } = (await readYaml('alerts.yml')) as { groups: { rules: Alert[] }[] };
  alerts = groups.flatMap(({ rules }) => rules);
});

async function readYaml(name: string): Promise<unknown> {
  return parse(await readFile(new URL(name, folder), 'utf8'));
}

describe('the check of expressions', () => {
  test.each([
    ['parley_gateway_connection', 'parley_gateway_connection is not in docs/metrics.md'],
    ['parley_bus_call_seconds', 'parley_bus_call_seconds is not in docs/metrics.md'],
    ['parley_gateway_connections_sum', 'parley_gateway_connections_sum is not in docs/metrics.md'],
    ['parley_gateway_connections{room="tea"}', 'parley_gateway_connections has no label room'],
    ['sum by (room) (parley_gateway_connections)', 'no metric here has a label room'],
  ])('sees what is wrong with %s', (expression, problem) => {
    expect(problemsOfExpression(expression, reference)).toEqual([problem]);
  });

  test('takes what is right', () => {
    const expression =
      'sum by (job, le) (rate(parley_bus_call_seconds_bucket{job="gateway", method=~"files.*"}[5m])) / parley_bus_connected';
    expect(problemsOfExpression(expression, reference)).toEqual([]);
  });
});

describe('alerts', () => {
  test('ask for what there is', () => {
    expect(alerts.flatMap(({ expr }) => problemsOfExpression(expr, reference))).toEqual([]);
  });

  test('are urgent or not, and have a section of the runbook that says what to do', async () => {
    const runbook = await readFile(new URL('../docs/runbook.md', import.meta.url), 'utf8');
    const sections = runbook.split(/^##+ /m).filter((section) => section.startsWith('Parley'));
    expect(sections.map((section) => section.split('\n', 1)[0])).toEqual(alerts.map(({ alert }) => alert));
    for (const section of sections) {
      expect(section).toMatch(/^\w+\n\n\*\*Means:\*\* .+\n\n\*\*Look at:\*\* .+\n\n\*\*Do:\*\* .+\n/);
    }
    for (const { alert, labels, annotations } of alerts) {
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
      expect(annotations.summary).toMatch(/^\S.*\.$/);
    }
  });

  test('are each tried: quiet once, firing once', async () => {
    const { tests } = (await readYaml('alerts.test.yml')) as { tests: AlertTest[] };
    const tried = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
    const named = (isFiring: boolean) =>
      tried.filter(({ exp_alerts }) => exp_alerts.length > 0 === isFiring).map(({ alertname }) => alertname);
    const all = alerts.map(({ alert }) => alert).toSorted();
    expect([...new Set(named(true))].toSorted()).toEqual(all);
    expect([...new Set(named(false))].toSorted()).toEqual(all);
  });
});

const obstacle = await prometheusObstacle();

if (obstacle === undefined) {
  describe('promtool', promtoolSuite);
} else {
  test.skip(`promtool: skipped, because ${obstacle}`, () => {});
}

function promtoolSuite(): void {
  test('takes the configuration', async () => {
    const { isContent, output } = await promtool('check', 'config', pathOf('prometheus.yml'));
    expect(output).toContain(`SUCCESS: ${alerts.length} rules found`);
    expect(isContent).toBe(true);
  });

  test('sees the alerts fire when they should, and only then', async () => {
    const { isContent, output } = await promtool('test', 'rules', pathOf('alerts.test.yml'));
    expect(output).toContain('SUCCESS');
    expect(isContent).toBe(true);
  });
}
