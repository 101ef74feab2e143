/** What a client has of a room: everything up to {@link last}, and some behind it. */
export class Position {
  #last = 0;
  #newest = 0;
  readonly #ahead = new Set<number>();

  /** The last id up to which nothing is missing. */
  get last(): number {
    return this.#last;
  }

  /** The highest id of all. */
  get newest(): number {
    return this.#newest;
  }

  add(id: number): void {
    this.#newest = Math.max(this.#newest, id);
    if (id <= this.#last) return;
    this.#ahead.add(id);
    while (this.#ahead.delete(this.#last + 1)) this.#last += 1;
  }
}
