import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Database, openDatabase, violates } from './database.ts';
import { createTestLog, makeCertificate, msOf, startServer, until } from './test-support.ts';
import type { TestServer } from './test-support.ts';

const timeoutMs = 20_000;
let server: TestServer;
let database: Database;

beforeAll(async () => {
  server = await startServer('postgres');
  database = connect();
  await run('create table kept (id int constraint kept_id primary key, parent int references kept)');
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

describe('migrations', () => {
  test('run once each, in order, however many instances start at once', async () => {
    await using folder = await openFolder({
      '0002-rows.sql': 'insert into tea.leaf (name) values (1), (2)',
      '0001-table.sql': 'create table tea.leaf (name int); create index on tea.leaf (name);',
      'notes.txt': 'no SQL',
    });
    const opened = await Promise.all(
      Array.from({ length: 5 }, () => openDatabase(options(), 'tea', folder.url)),
    );
    expect(await run('select name from tea.leaf order by name')).toEqual([{ name: 1 }, { name: 2 }]);
    expect(await run('select name from tea.migration order by run_at, name')).toEqual([
      { name: '0001-table.sql' },
      { name: '0002-rows.sql' },
    ]);
    for (const each of opened) await each[Symbol.asyncDispose]();
  });

  test('go forward only: what has been run is never run again, new files are', async () => {
    await using folder = await openFolder({
      '0001-table.sql': 'create table if not exists mug.mug (name int)',
    });
    await database.migrate('mug', folder.url);
    await folder.write({
      '0001-table.sql': 'drop table mug.mug',
      '0002-row.sql': 'insert into mug.mug values (7)',
    });
    await database.migrate('mug', folder.url);
    await database.migrate('mug', folder.url);
    expect(await run('select name from mug.mug')).toEqual([{ name: 7 }]);
  });

  test('leave nothing when a file fails, and run when it is mended', async () => {
    await using folder = await openFolder({
      '0001-table.sql': 'create table pot.pot (name int)',
      '0002-bad.sql': 'insert into pot.pot values (1); insert into pot.no_such_table values (2)',
    });
    const opening = openDatabase(options(), 'pot', folder.url);
    await expect(opening).rejects.toThrow('relation "pot.no_such_table" does not exist');
    expect(await run(`select to_regclass('pot.pot') as pot, to_regnamespace('pot') as schema`)).toEqual([
      { pot: null, schema: null },
    ]);

    await folder.write({ '0002-bad.sql': 'insert into pot.pot values (1)' });
    await database.migrate('pot', folder.url);
    expect(await run('select name from pot.pot')).toEqual([{ name: 1 }]);
  });

  test('run as the owner where there is one; the service itself can use the tables of its schema, and no others', async () => {
    await using folder = await openFolder({
      '0001-cup.sql': 'create table cup.cup (id bigserial, name int)',
    });
    await run(`create role "of-cup" login password 'a'; create schema saucer; create table saucer.saucer ()`);
    await using bounded = await openDatabase(
      { ...options(), databaseUrl: urlAs('of-cup', 'a'), databaseOwnerUrl: server.url },
      'cup',
      folder.url,
    );
    const query = (text: string) => bounded.query({ name: '', text });
    await query('insert into cup.cup (name) values (1)');
    await query('update cup.cup set name = 2');
    expect(await query('select id, name from cup.cup')).toEqual([{ id: '1', name: 2 }]);
    await query('delete from cup.cup');
    for (const denied of [
      'drop table cup.cup',
      'truncate cup.cup',
      'create table cup.other ()',
      'create schema other',
      'select from cup.migration',
      'select from saucer.saucer',
      'create role other',
    ]) {
      await expect(query(denied)).rejects.toThrow(/permission denied|must be owner/);
    }
  });

  test('may take longer than a request, and so may waiting for those of another instance', async () => {
    await using folder = await openFolder({
      '0001-slow.sql': 'create table slow.slow (); select pg_sleep(1.2)',
    });
    const { log, lines } = createTestLog();
    const hasty = { ...options(), timeoutMs: 500, log };
    const opening = () => openDatabase(hasty, 'slow', folder.url);
    const [first, second] = await Promise.all([opening(), opening()]);
    // To connect may not, and is tried again; what has begun is not.
    for (const line of lines)
      expect(line).toMatchObject({ err: { message: expect.stringMatching(/connection timeout/) } });
    expect(await run('select name from slow.migration')).toEqual([{ name: '0001-slow.sql' }]);
    await expect(first.query({ name: 'slow', text: 'select pg_sleep(1.2)' })).rejects.toMatchObject({
      code: 'unavailable',
    });
    for (const each of [first, second]) await each[Symbol.asyncDispose]();
  });
});

describe('a transaction', () => {
  test('is done as a whole', async () => {
    const result = await database.transaction(async ({ query }) => {
      await query({ name: '', text: 'insert into kept values (1), (2)' });
      return 'done';
    });
    expect(result).toBe('done');
    expect(await run('select id from kept where id in (1, 2)')).toHaveLength(2);
  });

  test.each([
    ['the work throws', () => Promise.reject(new Error('changed my mind')), 'changed my mind'],
    ['Postgres objects', () => run('select no_such_column'), 'column "no_such_column" does not exist'],
  ])('leaves nothing when %s', async (_what, fail, message) => {
    const work = database.transaction(async ({ query }) => {
      await query({ name: '', text: 'insert into kept values (10)' });
      await fail();
    });
    await expect(work).rejects.toThrow(message);
    expect(await run('select id from kept where id = 10')).toEqual([]);
  });

  test('that failed gives its connection back', async () => {
    await using narrow = connect(timeoutMs, 1);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const work = narrow.transaction(({ query }) => query({ name: '', text: 'select no_such_column' }));
      await expect(work).rejects.toThrow('no_such_column');
    }
    await narrow.ping();
  });
});

describe('what Postgres objects to', () => {
  test('is told apart: a unique constraint by its name, anything else not', async () => {
    await run('insert into kept values (20)');
    const taken = await run('insert into kept values (20)').catch((error: unknown) => error);
    expect(violates(taken, 'kept_id')).toBe(true);
    expect(violates(taken, 'another_constraint')).toBe(false);
    const orphan = await run('insert into kept values (21, 999)').catch((error: unknown) => error);
    expect(violates(orphan, 'kept_parent_fkey')).toBe(false);
    expect(violates(new Error('kept_id'), 'kept_id')).toBe(false);
    expect(violates(undefined, 'kept_id')).toBe(false);
  });

  test('a wrong password stops the start instead of being waited for', async () => {
    await using folder = await openFolder({});
    const databaseUrl = server.url.replace(/:[^:@]*@/, ':wrong@');
    const opening = openDatabase({ ...options(), databaseUrl }, 'tea', folder.url);
    await expect(opening).rejects.toThrow('password authentication failed');
  });
});

test('a statement that takes too long is unavailable, and the next one works', async () => {
  await using hasty = connect(300, 1);
  const asked = hasty.query({ name: 'sleep', text: 'select pg_sleep(30)' });
  expect(await msOf(asked)).toBeLessThan(15_000);
  await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
  // It needs a new connection, which may take longer than that, too.
  await until('the next one works', () =>
    hasty.ping().then(
      () => true,
      () => false,
    ),
  );
});

test('with all connections busy a request is unavailable after the timeout', async () => {
  await using narrow = connect(3_000, 1);
  const gate = Promise.withResolvers<undefined>();
  const holding = narrow.transaction(() => gate.promise);
  await expect(narrow.ping()).rejects.toMatchObject({ code: 'unavailable' });
  gate.resolve(undefined);
  await holding;
  await narrow.ping();
});

test('when Postgres dies what is under way is unavailable and the process lives; then all works again', async () => {
  const inHand = Promise.withResolvers<undefined>();
  const idle = database.transaction(async ({ query }) => {
    await query({ name: '', text: 'insert into kept values (30)' });
    await inHand.promise;
    await query({ name: '', text: 'insert into kept values (31)' });
  });
  const busy = database.transaction(({ query }) => query({ name: '', text: 'select pg_sleep(15)' }));
  const single = run('select pg_sleep(15)');
  const failures = Promise.allSettled([idle, busy, single]);
  await until('three connections are at work', async () => (await sessions()) >= 3);

  await server.process.stop();
  inHand.resolve(undefined);
  for (const failure of await failures) {
    expect(failure).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
  }
  await expect(database.ping()).rejects.toMatchObject({ code: 'unavailable' });
  await expect(database.transaction(() => Promise.resolve())).rejects.toMatchObject({ code: 'unavailable' });

  await server.process.start();
  await server.process.ready();
  await database.ping();
  expect(await run('select id from kept where id in (30, 31)')).toEqual([]);
});

test('who opens the database before Postgres is there waits for it', async () => {
  await using folder = await openFolder({});
  await server.process.stop();
  const { log, lines } = createTestLog();
  const opening = openDatabase({ ...options(), log }, 'early', folder.url);
  await until('the start is told to wait', () =>
    lines.some(({ msg }) => msg === 'database is not ready, waiting'),
  );
  await server.process.start();
  await using early = await opening;
  await early.ping();
});

test('closing twice is closing once', async () => {
  const closed = connect();
  await closed.ping();
  await closed[Symbol.asyncDispose]();
  await closed[Symbol.asyncDispose]();
});

describe('a Postgres that speaks TLS', () => {
  let folder: string;
  let authorityFile: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-database-tls-'));
    const authority = makeCertificate(folder, 'authority');
    const { certificate, key } = makeCertificate(folder, 'localhost', authority);
    authorityFile = authority.certificateFile;
    // Written by Postgres itself: it takes no key that others may read, and may be another user than we are.
    for (const [name, text] of Object.entries({ 'server.crt': certificate, 'server.key': key })) {
      const encoded = Buffer.from(text).toString('base64');
      await run(`copy (select '${encoded}') to program 'umask 077; base64 -d > ${name}'`);
    }
    await run('alter system set ssl = on');
    await run('select pg_reload_conf()');
    await until('it speaks TLS', () => isEncrypted('?sslmode=no-verify').catch(() => false));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('is asked for it by the URL, and has to be who it says', async () => {
    expect(await isEncrypted(`?sslmode=verify-full&sslrootcert=${authorityFile}`)).toBe(true);
    await expect(isEncrypted('?sslmode=verify-full')).rejects.toMatchObject({
      code: 'unavailable',
      cause: { message: expect.stringMatching(/certificate/) },
    });
    expect(await isEncrypted('')).toBe(false);
  });

  async function isEncrypted(query: string): Promise<boolean> {
    const databaseUrl = `${server.url.replace('127.0.0.1', 'localhost')}${query}`;
    await using connection = new Database({ ...options(), databaseUrl });
    const text = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
    return (await connection.query<{ ssl: boolean }>({ name: '', text }))[0]!.ssl;
  }
});

/** The server's address for another of its roles. */
function urlAs(role: string, password: string): string {
  const url = new URL(server.url);
  Object.assign(url, { username: role, password });
  return url.href;
}

function options() {
  return { databaseUrl: server.url, connections: 5, timeoutMs, log: createTestLog().log };
}

function connect(statementTimeoutMs = timeoutMs, connections = 5): Database {
  return new Database({ ...options(), timeoutMs: statementTimeoutMs, connections });
}

function run(text: string): Promise<object[]> {
  return database.query({ name: '', text });
}

/** How many connections have begun something. */
async function sessions(): Promise<number> {
  const text = `select pid from pg_stat_activity
    where pid <> pg_backend_pid() and (query like '%pg_sleep(15)%' or query like '%(30)%') and state <> 'idle'`;
  return (await run(text)).length;
}

/** A folder of migrations that goes with the test. */
async function openFolder(files: Record<string, string>) {
  const path = await mkdtemp(join(tmpdir(), 'parley-migrations-'));
  const write = async (contents: Record<string, string>) => {
    for (const [name, content] of Object.entries(contents)) await writeFile(join(path, name), content);
  };
  await write(files);
  return {
    url: pathToFileURL(`${path}/`),
    write,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
