import type { Progress } from '@parley/client';
import { progressLine } from '../files/progress.ts';

/** Files that are under way, each with its progress. */
export class Transfers {
  readonly #onProgress: () => void;
  readonly #open = new Map<AbortController, { name: string; progress: Progress }>();

  /** @param onProgress Told whenever `lines` changed. */
  constructor(onProgress: () => void) {
    this.#onProgress = onProgress;
  }

  /** A line for each. */
  get lines(): string[] {
    return [...this.#open.values()].map(({ name, progress }) => progressLine(name, progress));
  }

  get size(): number {
    return this.#open.size;
  }

  /** Runs one of them. @param signal Ends it; so does `cancelAll`. */
  async run<Result>(
    name: string,
    signal: AbortSignal,
    transfer: (options: { signal: AbortSignal; onProgress: (progress: Progress) => void }) => Promise<Result>,
  ): Promise<Result> {
    const cancelling = new AbortController();
    const onProgress = (progress: Progress) => {
      this.#open.set(cancelling, { name, progress });
      this.#onProgress();
    };
    this.#open.set(cancelling, { name, progress: { bytes: 0, total: 0 } });
    try {
      return await transfer({ signal: AbortSignal.any([signal, cancelling.signal]), onProgress });
    } finally {
      this.#open.delete(cancelling);
      this.#onProgress();
    }
  }

  cancelAll(): void {
    for (const cancelling of this.#open.keys()) cancelling.abort();
  }
}
