/** Each power of two is cut into so many buckets (as a power of two): what is read back is at most 1/64 too high. */
const precisionBits = 6;
const linear = 2 << precisionBits;
const highestBit = 30;
const bucketCount = (highestBit - precisionBits + 1) * (1 << precisionBits) + (1 << precisionBits);
const highest = 2 ** (highestBit + 1) - 1;

/** What a histogram has to say, in the unit of its values. */
export interface Summary {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

/** A histogram's content, to be sent to another process. */
export interface HistogramSnapshot {
  counts: Uint32Array;
  max: number;
}

/**
 * Counts whole numbers from 0 to 2^31 - 1 (in microseconds: 35 minutes; higher ones count as that) in fixed memory:
 * exact below 128, above with an error of less than 1.6 %. Percentiles err upwards.
 */
export class Histogram {
  readonly #counts = new Uint32Array(bucketCount);
  #count = 0;
  #max = 0;

  /** What {@link snapshot} took, possibly in another process, all together. */
  static merged(snapshots: readonly HistogramSnapshot[]): Histogram {
    const merged = new Histogram();
    for (const { counts, max } of snapshots) {
      counts.forEach((count, bucket) => {
        merged.#counts[bucket]! += count;
        merged.#count += count;
      });
      merged.#max = Math.max(merged.#max, max);
    }
    return merged;
  }

  snapshot(): HistogramSnapshot {
    return { counts: this.#counts, max: this.#max };
  }

  get count(): number {
    return this.#count;
  }

  /** @param value Rounded to a whole number; below 0 counts as 0. */
  record(value: number): void {
    const whole = Math.min(Math.max(Math.round(value), 0), highest);
    this.#counts[bucketOf(whole)]! += 1;
    this.#count += 1;
    if (whole > this.#max) this.#max = whole;
  }

  /**
   * The least value that at least the given part of all values does not exceed; 0 where nothing was recorded.
   * @param part From 0 to 1, as 0.99 for the 99th percentile.
   */
  percentile(part: number): number {
    const rank = Math.max(Math.ceil(part * this.#count), 1);
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket += 1) {
      seen += this.#counts[bucket]!;
      if (seen >= rank) return Math.min(highestOf(bucket), this.#max);
    }
    return this.#max;
  }

  summary(): Summary {
    return { count: this.#count, p50: this.percentile(0.5), p99: this.percentile(0.99), max: this.#max };
  }
}

function bucketOf(value: number): number {
  if (value < linear) return value;
  const shift = 31 - Math.clz32(value) - precisionBits;
  return (shift << precisionBits) + (value >>> shift);
}

/** The highest value that falls into the bucket. */
function highestOf(bucket: number): number {
  if (bucket < linear) return bucket;
  const shift = (bucket >>> precisionBits) - 1;
  return (bucket - (shift << precisionBits) + 1) * 2 ** shift - 1;
}
