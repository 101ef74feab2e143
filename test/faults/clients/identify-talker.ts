import type { ClientOptions } from 'ws';
import type { SeenMessage, Sent } from '../journal.ts';
import { membershipBegins, membershipEnded, seen, type StreamManner } from './account.ts';
import { RefusedError, Talker, type Room, type TalkerParts } from './talker.ts';
import { tolerant } from './tolerant.ts';
import type { Frame } from './wire.ts';

const awayMs = 1_500;
const pageMessages = 1_000;
const defaultRoom = 'default';

/** What answers each request. */
const replies: Record<string, string> = {
  identify: 'joined',
  joinRoom: 'joined',
  leaveRoom: 'left',
  history: 'history',
  roomsList: 'roomsList',
};

/**
 * A client of the identify dialect: on each connection a guest of another name, as its former one may count as online for a while.
 * What it missed it reads from history.
 */
export class IdentifyTalker extends Talker {
  protected readonly manner: StreamManner = { catchUp: 'pages', tellsSenders: true };
  protected readonly hasMembership = false;
  protected readonly keepsName = false;
  readonly #rooms: ReadonlyMap<string, Room>;
  readonly #present = new Set<Room>();
  readonly #leftAt = new Map<Room, number>();
  /** The lobby as it was last told: users present by room. */
  lobby: Record<string, number> = {};

  /** @param rooms Public rooms to be in, `default` among them. */
  constructor(parts: TalkerParts, rooms: readonly Room[]) {
    super(parts);
    this.#rooms = new Map(rooms.map((room) => [room.name, room]));
  }

  get places(): Room[] {
    return [...this.#present];
  }

  /** The whole history of a public room, oldest first. @throws RefusedError, LostError */
  async readHistory(room: Room): Promise<SeenMessage[]> {
    const history: SeenMessage[] = [];
    for await (const messages of this.#pagesAfter(room, 0)) history.push(...messages);
    return history;
  }

  protected address(gateway: string): Promise<{ url: string; options: ClientOptions }> {
    return Promise.resolve({ url: `ws://${gateway}/`, options: {} });
  }

  protected nextUser(connection: number): string {
    return `${this.name}-${connection}`;
  }

  protected async greet(): Promise<void> {
    const { account } = this;
    await this.#enter(this.#rooms.get(defaultRoom)!, 'identify', { username: account!.user });
    for (const room of this.#rooms.values()) if (room.name !== defaultRoom) await this.#join(room);
  }

  protected onFrame({ action, payload }: Frame): void {
    if (action === 'roomsList') {
      this.lobby = payload.rooms as Record<string, number>;
      return;
    }
    const room = this.#rooms.get(payload?.room as string);
    if (!room || !['message', 'file'].includes(action)) return;
    // The answer to a repeat is for us alone and no delivery.
    if (payload.clientMessageId !== undefined) return;
    const content = (payload.message ?? payload.file?.name) as string;
    this.account?.delivered(room.id, seen(payload.id, payload.from, content, payload.timestamp));
    this.position(room.id).add(payload.id as number);
  }

  /** One at a time: what confirms a message is the message. */
  protected async transmit(messages: readonly Sent[]): Promise<void> {
    for (const sent of messages) await this.inTurn(() => this.#send(sent));
  }

  protected async act(): Promise<void> {
    const { random, journal } = this.parts;
    const room = random.pick([...this.#rooms.values()]);
    if (random.isTrue(0.5) || room.name === defaultRoom) {
      const after = random.below(this.lastOf(room.id) + 1);
      const page = await this.#ask('history', { room: room.name, after, limit: 50 });
      journal.pages.push({
        at: performance.now(),
        user: this.name,
        room: room.id,
        after,
        messages: messagesOf(page),
      });
    } else {
      await this.#leave(room);
    }
  }

  protected async finish(): Promise<void> {
    for (const [room, at] of this.#leftAt) {
      if (performance.now() - at > awayMs) await tolerant(this.#join(room));
    }
  }

  protected hasUnfinished(): boolean {
    return this.#leftAt.size > 0;
  }

  protected refusedToOpen(): void {
    // Nothing that it brings along could be the reason.
  }

  protected onClosed(): void {
    this.#present.clear();
    this.#leftAt.clear();
  }

  #join(room: Room): Promise<void> {
    return this.#enter(room, 'joinRoom', { room: room.name });
  }

  /** Enters the room, then reads what it has missed. */
  async #enter(room: Room, action: string, payload: object): Promise<void> {
    const { account } = this;
    membershipBegins(this.parts.journal, account!.member, room.id);
    const stream = account!.begin(room.id, this.lastOf(room.id));
    await this.#ask(action, payload);
    this.#present.add(room);
    this.#leftAt.delete(room);
    for await (const messages of this.#pagesAfter(room, stream.after)) {
      stream.pages.push(...messages);
      for (const { id } of messages) this.position(room.id).add(id);
    }
    stream.isCaughtUp = true;
  }

  async *#pagesAfter(room: Room, last: number): AsyncGenerator<SeenMessage[]> {
    for (let after = last; ;) {
      const page = await this.#ask('history', { room: room.name, after, limit: pageMessages });
      const messages = messagesOf(page);
      yield messages;
      if (!page.has_more) return;
      after = messages.at(-1)?.id ?? after;
    }
  }

  async #leave(room: Room): Promise<void> {
    const { account } = this;
    if (!this.#present.delete(room)) return;
    account!.end(room.id);
    this.#leftAt.set(room, performance.now());
    await this.#ask('leaveRoom', { room: room.name });
    membershipEnded(this.parts.journal, account!.member, room.id);
  }

  async #send(sent: Sent): Promise<void> {
    const room = [...this.#rooms.values()].find(({ id }) => id === sent.room)!;
    const { wire, account } = this;
    if (!wire || !account) return;
    const attempt = this.attempt(sent);
    const payload = { room: room.name, message: this.contentOf(sent), clientMessageId: sent.text };
    const answer = await wire.request(
      'sendMessage',
      JSON.stringify({ action: 'sendMessage', payload }),
      ({ action, payload: told }) =>
        (action === 'message' && told.message === payload.message && told.from === account.user) ||
        (action === 'error' && told.originalAction === 'sendMessage'),
    );
    if (answer.action === 'error') account.refused('sendMessage', answer.payload.reason as string);
    else
      attempt.outcome = { at: performance.now(), id: answer.payload.id, timestamp: answer.payload.timestamp };
  }

  #ask(action: string, payload: object): Promise<Record<string, any>> {
    return this.inTurn(async () => {
      const { wire, account } = this;
      if (!wire || !account) throw new RefusedError('unavailable');
      const answer = await wire.request(action, JSON.stringify({ action, payload }), (frame) =>
        frame.action === 'error' ? frame.payload.originalAction === action : frame.action === replies[action],
      );
      if (answer.action !== 'error') return answer.payload as Record<string, any>;
      account.refused(action, answer.payload.reason as string);
      throw new RefusedError(answer.payload.reason as string);
    });
  }
}

function messagesOf(page: Record<string, any>): SeenMessage[] {
  return (page.messages as Record<string, any>[]).map(({ id, from, message, timestamp }) =>
    seen(id, from, message, timestamp),
  );
}
