import { transactionIdOf } from '@parley/protocol/ids';
import type { RoomId } from '@parley/protocol/ids';
import { letterFrequencies } from '@parley/protocol/letter-frequencies';
import { number, text, writeFrame } from './frames.ts';
import type { Frame } from './frames.ts';

export interface ReceivingOptions {
  /** Counts what comes and acknowledges it when the server confirms the count. */
  handshake: boolean;
  /** Acknowledges what comes. */
  receipts: boolean;
  transmit: (text: string) => void;
  /** Whether the application was told the message, or never will be. */
  isTold: (roomId: string, messageId: number) => boolean;
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
  /** What was counted on this connection, by `transaction_id`. */
  readonly #counted = new Map<string, { roomId: string; messageId: number }>();
  /** Of that, what the server has confirmed while the application was not told yet. */
  readonly #confirmed = new Set<string>();

  constructor(options: ReceivingOptions) {
    this.#options = options;
  }

  /** A frame that delivers a message came, perhaps again. */
  received(frameText: string, { data }: Frame): void {
    if (!this.#options.handshake) return;
    const transactionId = text(data, 'transaction_id');
    this.#counted.set(transactionId, {
      roomId: text(data, 'room_id'),
      messageId: number(data, 'message_id'),
    });
    const counts = { transaction_id: transactionId, letter_frequencies: letterFrequencies(frameText) };
    this.#options.transmit(writeFrame('character_count', counts));
  }

  /** The server has compared a count; where it was wrong, the same frame comes again. */
  countConfirmed({ data }: Frame): void {
    const transactionId = text(data, 'transaction_id');
    const message = this.#counted.get(transactionId);
    if (data['confirm'] !== true || !message) return;
    this.#counted.delete(transactionId);
    // Acknowledged before it was told, it would never come again to an application that ends in between.
    if (this.#options.isTold(message.roomId, message.messageId)) this.#acknowledge(transactionId);
    else this.#confirmed.add(transactionId);
  }

  /** A message, however it came, was told to the application. */
  told(roomId: string, messageId: number, isOwn: boolean): void {
    const { receipts, handshake } = this.#options;
    const transactionId = transactionIdOf(roomId as RoomId, messageId);
    if (this.#confirmed.delete(transactionId)) this.#acknowledge(transactionId);
    if (!receipts || handshake || isOwn) return;
    this.#waiting.add(transactionId);
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
    this.#counted.clear();
    this.#confirmed.clear();
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
