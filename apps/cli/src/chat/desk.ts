import type { Client, GoneReason, Message, Room } from '@parley/client';
import { CliError } from '../cli-error.ts';
import { failureOf } from '../failure.ts';
import type { Paint } from '../text/paint.ts';
import type { NamedRoom } from '../rooms.ts';
import { toPlainLine } from '../text/plain-text.ts';
import { count, formatDay } from '../text/quantities.ts';
import type { ChatEntry, Render } from './entry.ts';
import { RoomView } from './room-view.ts';
import type { Screen } from './screen.ts';

/** Messages of a room that are shown when the person comes to it; more where more are new. */
const firstMessages = 20;
const mostMessages = 100;
/** Columns that the prompt may take. */
const promptColumns = 40;

export interface DeskParts {
  client: Client;
  screen: Screen;
  render: Render;
  paint: Paint;
}

/** What the person has before them: one room, how much is unread in the others, and the line they type. */
export class Desk {
  readonly #client: Client;
  readonly #screen: Screen;
  readonly #render: Render;
  readonly #paint: Paint;
  readonly #views = new Map<Room, RoomView<Message>>();
  #room: Room | undefined;
  /** As it was shown last. */
  #name = '';
  #day = '';
  /** The earliest message that is shown of this room. */
  #oldestId = 0;
  #status: readonly string[] = [];

  constructor({ client, screen, render, paint }: DeskParts) {
    this.#client = client;
    this.#screen = screen;
    this.#render = render;
    this.#paint = paint;
  }

  get room(): Room | undefined {
    return this.#room;
  }

  /** @throws CliError where the person is in none. */
  get openRoom(): Room {
    if (this.#room) return this.#room;
    throw new CliError('You are in no room: /rooms lists them, /join ROOM enters one.');
  }

  /** Messages that came while the person looked elsewhere. */
  unreadOf(room: Room): number {
    return this.#views.get(room)?.unread ?? 0;
  }

  show(entry: ChatEntry): void {
    const text = this.#render(entry);
    if (text !== undefined) this.#screen.show(text);
  }

  notice(text: string): void {
    this.show({ type: 'notice', text });
  }

  /** @throws The error itself where it is a mistake of ours. */
  fail(error: unknown): void {
    const { code, message } = failureOf(error);
    this.show({ type: 'error', code, text: message });
  }

  /** @param status Lines above the prompt. */
  surround(status: readonly string[] = this.#status): void {
    this.#status = status;
    const name = this.#room ? nameOf(this.#room) : 'no room';
    const unread = this.#unread();
    const prompt = `${unread && `${this.#paint('yellow', unread)} `}${this.#paint('bold', name)}> `;
    this.#screen.surround(
      status.map((line) => this.#paint('dim', line)),
      prompt,
    );
  }

  /** Turns to a room that the person is in, and shows its newest messages. */
  async look(room: Room, signal: AbortSignal): Promise<void> {
    this.#lookAway();
    this.#room = room;
    this.#name = nameOf(room);
    const view = this.#viewOf(room);
    view.look();
    this.show({ type: 'room', id: room.id, name: this.#name, facts: factsOf(room) });
    const limit = Math.min(Math.max(firstMessages, view.unread), mostMessages);
    let history: Message[] = [];
    try {
      history = (await room.history({ limit, signal })).messages;
    } finally {
      const { messages, fresh } = view.loaded(history);
      this.#day = '';
      this.#oldestId = messages[0]?.id ?? 0;
      for (const [index, message] of messages.entries()) {
        if (fresh > 0 && fresh < messages.length && index === messages.length - fresh)
          this.show({ type: 'new' });
        this.#showMessage(message);
      }
      this.surround();
    }
  }

  /** Shows messages before those that are shown already. */
  async lookBack(limit: number, signal: AbortSignal): Promise<void> {
    const room = this.openRoom;
    const before = this.#oldestId;
    const { messages } = before > 1 ? await room.history({ before, limit, signal }) : { messages: [] };
    if (messages.length === 0) this.notice('There are no earlier messages.');
    this.#day = '';
    for (const message of messages) this.#showMessage(message);
    this.#oldestId = messages[0]?.id ?? before;
    if (messages.length > 0) this.notice(`${count(messages.length, 'earlier message')}.`);
    this.#day = '';
  }

  /** A message came. */
  take(room: Room, message: Message): void {
    const isCurrent = room === this.#room;
    const isOwn = message.sender === this.#client.user?.name;
    const shown = this.#viewOf(room).take(message, { isOwn });
    for (const next of shown) this.#showMessage(next);
    if (!isCurrent) {
      this.show({ type: 'message', message, isCurrent });
      this.surround();
    }
  }

  /** The person is in a room no more. */
  lose(room: Room, reason: GoneReason): void {
    this.#views.delete(room);
    const name = room === this.#room ? this.#name : nameOf(room);
    if (room === this.#room) this.#room = undefined;
    this.notice(lossTexts[reason](name));
    this.surround();
  }

  /** The names of rooms may have changed. */
  noteNames(): void {
    if (this.#room && nameOf(this.#room) !== this.#name) {
      this.notice(`${this.#name} is called ${nameOf(this.#room)} now.`);
      this.#name = nameOf(this.#room);
    }
    this.surround();
  }

  #lookAway(): void {
    if (this.#room) this.#viewOf(this.#room).lookAway();
  }

  #showMessage(message: Message): void {
    const day = formatDay(message.sentAt);
    if (day !== this.#day) this.show({ type: 'day', at: message.sentAt });
    this.#day = day;
    this.#oldestId ||= message.id;
    this.show({ type: 'message', message, isCurrent: true });
  }

  #viewOf(room: Room): RoomView<Message> {
    const known = this.#views.get(room);
    if (known) return known;
    const view = new RoomView<Message>();
    this.#views.set(room, view);
    return view;
  }

  /** `(kitchen 3, ops 1)`; of many rooms just the sum. */
  #unread(): string {
    const views = [...this.#views].filter(([, { unread }]) => unread > 0);
    if (views.length === 0) return '';
    const text = `(${views.map(([room, { unread }]) => `${nameOf(room)} ${unread}`).join(', ')})`;
    if (text.length <= promptColumns) return text;
    return `(${views.reduce((sum, [, { unread }]) => sum + unread, 0)} unread in ${count(views.length, 'room')})`;
  }
}

const lossTexts: Record<GoneReason, (name: string) => string> = {
  deleted: (name) => `${name} was deleted.`,
  removed: (name) => `You were removed from ${name}.`,
  left: (name) => `You left ${name}.`,
};

/** The name of a room, as it may be shown; its id where the name is not known. */
export function nameOf({ id, name }: NamedRoom): string {
  return toPlainLine(name || id);
}

function factsOf({ visibility, owner, users }: Room): string {
  return [visibility, owner != null && `owned by ${owner}`, users !== undefined && `${users} here`]
    .filter((fact) => typeof fact === 'string')
    .join(', ');
}
