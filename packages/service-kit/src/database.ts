import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ParleyError } from '@parley/protocol';
import pg from 'pg';
import { databaseMetrics } from './database-metrics.ts';
import type { Log } from './log.ts';
import { ending, startStatement } from './tracing.ts';

/** One statement, with the name under which Postgres keeps its plan. */
export interface Statement {
  name: string;
  text: string;
  values?: unknown[];
}

export interface Queries {
  /** @throws ParleyError `unavailable` when Postgres is away or too slow; SQL errors as they are. */
  query: <Row extends object>(statement: Statement) => Promise<Row[]>;
}

export interface DatabaseOptions {
  databaseUrl: string;
  /** As whom migrations run, where the role of `databaseUrl` has no right to: it is then given what it needs of the schema. */
  databaseOwnerUrl?: string | undefined;
  /** Most connections of this process. */
  connections: number;
  /** Bounds the wait for a connection and each statement. */
  timeoutMs: number;
  /**
   * For a service that asks by key only: no plan may scan a table. A plan kept from when a table was empty would
   * otherwise go on scanning it as it fills. Nor is any worth compiling.
   */
  indexOnly?: boolean;
  log: Log;
}

/** Postgres, as one service sees it. */
export class Database implements Queries, AsyncDisposable {
  readonly #options: DatabaseOptions;
  readonly #pool: pg.Pool;
  readonly #watched: Disposable;
  #closing: Promise<void> | undefined;

  constructor(options: DatabaseOptions) {
    const { connections, timeoutMs, indexOnly } = options;
    this.#options = options;
    this.#pool = createPool(options, {
      max: connections,
      query_timeout: timeoutMs,
      statement_timeout: timeoutMs,
      ...(indexOnly ? { options: '-c enable_seqscan=off -c jit=off' } : {}),
    });
    this.#watched = databaseMetrics().watch(this.#pool, connections);
  }

  readonly query = <Row extends object>(statement: Statement): Promise<Row[]> =>
    run<Row>(this.#pool, statement);

  /** Runs the work in one transaction: all of it or nothing. */
  transaction<Result>(work: (queries: Queries) => Promise<Result>): Promise<Result> {
    return inTransaction(this.#pool, work);
  }

  /**
   * Brings the service's schema up to date: runs the `NNNN-name.sql` files of the folder that have not been run, in
   * order, all in one transaction. Safe with any number of instances starting at once.
   */
  async migrate(schema: string, folder: URL): Promise<void> {
    const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
    // A connection of its own: a migration, or waiting for another instance's, may take longer than any request.
    const { databaseUrl, databaseOwnerUrl } = this.#options;
    const pool = createPool({ ...this.#options, databaseUrl: databaseOwnerUrl ?? databaseUrl }, { max: 1 });
    try {
      await inTransaction(pool, async (queries) => {
        await runMigrations(queries, schema, folder, files);
        if (databaseOwnerUrl !== undefined) await grantUse(queries, schema, roleOf(databaseUrl));
      });
    } finally {
      await pool.end();
    }
  }

  /** Resolves when Postgres answers. */
  async ping(): Promise<void> {
    await this.query({ name: 'ping', text: 'select 1' });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#end());
  }

  async #end(): Promise<void> {
    await this.#pool.end();
    this.#watched[Symbol.dispose]();
  }
}

/** Opens the database and brings the schema up to date, waiting for Postgres if need be. */
export async function openDatabase(
  options: DatabaseOptions,
  schema: string,
  migrations: URL,
): Promise<Database> {
  const database = new Database(options);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await database.migrate(schema, migrations);
      return database;
    } catch (err) {
      if (ParleyError.from(err).code !== 'unavailable') {
        await database[Symbol.asyncDispose]();
        throw err;
      }
      options.log.warn({ err, attempt }, 'database is not ready, waiting');
      await delay(Math.min(500 * attempt, 5_000));
    }
  }
}

/** A pool that outlives its connections: one that breaks is replaced at the next query. */
function createPool({ databaseUrl, timeoutMs, log }: DatabaseOptions, config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    connectionTimeoutMillis: timeoutMs,
    keepAlive: true,
    ...config,
  });
  // Without a listener an idle connection that breaks would end the process.
  pool.on('error', (err) => {
    log.warn({ err }, 'idle database connection lost');
  });
  return pool;
}

async function inTransaction<Result>(
  pool: pg.Pool,
  work: (queries: Queries) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect().catch((cause: unknown) => {
    throw translated(cause);
  });
  let broken: Error | undefined;
  // The pool listens to idle connections only; that this one broke is told by its next statement too.
  const onError = (err: Error): void => {
    broken = err;
  };
  client.on('error', onError);
  try {
    await run(client, { name: 'begin', text: 'begin' });
    const result = await work({ query: (statement) => run(client, statement) });
    await run(client, { name: 'commit', text: 'commit' });
    return result;
  } catch (thrown) {
    await run(client, { name: 'rollback', text: 'rollback' }).catch(onError);
    throw thrown;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

async function runMigrations(
  { query }: Queries,
  schema: string,
  folder: URL,
  files: readonly string[],
): Promise<void> {
  const lock = 'select pg_advisory_xact_lock(hashtext($1))';
  await query({ name: 'migrate.lock', text: lock, values: [`parley.${schema}`] });
  await query({ name: 'migrate.schema', text: `create schema if not exists ${schema}` });
  await query({
    name: 'migrate.table',
    text: `create table if not exists ${schema}.migration (name text primary key, run_at timestamptz not null default now())`,
  });
  const done = await query<{ name: string }>({
    name: 'migrate.done',
    text: `select name from ${schema}.migration`,
  });
  for (const file of files.filter((candidate) => !done.some(({ name }) => name === candidate))) {
    // Without a name: a file holds several statements, which can't be prepared together.
    await query({ name: '', text: await readFile(new URL(file, folder), 'utf8') });
    await query({
      name: 'migrate.note',
      text: `insert into ${schema}.migration (name) values ($1)`,
      values: [file],
    });
  }
}

/** What a service needs of its schema, and no more: rows come and go, tables stay as they are. */
async function grantUse({ query }: Queries, schema: string, role: string): Promise<void> {
  const to = pg.escapeIdentifier(role);
  const text = `
    grant usage on schema ${schema} to ${to};
    grant select, insert, update, delete on all tables in schema ${schema} to ${to};
    grant usage on all sequences in schema ${schema} to ${to};
    revoke all on ${schema}.migration from ${to}`;
  await query({ name: '', text });
}

function roleOf(databaseUrl: string): string {
  return decodeURIComponent(new URL(databaseUrl).username);
}

async function run<Row extends object>(
  client: pg.Pool | pg.PoolClient,
  statement: Statement,
): Promise<Row[]> {
  const { name, ...anonymous } = statement;
  const startedAt = performance.now();
  try {
    const answer = client.query<Row>(name ? statement : anonymous);
    return (await ending(startStatement(statement), answer)).rows;
  } catch (cause) {
    throw translated(cause);
  } finally {
    if (name) databaseMetrics().observe(name, (performance.now() - startedAt) / 1_000);
  }
}

/** SQLSTATE classes that mean "not now": connection, resources, operator intervention, system error. */
const passingClasses = ['08', '53', '57', '58'];

/** What broke on the way is `unavailable`; what Postgres objected to stays as it is, for the store to understand. */
function translated(cause: unknown): unknown {
  if (cause instanceof ParleyError) return cause;
  const code = cause instanceof pg.DatabaseError ? cause.code : undefined;
  if (code && !passingClasses.includes(code.slice(0, 2))) return cause;
  return new ParleyError('unavailable', {}, { cause });
}

/** Whether the error is a violation of the named unique constraint or index. */
export function violates(error: unknown, constraint: string): boolean {
  return error instanceof pg.DatabaseError && error.code === '23505' && error.constraint === constraint;
}
