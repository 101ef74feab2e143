import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalStackError } from './local-stack-error.ts';
import { processIdentity } from './process-identity.ts';

const layout = 1;
const survivorMs = 15_000;
const ownName = 'local-stack';

/**
 * The folder of one stack: its servers' data, its logs, and under `run/` who is running, so that two stacks never share a
 * folder and what a killed stack left behind is ended before the next one starts.
 */
export interface DataFolder extends Disposable {
  readonly path: string;
  /** Where the output of the process `name` goes. */
  logFile(name: string): string;
  /** Remembers a running child until {@link forget}. */
  remember(name: string, pid: number, stopSignal: NodeJS.Signals): void;
  forget(name: string): void;
}

interface RunRecord {
  pid: number;
  identity: string;
  stopSignal: NodeJS.Signals;
}

/**
 * Makes the folder if it is missing, takes it for this process and ends what a killed stack left running in it (at most 15 s,
 * then by SIGKILL).
 * @throws LocalStackError when the folder has another layout, another stack uses it, or we may not write to it.
 */
export async function openDataFolder(
  dataDir: string,
  log: (line: string) => void = () => {},
): Promise<DataFolder> {
  const path = resolve(dataDir);
  try {
    mkdirSync(join(path, 'logs'), { recursive: true });
    mkdirSync(join(path, 'run'), { recursive: true });
    checkLayout(path);
    take(path);
  } catch (error) {
    throw asPermission(error, path);
  }
  await endSurvivors(path, log);
  return {
    path,
    logFile: (name) => join(path, 'logs', `${name}.log`),
    remember: (name, pid, stopSignal) => {
      remember(path, name, pid, stopSignal);
    },
    forget: (name) => {
      forget(path, name);
    },
    [Symbol.dispose]: () => {
      forget(path, ownName);
    },
  };
}

/** Whether a stack holds the folder at this moment. */
export function isInUse(dataDir: string): boolean {
  return readRecord(resolve(dataDir), ownName) !== undefined;
}

/** Sends SIGKILL to every child that runs for the folder: the way out for somebody who will not wait. */
export function killAllIn(dataDir: string): void {
  for (const { pid } of survivorsIn(resolve(dataDir))) signalIfThere(pid, 'SIGKILL');
}

function checkLayout(path: string): void {
  const file = join(path, 'layout.json');
  const text = readIfThere(file);
  if (text === undefined) {
    writeFileSync(file, `${JSON.stringify({ layout })}\n`);
    return;
  }
  const found = (parse(text) as { layout?: number } | undefined)?.layout;
  if (found !== layout) {
    throw new LocalStackError(
      `The data in ${path} have layout ${found ?? 'unknown'}, this Parley reads layout ${layout}; ` +
        `use the Parley that wrote them, or move the folder away to start empty.`,
    );
  }
}

function take(path: string): void {
  const holder = readRecord(path, ownName);
  if (holder) {
    throw new LocalStackError(
      `Another Parley (process ${holder.pid}) is running with the data in ${path}; stop it first.`,
    );
  }
  forget(path, ownName);
  try {
    remember(path, ownName, process.pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new LocalStackError(
      `Another Parley has just been started with the data in ${path}; stop it first.`,
    );
  }
}

async function endSurvivors(path: string, log: (line: string) => void): Promise<void> {
  const survivors = survivorsIn(path);
  if (survivors.length > 0) log('Waiting for the processes of a Parley that was killed to end ...');
  for (const { pid, stopSignal } of survivors) signalIfThere(pid, stopSignal);
  const deadline = Date.now() + survivorMs;
  while (survivorsIn(path).length > 0) {
    if (Date.now() > deadline) killAllIn(path);
    await delay(50);
  }
  for (const name of recordedNames(path)) forget(path, name);
}

function survivorsIn(path: string): RunRecord[] {
  return recordedNames(path).flatMap((name) => readRecord(path, name) ?? []);
}

function recordedNames(path: string): string[] {
  const names = readdirSync(join(path, 'run')).map((file) => file.replace(/\.json$/, ''));
  return names.filter((name) => name !== ownName);
}

function runFile(path: string, name: string): string {
  return join(path, 'run', `${name}.json`);
}

/** The record of a process that still runs; `undefined` when there is none or it is stale. */
function readRecord(path: string, name: string): RunRecord | undefined {
  const record = parse(readIfThere(runFile(path, name)) ?? '') as RunRecord | undefined;
  return record && processIdentity(record.pid) === record.identity ? record : undefined;
}

function remember(path: string, name: string, pid: number, stopSignal: NodeJS.Signals): void {
  const identity = processIdentity(pid);
  if (identity === undefined) return; // it died at once; whoever waits for it will see that
  const record: RunRecord = { pid, identity, stopSignal };
  writeFileSync(runFile(path, name), JSON.stringify(record), { flag: 'wx' });
}

function forget(path: string, name: string): void {
  rmSync(runFile(path, name), { force: true });
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended in the meantime.
  }
}

/** A folder of somebody else's (of root's, after one start with sudo) is told in plain words. */
function asPermission(error: unknown, path: string): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) return error;
  return new LocalStackError(
    `This user may not write to ${path}; start Parley as the folder's owner, or move the folder away.`,
  );
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
