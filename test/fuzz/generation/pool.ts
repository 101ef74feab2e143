import fc from 'fast-check';
import type { SeededRandom } from '../../faults/random.ts';

const size = 48;
/** How often each value is drawn, on average, before others take their place: to make them takes longer than to change them. */
const drawsOfEach = 12;

/** Values of fast-check, in a supply that is renewed as it is used. */
export class Pool<Value> {
  readonly #arbitrary: fc.Arbitrary<Value>;
  readonly #random: SeededRandom;
  #values: Value[] = [];
  #draws = 0;

  constructor(arbitrary: fc.Arbitrary<Value>, random: SeededRandom) {
    this.#arbitrary = arbitrary;
    this.#random = random;
  }

  draw(): Value {
    if (this.#draws % (size * drawsOfEach) === 0) {
      this.#values = fc.sample(this.#arbitrary, { seed: this.#random.below(2 ** 31), numRuns: size });
    }
    this.#draws += 1;
    return this.#random.pick(this.#values);
  }
}
