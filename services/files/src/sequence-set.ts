import type { SequenceRange } from '@parley/protocol';

/** Chunk numbers from 0 to a greatest one: a bit for each, so that a million of them take 128 KiB. */
export class SequenceSet {
  readonly #bits: Uint8Array;

  constructor(greatest: number) {
    this.#bits = new Uint8Array((greatest >> 3) + 1);
  }

  add(sequence: number): void {
    this.#bits[sequence >> 3]! |= 1 << (sequence & 7);
  }

  has(sequence: number): boolean {
    return ((this.#bits[sequence >> 3] ?? 0) & (1 << (sequence & 7))) !== 0;
  }

  /**
   * The numbers from `first` to `last` that are in the set, or those that are not, as ranges in their order.
   * @param most Of more ranges, the first so many.
   */
  ranges(kind: 'present' | 'absent', first: number, last: number, most: number): SequenceRange[] {
    const wanted = kind === 'present';
    const ranges: SequenceRange[] = [];
    for (let sequence = first; sequence <= last; sequence += 1) {
      if (this.has(sequence) !== wanted) continue;
      const range = ranges.at(-1);
      if (range?.[1] === sequence - 1) range[1] = sequence;
      else if (ranges.length === most) break;
      else ranges.push([sequence, sequence]);
    }
    return ranges;
  }
}
