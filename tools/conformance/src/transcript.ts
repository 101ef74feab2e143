/** Of a frame in the report; a megabyte helps nobody. */
const mostCharacters = 600;
const mostLines = 60;

/** What passed between the suite and the server during one check. */
export class Transcript {
  readonly #lines: string[] = [];
  readonly #startedAt = Date.now();

  /** @param way `->` sent, `<-` got, `--` something happened. */
  add(who: string, way: '->' | '<-' | '--', what: string): void {
    const shown =
      what.length > mostCharacters ? `${what.slice(0, mostCharacters)}... (${what.length} characters)` : what;
    this.#lines.push(`${Date.now() - this.#startedAt} ms ${who} ${way} ${shown}`);
  }

  /** The end of it, where it is long: that is where something went wrong. */
  lines(): string[] {
    const left = this.#lines.length - mostLines;
    return left > 0 ? [`(${left} lines before)`, ...this.#lines.slice(-mostLines)] : [...this.#lines];
  }
}
