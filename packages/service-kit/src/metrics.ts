import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** All metrics of this process. */
export const metrics = new Registry();

collectDefaultMetrics({ register: metrics, prefix: 'parley_' });

const registers = [metrics];

/** For what takes from under a millisecond to the longest wait of a request, in seconds. */
export const latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** For what is done together: how many at once. */
export const sizeBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** A counter of what happens very often: to count is one addition, and the sum is looked at when it is scraped. */
export class Tally {
  #total = 0;

  constructor(name: string, help: string) {
    const total = (): number => this.#total;
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(total());
      },
    });
  }

  add(count: number): void {
    this.#total += count;
  }
}

/** A gauge that nobody has to keep in step: those who know are asked when it is scraped, and their answers added up. */
export class Reading {
  readonly #sources = new Set<() => number>();

  constructor(name: string, help: string) {
    const sources = this.#sources;
    new Gauge({
      name,
      help,
      registers,
      collect() {
        let sum = 0;
        for (const read of sources) sum += read();
        this.set(sum);
      },
    });
  }

  /** From now on this is asked, too, until what is returned is disposed of. */
  from(read: () => number): Disposable {
    this.#sources.add(read);
    return {
      [Symbol.dispose]: () => {
        this.#sources.delete(read);
      },
    };
  }
}

/** How long bus requests take their caller, by method and outcome (`ok` or the error's code). */
export const callSeconds = new Histogram({
  name: 'parley_bus_call_seconds',
  help: 'Duration of bus requests as their caller sees it.',
  labelNames: ['method', 'outcome'] as const,
  buckets: latencyBuckets,
  registers,
});

/** How long this process takes to answer bus requests, by method and outcome. */
export const serveSeconds = new Histogram({
  name: 'parley_bus_serve_seconds',
  help: 'Duration of bus requests in the service that answers them.',
  labelNames: ['method', 'outcome'] as const,
  buckets: latencyBuckets,
  registers,
});

export const callsTogether = new Histogram({
  name: 'parley_bus_calls_together',
  help: 'Calls that were gathered and went to a service at once.',
  buckets: sizeBuckets,
  registers,
});

export const callsWaiting = new Reading(
  'parley_bus_calls_waiting',
  'Calls that wait to go together with others.',
);

export const requestsInHand = new Reading(
  'parley_bus_requests_in_hand',
  'Messages with requests that came over the bus and are not answered yet.',
);

export const busConnected = new Reading(
  'parley_bus_connected',
  '1 while the process is connected to NATS, 0 while it is not.',
);

export const busReconnects = new Counter({
  name: 'parley_bus_reconnects_total',
  help: 'Connections to NATS that were lost and came back.',
  registers,
});
