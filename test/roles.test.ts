import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServers } from '@parley/local-stack';
import { createLog, Database, openDatabase } from '@parley/service-kit';
import { runRolesScript } from './server-users.ts';

const services = ['auth', 'rooms', 'messages', 'files'];
const passwords = Object.fromEntries(services.map((service) => [service, `of-${service}`]));
const log = createLog('test', 'silent');
const opened = new AsyncDisposableStack();
/** Of the role that Postgres was made with, which may do everything. */
let adminUrl: string;

/** A database that had one role for everything, until `deploy/postgres/roles.sql` was run; then each service made its schema. */
beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-roles-'));
  opened.defer(() => rm(dataDir, { recursive: true }));
  const elsewhere = { natsUrl: 'nats://127.0.0.1:1', redisUrl: 'redis://127.0.0.1:1' };
  const { addresses } = opened.use(await startServers({ dataDir, given: elsewhere }));
  adminUrl = addresses.databaseUrl;
  await using former = await openService('messages', { databaseUrl: adminUrl });
  const text = "insert into messages.room (room_id, last_id, last_sent_at) values ('room_1', 0, now())";
  await former.query({ name: '', text });
  expect(await runRolesScript(adminUrl, passwords)).toMatchObject({ status: 0, stderr: '' });
  for (const service of services) {
    const [databaseUrl, databaseOwnerUrl] = [urlAs(`parley_${service}`), urlAs(`parley_${service}_owner`)];
    await using database = await openService(service, { databaseUrl, databaseOwnerUrl });
    await database.ping();
  }
});
afterAll(() => opened.disposeAsync());

test('what one role had made is the owner’s, and the service goes on with its rows', async () => {
  await using database = databaseAs('parley_messages');
  const rows = await database.query({ name: '', text: 'select room_id from messages.room' });
  expect(rows).toEqual([{ room_id: 'room_1' }]);
  await expect(database.query({ name: '', text: 'drop table messages.room' })).rejects.toThrow(
    /must be owner/,
  );
});

describe.each(services)('%s', (service) => {
  test.each([`parley_${service}`, `parley_${service}_owner`])(
    'as %s sees nothing of the others',
    async (role) => {
      await using database = databaseAs(role);
      for (const other of services.filter((name) => name !== service)) {
        const text = `select from ${other}.migration`;
        await expect(database.query({ name: '', text })).rejects.toThrow(/permission denied for schema/);
      }
    },
  );
});

test('who is no role of ours does not come in', async () => {
  await using admin = new Database({ databaseUrl: adminUrl, connections: 1, timeoutMs: 5_000, log });
  await admin.query({ name: '', text: "create role stranger login password 'of-stranger'" });
  await using stranger = databaseAs('stranger');
  await expect(stranger.ping()).rejects.toThrow(/permission denied for database/);
});

test('run again with another password, that is the one that counts', async () => {
  const changed = { ...passwords, files: 'of-files-now' };
  expect(await runRolesScript(adminUrl, changed)).toMatchObject({ status: 0, stderr: '' });
  await using former = databaseAs('parley_files');
  await expect(former.ping()).rejects.toThrow(/password authentication failed/);
  await using now = databaseAs('parley_files', 'of-files-now');
  await now.ping();
});

test('without a password it changes nothing', async () => {
  const { status } = await runRolesScript(adminUrl, { auth: 'of-auth-now' });
  expect(status).not.toBe(0);
  await using database = databaseAs('parley_auth');
  await database.ping();
});

function openService(service: string, urls: { databaseUrl: string; databaseOwnerUrl?: string }) {
  const migrations = new URL(`../services/${service}/src/migrations/`, import.meta.url);
  return openDatabase({ ...urls, connections: 1, timeoutMs: 5_000, log }, service, migrations);
}

function databaseAs(role: string, password = `of-${role.split('_')[1] ?? role}`): Database {
  return new Database({ databaseUrl: urlAs(role, password), connections: 1, timeoutMs: 5_000, log });
}

function urlAs(role: string, password = `of-${role.split('_')[1] ?? role}`): string {
  const url = new URL(adminUrl);
  Object.assign(url, { username: role, password });
  return url.href;
}
