/** What a view needs of a message. */
export interface Numbered {
  id: number;
}

/**
 * What the person has seen of one room. `away`: they look at another one, what comes is counted. `loading`: they look here, its
 * history is being read, what comes waits. `open`: what comes is shown.
 */
export class RoomView<Message extends Numbered> {
  #state: 'away' | 'loading' | 'open' = 'away';
  #held: Message[] = [];
  #unread = 0;
  /** The last message that was shown; 0 before the first. */
  #shownId = 0;

  /** Messages of others that came while the person was away. */
  get unread(): number {
    return this.#unread;
  }

  /** @returns What is to be shown now. */
  take(message: Message, { isOwn }: { isOwn: boolean }): Message[] {
    if (this.#state === 'open') return this.#show([message]);
    if (this.#state === 'loading') this.#held.push(message);
    else if (!isOwn) this.#unread += 1;
    return [];
  }

  /** The person looks here from now on; `loaded` has to follow. */
  look(): void {
    this.#state = 'loading';
    this.#held = [];
  }

  /**
   * @param history The newest messages, in order.
   * @returns What is to be shown, and how many of them, at the end, are new to the person.
   */
  loaded(history: readonly Message[]): { messages: Message[]; fresh: number } {
    const lastId = history.at(-1)?.id ?? 0;
    const messages = [...history, ...this.#held.filter(({ id }) => id > lastId)];
    const fresh = Math.min(this.#unread, messages.length);
    this.#state = 'open';
    this.#held = [];
    this.#unread = 0;
    this.#shownId = messages.at(-1)?.id ?? this.#shownId;
    return { messages, fresh };
  }

  /** The person looks elsewhere. */
  lookAway(): void {
    this.#state = 'away';
    this.#held = [];
  }

  #show(messages: Message[]): Message[] {
    const next = messages.filter(({ id }) => id > this.#shownId);
    this.#shownId = next.at(-1)?.id ?? this.#shownId;
    return next;
  }
}
