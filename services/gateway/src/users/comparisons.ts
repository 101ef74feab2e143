import type { Bus, Log } from '@parley/service-kit';
import { Rounds } from './rounds.ts';

export interface ComparisonsParts {
  bus: Pick<Bus, 'onReconnect'>;
  log: Log;
}

/** Each is compared within so many ticks of so many ms: a minute. */
const ticks = 60;
const tickMs = 1_000;
/** How long an event may be on its way, in ms. */
const eventMs = 1_000;

/**
 * Compares what is known here with what is stored, for events that got lost: steadily, each within a minute, and all when the bus is back.
 */
export class Comparisons<Item> implements Disposable {
  readonly #log: Log;
  readonly #compare: (item: Item) => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  readonly #soon = new Set<Item>();

  /**
   * @param items Those to be compared, as keys.
   * @param compare Does nothing where there is no such item any more. May reject: its turn comes again.
   */
  constructor(
    { bus, log }: ComparisonsParts,
    items: ReadonlyMap<Item, unknown>,
    compare: (item: Item) => Promise<void>,
  ) {
    this.#log = log;
    this.#compare = compare;
    const rounds = new Rounds(items, ticks);
    this.#timer = setInterval(() => {
      void this.compare(rounds.next());
    }, tickMs);
    bus.onReconnect(() => {
      void this.compare([...items.keys()]);
    });
  }

  /** Now. Never rejects. */
  async compare(items: readonly Item[]): Promise<void> {
    const outcomes = await Promise.allSettled(items.map((item) => this.#compare(item)));
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    if (failed.length === 0) return;
    this.#log.debug(
      { err: failed[0]!.reason, failed: failed.length },
      'memberships could not be compared, next time',
    );
  }

  /** Once what is on its way has come; once, however often it is asked for until then. */
  soon(item: Item): void {
    if (this.#soon.has(item)) return;
    this.#soon.add(item);
    setTimeout(() => {
      this.#soon.delete(item);
      void this.compare([item]);
    }, eventMs).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
