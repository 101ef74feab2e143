import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { findCommand } from './binaries.ts';
import type { DataFolder } from './data-folder.ts';
import { LocalStackError } from './local-stack-error.ts';

const stopMs = 15_000;
const readyMs = 60_000;
const pollMs = 50;
const firstRestartMs = 500;
const longestRestartMs = 10_000;
const healthyMs = 30_000;
const tailLines = 8;

/** One child process, started again when it dies unasked (unless that was declined). */
export interface ManagedProcess extends AsyncDisposable {
  readonly name: string;
  /** `undefined` while it is not running. */
  readonly pid: number | undefined;
  /** Kills it (SIGKILL unless told); resolves when it is gone. Supervision then starts it again, on the same port. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Sends a signal without waiting, as SIGSTOP or SIGCONT; nothing happens when it is not running. */
  signal(signal: NodeJS.Signals): void;
  /** Asks it to end and resolves when it is gone; after 15 s it is killed. It stays away until {@link start}. */
  stop(): Promise<void>;
  /** Runs it (again); resolves when the process exists, {@link ready} when it answers. */
  start(): Promise<void>;
  /** Resolves when it answers. @throws LocalStackError when it is not, and will not be, running, or after 60 s. */
  ready(): Promise<void>;
}

/** Where the output of a process goes: our own, nowhere, or appended to a file. */
export type ProcessOutput = 'inherit' | 'ignore' | { file: string };

/** Someone else to run a process as. */
export interface SystemUser {
  uid: number;
  gid: number;
}

export interface ProcessPlan {
  name: string;
  command: string;
  arguments: readonly string[];
  environment: NodeJS.ProcessEnv;
  /** Default: the user we are. */
  user?: SystemUser | undefined;
  /** What asks it to end cleanly. */
  stopSignal: 'SIGTERM' | 'SIGINT';
  output: ProcessOutput;
  /** One try, bounded in time; false or a throw mean "not yet". */
  answers: () => Promise<boolean>;
  restart: boolean;
  folder: DataFolder;
  log: (line: string) => void;
  /** Ends the waiting for {@link ManagedProcess.ready}. */
  abort?: AbortSignal | undefined;
}

/** Starts the planned process and waits until it answers. @throws LocalStackError with the end of its output when it does not. */
export async function startProcess(plan: ProcessPlan): Promise<ManagedProcess> {
  plan.abort?.throwIfAborted();
  const child = new SupervisedProcess(plan);
  try {
    await child.start();
    await child.ready();
  } catch (error) {
    await child.stop();
    throw error;
  }
  return child;
}

/**
 * Runs all the starts at once; when one fails the others are given up, what has started is stopped, and that failure is thrown.
 */
export async function startTogether<P extends ManagedProcess>(
  starts: readonly ((abort: AbortSignal) => Promise<P>)[],
  abort?: AbortSignal,
): Promise<P[]> {
  const giveUp = new AbortController();
  const aborted = AbortSignal.any([giveUp.signal, ...(abort ? [abort] : [])]);
  const starting = starts.map((start) => start(aborted));
  for (const started of starting) {
    started.catch((failure: unknown) => {
      giveUp.abort(failure);
    });
  }
  const processes = (await Promise.allSettled(starting)).flatMap((result) =>
    result.status === 'fulfilled' ? [result.value] : [],
  );
  if (!aborted.aborted) return processes;
  await stopAll(processes);
  throw aborted.reason;
}

export async function stopAll(processes: readonly ManagedProcess[]): Promise<void> {
  await Promise.all(processes.map((child) => child.stop()));
}

class SupervisedProcess implements ManagedProcess {
  readonly #plan: ProcessPlan;
  #child: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  /** Whether it should be running; what dies while wanted is started again. */
  #wanted = false;
  /** Whether it ever answered: one that fails before is a mistake to report, not a crash to get over. */
  #proven = false;
  #restartTimer: NodeJS.Timeout | undefined;
  #restartMs = firstRestartMs;
  #ending = '';

  constructor(plan: ProcessPlan) {
    this.#plan = plan;
  }

  get name(): string {
    return this.#plan.name;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    this.#wanted = true;
    if (!this.#child) await this.#spawn();
  }

  async ready(): Promise<void> {
    const deadline = Date.now() + readyMs;
    while (!(this.#child && (await this.#answers()))) {
      this.#plan.abort?.throwIfAborted();
      if (!this.#child && !this.#restartTimer) throw this.#failure(this.#ending || 'is not running');
      if (Date.now() > deadline) throw this.#failure(`did not get ready within ${readyMs / 1_000} s`);
      await delay(pollMs);
    }
    this.#proven = true;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.signal(signal);
    await this.#gone;
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    this.#cancelRestart();
    const killTimer = setTimeout(() => {
      this.#killGroup();
    }, stopMs);
    this.signal(this.#plan.stopSignal);
    this.signal('SIGCONT'); // a paused process ends as well
    await this.#gone;
    clearTimeout(killTimer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #spawn(): Promise<void> {
    this.#cancelRestart();
    const { name, folder, stopSignal } = this.#plan;
    const child = spawnTied(this.#plan);
    const startedAt = Date.now();
    this.#child = child;
    this.#gone = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#child = undefined;
        folder.forget(name);
        this.#ended(signal ?? `code ${code}`, Date.now() - startedAt);
        resolve();
      });
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => {
        this.#child = undefined;
        this.#gone = Promise.resolve();
        reject(error);
      });
    });
    if (child.pid !== undefined && this.#child === child) folder.remember(name, child.pid, stopSignal);
  }

  #ended(how: string, ranMs: number): void {
    this.#ending = `ended with ${how}`;
    if (!this.#wanted || !this.#proven) return;
    if (!this.#plan.restart) {
      this.#plan.log(`${this.name} ${this.#ending}.`);
      return;
    }
    if (ranMs > healthyMs) this.#restartMs = firstRestartMs;
    this.#plan.log(`${this.name} ${this.#ending}; it is started again in ${this.#restartMs / 1_000} s.`);
    this.#restartTimer = setTimeout(() => void this.#respawn(), this.#restartMs);
    this.#restartMs = Math.min(this.#restartMs * 2, longestRestartMs);
  }

  async #respawn(): Promise<void> {
    try {
      await this.#spawn();
    } catch (error) {
      this.#ended(`a failed start (${(error as Error).message})`, 0);
    }
  }

  #cancelRestart(): void {
    clearTimeout(this.#restartTimer);
    this.#restartTimer = undefined;
  }

  async #answers(): Promise<boolean> {
    try {
      return await this.#plan.answers();
    } catch {
      return false;
    }
  }

  #failure(what: string): LocalStackError {
    const { output } = this.#plan;
    if (typeof output === 'string') return new LocalStackError(`${this.name} ${what}.`);
    return new LocalStackError(`${this.name} ${what}; the end of ${output.file}:\n${tail(output.file)}`);
  }

  #killGroup(): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL'); // it leads a group of its own
    } catch {
      // It has ended in the meantime.
    }
  }
}

/**
 * Spawns in a session of its own, so that Ctrl-C in the terminal reaches only us and we end the children in order; where the
 * system can (Linux, `setpriv`), the child is told to end when we die in whatever way.
 *
 * That tie is to the *thread* that spawned: don't start processes from a worker thread that ends before them.
 */
function spawnTied(plan: ProcessPlan): ChildProcess {
  const setpriv = process.platform === 'linux' ? findCommand('setpriv') : undefined;
  const command = setpriv ?? plan.command;
  const tie = setpriv ? ['--pdeathsig', plan.stopSignal, '--', plan.command] : [];
  const output = typeof plan.output === 'string' ? plan.output : openSync(plan.output.file, 'a');
  try {
    return spawn(command, [...tie, ...plan.arguments], {
      cwd: '/',
      env: plan.environment,
      detached: true,
      stdio: ['ignore', output, output],
      ...plan.user,
    });
  } finally {
    if (typeof output === 'number') closeSync(output);
  }
}

function tail(file: string): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.slice(-tailLines).join('\n');
}
