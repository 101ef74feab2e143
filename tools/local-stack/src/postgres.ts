import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { DataFolder } from './data-folder.ts';
import { LocalStackError } from './local-stack-error.ts';
import type { SystemUser } from './managed-process.ts';

/** The role and the database have one name. */
export const databaseName = 'parley';

/** A cluster on disk, ready to be served. */
export interface PostgresCluster {
  path: string;
  password: string;
  /** Whom it belongs to, when that is not us. */
  user: SystemUser | undefined;
}

/**
 * Finds the folder's cluster or makes it, with an empty database `parley` and a random password kept in the data folder.
 * @throws LocalStackError when the cluster was written by another major version of Postgres.
 */
export async function openCluster(
  postgres: string,
  folder: DataFolder,
  log: (line: string) => void,
): Promise<PostgresCluster> {
  const user = postgresUser();
  const path = join(clusterHome(folder.path, user, log), 'postgres');
  const passwordFile = join(folder.path, 'postgres.password');
  if (existsSync(path) && !existsSync(passwordFile)) setAside(path, log);
  if (!existsSync(path)) await makeCluster(postgres, path, passwordFile, user);
  checkVersion(postgres, path);
  return { path, password: readFileSync(passwordFile, 'utf8').trim(), user };
}

/** What to serve the cluster with: loopback only, durable, enough connections for a few instances of each service. */
export function serveArguments(cluster: PostgresCluster, port: number): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
  };
  return [
    '-D',
    cluster.path,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

/** Postgres runs with next to nothing of our environment: PGPORT and its kin would lead it astray. */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

/** Postgres refuses to run as root; Debian's package brings a user for it. `undefined`: run it as ourselves. */
function postgresUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (what: string) =>
    Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8', stdio: 'pipe' }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    throw new LocalStackError(
      'Postgres does not run as root and there is no user "postgres" to run it as; ' +
        'start Parley as another user, make that user, or give DATABASE_URL.',
    );
  }
}

/** The data folder, or one the user can reach when the way to the data folder is closed to them (as below /root). */
function clusterHome(dataDir: string, user: SystemUser | undefined, log: (line: string) => void): string {
  if (!user) return dataDir;
  if (canEnter(user, dirname(dataDir))) {
    chmodSync(dataDir, statSync(dataDir).mode | 0o011);
    return dataDir;
  }
  const home = join('/var/lib/parley', createHash('sha256').update(dataDir).digest('hex').slice(0, 12));
  mkdirSync(home, { recursive: true, mode: 0o755 });
  log(`Postgres can't enter ${dirname(dataDir)}; it keeps its data in ${home}.`);
  return home;
}

function canEnter(user: SystemUser, path: string): boolean {
  return spawnSync('test', ['-x', path], { ...user, cwd: '/' }).status === 0;
}

/** Without its password a cluster belongs to a data folder that is gone; its data are kept, as they may be the only copy. */
function setAside(path: string, log: (line: string) => void): void {
  const aside = `${path}.old`;
  rmSync(aside, { recursive: true, force: true });
  renameSync(path, aside);
  log(`The Postgres data of an earlier data folder are now in ${aside}.`);
}

/** Built beside its place and moved there when whole, so that an interrupted start leaves no half cluster. */
async function makeCluster(
  postgres: string,
  path: string,
  passwordFile: string,
  user: SystemUser | undefined,
): Promise<void> {
  const building = `${path}.new`;
  const password = randomBytes(24).toString('base64url');
  const initialPassword = `${building}.password`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { mode: 0o700 });
  writeFileSync(initialPassword, `${password}\n`, { mode: 0o600 });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user) for (const file of [building, initialPassword]) chownSync(file, user.uid, user.gid);
  try {
    const initdb = join(dirname(realpathSync(postgres)), 'initdb'); // of the same version: they lie together
    const options = ['-U', databaseName, '-A', 'scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-sync'];
    await run(initdb, ['-D', building, ...options, `--pwfile=${initialPassword}`], user);
    await run(postgres, ['--single', '-D', building, 'postgres'], user, `create database ${databaseName}\n`);
  } finally {
    rmSync(initialPassword, { force: true });
  }
  renameSync(building, path);
}

function checkVersion(postgres: string, path: string): void {
  const written = readFileSync(join(path, 'PG_VERSION'), 'utf8').trim();
  const version = execFileSync(postgres, ['--version'], { encoding: 'utf8' });
  const found = /\(PostgreSQL\) (\d+)/.exec(version)?.[1];
  if (written === found) return;
  throw new LocalStackError(
    `The data in ${path} were written by Postgres ${written}, but ${postgres} is Postgres ${found}; ` +
      `put Postgres ${written} first on the PATH, or move the data folder away to start empty.`,
  );
}

/** @throws LocalStackError with the end of what the program said when it fails. */
function run(
  command: string,
  args: readonly string[],
  user: SystemUser | undefined,
  input = '',
): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { cwd: '/', env: postgresEnvironment(), ...user };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (!error) {
        resolve();
        return;
      }
      const end = `${stdout}${stderr}`.trimEnd().split('\n').slice(-5).join('\n');
      reject(new LocalStackError(`${command} failed:\n${end}`));
    });
    child.stdin?.end(input);
  });
}
