import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceProcess } from '@parley/local-stack';
import { startBenchStack } from '../bench-stack.ts';
import { readCpu } from '../cpu.ts';
import { counted } from '../loaded.ts';
import { readMachineFacts } from '../machine.ts';
import type { Part } from '../results.ts';
import type { Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';

type StartupOptions = { cold: number; warm: number };

const pollMs = 5;
/** What does not get ready by then never will, in ms. */
const patienceMs = 60_000;
/** Between an end and the next start, for the machine to come to rest. In ms. */
const restMs = 200;

/**
 * How long a service takes from its spawn until its `/readyz` answers 200, with everything else running. Each is started as `npm start`
 * does it. Node's compile cache (`NODE_COMPILE_CACHE`) lies in a folder of the run: empty at a start that is called cold; else as the
 * start before left it.
 */
export const startup: Scenario<StartupOptions> = {
  name: 'startup',
  summary: 'from the spawn of each service until it is ready, with a cold and a warm compile cache',
  peers: [],
  plots: ['readyP50Ms'],
  options: {
    cold: { doc: 'starts of each service without a compile cache', standard: '5', min: 1, max: 1_000 },
    warm: { doc: 'starts of each service with one', standard: '7', min: 0, max: 1_000 },
  },

  headline: ({ cold, warm }) =>
    `Start-up: ${cold} cold and ${warm} warm starts of each service, one at a time`,

  async measure({ options: { cold, warm }, profileDir, log, abort }) {
    const cacheDir = await mkdtemp(join(tmpdir(), 'parley-bench-cache-'));
    try {
      const environment = { NODE_COMPILE_CACHE: cacheDir };
      await using stack = await startBenchStack({ gateways: 1, environment, profileDir, log, abort });
      const services = Object.entries({ gateway: stack.gateways, ...stack.services });
      const parts: Part[] = [];
      for (const [name, [service]] of services) {
        const forget = () => emptyFolder(cacheDir);
        parts.push(await measureStarts(`${name}, cold`, service!, cold, forget, abort));
        if (warm === 0) continue;
        parts.push(await measureStarts(`${name}, warm`, service!, warm, () => Promise.resolve(), abort));
      }
      const text = `${counted(services.length * (cold + warm), 'start')}, each ready within ${patienceMs / 1_000} s`;
      return { facts: readMachineFacts(stack.servers), parts, audit: { text, problems: [] } };
    } finally {
      await rm(cacheDir, { recursive: true, force: true });
    }
  },
};

/** @param prepare Done after each end, before the next start. */
async function measureStarts(
  name: string,
  service: ServiceProcess,
  times: number,
  prepare: () => Promise<void>,
  abort: AbortSignal,
): Promise<Part> {
  const starts: Start[] = [];
  for (let time = 0; time < times; time += 1) {
    await service.stop();
    await prepare();
    await delay(restMs, undefined, { signal: abort });
    starts.push(await timeStart(service, abort));
  }
  const readyMs = starts.map((start) => start.readyMs);
  return {
    name,
    values: {
      readyP50Ms: median(readyMs),
      readyMaxMs: Math.max(...readyMs),
      readyCpuMs: median(starts.map(({ cpuMs }) => cpuMs)),
    },
  };
}

interface Start {
  /** From the spawn to the first 200, in ms. */
  readyMs: number;
  /** What the process has used until then, user and system, in ms; in steps of 10. */
  cpuMs: number;
}

async function timeStart(service: ServiceProcess, abort: AbortSignal): Promise<Start> {
  const startedAt = performance.now();
  await service.start();
  while (!(await isReady(service))) {
    if (performance.now() - startedAt > patienceMs)
      throw new Error(`${service.name} was not ready within ${patienceMs / 1_000} s`);
    await delay(pollMs, undefined, { signal: abort });
  }
  const readyMs = performance.now() - startedAt;
  const cpu = readCpu(new Map([[service.name, service.pid === undefined ? [] : [service.pid]]]));
  return { readyMs, cpuMs: (cpu.get(service.name) ?? 0) * 1_000 };
}

async function isReady({ healthUrl }: ServiceProcess): Promise<boolean> {
  try {
    const answer = await fetch(`${healthUrl}/readyz`);
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

async function emptyFolder(folder: string): Promise<void> {
  const names = await readdir(folder);
  await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}
