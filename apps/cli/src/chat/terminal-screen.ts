import { on } from 'node:events';
import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline';
import type { Completer, Interface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import type { Screen } from './screen.ts';

export interface TerminalScreenOptions {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  completer: Completer;
  /** The person pressed Ctrl-C. */
  onInterrupt: () => void;
}

/**
 * A terminal whose last rows are the line being typed, under readline; everything else is written above it. The status is part of
 * readline's prompt, so that readline itself knows which rows are its own.
 */
export class TerminalScreen implements Screen {
  readonly #output: NodeJS.WriteStream;
  readonly #line: Interface;
  readonly #typed: AsyncIterableIterator<string[]>;
  #prompt = '';
  #isClosed = false;

  constructor({ input, output, completer, onInterrupt }: TerminalScreenOptions) {
    this.#output = output;
    this.#line = createInterface({ input, output, completer, terminal: true, prompt: '' });
    this.#line.on('line', (line) => {
      this.#eraseTyped(line);
    });
    this.#typed = on(this.#line, 'line', { close: ['close'] }) as AsyncIterableIterator<string[]>;
    this.#line.once('close', () => {
      this.#isClosed = true;
    });
    this.#line.on('SIGINT', onInterrupt);
  }

  show(text: string): void {
    if (this.#isClosed) {
      this.#output.write(`${text}\n`);
      return;
    }
    const { rows } = this.#line.getCursorPos();
    this.#eraseRows(rows);
    // Readline, about to write its line anew, goes up to where that began: so many rows.
    this.#output.write(`${text}\n${'\n'.repeat(rows)}`);
    this.#line.prompt(true);
  }

  surround(status: readonly string[], prompt: string): void {
    const text = [...status, prompt].join('\n');
    if (this.#isClosed || text === this.#prompt) return;
    this.#prompt = text;
    this.#line.setPrompt(text);
    this.#line.prompt(true);
  }

  async *lines(): AsyncGenerator<string, void, void> {
    for await (const [line = ''] of this.#typed) yield line;
  }

  /** Takes away what was typed: what becomes of it is shown when it is known. */
  #eraseTyped(line: string): void {
    this.#eraseRows(rowsOf(this.#prompt + line, this.#output.columns) + 1);
    this.#line.prompt();
  }

  #eraseRows(rows: number): void {
    moveCursor(this.#output, 0, -rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#eraseRows(this.#line.getCursorPos().rows);
    this.#line.close();
  }
}

/** Rows from the first character to where the next one would be, as readline counts them: a wide character is not split. */
export function rowsOf(text: string, columns: number): number {
  const offsets = stripVTControlCharacters(text)
    .split('\n')
    .map((line) => offsetAfter(line, columns));
  const last = offsets.pop() ?? 0;
  const above = offsets.map((offset) => Math.max(1, Math.ceil(offset / columns)));
  return above.reduce((sum, rows) => sum + rows, 0) + Math.floor(last / columns);
}

function offsetAfter(line: string, columns: number): number {
  let offset = 0;
  for (const character of line) {
    const width = stringWidth(character);
    if (width === 2 && (offset + 1) % columns === 0) offset += 1;
    offset += width;
  }
  return offset;
}
