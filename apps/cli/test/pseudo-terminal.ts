import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { StringDecoder } from 'node:string_decoder';
import { inTime, until } from '@parley/test-kit';
import headless from '@xterm/headless';
import type { Terminal } from '@xterm/headless';
import { environmentWith, program } from './run-parley.ts';
import type { RunOptions } from './run-parley.ts';

const columns = 80;
const rows = 24;

/** The command at a terminal: a real one for the command (that of `script`), and an emulated one that shows what a person sees. */
export class PseudoTerminal implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #terminal: Terminal;
  readonly #closed: Promise<unknown>;
  /** Everything that was written to the terminal. */
  raw = '';

  constructor(args: readonly string[], { environment = {}, cwd = process.cwd() }: RunOptions = {}) {
    const shell = `stty cols ${columns} rows ${rows}; exec "$NODE" "$PROGRAM" ${args.map(quote).join(' ')}`;
    this.#child = spawn('script', ['-qec', shell, '/dev/null'], {
      cwd,
      env: environmentWith({
        TERM: 'xterm-256color',
        ...environment,
        NODE: process.execPath,
        PROGRAM: program,
      }),
      stdio: 'pipe',
    });
    this.#closed = once(this.#child, 'close');
    this.#terminal = new headless.Terminal({
      cols: columns,
      rows,
      scrollback: 1_000,
      allowProposedApi: true,
    });
    const characters = new StringDecoder();
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      this.raw += characters.write(chunk);
      this.#terminal.write(chunk);
    });
  }

  /** The lines that are, or were, on the screen, without empty ones at the end. */
  get lines(): string[] {
    const buffer = this.#terminal.buffer.active;
    const all = Array.from({ length: buffer.length }, (_, index) =>
      buffer.getLine(index)!.translateToString(true).trimEnd(),
    );
    return all.slice(0, all.findLastIndex((line) => line !== '') + 1);
  }

  get text(): string {
    return this.lines.join('\n');
  }

  /** What stands below the line with this text, as one. */
  below(text: string): string {
    const { lines } = this;
    return lines.slice(lines.findLastIndex((line) => line.includes(text)) + 1).join('');
  }

  /** Whether the text stands on the screen in a colour. */
  hasColoured(wanted: string): boolean {
    const buffer = this.#terminal.buffer.active;
    return this.lines.some((line, row) => {
      const column = line.indexOf(wanted);
      return column !== -1 && !buffer.getLine(row)!.getCell(column)!.isFgDefault();
    });
  }

  type(text: string): void {
    this.#child.stdin!.write(text);
  }

  async sees(what: string | RegExp): Promise<void> {
    await until(`${String(what)} on the screen`, () =>
      typeof what === 'string' ? this.text.includes(what) : what.test(this.text),
    ).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; there is:\n${this.text}`);
    });
  }

  /** Resolves with the command's exit code, once all it wrote is on the screen. */
  async exitCode(): Promise<number | null> {
    await inTime('the command to end', this.#closed);
    await new Promise<void>((resolve) => {
      this.#terminal.write('', resolve);
    });
    return this.#child.exitCode;
  }

  /** Hangs up, as closing a terminal's window does. Asked kindly, `script` would take two seconds. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await inTime('the terminal to close', this.#closed);
    this.#terminal.dispose();
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
