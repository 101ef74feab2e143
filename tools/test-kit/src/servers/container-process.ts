import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ManagedProcess } from '@parley/local-stack';
import { until } from '../wait.ts';

const run = promisify(execFile);
const restartMs = 500;

/** A server in a container, in the hands of a test as if it were a process of ours. */
export class ContainerProcess implements ManagedProcess {
  readonly name: string;
  /** It has none on this system. */
  readonly pid = undefined;
  readonly #container: string;
  readonly #answers: () => Promise<boolean>;
  #isWanted = true;

  constructor(name: string, container: string, answers: () => Promise<boolean>) {
    this.name = name;
    this.#container = container;
    this.#answers = answers;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#docker('kill', '--signal', signal);
    await this.#docker('wait');
    void this.#startAgain();
  }

  signal(signal: NodeJS.Signals): void {
    const commands: Partial<Record<NodeJS.Signals, string[]>> = { SIGSTOP: ['pause'], SIGCONT: ['unpause'] };
    void this.#docker(...(commands[signal] ?? ['kill', '--signal', signal])).catch(() => {
      // It is not running, or not paused.
    });
  }

  async stop(): Promise<void> {
    this.#isWanted = false;
    await this.#docker('unpause').catch(() => {
      // It was not paused.
    });
    await this.#docker('stop', '-t', '15');
  }

  async start(): Promise<void> {
    this.#isWanted = true;
    await this.#docker('start');
  }

  ready(): Promise<void> {
    return until(`${this.name} answers`, () => this.#answers().catch(() => false));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #startAgain(): Promise<void> {
    await delay(restartMs);
    if (!this.#isWanted) return;
    await this.start().catch(() => {
      // The run is over, and the container removed.
    });
  }

  async #docker(...command: string[]): Promise<void> {
    await run('docker', [...command, this.#container]);
  }
}
