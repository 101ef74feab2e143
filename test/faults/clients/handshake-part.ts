import { letterFrequencies, sameFrequencies } from '@parley/protocol';
import type { Frame } from './wire.ts';

/** A client's part of the integrity handshake, both ways, on one connection. */
export class HandshakePart {
  readonly #send: (text: string) => void;
  /** The text of every request that the server has not counted yet, in order. */
  readonly #uncounted: string[] = [];
  /** What came and waits for the server's confirmation, by `transaction_id`. */
  readonly #unconfirmed = new Map<string, { room: string; id: number }>();

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  /** To be called before a request goes out. */
  sending(action: string, text: string): void {
    if (!action.startsWith('file_')) this.#uncounted.push(text);
  }

  /** @param onReceipt Told of each message for which a receipt goes out, before it does. */
  take(frame: Frame, text: string, onReceipt: (room: string, id: number) => void): void {
    const { action, data } = frame;
    const transaction_id = data?.transaction_id as string;
    if (action === 'character_count') {
      const sent = this.#uncounted.shift() ?? '';
      const confirm = sameFrequencies(letterFrequencies(sent), data.letter_frequencies);
      this.#reply('confirm_count', { transaction_id, confirm });
    } else if (action === 'receive_message' || action === 'receive_file') {
      this.#unconfirmed.set(transaction_id, { room: data.room_id, id: data.message_id });
      this.#reply('character_count', { transaction_id, letter_frequencies: letterFrequencies(text) });
    } else if (action === 'confirm_count' && data.confirm) {
      const confirmed = this.#unconfirmed.get(transaction_id);
      if (!confirmed) return;
      this.#unconfirmed.delete(transaction_id);
      onReceipt(confirmed.room, confirmed.id);
      this.#reply('ack', { transaction_id });
    }
  }

  #reply(action: string, data: object): void {
    this.#send(JSON.stringify({ action, data }));
  }
}
