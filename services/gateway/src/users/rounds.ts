/**
 * Goes through items in slices, round after round, one slice each time it is asked: so each item has its turn within a round, also
 * while items come and go.
 */
export class Rounds<Item> {
  readonly #items: { readonly size: number; keys(): Iterator<Item> };
  readonly #slices: number;
  #round: Iterator<Item> | undefined;

  /**
   * @param items A set, or a map's keys, in the order of their coming.
   * @param slices How often it is asked in one round.
   */
  constructor(items: { readonly size: number; keys(): Iterator<Item> }, slices: number) {
    this.#items = items;
    this.#slices = slices;
  }

  /** Those whose turn it is. */
  next(): Item[] {
    const slice: Item[] = [];
    const size = Math.ceil(this.#items.size / this.#slices);
    this.#round ??= this.#items.keys();
    while (slice.length < size) {
      const next = this.#round.next();
      if (next.done) {
        this.#round = undefined;
        break;
      }
      slice.push(next.value);
    }
    return slice;
  }
}
