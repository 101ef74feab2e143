import type { Attempt, FinalState, Journal, SeenMessage, Sent } from '../journal.ts';

/** The final histories by id and by text, and who sent what: what each check looks things up in. */
export class Ledger {
  readonly #rooms = new Map<string, ReadonlyMap<number, SeenMessage>>();
  readonly #byText = new Map<string, { room: string; message: SeenMessage }[]>();
  readonly #lastIds = new Map<string, number>();
  readonly #sent = new Map<string, Sent>();

  constructor(journal: Journal, { histories }: Pick<FinalState, 'histories'>) {
    for (const [room, messages] of histories) {
      this.#rooms.set(room, new Map(messages.map((message) => [message.id, message])));
      this.#lastIds.set(room, messages.at(-1)?.id ?? 0);
      for (const message of messages) {
        const found = this.#byText.get(message.text) ?? [];
        this.#byText.set(message.text, [...found, { room, message }]);
      }
    }
    for (const sent of journal.sent) this.#sent.set(sent.text, sent);
  }

  message(room: string, id: number): SeenMessage | undefined {
    return this.#rooms.get(room)?.get(id);
  }

  /** Where the text stands in history. */
  places(text: string): readonly { room: string; message: SeenMessage }[] {
    return this.#byText.get(text) ?? [];
  }

  lastId(room: string): number {
    return this.#lastIds.get(room) ?? 0;
  }

  /** The tries to send the message; none of one that announces a file. */
  attempts(text: string): readonly Attempt[] {
    return this.#sent.get(text)?.attempts ?? [];
  }

  /** The first id in a range, ends included, for which the condition does not hold. */
  firstExcept(from: number, to: number, isExcused: (id: number) => boolean): number | undefined {
    for (let id = from; id <= to; id += 1) if (!isExcused(id)) return id;
    return undefined;
  }
}

export function sameMessage(one: SeenMessage, other: SeenMessage | undefined): boolean {
  return (
    other !== undefined &&
    one.text === other.text &&
    one.sender === other.sender &&
    one.timestamp === other.timestamp
  );
}
