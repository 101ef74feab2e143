import type { Client, Message, PublicRoom, Room, User, Visibility } from '@parley/client';
import { Downloads } from './downloads.ts';
import { Observable } from './observable.ts';
import { ReadMarks } from './read-marks.ts';
import { loadGuestRooms, saveGuestRooms } from './saved.ts';
import { Timeline } from './timeline.ts';
import { wordsOf } from './words.ts';

/** The room where guests begin; it always exists. */
const lobbyRoomName = 'default';

/** A room as the list shows it. */
export interface RoomEntry {
  id: string;
  name: string;
  visibility: Visibility;
  /** Those present; undefined where it is not told. */
  users: number | undefined;
  isIn: boolean;
  unread: number;
}

export interface RoomLists {
  /** Whether the user's rooms are known yet. */
  isLoaded: boolean;
  /** The user's own, by name. */
  mine: readonly RoomEntry[];
  /** Public rooms that it is not in, those with most users first. */
  others: readonly RoomEntry[];
}

/** What the user should know though it did not ask, until it says that it does. */
export interface Notice {
  id: number;
  text: string;
}

/** Everything that one signed-in user sees and does. */
export class Chat {
  readonly client: Client;
  readonly me: Observable<User>;
  readonly lists = new Observable<RoomLists>({ isLoaded: false, mine: [], others: [] });
  readonly openRoomId = new Observable<string | undefined>(undefined);
  readonly notices = new Observable<readonly Notice[]>([]);
  /** The newest message of somebody else in the open room, for those who listen instead of looking. */
  readonly heard = new Observable<Message | undefined>(undefined);
  /** Rises with each change among the members of the open room. */
  readonly membersVersion = new Observable(0);
  readonly downloads = new Downloads();
  readonly #marks: ReadMarks;
  readonly #timelines = new Map<string, Timeline>();
  readonly #closing = new AbortController();
  #lastNotice = 0;

  /** @param client Logged in. */
  constructor(client: Client, user: User) {
    this.client = client;
    this.me = new Observable(user);
    this.#marks = new ReadMarks(user.name);
    const { signal } = this.#closing;
    client.on(
      'user',
      (current) => {
        if (current) this.me.set(current);
      },
      { signal },
    );
    client.on(
      'rooms',
      () => {
        this.#listRooms();
      },
      { signal },
    );
    client.on(
      'public-rooms',
      () => {
        this.#listRooms();
      },
      { signal },
    );
    client.on(
      'message',
      (event) => {
        this.#receive(event);
      },
      { signal },
    );
    client.on(
      'delivered',
      ({ room, messageId, reader }) => {
        this.timeline(room.id).noteDelivered(reader, messageId);
      },
      { signal },
    );
    client.on(
      'members',
      ({ room }) => {
        if (room.id === this.openRoomId.value) this.membersVersion.set(this.membersVersion.value + 1);
      },
      { signal },
    );
    client.on(
      'room-gone',
      ({ room, reason }) => {
        this.#forget(room, reason);
      },
      { signal },
    );
    document.addEventListener(
      'visibilitychange',
      () => {
        this.#read();
      },
      { signal },
    );
  }

  /** Asks for what the lists show, and takes a guest back to its rooms. */
  async start(): Promise<void> {
    await this.client.watchPublicRooms();
    this.#listRooms();
    if (this.me.value.isGuest) await this.#enterAsGuest();
  }

  close(): void {
    this.#closing.abort();
    this.downloads.close();
  }

  timeline(roomId: string): Timeline {
    const known = this.#timelines.get(roomId);
    if (known) return known;
    const timeline = new Timeline(this.client.room(roomId));
    this.#timelines.set(roomId, timeline);
    return timeline;
  }

  /** What the lists know of the room. */
  entry(roomId: string): RoomEntry | undefined {
    const { mine, others } = this.lists.value;
    return [...mine, ...others].find(({ id }) => id === roomId);
  }

  /** Shows the room; undefined: none. */
  open(roomId: string | undefined): void {
    if (roomId === this.openRoomId.value) return;
    if (this.openRoomId.value !== undefined) this.timeline(this.openRoomId.value).trim();
    this.openRoomId.set(roomId);
    if (roomId === undefined) return;
    const timeline = this.timeline(roomId);
    const { isIn, lastId } = timeline.room;
    const hasUnread = isIn && this.#marks.unreadOf(roomId, lastId) > 0;
    timeline.markUnread(hasUnread ? this.#marks.of(roomId) : undefined);
    void timeline.load();
    this.#read();
  }

  async join(roomId: string): Promise<void> {
    const timeline = this.timeline(roomId);
    await timeline.room.join();
    await timeline.catchUp();
    this.#rememberGuestRooms();
  }

  async leave(roomId: string): Promise<void> {
    await this.client.room(roomId).leave();
    this.#rememberGuestRooms();
  }

  /** Makes a room, is in it, and shows it. */
  async create(name: string, visibility: Visibility): Promise<void> {
    const room = await this.client.createRoom(name, { visibility });
    this.#rememberGuestRooms();
    this.open(room.id);
  }

  tell(text: string): void {
    this.#lastNotice += 1;
    this.notices.set([...this.notices.value, { id: this.#lastNotice, text }]);
  }

  dismiss(noticeId: number): void {
    this.notices.set(this.notices.value.filter(({ id }) => id !== noticeId));
  }

  async #enterAsGuest(): Promise<void> {
    const lobby = (await this.client.listPublicRooms()).find(({ name }) => name === lobbyRoomName);
    const wanted = [...new Set([...loadGuestRooms(), ...(lobby ? [lobby.id] : [])])];
    for (const roomId of wanted) {
      try {
        await this.client.room(roomId).join();
      } catch (error) {
        this.tell(`A room you were in could not be entered again. ${wordsOf(error)}`);
      }
    }
    this.#rememberGuestRooms();
    if (this.openRoomId.value === undefined && lobby) this.open(lobby.id);
  }

  #rememberGuestRooms(): void {
    if (this.me.value.isGuest) saveGuestRooms(this.client.rooms.map(({ id }) => id));
  }

  #receive({ room, message }: { room: Room; message: Message }): void {
    this.timeline(room.id).receive(message);
    const isOwn = message.sender === this.me.value.name;
    if (isOwn) this.#marks.read(room.id, message.id);
    if (room.id === this.openRoomId.value) {
      if (!isOwn) this.heard.set(message);
      this.#read();
    }
    this.#listRooms();
  }

  /** What is on the screen is read. */
  #read(): void {
    const roomId = this.openRoomId.value;
    if (roomId === undefined || document.visibilityState !== 'visible') return;
    const room = this.client.room(roomId);
    if (room.isIn && this.#marks.read(roomId, room.lastId)) this.#listRooms();
  }

  #forget(room: Room, reason: 'deleted' | 'removed' | 'left'): void {
    const name = this.entry(room.id)?.name ?? room.name;
    if (reason === 'deleted' && !room.isMine) this.tell(`The room ${name} was deleted by its owner.`);
    if (reason === 'removed') this.tell(`You were removed from ${name}.`);
    this.#timelines.delete(room.id);
    if (this.openRoomId.value === room.id) this.open(undefined);
    this.#listRooms();
  }

  #listRooms(): void {
    const { rooms, publicRooms } = this.client;
    const users = new Map(publicRooms.map((room) => [room.id, room.users]));
    const mine = rooms.map((room) => ({
      id: room.id,
      name: room.name,
      visibility: room.visibility ?? 'private',
      // Of private rooms it is not told when somebody comes or goes.
      users: users.get(room.id),
      isIn: true,
      unread: this.#marks.unreadOf(room.id, room.lastId),
    }));
    const mineIds = new Set(mine.map(({ id }) => id));
    const others = publicRooms.filter(({ id }) => !mineIds.has(id)).map(entryOf);
    this.lists.set({
      isLoaded: true,
      mine: mine.sort((a, b) => a.name.localeCompare(b.name)),
      others: others.sort((a, b) => b.users - a.users || a.name.localeCompare(b.name)),
    });
  }
}

function entryOf({ id, name, users }: PublicRoom) {
  return { id, name, visibility: 'public' as const, users, isIn: false, unread: 0 };
}
