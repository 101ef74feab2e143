import { spawnSync } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPrograms } from '@parley/local-stack';

const rolesScript = fileURLToPath(new URL('../deploy/postgres/roles.sql', import.meta.url));
const redisUsers = new URL('../deploy/redis/users.acl', import.meta.url);

/**
 * Runs deploy/postgres/roles.sql as the images of Postgres do.
 * @param adminUrl The database, as who may do everything.
 * @param passwords By service.
 */
export async function runRolesScript(
  adminUrl: string,
  passwords: Record<string, string>,
): Promise<{ status: number | null; stderr: string }> {
  const { hostname, port, username, password, pathname } = new URL(adminUrl);
  const { postgres } = await findPrograms(['postgres'], () => {});
  const psql = join(dirname(await realpath(postgres)), 'psql'); // of the same version: they lie together
  const given = Object.entries(passwords).map(([service, secret]) => [
    `POSTGRES_${service.toUpperCase()}_PASSWORD`,
    secret,
  ]);
  return spawnSync(psql, ['--no-psqlrc', '--quiet', '-v', 'ON_ERROR_STOP=1', '-f', rolesScript], {
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      PGDATABASE: pathname.slice(1),
      ...Object.fromEntries(given),
    },
  });
}

/** The users of deploy/redis/users.acl who have a password, with their rights as `ACL SETUSER` takes them. */
export async function readRedisUsers(): Promise<Map<string, string[]>> {
  const lines = (await readFile(redisUsers, 'utf8')).matchAll(/^user (\w+) on >\w+ (.+)$/gm);
  return new Map([...lines].map(([, user, rights]) => [user!, rights!.split(' ')]));
}
