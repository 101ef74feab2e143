import { number, text, time } from './frames.ts';
import type { Fields } from './frames.ts';
import type { Message, RequestOptions } from './models.ts';
import type { Requests } from './requests.ts';
import { persistently } from './retries.ts';
import { throwIfAborted } from './waiting.ts';

export interface SendsParts {
  requests: Pick<Requests, 'ask'>;
  /** The name of the user. */
  self(): string;
  /** Resolves when the room's messages are listened to: a confirmation that comes earlier would have no place. */
  prepared: (roomId: string) => Promise<unknown>;
  /** A message of ours is committed. */
  confirmed(message: Message): void;
}

interface Send {
  roomId: string;
  content: string;
  clientMessageId: string;
}

/**
 * Messages on their way to the server. Of each room one is under way at a time, so that they keep their order whatever is lost,
 * refused for a while, or repeated; rooms don't wait for each other.
 */
export class Sends {
  readonly #parts: SendsParts;
  /** The end of each room's queue. */
  readonly #queues = new Map<string, Promise<unknown>>();
  /** What may be confirmed yet, by `client_message_id`. */
  readonly #underWay = new Map<string, Send>();
  /** Of these what nobody waits for any more. */
  readonly #abandoned = new Set<Send>();

  constructor(parts: SendsParts) {
    this.#parts = parts;
  }

  /** Resolves once the message is committed. @throws ParleyClientError As the server refuses it; `aborted`. */
  async send(
    roomId: string,
    content: string,
    { clientMessageId = crypto.randomUUID(), signal }: RequestOptions & { clientMessageId?: string },
  ): Promise<Message> {
    throwIfAborted(signal);
    const send = { roomId, content, clientMessageId };
    const before = this.#queues.get(roomId);
    const result = (async () => {
      await before;
      throwIfAborted(signal);
      return this.#send(send, signal);
    })();
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    this.#queues.set(roomId, settled);
    try {
      return await result;
    } finally {
      if (this.#queues.get(roomId) === settled) this.#queues.delete(roomId);
    }
  }

  isUnderWay(roomId: string): boolean {
    return this.#queues.has(roomId);
  }

  /** A confirmation came, whether or not somebody still waits for it. */
  noticeConfirmation(data: Fields): void {
    const send = this.#underWay.get(text(data, 'client_message_id'));
    if (!send) return;
    this.#forget(send);
    this.#parts.confirmed(this.#messageOf(send, data));
  }

  /** The connection is gone: what nobody waits for is not repeated. */
  lost(): void {
    for (const send of this.#abandoned) this.#forget(send);
  }

  #forget(send: Send): void {
    this.#underWay.delete(send.clientMessageId);
    this.#abandoned.delete(send);
  }

  async #send(send: Send, signal: AbortSignal | undefined): Promise<Message> {
    const { requests, prepared } = this.#parts;
    const { roomId: room_id, content, clientMessageId: client_message_id } = send;
    await prepared(room_id);
    throwIfAborted(signal);
    this.#underWay.set(client_message_id, send);
    try {
      const fields = { room_id, content, client_message_id };
      const data = await persistently(
        () => requests.ask('send_message', fields, { signal, isPersistent: true }),
        signal,
      );
      return this.#messageOf(send, data);
    } catch (thrown) {
      if (signal?.aborted) this.#abandoned.add(send);
      else this.#forget(send);
      throw thrown;
    }
  }

  #messageOf({ roomId, content, clientMessageId }: Send, data: Fields): Message {
    return {
      id: number(data, 'message_id'),
      roomId,
      sender: this.#parts.self(),
      content,
      sentAt: time(data, 'timestamp'),
      clientMessageId,
    };
  }
}
