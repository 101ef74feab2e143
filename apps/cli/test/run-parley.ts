import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { inTime } from '@parley/test-kit';

export const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));

export interface RunOptions {
  environment?: Record<string, string>;
  cwd?: string;
}

/** What the person, or the program, sees. */
export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The command in a process of its own, without a terminal. */
export class Command implements Disposable {
  readonly #child: ChildProcess;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  readonly #ended: Promise<unknown>;

  constructor(args: readonly string[], { environment = {}, cwd = process.cwd() }: RunOptions = {}) {
    this.#child = spawn(process.execPath, [program, ...args], {
      cwd,
      env: environmentWith(environment),
      stdio: 'pipe',
    });
    this.#child.stdout!.on('data', (chunk: Buffer) => this.#stdout.push(chunk));
    this.#child.stderr!.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
    this.#ended = once(this.#child, 'close');
  }

  get stdoutBytes(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  get stdout(): string {
    return this.stdoutBytes.toString();
  }

  /** Each line of stdout, as JSON. */
  get values(): Record<string, unknown>[] {
    const lines = this.stdout.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  write(text: string): this {
    this.#child.stdin!.write(text);
    return this;
  }

  endInput(text = ''): this {
    this.#child.stdin!.end(text);
    return this;
  }

  /** Whoever read the output reads no more. */
  closeOutput(): void {
    this.#child.stdout!.destroy();
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  async outcome(): Promise<Outcome> {
    await inTime('the command to end', this.#ended);
    return {
      code: this.#child.exitCode,
      stdout: this.stdout,
      stderr: Buffer.concat(this.#stderr).toString(),
    };
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

/** Runs the command to its end. */
export async function run(
  args: readonly string[],
  options: RunOptions & { input?: string } = {},
): Promise<Outcome> {
  using command = new Command(args, options);
  return await command.endInput(options.input).outcome();
}

const leftOut = [
  'PARLEY_URL',
  'PARLEY_USER',
  'PARLEY_PASSWORD',
  'NO_COLOR',
  'FORCE_COLOR',
  // With it Node believes that no terminal has colours.
  'CI',
  'NODE_OPTIONS',
];

/** Our environment without what would change the command's ways. */
export function environmentWith(added: Record<string, string>): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => !leftOut.includes(name));
  return { ...Object.fromEntries(kept), ...added };
}
