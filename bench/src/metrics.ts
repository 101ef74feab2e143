interface Metric {
  label: string;
  digits: number;
  /** Which way is better; for what only tells of the circumstances there is none. */
  better?: 'more' | 'less';
}

/** Everything that is measured, with what it is called in tables and plots. */
export const metrics = {
  committedPerSecond: { label: 'sends/s', digits: 0, better: 'more' },
  deliveredPerSecond: { label: 'deliveries/s', digits: 0, better: 'more' },
  sendP50Ms: { label: 'send p50 ms', digits: 1, better: 'less' },
  sendP99Ms: { label: 'send p99 ms', digits: 1, better: 'less' },
  deliveryP50Ms: { label: 'delivery p50 ms', digits: 1, better: 'less' },
  deliveryP99Ms: { label: 'delivery p99 ms', digits: 1, better: 'less' },
  cpuPerMillionDeliveries: { label: 'CPU s/million deliveries', digits: 2, better: 'less' },
  cpuPerThousandSends: { label: 'CPU s/1,000 sends', digits: 3, better: 'less' },
  highestRate: { label: 'highest rate', digits: 0, better: 'more' },
  kilobytesPerConnection: { label: 'kB/connection', digits: 1, better: 'less' },
  connectsPerSecond: { label: 'connects/s', digits: 0, better: 'more' },
  connectP50Ms: { label: 'connect p50 ms', digits: 1, better: 'less' },
  connectP99Ms: { label: 'connect p99 ms', digits: 1, better: 'less' },
  cpuPerThousandConnects: { label: 'CPU s/1,000 connects', digits: 3, better: 'less' },
  pageP50Ms: { label: 'page p50 ms', digits: 2, better: 'less' },
  pageP99Ms: { label: 'page p99 ms', digits: 2, better: 'less' },
  serviceMeanMs: { label: 'in the service, mean ms', digits: 2, better: 'less' },
  requestP50Ms: { label: 'p50 ms', digits: 2, better: 'less' },
  requestP99Ms: { label: 'p99 ms', digits: 2, better: 'less' },
  requestMaxMs: { label: 'max ms', digits: 1, better: 'less' },
  worstSecondP99Ms: { label: 'worst second, p99 ms', digits: 1, better: 'less' },
  secondsAboveLimit: { label: 'seconds in a row above the limit', digits: 0, better: 'less' },
  privateMegabytes: { label: 'private MB, mean', digits: 1, better: 'less' },
  growthMegabytesPerHour: { label: 'growth MB/hour', digits: 1, better: 'less' },
  swingMegabytes: { label: 'max-min MB', digits: 1, better: 'less' },
  heapMegabytes: { label: 'heap MB, mean', digits: 1, better: 'less' },
  heldMegabytes: { label: 'MB after a collection, mean', digits: 1, better: 'less' },
  readyP50Ms: { label: 'spawn to ready p50 ms', digits: 0, better: 'less' },
  readyMaxMs: { label: 'spawn to ready max ms', digits: 0, better: 'less' },
  readyCpuMs: { label: 'CPU ms until ready', digits: 0, better: 'less' },
  megabytesPerSecond: { label: 'MB/s', digits: 1, better: 'more' },
  chunksPerSecond: { label: 'chunks/s', digits: 0, better: 'more' },
  listsPerSecond: { label: 'lists/s to each', digits: 2 },
  coresUsed: { label: 'cores', digits: 2, better: 'less' },
  deliveriesPerRead: { label: 'deliveries/read', digits: 1 },
  lateP99Ms: { label: 'sent late p99 ms', digits: 1 },
  gatewayMegabytes: { label: 'gateway MB, most', digits: 0, better: 'less' },
  attackerCores: { label: 'attacker cores', digits: 2 },
  generatorCores: { label: 'generator cores', digits: 2 },
  elsewhereCores: { label: 'cores elsewhere', digits: 2 },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;

export type Values = Partial<Record<MetricName, number>>;

export const metricNames = Object.keys(metrics) as MetricName[];

export function metricOf(name: MetricName): Metric {
  return metrics[name];
}

/** The names in the order of {@link metrics} that at least one of them has. */
export function metricsIn(all: readonly Values[]): MetricName[] {
  return metricNames.filter((name) => all.some((values) => values[name] !== undefined));
}
