import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** All metrics of this process. */
export const metrics = new Registry();

collectDefaultMetrics({ register: metrics, prefix: 'parley_' });

const latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** How long bus requests take their caller, by method and outcome (`ok` or the error's code). */
export const callSeconds = new Histogram({
  name: 'parley_bus_call_seconds',
  help: 'Duration of bus requests as their caller sees it.',
  labelNames: ['method', 'outcome'] as const,
  buckets: latencyBuckets,
  registers: [metrics],
});

/** How long this process takes to answer bus requests, by method and outcome. */
export const serveSeconds = new Histogram({
  name: 'parley_bus_serve_seconds',
  help: 'Duration of bus requests in the service that answers them.',
  labelNames: ['method', 'outcome'] as const,
  buckets: latencyBuckets,
  registers: [metrics],
});
