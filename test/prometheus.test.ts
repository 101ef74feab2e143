import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '@parley/local-stack';
import { startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { stringify } from 'yaml';
import { expressionsOf, readDashboards } from './metrics/dashboards.ts';
import { findPrometheus, prometheusObstacle } from './metrics/prometheus.ts';
import { useEverything } from './metrics/use-everything.ts';

const alerts = fileURLToPath(new URL('../deploy/prometheus/alerts.yml', import.meta.url));
const dashboards = await readDashboards();
const obstacle = await prometheusObstacle();

if (obstacle === undefined) {
  describe('a Prometheus that collects from a Parley', prometheusSuite);
} else {
  test.skip(`a Prometheus that collects from a Parley: skipped, because ${obstacle}`, () => {});
}

function prometheusSuite(): void {
  const opened = new AsyncDisposableStack();
  let url: string;
  beforeAll(async () => {
    const parley = opened.use(await startParley());
    url = await startPrometheus(parley, opened);
    await useEverything(parley, 'collected');
  });
  afterAll(() => opened.disposeAsync());

  /** Asks its HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/). */
  async function ask<Path extends keyof Answers>(
    path: Path,
    parameters: Record<string, string>,
  ): Promise<Answers[Path]> {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const answer = (await response.json()) as Answer<Answers[Path]>;
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  }

  test.each([...dashboards.keys()])('has something to show for every line of %s', async (file) => {
    let empty = expressionsOf(dashboards.get(file)!, '1m');
    expect(empty).not.toEqual([]);
    // A rate is there with the second scrape.
    await until('nothing is empty', async () => {
      const results = await Promise.all(empty.map((query) => ask('query', { query })));
      empty = empty.filter((_query, index) => results[index]!.result.length === 0);
      return empty.length === 0;
    }).catch(() => {
      expect(empty).toEqual([]);
    });
  });

  test('evaluates every alert, and none of them is about a Parley that is well', async () => {
    const read = async () => (await ask('rules', { type: 'alert' })).groups.flatMap(({ rules }) => rules);
    await until('all have been evaluated', async () => (await read()).every(({ health }) => health === 'ok'));
    const rules = await read();
    expect(rules.length).toBeGreaterThan(20);
    expect(rules.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
  });
}

type Answer<Data> = { status: 'success'; data: Data } | { status: 'error'; error: string };

/** What is looked at of the answers, by path. */
interface Answers {
  query: { result: unknown[] };
  rules: { groups: { rules: { name: string; health: string; state: string }[] }[] };
}

/** Starts one that collects twice a second from all processes, as jobs of their names, and knows the alerts. */
async function startPrometheus({ stack }: Parley, opened: AsyncDisposableStack): Promise<string> {
  const { prometheus } = await findPrometheus();
  const folder = await mkdtemp(join(tmpdir(), 'parley-prometheus-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const processes = Object.entries({ gateway: [...stack.gateways], ...stack.services });
  const configuration = {
    global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
    rule_files: [alerts],
    scrape_configs: processes.map(([job_name, instances]) => ({
      job_name,
      static_configs: [{ targets: instances.map(({ healthUrl }) => new URL(healthUrl).host) }],
    })),
  };
  await writeFile(join(folder, 'prometheus.yml'), stringify(configuration));
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const args = [
    '--config.file=prometheus.yml',
    '--storage.tsdb.path=data',
    `--web.listen-address=${address}`,
  ];
  const child = spawn(prometheus, args, { cwd: folder, stdio: 'ignore' });
  opened.defer(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  await until('Prometheus is ready', () =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return `http://${address}`;
}
