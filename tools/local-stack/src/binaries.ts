import { execFile } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { LocalStackError } from './local-stack-error.ts';

const maxOutputBytes = 64 * 1_048_576;
/** How long another installation is waited for: as long as a browser may take. */
const lockSeconds = 300;

/** What each is called: as a program, as a Debian package, in Homebrew, and for a server the setting that makes it unnecessary. */
const programs = {
  nats: { commands: ['nats-server'], debian: 'nats-server', brew: 'nats-server', setting: 'NATS_URL' },
  redis: {
    commands: ['redis-server', 'valkey-server'],
    debian: 'redis-server',
    brew: 'redis',
    setting: 'REDIS_URL',
  },
  postgres: { commands: ['postgres'], debian: 'postgresql', brew: 'postgresql@17', setting: 'DATABASE_URL' },
  curl: { commands: ['curl'], debian: 'curl', brew: 'curl', setting: undefined },
  chromium: {
    commands: ['chromium', 'chromium-browser', 'google-chrome'],
    debian: 'chromium',
    brew: 'chromium',
    setting: undefined,
  },
  promtool: { commands: ['promtool'], debian: 'prometheus', brew: 'prometheus', setting: undefined },
  prometheus: { commands: ['prometheus'], debian: 'prometheus', brew: 'prometheus', setting: undefined },
} as const;

type ProgramName = keyof typeof programs;
export type ServerName = Exclude<ProgramName, 'curl' | 'chromium' | 'promtool' | 'prometheus'>;

/**
 * The paths of programs; on Debian and its kin, as root, missing ones are installed.
 * @throws LocalStackError saying what is missing and how to get it.
 */
export async function findPrograms<P extends ProgramName>(
  wanted: readonly P[],
  log: (line: string) => void,
  abort?: AbortSignal,
): Promise<Record<P, string>> {
  const missing = wanted.filter((name) => !findProgram(name));
  if (missing.length > 0 && canInstall()) await install(missing, log, abort);
  const stillMissing = wanted.filter((name) => !findProgram(name));
  if (stillMissing.length > 0) throw new LocalStackError(howToGet(stillMissing));
  return Object.fromEntries(wanted.map((name) => [name, findProgram(name)])) as Record<P, string>;
}

/** The path of a program: on the PATH, else where Debian keeps the servers. `undefined` if absent. */
export function findCommand(command: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...postgresFolders(), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, command)).find(isExecutable);
}

function findProgram(name: ProgramName): string | undefined {
  return programs[name].commands.map(findCommand).find((path) => path !== undefined);
}

/** Debian keeps Postgres off the PATH, one folder for each major version; the highest comes first. */
function postgresFolders(): string[] {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return [];
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(root, version, 'bin'));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function canInstall(): boolean {
  return process.getuid?.() === 0 && findCommand('apt-get') !== undefined;
}

async function install(
  missing: readonly ProgramName[],
  log: (line: string) => void,
  abort?: AbortSignal,
): Promise<void> {
  const packages = missing.map((name) => programs[name].debian);
  log(`Installing ${packages.join(' ')} (apt-get) ...`);
  const release = holdBackSystemServices();
  try {
    await aptGet(['update']).catch(() => {}); // what it knows already may do; if not, the next one says why
    const lock = `DPkg::Lock::Timeout=${lockSeconds}`;
    await aptGet(['install', '-y', '--no-install-recommends', '-o', lock, ...packages]);
  } catch (error) {
    abort?.throwIfAborted();
    throw new LocalStackError(`${(error as Error).message}\n${howToGet(missing)}`);
  } finally {
    release();
  }
  abort?.throwIfAborted();
}

/**
 * Debian starts a server when it installs it and makes a Postgres cluster for it; Parley runs its own. What says so for the
 * time of the installation is left alone where the machine's owner has said something already. Returns what takes it away.
 */
function holdBackSystemServices(): () => void {
  const undo = [
    placeFile('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755),
    placeFile('/etc/postgresql-common/createcluster.d/parley.conf', 'create_main_cluster = false\n', 0o644),
  ];
  return () => {
    undo.forEach((takeAway) => {
      takeAway();
    });
  };
}

/** Writes a file that is not there yet, and the folders on the way; what it returns takes away what it made. */
function placeFile(file: string, text: string, mode: number): () => void {
  if (existsSync(file)) return () => {};
  const madeFolder = mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
  return () => {
    rmSync(file, { force: true });
    if (madeFolder) removeEmptyFolders(dirname(file), madeFolder);
  };
}

/** From `folder` up to `top`, leaving those into which something else was put in the meantime. */
function removeEmptyFolders(folder: string, top: string): void {
  if (readdirSync(folder).length > 0) return;
  rmdirSync(folder);
  if (folder !== top) removeEmptyFolders(dirname(folder), top);
}

/** It is left to end by itself whatever happens: interrupted, it can leave the machine's packages half installed. */
function aptGet(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    execFile('apt-get', args, { env, maxBuffer: maxOutputBytes }, (error, stdout, stderr) => {
      if (!error) {
        resolve();
        return;
      }
      const end = `${stdout}${stderr}`.trimEnd().split('\n').slice(-5).join('\n');
      reject(new Error(`apt-get ${args[0]} failed:\n${end}`));
    });
  });
}

function howToGet(missing: readonly ProgramName[]): string {
  const wanted = missing.map((name) => programs[name]);
  const names = wanted.map(({ commands }) => commands.join(' or ')).join(', ');
  const list = (pick: (program: (typeof wanted)[number]) => string) =>
    [...new Set(wanted.map(pick))].join(' ');
  const settings = wanted.flatMap(({ setting }) => setting ?? []);
  const elsewhere =
    settings.length === 0 ? '' : `, or give the address of a running one with ${settings.join(', ')}`;
  return (
    `Not found on this machine: ${names}. Get it with "apt-get install ${list(({ debian }) => debian)}" (Debian, Ubuntu) ` +
    `or "brew install ${list(({ brew }) => brew)}" (macOS)${elsewhere}.`
  );
}
