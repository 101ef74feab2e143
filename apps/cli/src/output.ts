import { once } from 'node:events';
import { toJsonLine } from './text/plain-text.ts';

/** Where a command's results go: as JSON, one value a line, or as text. What is said beside them goes to stderr. */
export class Output {
  readonly #isJson: boolean;
  readonly #stream: NodeJS.WriteStream;

  constructor(isJson: boolean, stream: NodeJS.WriteStream = process.stdout) {
    this.#isJson = isJson;
    this.#stream = stream;
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY && !this.#isJson;
  }

  /** Columns of the terminal; unbounded where there is none, or where it does not know. */
  get columns(): number {
    return (this.isTerminal && this.#stream.columns) || Infinity;
  }

  /** Writes one result; resolves once more of them are welcome. */
  async write(value: object, text: () => string): Promise<void> {
    const line = this.#isJson ? toJsonLine(value) : text();
    if (!this.#stream.write(`${line}\n`)) await once(this.#stream, 'drain');
  }
}
