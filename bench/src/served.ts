import type { ServiceProcess, Stack } from '@parley/local-stack';

const servedSeries = 'parley_bus_serve_seconds';
const heapSeries = 'parley_nodejs_heap_size_used_bytes';

/** What the instances of a service say of one of their methods. */
export interface Served {
  count: number;
  /** From request to reply, all together. */
  seconds: number;
}

/**
 * Reads how often a method was answered so far, and how long that took in the service, from its metrics.
 * @param method As `messages.readHistory`.
 */
export async function readServed({ services }: Pick<Stack, 'services'>, method: string): Promise<Served> {
  const [name] = method.split('.', 1) as [keyof Stack['services']];
  const lines = await readMetrics(services[name]);
  const total = (kind: string): number =>
    sumOf(
      lines.filter(
        (line) => line.startsWith(`${servedSeries}_${kind}{`) && line.includes(`method="${method}"`),
      ),
    );
  return { count: total('count'), seconds: total('sum') };
}

/** Reads what is in use in the heaps of all the processes, in bytes, from their metrics. */
export async function readHeap(processes: readonly Pick<ServiceProcess, 'healthUrl'>[]): Promise<number> {
  const lines = await readMetrics(processes);
  return sumOf(lines.filter((line) => line.startsWith(`${heapSeries} `)));
}

async function readMetrics(processes: readonly Pick<ServiceProcess, 'healthUrl'>[]): Promise<string[]> {
  const pages = await Promise.all(
    processes.map(async ({ healthUrl }) => (await fetch(`${healthUrl}/metrics`)).text()),
  );
  return pages.flatMap((page) => page.split('\n'));
}

function sumOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
