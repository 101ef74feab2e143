import { list, number, text } from './frames.ts';
import type { Fields } from './frames.ts';
import type { GoneReason, Visibility } from './models.ts';
import type { RoomFeed } from './room-feed.ts';

/** What is known of a room. */
export interface RoomFacts {
  readonly id: string;
  /** Empty until it is known. */
  name: string;
  visibility: Visibility | undefined;
  /** Null where nobody owns it, undefined where that is not known. */
  owner: string | null | undefined;
  users: number | undefined;
  /** While the user is in the room. */
  feed: RoomFeed | undefined;
}

export interface DirectoryParts {
  newFeed(roomId: string, base: number | undefined): RoomFeed;
  /** The list or a room's facts changed. */
  changed(): void;
  gone(roomId: string, reason: GoneReason): void;
}

/** What is known of all rooms that were met, and which of them the user is in. */
export class Directory {
  readonly #parts: DirectoryParts;
  readonly #rooms = new Map<string, RoomFacts>();
  /** For each list that is awaited the rooms that changed meanwhile: of these it may know less than we do. */
  readonly #awaitedLists = new Set<Set<string>>();
  #willTell = false;

  constructor(parts: DirectoryParts) {
    this.#parts = parts;
  }

  /** What is known of the room: nothing yet, for one that was not met before. */
  factsOf(id: string): RoomFacts {
    const known = this.#rooms.get(id);
    if (known) return known;
    const facts: RoomFacts = {
      id,
      name: '',
      visibility: undefined,
      owner: undefined,
      users: undefined,
      feed: undefined,
    };
    this.#rooms.set(id, facts);
    return facts;
  }

  find(id: string): RoomFacts | undefined {
    return this.#rooms.get(id);
  }

  /** Those that the user is in, in the order it entered them. */
  entered(): RoomFacts[] {
    return [...this.#rooms.values()].filter(({ feed }) => feed !== undefined);
  }

  /**
   * The user is in the room.
   * @param base The last message before, where that is known.
   * @returns Its feed, which is yet to be connected where the room is new.
   */
  enter(id: string, facts: Partial<RoomFacts>, base?: number): { feed: RoomFeed; isNew: boolean } {
    const room = this.learn(id, facts);
    const isNew = room.feed === undefined;
    room.feed ??= this.#parts.newFeed(id, base);
    if (isNew) {
      this.#noteChange(id);
      // Where the room's messages begin is one more fact.
      void room.feed.started().then(() => {
        this.#tellChange();
      });
    }
    return { feed: room.feed, isNew };
  }

  /** The room was renamed. */
  rename(id: string, name: string): void {
    this.learn(id, { name });
    this.#noteChange(id);
  }

  /** The user is in the room no more. */
  leave(id: string, reason: GoneReason): void {
    const room = this.#rooms.get(id);
    this.#noteChange(id);
    if (!room?.feed) return;
    room.feed.close();
    room.feed = undefined;
    this.#tellChange();
    this.#parts.gone(id, reason);
  }

  learn(id: string, facts: Partial<RoomFacts>): RoomFacts {
    const room = this.factsOf(id);
    Object.assign(room, definedIn(facts));
    this.#tellChange();
    return room;
  }

  /**
   * Reads the list of the user's rooms.
   * @param isGuest A guest is where it says it is: the list only tells more of these rooms.
   * @returns The feeds of rooms that are new, yet to be connected.
   */
  async readList(read: () => Promise<Fields>, isGuest: boolean): Promise<RoomFeed[]> {
    const changed = new Set<string>();
    this.#awaitedLists.add(changed);
    try {
      return this.#takeList(await read(), changed, isGuest);
    } finally {
      this.#awaitedLists.delete(changed);
    }
  }

  #takeList(data: Fields, changed: ReadonlySet<string>, isGuest: boolean): RoomFeed[] {
    const rooms = list(data, 'rooms');
    const ids = new Set(rooms.map((room) => text(room, 'id')));
    for (const { id } of this.entered()) {
      if (!ids.has(id) && !changed.has(id) && !isGuest) this.leave(id, 'removed');
    }
    const entered: RoomFeed[] = [];
    for (const room of rooms) {
      const id = text(room, 'id');
      const known = this.#rooms.get(id);
      const facts = changed.has(id) && known ? { ...factsIn(room), ...definedIn(known) } : factsIn(room);
      if (!known?.feed && (changed.has(id) || isGuest)) {
        this.learn(id, facts);
        continue;
      }
      const { feed, isNew } = this.enter(id, facts);
      if (isNew) entered.push(feed);
    }
    return entered;
  }

  /** All that was known belongs to somebody else. */
  clear(): void {
    for (const { feed } of this.entered()) feed?.close();
    for (const room of this.#rooms.values()) room.feed = undefined;
    this.#tellChange();
  }

  #noteChange(id: string): void {
    for (const changed of this.#awaitedLists) changed.add(id);
  }

  /** Changes of one turn are told together. */
  #tellChange(): void {
    if (this.#willTell) return;
    this.#willTell = true;
    queueMicrotask(() => {
      this.#willTell = false;
      this.#parts.changed();
    });
  }
}

/** Those facts that are known. */
function definedIn(facts: Partial<RoomFacts>): Partial<RoomFacts> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && value !== ''));
}

function factsIn(room: Fields): Partial<RoomFacts> {
  const visibility = text(room, 'visibility');
  const users = number(room, 'users');
  const { owner } = room;
  return {
    name: text(room, 'name'),
    ...((visibility === 'private' || visibility === 'public') && { visibility }),
    ...(!Number.isNaN(users) && { users }),
    ...((typeof owner === 'string' || owner === null) && { owner }),
  };
}
