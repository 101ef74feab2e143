import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse, stringify } from 'yaml';
import { dashboardSchema } from './metrics/dashboard-schema.ts';
import { expressionsOf, readDashboards } from './metrics/dashboards.ts';
import type { Place } from './metrics/dashboards.ts';
import { problemsOfExpression } from './metrics/expressions.ts';
import { prometheusObstacle, promtool } from './metrics/prometheus.ts';
import { readReference } from './metrics/reference.ts';

const folder = new URL('../deploy/grafana/', import.meta.url);
const dashboards = await readDashboards();
const files = [...dashboards.keys()];
const reference = await readReference();
const isDashboard = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(dashboardSchema);

test('the dashboards are there', () => {
  expect(files).toEqual(['files.json', 'gateway.json', 'messages.json', 'overview.json']);
});

describe('the schema', () => {
  const [some] = dashboards.values();

  test.each([
    ['a panel of an unknown type', (copy: any) => (copy.panels[1].type = 'graf')],
    ['a misspelled property', (copy: any) => (copy.panels[1].fieldConfig.default = {})],
    ['a unit that there is not', (copy: any) => (copy.panels[1].fieldConfig.defaults.unit = 'seconds')],
    ['a target without an expression', (copy: any) => delete copy.panels[1].targets[0].expr],
    ['no uid', (copy: any) => delete copy.uid],
  ])('sees %s', (_what, spoil) => {
    const copy = structuredClone(some!);
    expect(isDashboard(copy)).toBe(true);
    spoil(copy);
    expect(isDashboard(copy)).toBe(false);
  });
});

describe.each(files)('%s', (file) => {
  const dashboard = dashboards.get(file)!;
  const { panels } = dashboard;

  test('is what Grafana reads', () => {
    isDashboard(dashboard);
    expect(isDashboard.errors ?? []).toEqual([]);
  });

  test('asks for metrics and labels that there are', () => {
    const definitions = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);
    const problems = [...expressionsOf(dashboard, '1m'), ...definitions].flatMap((expression) =>
      problemsOfExpression(expression, reference),
    );
    expect(problems).toEqual([]);
  });

  test('names each line by labels that its expression leaves', () => {
    const unknown = panels
      .flatMap(({ targets = [] }) => targets)
      .flatMap(({ expr, legendFormat }) => {
        const [, kept] = /\bby \(([^)]*)\)/.exec(expr) ?? [];
        const labels = kept?.split(', ') ?? ['job', 'instance'];
        const used = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
        return used.filter((label) => !labels.includes(label)).map((label) => `${label} of ${expr}`);
      });
    expect(unknown).toEqual([]);
  });

  test('uses variables that it has', () => {
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?(\w+)/g)].map(([, name]) => name!);
    const own = dashboard.templating.list.map(({ name }) => name);
    expect(new Set(used.filter((name) => !name.startsWith('__')))).toEqual(new Set(own));
  });

  test('has each panel once, in a place of its own', () => {
    const numbers = panels.map(({ id }) => id);
    expect(numbers).toEqual([...new Set(numbers)]);
    for (const { targets = [] } of panels) {
      expect(targets.map(({ refId }) => refId)).toEqual(targets.map((_, index) => 'ABCDEFG'[index]));
    }
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      for (const square of squaresOf(gridPos)) {
        expect(taken.has(square) ? `${title} is upon another` : 'free').toBe('free');
        taken.add(square);
      }
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    }
  });
});

test('the dashboards have names and ids of their own', () => {
  const all = [...dashboards.values()];
  expect(new Set(all.map(({ uid }) => uid)).size).toBe(files.length);
  expect(new Set(all.map(({ title }) => title)).size).toBe(files.length);
});

test('Grafana finds them, and the Prometheus, where docker-compose.yml has put them', async () => {
  const readYaml = async (path: string) => parse(await readFile(new URL(path, folder), 'utf8'));
  const { services } = await readYaml('../../docker-compose.yml');
  const { providers } = await readYaml('provisioning/dashboards/parley.yml');
  expect(services.grafana.volumes).toContain(
    `./deploy/grafana/dashboards:${providers[0].options.path as string}:ro`,
  );
  expect(services.grafana.volumes).toContain('./deploy/grafana/provisioning:/etc/grafana/provisioning:ro');
  const { datasources } = await readYaml('provisioning/datasources/prometheus.yml');
  expect(datasources).toEqual([expect.objectContaining({ url: 'http://prometheus:9090', isDefault: true })]);
  expect(services.prometheus.volumes).toContain('./deploy/prometheus:/etc/prometheus:ro');
});

const obstacle = await prometheusObstacle();

if (obstacle === undefined) {
  test('promtool takes every expression', async () => {
    const rules = [...dashboards.values()]
      .flatMap((dashboard) => expressionsOf(dashboard, '1m'))
      .map((expr, index) => ({ record: `panel:${index}`, expr }));
    await using opened = new AsyncDisposableStack();
    const temporary = await mkdtemp(join(tmpdir(), 'parley-dashboards-'));
    opened.defer(() => rm(temporary, { recursive: true, force: true }));
    const path = join(temporary, 'rules.yml');
    await writeFile(path, stringify({ groups: [{ name: 'panels', rules }] }));
    const { isContent, output } = await promtool('check', 'rules', path);
    expect(output).toContain(`SUCCESS: ${rules.length} rules found`);
    expect(isContent).toBe(true);
  });
} else {
  test.skip(`promtool takes every expression: skipped, because ${obstacle}`, () => {});
}

function squaresOf({ x, y, w, h }: Place): string[] {
  return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`);
}
