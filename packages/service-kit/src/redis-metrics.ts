import { Histogram } from 'prom-client';
import { latencyBuckets, metrics, Reading } from './metrics.ts';

interface RedisMetrics {
  connected: Reading;
  seconds: Histogram;
}

let created: RedisMetrics | undefined;

/** The metrics of Redis. Made with the first store: a process without one does not show any. */
export function redisMetrics(): RedisMetrics {
  return (created ??= {
    connected: new Reading(
      'parley_redis_connected',
      '1 while the process is connected to Redis, 0 while it is not.',
    ),
    seconds: new Histogram({
      name: 'parley_redis_command_seconds',
      help: 'Duration of commands and scripts as the service waits for them; failed ones, too.',
      buckets: latencyBuckets,
      registers: [metrics],
    }),
  });
}
