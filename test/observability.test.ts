import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { commonSettings } from '@parley/service-kit';
import { parse } from 'yaml';

interface Service {
  image: string;
  networks: Record<string, unknown>;
  ports?: { host_ip: string; published: string; target: number }[];
  read_only?: boolean;
  cap_drop?: string[];
}

interface System {
  services: Record<string, Service>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

/** The system as compose understands it; needs no Docker that runs. */
async function readSystem(...profiles: string[]): Promise<System> {
  const named = profiles.flatMap((profile) => ['--profile', profile]);
  const command = ['compose', '--env-file', '.env.example', ...named, 'config', '--format', 'json'];
  const { stdout } = await run('docker', command, { cwd: root, env: { PATH: process.env.PATH } });
  return JSON.parse(stdout) as System;
}

const obstacle = await run('docker', ['compose', 'version']).then(
  () => undefined,
  () => 'there is no docker compose',
);

if (obstacle === undefined) {
  describe('the profile observability', profileSuite);
} else {
  test.skip(`the profile observability: skipped, because ${obstacle}`, () => {});
}

function profileSuite(): void {
  let system: System;
  let own: [string, Service][];
  beforeAll(async () => {
    system = await readSystem('observability');
    const without = await readSystem();
    own = Object.entries(system.services).filter(([name]) => !Object.hasOwn(without.services, name));
  });

  test('adds Prometheus and Grafana, which nobody has who does not ask for it', () => {
    expect(own.map(([name]) => name).toSorted()).toEqual(['grafana', 'prometheus']);
  });

  test('opens them to this machine only, with rights as few as others have', () => {
    for (const [, { ports = [], read_only, cap_drop }] of own) {
      expect(ports.map(({ host_ip }) => host_ip)).toEqual(['127.0.0.1']);
      expect(read_only).toBe(true);
      expect(cap_drop).toEqual(['ALL']);
    }
  });

  test('runs versions that stay the same', () => {
    for (const [, { image }] of own) expect(image).toMatch(/^[\w/]+:v?\d+\.\d+\.\d+$/);
  });

  test('collects from the side port of every service, which it shares a network with', async () => {
    const text = await readFile(new URL('../deploy/prometheus/prometheus.yml', import.meta.url), 'utf8');
    const { scrape_configs: jobs } = parse(text) as {
      scrape_configs: { job_name: string; dns_sd_configs: { names: string[]; port: number }[] }[];
    };
    const ours = Object.entries(system.services).filter(([, { image }]) => image.startsWith('parley/'));
    expect(jobs.map(({ job_name }) => job_name).toSorted()).toEqual(ours.map(([name]) => name).toSorted());
    const networks = Object.keys(system.services.prometheus!.networks);
    for (const { job_name, dns_sd_configs } of jobs) {
      expect(dns_sd_configs).toEqual([
        expect.objectContaining({
          names: [job_name],
          type: 'A',
          port: Number(commonSettings.healthPort.defaultText),
        }),
      ]);
      const theirs = Object.keys(system.services[job_name]!.networks);
      expect(theirs.filter((network) => networks.includes(network))).not.toEqual([]);
    }
  });
}
