import { bufferedBytes, maxBufferedBytes } from '../metrics.ts';

/** Who holds something in memory for a client. */
export interface Holder {
  /** What it holds at the moment, in bytes, about. */
  readonly heldBytes: number;
  /** Asks it to hold nothing any more soon; asked once more, at once. */
  giveUp(): void;
}

/** How often it is looked what is held, in ms, however little is said to have come. */
const lookEveryMs = 1_000;
/** When all is nearly used up it is looked again each time this part of it has come. */
const stepShare = 1 / 16;

/**
 * What all clients may make this process hold in memory together. What leaves is told by nobody: what came is added up, and
 * only where that might be too much, everybody who was heard of is asked. Above the bound those who hold most have to give up.
 */
export class MemoryBudget implements Disposable {
  readonly #maxBytes: number;
  readonly #holders = new Set<Holder>();
  /** Who was asked to give up and is not gone yet. */
  readonly #leaving = new Set<Holder>();
  readonly #timer: NodeJS.Timeout;
  readonly #told: Disposable;
  /** What may still come until it is looked again, in bytes. */
  #untilLook: number;
  #isReducing = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#untilLook = maxBytes;
    this.#told = maxBufferedBytes.from(() => maxBytes);
    this.#timer = setInterval(() => {
      this.look();
    }, lookEveryMs);
  }

  /** Something came that may stay for a while. */
  grew(holder: Holder, bytes: number): void {
    this.#holders.add(holder);
    this.#untilLook -= bytes;
    // Whoever gives up may write once more; that was counted already.
    if (this.#untilLook < 0 && !this.#isReducing) this.look();
  }

  /** It holds nothing any more, for good. */
  forget(holder: Holder): void {
    this.#holders.delete(holder);
    this.#leaving.delete(holder);
  }

  /** Sees to it that no more is held than may be. */
  look(): void {
    const held: { holder: Holder; bytes: number }[] = [];
    let total = 0;
    for (const holder of this.#holders) {
      const bytes = holder.heldBytes;
      if (bytes > 0) held.push({ holder, bytes });
      else this.#holders.delete(holder);
      total += bytes;
    }
    bufferedBytes.set(total);
    this.#untilLook = Math.max(this.#maxBytes - total, this.#maxBytes * stepShare);
    if (total <= this.#maxBytes) return;
    this.#isReducing = true;
    this.#reduce(held, total);
    this.#isReducing = false;
  }

  /** Those who are leaving have had their time: they go first, then whoever holds most. */
  #reduce(held: { holder: Holder; bytes: number }[], total: number): void {
    const isLeaving = ({ holder }: { holder: Holder }): number => (this.#leaving.has(holder) ? 1 : 0);
    held.sort((a, b) => isLeaving(b) - isLeaving(a) || b.bytes - a.bytes);
    let left = total;
    for (const { holder, bytes } of held) {
      if (left <= this.#maxBytes) return;
      left -= bytes;
      this.#leaving.add(holder);
      holder.giveUp();
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#told[Symbol.dispose]();
  }
}
