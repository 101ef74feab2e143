import type { Message, Room } from '@parley/client';
import { Observable } from './observable.ts';
import { Uploads, type Upload } from './uploads.ts';
import { wordsOf } from './words.ts';

export type { Upload } from './uploads.ts';

/** A message of ours that is not confirmed yet. */
export interface OutgoingMessage {
  /** Also the id under which it counts once, however often it is sent. */
  key: string;
  content: string;
  at: Date;
  /** Why it was not sent; undefined while it is on its way. */
  failure?: string;
}

export interface TimelineState {
  status: 'loading' | 'ready' | 'failed';
  /** With `failed`: why. */
  failure?: string;
  /** One run of ids, without holes; the newest last. */
  messages: readonly Message[];
  hasOlder: boolean;
  /** `failed`: the last attempt at older ones. */
  older: 'idle' | 'loading' | 'failed';
  sends: readonly OutgoingMessage[];
  uploads: readonly Upload[];
  /** Up to which of our messages each reader has told that it has them. */
  receipts: ReadonlyMap<string, number>;
  /** What follows was unread when the room was opened; undefined: nothing was. */
  readUpTo: number | undefined;
  /** Whether the last change was at the start of `messages`. */
  grewAtStart: boolean;
}

/** Messages in one page of history. */
const pageSize = 100;
/** What is kept of a room that is not looked at. */
const keptMessages = 200;

const empty: TimelineState = {
  status: 'loading',
  messages: [],
  hasOlder: false,
  older: 'idle',
  sends: [],
  uploads: [],
  receipts: new Map(),
  readUpTo: undefined,
  grewAtStart: false,
};

/** What was said in one room, as far as it is known here, and what is being said. */
export class Timeline {
  readonly room: Room;
  readonly state = new Observable(empty);
  readonly uploads: Uploads;
  #isAsked = false;

  constructor(room: Room) {
    this.room = room;
    this.uploads = new Uploads(room, (uploads) => {
      this.#change({ uploads });
    });
  }

  /** Loads the newest messages unless they are there. */
  async load(): Promise<void> {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#change({ status: 'loading' });
    try {
      const { messages, hasMore } = await this.room.history({ limit: pageSize });
      const merged = merge(messages, this.state.value.messages);
      this.#change({ status: 'ready', messages: merged, hasOlder: hasMore, grewAtStart: true });
      await this.#loadReceipts();
    } catch (error) {
      this.#isAsked = false;
      this.#change({ status: 'failed', failure: wordsOf(error) });
    }
  }

  async loadOlder(): Promise<void> {
    const { status, hasOlder, older, messages } = this.state.value;
    if (status !== 'ready' || !hasOlder || older === 'loading') return;
    this.#change({ older: 'loading' });
    try {
      const page = await this.room.history({
        limit: pageSize,
        ...(messages[0] && { before: messages[0].id }),
      });
      this.#change({
        messages: merge(page.messages, this.state.value.messages),
        hasOlder: page.hasMore,
        older: 'idle',
        grewAtStart: true,
      });
    } catch {
      this.#change({ older: 'failed' });
    }
  }

  /** Reads on from what is known: who joins a room has looked at it before. */
  async catchUp(): Promise<void> {
    if (this.state.value.status !== 'ready') return;
    let hasMore = true;
    while (hasMore) {
      const after = this.state.value.messages.at(-1)?.id ?? 0;
      const page = await this.room.history({ after, limit: pageSize });
      this.#append(page.messages);
      hasMore = page.hasMore && page.messages.length > 0;
    }
  }

  receive(message: Message): void {
    if (!this.#isAsked) return;
    const sends = this.state.value.sends.filter(({ key }) => key !== message.clientMessageId);
    this.#append([message], sends);
  }

  noteDelivered(reader: string, messageId: number): void {
    const { receipts } = this.state.value;
    if ((receipts.get(reader) ?? 0) >= messageId) return;
    this.#change({ receipts: new Map(receipts).set(reader, messageId) });
  }

  /** Sends a message; it is among `sends` until it is confirmed. */
  async send(content: string): Promise<void> {
    await this.#send({ key: crypto.randomUUID(), content, at: new Date() });
  }

  /** Sends again what was not sent; counts once even if it was. */
  async retry({ key, content }: OutgoingMessage): Promise<void> {
    this.discard(key);
    await this.#send({ key, content, at: new Date() });
  }

  /** Gives up what was not sent. */
  discard(key: string): void {
    this.#change({ sends: this.state.value.sends.filter((send) => send.key !== key) });
  }

  /** Draws the line between read and unread. */
  markUnread(readUpTo: number | undefined): void {
    this.#change({ readUpTo });
  }

  /** Lets go of most of it while nobody looks. */
  trim(): void {
    const { messages } = this.state.value;
    if (messages.length <= keptMessages) return;
    this.#change({ messages: messages.slice(-keptMessages), hasOlder: true, grewAtStart: true });
  }

  /** Whatever does not say that it came at the start did not. */
  #change(changes: Partial<TimelineState>): void {
    this.state.patch({ grewAtStart: false, ...changes });
  }

  async #send(send: OutgoingMessage): Promise<void> {
    this.#change({ sends: [...this.state.value.sends, send] });
    try {
      const message = await this.room.send(send.content, { clientMessageId: send.key });
      this.#append([message], without(this.state.value.sends, send.key));
    } catch (error) {
      const failed = this.state.value.sends.map((each) =>
        each.key === send.key ? { ...each, failure: wordsOf(error) } : each,
      );
      this.#change({ sends: failed });
    }
  }

  #append(messages: readonly Message[], sends = this.state.value.sends): void {
    this.#change({ messages: merge(this.state.value.messages, messages), sends });
  }

  /** How far the others are; where it can't be learned, only what is told from now on is known. */
  async #loadReceipts(): Promise<void> {
    if (!this.room.isIn) return;
    try {
      for (const { name, messageId } of await this.room.receipts()) this.noteDelivered(name, messageId);
    } catch {
      // Marks say `sent` until a reader tells more.
    }
  }
}

function without(sends: readonly OutgoingMessage[], key: string): OutgoingMessage[] {
  return sends.filter((send) => send.key !== key);
}

/** Both in the order of their ids, each once. */
function merge(one: readonly Message[], other: readonly Message[]): Message[] {
  const last = one.at(-1)?.id ?? 0;
  if (other.every(({ id }, index) => id > (other[index - 1]?.id ?? last))) return [...one, ...other];
  const byId = new Map([...one, ...other].map((message) => [message.id, message]));
  return [...byId.values()].sort((a, b) => a.id - b.id);
}
