import { letterFrequencies, sameFrequencies } from '@parley/protocol';
import { LoginClient } from './login-client.ts';
import type { Frame } from './login-client.ts';

/** How a client plays its part; each answer may lie or be left out. */
export interface HandshakeManners {
  /** The answer to a count of the server: `undefined` says nothing. */
  confirm?: (count: Frame, isRight: boolean) => boolean | undefined;
  /** The text that the client counts of a frame that it got: `undefined` says nothing. */
  count?: (text: string, frame: Frame) => string | undefined;
  /** Whether a confirmed frame is acknowledged. */
  acknowledge?: (frame: Frame) => boolean;
}

/** A client of the login dialect that plays the integrity handshake, both ways. */
export class HandshakeClient {
  readonly client: LoginClient;
  manners: HandshakeManners;
  /** The text of every request sent that the server has not counted yet, in order. */
  readonly #uncounted: string[] = [];
  /** What came and waits for the server's confirmation, by `transaction_id`. */
  readonly #unconfirmed = new Map<string, Frame>();

  constructor(client: LoginClient, manners: HandshakeManners = {}) {
    this.client = client;
    this.manners = manners;
    client.socket.on('message', (data: Buffer) => {
      this.#take(data.toString());
    });
  }

  /** @throws Error where it is refused. */
  async logIn(
    name: string,
    proof: { password: string } | { session_key: string },
    more: object = {},
  ): Promise<void> {
    this.client.name = name;
    const reply = await this.request('login', { chatid: name, ...proof, handshake: true, ...more });
    if (reply.status !== 'success') throw new Error(`login: ${reply.code ?? ''}`);
    this.client.sessionKey = reply.data.session_key;
  }

  /** Sends a request under the handshake and resolves with its reply or error. */
  request(action: string, data?: object): Promise<Frame> {
    this.#uncounted.push(JSON.stringify({ action, ...(data && { data }) }));
    return this.client.request(action, data);
  }

  /** @throws Error where it is refused. */
  async ask(action: string, data?: object): Promise<Frame['data']> {
    const reply = await this.request(action, data);
    if (reply.status === 'error') throw new Error(`${action}: ${reply.code ?? ''} ${reply.message ?? ''}`);
    return reply.data;
  }

  #take(text: string): void {
    const frame = JSON.parse(text) as Frame;
    const transaction_id = frame.data?.transaction_id as string;
    if (frame.action === 'character_count') {
      const sent = this.#uncounted.shift() ?? '';
      const isRight = sameFrequencies(letterFrequencies(sent), frame.data.letter_frequencies);
      const confirm = this.manners.confirm ? this.manners.confirm(frame, isRight) : isRight;
      if (confirm !== undefined)
        this.client.send({ action: 'confirm_count', data: { transaction_id, confirm } });
    } else if (frame.action === 'receive_message' || frame.action === 'receive_file') {
      const counted = this.manners.count ? this.manners.count(text, frame) : text;
      if (counted === undefined) return;
      this.#unconfirmed.set(transaction_id, frame);
      const letter_frequencies = letterFrequencies(counted);
      this.client.send({ action: 'character_count', data: { transaction_id, letter_frequencies } });
    } else if (frame.action === 'confirm_count' && frame.data.confirm) {
      const confirmed = this.#unconfirmed.get(transaction_id);
      this.#unconfirmed.delete(transaction_id);
      if (confirmed && (this.manners.acknowledge?.(confirmed) ?? true)) {
        this.client.send({ action: 'ack', data: { transaction_id } });
      }
    }
  }
}
