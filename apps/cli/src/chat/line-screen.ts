import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Screen } from './screen.ts';

/** Without a terminal: lines come from one stream and go to another. */
export class LineScreen implements Screen {
  readonly #input: Readable;
  readonly #output: Writable;

  constructor(input: Readable, output: Writable) {
    this.#input = input;
    this.#output = output;
  }

  show(text: string): void {
    this.#output.write(`${text}\n`);
  }

  surround(): void {}

  lines(): AsyncIterable<string> {
    // The iterator is made now: lines that come before one is made are lost.
    return createInterface({ input: this.#input, terminal: false })[Symbol.asyncIterator]();
  }

  [Symbol.dispose](): void {
    this.#input.destroy();
  }
}
