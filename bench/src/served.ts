import type { Stack } from '@parley/local-stack';

const series = 'parley_bus_serve_seconds';

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
  const pages = await Promise.all(
    services[name].map(async ({ healthUrl }) => (await fetch(`${healthUrl}/metrics`)).text()),
  );
  const lines = pages.flatMap((page) => page.split('\n'));
  const total = (kind: string): number =>
    lines
      .filter((line) => line.startsWith(`${series}_${kind}{`) && line.includes(`method="${method}"`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  return { count: total('count'), seconds: total('sum') };
}
