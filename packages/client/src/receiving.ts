import { transactionIdOf } from '@parley/protocol/ids';
import type { RoomId } from '@parley/protocol/ids';
import { letterFrequencies } from '@parley/protocol/letter-frequencies';
import { text, writeFrame } from './frames.ts';
import type { Frame } from './frames.ts';

export interface ReceivingOptions {
  /** Counts what comes and acknowledges it when the server confirms the count. */
  handshake: boolean;
  /** Acknowledges what comes. */
  receipts: boolean;
  transmit: (text: string) => void;
}

/** Acknowledgements without the handshake are requests, of which a connection may send 100 a second. */
const batchSize = 25;
const batchEveryMs = 500;
/** Beyond, the oldest are left unacknowledged. */
const maxWaiting = 10_000;

/** The client's part in the delivery of messages: counts under the integrity handshake, acknowledgements. */
export class Receiving {
  readonly #options: ReceivingOptions;
  /** Acknowledgements that wait for their turn, by `transaction_id`. */
  readonly #waiting = new Set<string>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: ReceivingOptions) {
    this.#options = options;
  }

  /** A frame that delivers a message came, perhaps again. */
  received(frameText: string, { data }: Frame): void {
    if (!this.#options.handshake) return;
    const counts = {
      transaction_id: text(data, 'transaction_id'),
      letter_frequencies: letterFrequencies(frameText),
    };
    this.#options.transmit(writeFrame('character_count', counts));
  }

  /** The server has compared a count; where it was wrong, the same frame comes again. */
  countConfirmed({ data }: Frame): void {
    if (data['confirm'] === true) this.#acknowledge(text(data, 'transaction_id'));
  }

  /** A message of somebody else, however it came, was told to the application. */
  told(roomId: string, messageId: number): void {
    const { receipts, handshake } = this.#options;
    if (!receipts || handshake) return;
    this.#waiting.add(transactionIdOf(roomId as RoomId, messageId));
    const [oldest] = this.#waiting;
    if (this.#waiting.size > maxWaiting && oldest !== undefined) this.#waiting.delete(oldest);
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => {
        this.#flush();
      }, batchEveryMs);
      queueMicrotask(() => {
        this.#flush();
      });
    }
  }

  /** What waits was delivered on a connection that is no more. */
  stop(): void {
    this.#waiting.clear();
    this.#flush();
  }

  #flush(): void {
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    for (const transactionId of [...this.#waiting].slice(0, batchSize)) {
      this.#waiting.delete(transactionId);
      this.#acknowledge(transactionId);
    }
  }

  #acknowledge(transactionId: string): void {
    this.#options.transmit(writeFrame('ack', { transaction_id: transactionId }));
  }
}
