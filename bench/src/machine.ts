import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, readlinkSync, rmSync, writeSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import type { Servers } from '@parley/local-stack';

const syncTries = 31;

/** What every number depends on beside the code. */
export interface HostFacts {
  cpu: string;
  cores: number;
  /** In GiB. */
  memory: number;
  system: string;
  node: string;
}

/** What the numbers of a whole Parley depend on. */
export interface MachineFacts extends HostFacts {
  nats: string;
  redis: string;
  postgres: string;
  /** Median time in ms to have 8 KiB safe on the disk of the temporary folder: no commit is faster. */
  syncMs: number;
}

export function readHostFacts(): HostFacts {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? 'unknown CPU',
    cores: all.length,
    memory: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.versions.node,
  };
}

export function readMachineFacts(servers: Servers): MachineFacts {
  return {
    ...readHostFacts(),
    nats: versionOf(servers.nats?.pid),
    redis: versionOf(servers.redis?.pid),
    postgres: versionOf(servers.postgres?.pid),
    syncMs: measureSync(tmpdir()),
  };
}

/** The facts as two lines. */
export function hostText({ cpu, cores, memory, system, node }: HostFacts): string {
  return `${cpu}, ${cores} cores, ${memory} GiB, ${system}\nNode ${node}`;
}

/** The facts as two lines. */
export function machineText(facts: MachineFacts): string {
  const { nats, redis, postgres, syncMs } = facts;
  const servers = `NATS ${nats}, Redis ${redis}, Postgres ${postgres}`;
  return `${hostText(facts)}, ${servers}; 8 KiB safe on disk in ${syncMs.toFixed(2)} ms`;
}

function measureSync(folder: string): number {
  const path = join(folder, `parley-bench-sync-${process.pid}`);
  const file = openSync(path, 'wx');
  try {
    const times = Array.from({ length: syncTries }, () => {
      const startedAt = performance.now();
      writeSync(file, Buffer.alloc(8_192), 0, 8_192, 0);
      fdatasyncSync(file);
      return performance.now() - startedAt;
    });
    return times.sort((a, b) => a - b)[syncTries >> 1]!;
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

/** What the running program calls its version; `?` where the system does not tell which program it is. */
function versionOf(pid: number | undefined): string {
  if (pid === undefined) return '?';
  try {
    const program = readlinkSync(`/proc/${pid}/exe`);
    const text = execFileSync(program, ['--version'], { encoding: 'utf8', stdio: 'pipe' });
    return /\d+\.[\d.]*\d/.exec(text)?.[0] ?? '?';
  } catch {
    return '?';
  }
}
