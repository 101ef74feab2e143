import { acknowledge, errorCodes, maxReceiptsPerRequest, ParleyError } from '@parley/protocol';
import type { IdRange, RoomId, User } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, Log } from '@parley/service-kit';

interface Waiting {
  roomId: RoomId;
  user: User;
  ranges: [number, number][];
}

export interface ReceiptsParts {
  bus: Pick<Bus, 'call'>;
  log: Log;
  requestTimeoutMs: number;
}

const retryMs = 500;

/**
 * Passes acknowledgements on to the messages service: at once where nothing is under way, together where something is.
 * What could not be stored is kept and tried again; runs of ids are kept as one range.
 */
export class Receipts {
  readonly #parts: ReceiptsParts;
  #waiting = new Map<string, Waiting>();
  #storing: Promise<void> | undefined;

  constructor(parts: ReceiptsParts) {
    this.#parts = parts;
  }

  acknowledge(user: User, roomId: RoomId, range: IdRange): void {
    const key = `${roomId} ${user.userId}`;
    const waiting = this.#waiting.get(key) ?? {
      roomId,
      user: { userId: user.userId, name: user.name },
      ranges: [],
    };
    this.#waiting.set(key, waiting);
    addRange(waiting.ranges, range);
    void this.stored();
  }

  /** Resolves when everything so far is stored. */
  stored(): Promise<void> {
    this.#storing ??= this.#storeAll();
    return this.#storing;
  }

  async #storeAll(): Promise<void> {
    // What arrives in this turn of the event loop goes along.
    await new Promise(setImmediate);
    while (this.#waiting.size > 0) {
      const some = [...this.#waiting].slice(0, maxReceiptsPerRequest);
      for (const [key] of some) this.#waiting.delete(key);
      if (await this.#store(some.map(([, waiting]) => waiting))) continue;
      for (const [key, waiting] of some) {
        for (const range of this.#waiting.get(key)?.ranges ?? []) addRange(waiting.ranges, range);
        this.#waiting.set(key, waiting);
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
    // At once: what comes from now on has to begin anew.
    this.#storing = undefined;
  }

  /** False where it has to be tried again. */
  async #store(acknowledgements: readonly Waiting[]): Promise<boolean> {
    const { bus, log, requestTimeoutMs } = this.#parts;
    try {
      await bus.call(
        acknowledge,
        { acknowledgements: [...acknowledgements] },
        createContext(requestTimeoutMs),
      );
      return true;
    } catch (err) {
      const isPassing = errorCodes[ParleyError.from(err).code].retry;
      log.warn({ err, receipts: acknowledgements.length, isPassing }, 'receipts could not be stored');
      // What was refused would be refused again, and hold up all others.
      return !isPassing;
    }
  }
}

/** Acknowledgements come mostly in order: one that continues the last range prolongs it. */
function addRange(ranges: [number, number][], [from, to]: IdRange): void {
  const last = ranges.at(-1);
  if (last && from === last[1] + 1) last[1] = to;
  else ranges.push([from, to]);
}
