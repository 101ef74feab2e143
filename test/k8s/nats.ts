import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface NatsServer {
  path: string;
  /** Whether it is 2.9, which does not know all settings of the one that runs in the cluster. */
  isOld: boolean;
}

/** The one of this machine; `undefined` where it is not installed. */
export function findNatsServer(): NatsServer | undefined {
  const [path] = ['nats-server', '/usr/sbin/nats-server'].filter(
    (candidate) => spawnSync(candidate, ['--version']).error === undefined,
  );
  if (path === undefined) return undefined;
  const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout;
  return { path, isOld: /v2\.9\./.test(version) };
}

/**
 * Has NATS read its configuration without starting. @param files By their names.
 * @returns What it says.
 */
export function testNatsConfiguration({ path, isOld }: NatsServer, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-nats-'));
  const passwords = variablesOf(files).map((name) => [name, '"secret"'] as const);
  try {
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, name), isOld ? text.replace('sync_interval: always', '') : text);
    }
    const { stdout, stderr } = spawnSync(path, ['-t', '-c', join(folder, 'nats.conf')], {
      encoding: 'utf8',
      env: { ...process.env, ...Object.fromEntries(passwords), POD_NAME: 'nats-0' },
    });
    return stdout + stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The environment variables that the configuration refers to. */
export function variablesOf(files: Record<string, string>): string[] {
  return Object.values(files).flatMap((text) =>
    [...text.matchAll(/^ *\{?[^#\n]*: *\$([A-Z_]+)/gm)].map(([, name]) => name!),
  );
}
