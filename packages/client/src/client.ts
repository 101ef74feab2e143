import { Core } from './core.ts';
import { list, number, text } from './frames.ts';
import type {
  ClientEvents,
  ConnectionState,
  PublicRoom,
  PublicRoomDetails,
  RequestOptions,
  User,
  Visibility,
} from './models.ts';
import { settingsOf } from './options.ts';
import type { ClientOptions } from './options.ts';
import type { Room } from './room.ts';

export interface CreateRoomOptions extends RequestOptions {
  /** Default `private`. */
  visibility?: Visibility;
  /** Names of accounts that are members from the start. */
  members?: readonly string[];
}

/** Makes a client; it connects when it is first asked for something. @throws TypeError where the URL is none. */
export function createClient(options: ClientOptions): Client {
  return new Client(options);
}

/**
 * One user's connection to Parley, which is replaced by another whenever it is lost. What is asked for while it is away waits for
 * it, until its signal or `requestTimeoutMs` after it is back.
 */
export class Client implements AsyncDisposable {
  readonly #core: Core;

  constructor(options: ClientOptions) {
    this.#core = new Core(settingsOf(options));
  }

  get state(): ConnectionState {
    return this.#core.connection.state;
  }

  /** Who is logged in. */
  get user(): User | undefined {
    return this.#core.user;
  }

  /** For `resume`, within 30 minutes after the last connection. Whoever has it is the user: keep it as a secret. */
  get sessionKey(): string | undefined {
    return this.#core.session.key;
  }

  /** Those that the user is in, in the order it entered them. */
  get rooms(): readonly Room[] {
    return this.#core.rooms;
  }

  /** Those with the most users first, at most 1,000: kept up to date after `watchPublicRooms`. */
  get publicRooms(): readonly PublicRoom[] {
    return this.#core.publicRooms;
  }

  /**
   * Makes an account; it is not logged in by that.
   * @param name 1 to 64 characters. @param password 8 to 256 characters.
   * @throws ParleyClientError `username_taken`, `invalid_field`, `rate_limited`.
   */
  register(name: string, password: string, options: RequestOptions = {}): Promise<void> {
    return this.#core.register(name, password, options);
  }

  /**
   * Resolves when the user is logged in and its rooms are known. While the server can't be reached it goes on trying, until the signal.
   * @throws ParleyClientError `invalid_credentials`, `already_logged_in`, `rate_limited`.
   */
  logIn(name: string, password: string, options: RequestOptions = {}): Promise<User> {
    return this.#core.logIn(name, { password }, false, options);
  }

  /** Enters without an account, in no room yet. @throws ParleyClientError `username_taken`; `forbidden` where there are no guests. */
  logInAsGuest(name: string, options: RequestOptions = {}): Promise<User> {
    return this.#core.logIn(name, { sessionKey: undefined }, true, options);
  }

  /** The same user again, by the key of its session. @throws ParleyClientError `invalid_credentials` where the session is over. */
  resume(
    { name, sessionKey, isGuest }: { name: string; sessionKey: string; isGuest: boolean },
    options: RequestOptions = {},
  ): Promise<User> {
    return this.#core.logIn(name, { sessionKey }, isGuest, options);
  }

  /** Ends the session, everywhere. Somebody may log in again. */
  logOut(options: RequestOptions = {}): Promise<void> {
    return this.#core.logOut(options);
  }

  /** Guests only. @throws ParleyClientError `username_taken`; `forbidden` for an account. */
  async rename(newName: string, options: RequestOptions = {}): Promise<void> {
    await this.#core.ask('rename_user', { new_chatid: newName }, options);
  }

  /** A handle of any room: the same object for the same id. */
  room(id: string): Room {
    return this.#core.room(id);
  }

  /**
   * Makes a room; the user owns it and is in it.
   * @param name 1 to 64 characters; those of public rooms are unique.
   * @throws ParleyClientError `room_exists`; `user_not_found` with `details.users`.
   */
  async createRoom(
    name: string,
    { visibility = 'private', members = [], signal }: CreateRoomOptions = {},
  ): Promise<Room> {
    const core = this.#core;
    const request = { room_name: name, participants: members, visibility };
    const roomId = text(await core.ask('create_room', request, { signal }), 'room_id');
    const owner = core.user?.name;
    core.directory.learn(roomId, { name: name.trim().normalize('NFC'), visibility, owner });
    return core.user?.isGuest ? core.join(roomId, { signal }) : core.room(roomId);
  }

  /** Keeps `publicRooms` up to date, or not any more; over reconnects, until the client is closed or logged out. */
  watchPublicRooms(watch = true, options: RequestOptions = {}): Promise<void> {
    return this.#core.watch(watch, options);
  }

  /** All public rooms, as they are now. */
  async listPublicRooms(options: RequestOptions = {}): Promise<PublicRoomDetails[]> {
    const data = await this.#core.ask('get_rooms', { scope: 'public' }, options);
    return list(data, 'rooms').map((room) => {
      const facts = {
        id: text(room, 'id'),
        name: text(room, 'name'),
        users: number(room, 'users'),
        owner: text(room, 'owner') || null,
      };
      this.#core.directory.learn(facts.id, { ...facts, visibility: 'public' });
      return { ...facts, isMember: room['member'] === true };
    });
  }

  /** Connects now, where the client waits to try again. */
  reconnect(): void {
    this.#core.connection.hurry();
  }

  /** @returns What ends the listening; the signal does, too. */
  on<E extends keyof ClientEvents>(
    event: E,
    listener: (value: ClientEvents[E]) => void,
    options: { signal?: AbortSignal | undefined } = {},
  ): () => void {
    return this.#core.events.on(event, listener, options);
  }

  /** Ends the connection for good; what waits is told `closed`. The session lives on, to be resumed. */
  close(): Promise<void> {
    this.#core.end('closed');
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
