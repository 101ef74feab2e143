import { Histogram } from 'prom-client';
import { latencyBuckets, metrics, Reading } from './metrics.ts';

/** What of a pool is measured; as `pg.Pool`. */
export interface MeasuredPool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

interface DatabaseMetrics {
  watch(pool: MeasuredPool, maxConnections: number): Disposable;
  observe(statement: string, seconds: number): void;
}

let created: DatabaseMetrics | undefined;

/** The metrics of databases. Made with the first: a process without one does not show any. */
export function databaseMetrics(): DatabaseMetrics {
  return (created ??= createDatabaseMetrics());
}

function createDatabaseMetrics(): DatabaseMetrics {
  const open = new Reading('parley_database_connections', 'Open connections to Postgres.');
  const idle = new Reading('parley_database_idle_connections', 'Connections to Postgres that nobody uses.');
  const most = new Reading('parley_database_max_connections', 'Most connections to Postgres.');
  const waiting = new Reading(
    'parley_database_waiting',
    'Statements and transactions that wait for a connection to Postgres.',
  );
  const seconds = new Histogram({
    name: 'parley_database_statement_seconds',
    help: 'Duration of statements as the service waits for them, by their name.',
    labelNames: ['statement'] as const,
    buckets: latencyBuckets,
    registers: [metrics],
  });
  const byStatement = new Map<string, { observe(seconds: number): void }>();
  return {
    watch(pool, maxConnections) {
      const watched = new DisposableStack();
      watched.use(open.from(() => pool.totalCount));
      watched.use(idle.from(() => pool.idleCount));
      watched.use(most.from(() => maxConnections));
      watched.use(waiting.from(() => pool.waitingCount));
      return watched;
    },
    observe(statement, duration) {
      let child = byStatement.get(statement);
      if (!child) {
        child = seconds.labels({ statement });
        byStatement.set(statement, child);
      }
      child.observe(duration);
    },
  };
}
