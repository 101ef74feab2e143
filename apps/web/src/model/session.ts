import { createClient, type Client, type ConnectionState, type User } from '@parley/client';
import { Chat } from './chat.ts';
import { Observable } from './observable.ts';
import { loadSession, saveGuestRooms, saveSession } from './saved.ts';
import { wordsOf } from './words.ts';

export type SessionState =
  | { phase: 'signed-out'; notice?: string }
  /** The session of this tab is being taken up again. */
  | { phase: 'resuming'; name: string }
  | { phase: 'signed-in'; chat: Chat }
  /** The session goes on in another tab. */
  | { phase: 'elsewhere'; name: string };

/** How somebody comes in. */
export type Entry =
  { as: 'account'; name: string; password: string; isNew: boolean } | { as: 'guest'; name: string };

/** Who is signed in in this tab, and by which connection. */
export class Session {
  readonly state: Observable<SessionState>;
  /** Of the client in use. */
  readonly connection = new Observable<ConnectionState>({ status: 'idle' });
  readonly #url: URL;
  #client: Client | undefined;

  /** @param url Where Parley is. */
  constructor(url: URL) {
    this.#url = url;
    const saved = loadSession();
    this.state = new Observable<SessionState>(
      saved ? { phase: 'resuming', name: saved.name } : { phase: 'signed-out' },
    );
  }

  /** Takes up the session that this tab had before it was reloaded, if any. */
  async resume(): Promise<void> {
    const saved = loadSession();
    if (!saved) return;
    this.state.set({ phase: 'resuming', name: saved.name });
    try {
      await this.#begin((client) => client.resume(saved));
    } catch (error) {
      await this.#end(wordsOf(error));
    }
  }

  /** @throws ParleyClientError why not. */
  async enter(entry: Entry, signal: AbortSignal): Promise<void> {
    saveGuestRooms(undefined);
    await this.#begin(async (client) => {
      if (entry.as === 'guest') return client.logInAsGuest(entry.name, { signal });
      if (entry.isNew) await client.register(entry.name, entry.password, { signal });
      return client.logIn(entry.name, entry.password, { signal });
    });
  }

  async signOut(): Promise<void> {
    const client = this.#client;
    saveSession(undefined);
    saveGuestRooms(undefined);
    this.#leaveChat({ phase: 'signed-out' });
    try {
      await client?.logOut({ signal: AbortSignal.timeout(5_000) });
    } catch {
      // The server ends the session by itself when it is not used any more.
    }
    await this.#closeClient(client);
  }

  /** Connects now instead of when it is time. */
  reconnect(): void {
    this.#client?.reconnect();
  }

  async #begin(logIn: (client: Client) => Promise<User>): Promise<void> {
    await this.#closeClient(this.#client);
    const client = createClient({ url: this.#url, receipts: true });
    this.#client = client;
    client.on('state', (state) => {
      if (client === this.#client) void this.#follow(state);
    });
    client.on('user', (user) => {
      if (client === this.#client && user) this.#save(user);
    });
    let user: User;
    try {
      user = await logIn(client);
    } catch (error) {
      await this.#closeClient(client);
      throw error;
    }
    this.#save(user);
    const chat = new Chat(client, user);
    this.state.set({ phase: 'signed-in', chat });
    // Who is signed in stays so, also where what the chat begins with could not be had.
    await chat.start().catch((error: unknown) => {
      chat.tell(wordsOf(error));
    });
  }

  #save({ name, isGuest }: User): void {
    const sessionKey = this.#client?.sessionKey;
    if (sessionKey !== undefined) saveSession({ name, isGuest, sessionKey });
  }

  async #follow(state: ConnectionState): Promise<void> {
    this.connection.set(state);
    if (state.status !== 'closed') return;
    if (state.reason === 'taken-over') {
      const name = this.#client?.user?.name ?? loadSession()?.name ?? '';
      this.#leaveChat({ phase: 'elsewhere', name });
    } else if (state.reason === 'session-ended') {
      await this.#end('Your session has ended. Sign in again to go on.');
    }
  }

  async #end(notice: string): Promise<void> {
    saveSession(undefined);
    this.#leaveChat({ phase: 'signed-out', notice });
    await this.#closeClient(this.#client);
  }

  #leaveChat(next: SessionState): void {
    if (this.state.value.phase === 'signed-in') this.state.value.chat.close();
    this.state.set(next);
  }

  async #closeClient(client: Client | undefined): Promise<void> {
    if (client === undefined) return;
    if (client === this.#client) {
      this.#client = undefined;
      this.connection.set({ status: 'idle' });
    }
    await client.close();
  }
}
