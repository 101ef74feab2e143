import type { Action } from './actions.ts';
import { Connection } from './connection.ts';
import { Directory } from './directory.ts';
import type { RoomFacts } from './directory.ts';
import { Downloads } from './downloads.ts';
import type { DownloadOptions, FileDownload } from './downloads.ts';
import { Emitter } from './emitter.ts';
import { ParleyClientError } from './errors.ts';
import type { ClientErrorCode } from './errors.ts';
import { list, messageOf, number, readFrame, text, writeFrame } from './frames.ts';
import type { Fields, Frame } from './frames.ts';
import { MessageStreams } from './message-streams.ts';
import type {
  ClientEvents,
  CloseReason,
  FileFacts,
  HistoryPage,
  Message,
  PublicRoom,
  RequestOptions,
  UploadSource,
  User,
} from './models.ts';
import { watchNetwork } from './network.ts';
import type { ClientSettings } from './options.ts';
import { Receiving } from './receiving.ts';
import { Requests } from './requests.ts';
import { persistently } from './retries.ts';
import { Room } from './room.ts';
import { RoomFeed } from './room-feed.ts';
import { Sends } from './sends.ts';
import { Session } from './session.ts';
import type { Proof } from './session.ts';
import { sourceOf, Upload } from './uploads.ts';
import type { UploadOptions } from './uploads.ts';
import { unlessAborted } from './waiting.ts';

/** What those are told who wait when the client ends; undefined: what they read is simply at its end. */
const endings: Record<CloseReason, { code: ClientErrorCode; endsQuietly: boolean }> = {
  closed: { code: 'closed', endsQuietly: true },
  'logged-out': { code: 'closed', endsQuietly: true },
  'taken-over': { code: 'taken_over', endsQuietly: false },
  'session-ended': { code: 'session_ended', endsQuietly: false },
};

/** With these a session can't be resumed, now or later: it is over, or its name belongs to another. */
const lostSession: readonly string[] = [
  'invalid_credentials',
  'username_taken',
  'forbidden',
  'already_logged_in',
];
/** With these a guest is in a room no more. */
const lostRoom: readonly string[] = ['room_not_found', 'not_in_room', 'forbidden'];

/** Messages that come before the list of rooms; beyond, they are read from history. */
const maxEarly = 1_000;

/** The parts of a client, wired up. */
export class Core {
  readonly events = new Emitter<ClientEvents>();
  readonly connection: Connection;
  readonly requests: Requests;
  readonly session: Session;
  readonly directory: Directory;
  readonly streams: MessageStreams;
  readonly sends: Sends;
  readonly downloads: Downloads;
  readonly #receiving: Receiving;
  readonly #settings: ClientSettings;
  readonly #rooms = new Map<string, Room>();
  #publicRooms: readonly PublicRoom[] = [];
  #isWatching = false;
  /** The connection's life. */
  #connected = new AbortController();
  /** Deliveries that came before it was known which rooms there are; undefined once it is. */
  #early: Message[] | undefined = [];
  #stopWatchingNetwork: (() => void) | undefined;
  /** That the rooms of the user are known. */
  #synchronized = newOutcome();

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    const transmit = (frame: string) => {
      this.connection.send(frame);
    };
    this.requests = new Requests({
      transmit,
      timeoutMs: settings.requestTimeoutMs,
      timedOut: () => {
        this.connection.drop('The server did not answer in time.');
      },
      self: () => this.user?.name,
    });
    this.connection = new Connection({
      url: settings.url,
      backoff: settings.backoff,
      openTimeoutMs: settings.requestTimeoutMs,
      newWebSocket: settings.newWebSocket,
      opened: () => void this.#restore(),
      heard: (frame) => {
        this.#hear(frame);
      },
      lost: () => {
        this.#lost();
      },
      silent: () => {
        this.#probe();
      },
      changed: (state) => {
        this.events.emit('state', state);
      },
    });
    this.session = new Session(this.requests, settings, (user) => {
      this.events.emit('user', user);
    });
    this.#receiving = new Receiving({
      ...settings,
      transmit,
      isTold: (roomId, messageId) => {
        const feed = this.directory.find(roomId)?.feed;
        return !feed || (feed.position ?? -1) >= messageId;
      },
    });
    this.directory = new Directory({
      newFeed: (roomId, base) => this.#newFeed(roomId, base),
      changed: () => {
        this.events.emit('rooms', this.rooms);
      },
      gone: (roomId, reason) => {
        this.streams.endRoom(roomId);
        this.events.emit('room-gone', { room: this.room(roomId), reason });
      },
    });
    this.streams = new MessageStreams({
      readAfter: (roomId, after, signal) => this.#readAfter(roomId, after, signal),
    });
    this.sends = new Sends({
      requests: { ask: this.ask.bind(this) },
      self: () => this.user?.name ?? '',
      prepared: (roomId) => this.directory.find(roomId)?.feed?.started() ?? Promise.resolve(),
      confirmed: (message) => {
        this.directory.find(message.roomId)?.feed?.takeOwn(message);
      },
    });
    this.downloads = new Downloads({
      requests: { ask: this.ask.bind(this) },
      renewConnection: (reason) => {
        this.connection.drop(reason);
      },
    });
  }

  get user(): User | undefined {
    return this.session.user;
  }

  get rooms(): readonly Room[] {
    return this.directory.entered().map(({ id }) => this.room(id));
  }

  get publicRooms(): readonly PublicRoom[] {
    return this.#publicRooms;
  }

  room(id: string): Room {
    const known = this.#rooms.get(id);
    if (known) return known;
    const room = new Room(this, this.directory.factsOf(id));
    this.#rooms.set(id, room);
    const listed = this.#publicRooms.find((candidate) => candidate.id === id);
    if (listed) this.directory.learn(id, { ...listed, visibility: 'public' });
    return room;
  }

  /** Asks as the user. @throws ParleyClientError `not_authenticated` where there is none; as `Requests.ask`. */
  async ask(action: Action, data: Fields, options: RequestOptions = {}): Promise<Fields> {
    this.#throwIfClosed();
    if (!this.user) throw new ParleyClientError('not_authenticated', { message: 'Log in first.' });
    return this.requests.ask(action, data, options);
  }

  /** Connects, where the client is not connected, and asks before there is a user. */
  async register(name: string, password: string, options: RequestOptions): Promise<void> {
    this.start();
    await this.requests.ask('register', { chatid: name, password }, { ...options, isUrgent: true });
  }

  async logIn(name: string, proof: Proof, isGuest: boolean, options: RequestOptions): Promise<User> {
    if (this.user) {
      throw new ParleyClientError('already_logged_in', {
        message: 'This client is logged in; log out first.',
      });
    }
    this.start();
    await this.session.logIn(name, proof, isGuest, options);
    void this.#synchronize();
    await unlessAborted(this.#synchronized.promise, options.signal);
    return { name, isGuest, ...this.session.user };
  }

  async logOut(options: RequestOptions): Promise<void> {
    if (!this.user) return;
    await this.ask('logout', {}, options);
    this.end('logged-out');
  }

  async join(roomId: string, options: RequestOptions): Promise<Room> {
    await this.ask('join_room', { room_id: roomId }, options);
    return this.room(roomId);
  }

  async upload(roomId: string, from: Blob | UploadSource, options: UploadOptions): Promise<FileFacts> {
    const requests = { ask: this.ask.bind(this) };
    const file = await new Upload(requests, roomId, sourceOf(from), options).run();
    // Nobody tells the sender of the message that announces it.
    this.directory.find(roomId)?.feed?.catchUp();
    return file;
  }

  download(roomId: string, name: string, options: DownloadOptions): Promise<FileDownload> {
    return this.downloads.open(roomId, name, options);
  }

  async watch(isWatching: boolean, options: RequestOptions): Promise<void> {
    this.#isWatching = isWatching;
    await this.ask('watch_rooms', { watch: isWatching }, options);
  }

  start(): void {
    if (this.connection.state.status === 'closed' && this.connection.state.reason === 'closed') {
      this.#throwIfClosed();
    }
    this.#stopWatchingNetwork ??= watchNetwork({
      offline: () => {
        this.connection.drop('This device is offline.');
      },
      online: () => {
        this.connection.hurry();
      },
    });
    this.connection.start();
  }

  /** Ends everything that waits, and the connection. */
  end(reason: CloseReason): void {
    const { state } = this.connection;
    if (state.status === 'closed' && (state.reason === 'closed' || reason !== 'closed')) return;
    this.connection.end(reason);
    this.#ended(reason);
  }

  #throwIfClosed(): void {
    const { state } = this.connection;
    if (state.status === 'closed') throw new ParleyClientError(endings[state.reason].code);
  }

  #ended(reason: CloseReason): void {
    const { code, endsQuietly } = endings[reason];
    const error = new ParleyClientError(code);
    this.#synchronized.reject(error);
    this.#synchronized = newOutcome();
    this.#stopWatchingNetwork?.();
    this.#stopWatchingNetwork = undefined;
    this.#isWatching = false;
    this.requests.fail(error);
    this.streams.endAll(endsQuietly ? undefined : error);
    this.directory.clear();
    this.session.end(reason === 'logged-out' || reason === 'session-ended');
  }

  /** A new connection is there: the same user, in the same rooms. */
  async #restore(): Promise<void> {
    const { signal } = this.#connected;
    this.requests.open('urgent');
    const wasLoggedIn = this.user !== undefined;
    try {
      if (wasLoggedIn) await this.session.restore(signal);
      if (this.user?.isGuest) await this.#rejoin(signal);
    } catch (thrown) {
      if (!signal.aborted) this.#notRestored(thrown);
      return;
    }
    if (signal.aborted) return;
    this.connection.ready();
    this.requests.open('open');
    if (wasLoggedIn) await this.#synchronize();
  }

  #notRestored(thrown: unknown): void {
    const { code, message, details } = thrown as ParleyClientError;
    if (lostSession.includes(code)) this.end('session-ended');
    else this.connection.drop(message, details.retryAfterMs);
  }

  /** Guests are present in the rooms that their connection joined. */
  async #rejoin(signal: AbortSignal): Promise<void> {
    const joins = this.directory.entered().map(async ({ id }) => {
      try {
        await this.requests.ask('join_room', { room_id: id }, { signal, isUrgent: true });
      } catch (thrown) {
        if (!(thrown instanceof ParleyClientError) || !lostRoom.includes(thrown.code)) throw thrown;
        this.directory.leave(id, thrown.code === 'room_not_found' ? 'deleted' : 'removed');
      }
    });
    await Promise.all(joins);
  }

  /** Finds out which rooms the user is in, and lets their feeds go on. */
  async #synchronize(): Promise<void> {
    const { signal } = this.#connected;
    try {
      if (this.#isWatching) void this.#ask('watch_rooms', { watch: true }, signal).catch(() => undefined);
      await this.#refresh(signal);
      for (const { feed } of this.directory.entered()) feed?.connected();
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const message of early) this.#takeDelivered(message);
      this.#synchronized.resolve(undefined);
    } catch (thrown) {
      if (!signal.aborted) this.connection.drop((thrown as Error).message);
    }
  }

  /** Reads the list of the user's rooms, and what is known of them. */
  async #refresh(signal: AbortSignal): Promise<void> {
    const read = () => this.#ask('get_rooms', { scope: 'mine' }, signal);
    for (const feed of await this.directory.readList(read, this.user?.isGuest ?? false)) feed.connected();
  }

  #lost(): void {
    this.#connected.abort();
    this.#connected = new AbortController();
    this.#early = [];
    this.#receiving.stop();
    this.requests.lost();
    this.sends.lost();
    for (const { feed } of this.directory.entered()) feed?.disconnected();
    const { state } = this.connection;
    if (state.status === 'closed') this.#ended(state.reason);
  }

  /** Any answer at all shows that the other end is there; without one, the connection is dropped. */
  #probe(): void {
    this.requests.ask('watch_rooms', { watch: this.#isWatching }, { isUrgent: true }).catch(() => undefined);
  }

  /** Asks on this connection, until there is an answer. */
  #ask(action: Action, data: Fields, signal: AbortSignal): Promise<Fields> {
    return persistently(() => this.requests.ask(action, data, { signal }), signal);
  }

  #newFeed(roomId: string, base: number | undefined): RoomFeed {
    const room = this.room(roomId);
    return new RoomFeed(
      {
        readBase: (signal) => this.#readBase(roomId, signal),
        readAfter: (after, signal) => this.#readAfter(roomId, after, signal),
        hasSendsUnderWay: () => this.sends.isUnderWay(roomId),
        deliver: (message) => {
          this.events.emit('message', { room, message });
          this.#receiving.told(roomId, message.id, message.sender === this.user?.name);
        },
        failed: (error) => {
          // Who is in the room no more is about to be told so.
          const { code, message } = error as ParleyClientError;
          if (!lostRoom.includes(code)) this.connection.drop(message);
        },
      },
      base,
    );
  }

  /** Under the handshake a room goes on after what its user has acknowledged, on whatever connection. */
  async #readBase(roomId: string, signal: AbortSignal): Promise<number> {
    if (this.#settings.handshake && !this.user?.isGuest) {
      const receipts = list(await this.#ask('get_receipts', { room_id: roomId }, signal), 'receipts');
      const own = receipts.find((receipt) => text(receipt, 'chatid') === this.user?.name);
      if (own) return number(own, 'message_id');
    }
    const data = await this.#ask('get_messages', { room_id: roomId, limit: 1 }, signal);
    const [newest] = list(data, 'messages');
    return newest ? number(newest, 'message_id') : 0;
  }

  async #readAfter(roomId: string, after: number, signal: AbortSignal): Promise<HistoryPage> {
    const data = await this.#ask('get_messages', { room_id: roomId, after_id: after }, signal);
    return {
      messages: list(data, 'messages').map((line) => messageOf(roomId, line)),
      hasMore: data['has_more'] === true,
    };
  }

  /**
   * Everything that the server says. What a frame changes is changed at once, also where it answers a request: frames may follow
   * before who asked gets its turn.
   */
  #hear(frameText: string): void {
    const frame = readFrame(frameText);
    if (!frame) return;
    if (frame.action === 'character_count') {
      this.#confirmCount(frame);
      return;
    }
    if (frame.status !== 'error') this.#notice(frame, frameText);
    this.requests.take(frame);
  }

  #confirmCount(frame: Frame): void {
    const confirm = this.requests.takeCount(frame);
    const transaction_id = text(frame.data, 'transaction_id');
    this.connection.send(writeFrame('confirm_count', { transaction_id, confirm }));
  }

  #notice(frame: Frame, frameText: string): void {
    const { action, data } = frame;
    const roomId = text(data, 'room_id');
    switch (action) {
      case 'login_success':
        this.session.take(data);
        break;
      case 'user_renamed':
        this.session.rename(text(data, 'chatid'));
        break;
      case 'receive_message':
      case 'receive_file':
        this.#receiving.received(frameText, frame);
        this.#takeDelivered(messageOf(roomId, data));
        break;
      case 'confirm_count':
        this.#receiving.countConfirmed(frame);
        break;
      case 'ack':
        this.sends.noticeConfirmation(data);
        break;
      case 'message_delivered':
        this.events.emit('delivered', {
          room: this.room(roomId),
          messageId: number(data, 'message_id'),
          reader: text(data, 'chatid'),
        });
        break;
      case 'public_rooms':
        this.#takePublicRooms(data);
        break;
      case 'file_down_meta':
      case 'file_down_data':
        this.downloads.take(frame);
        break;
      default:
        this.#noticeRoom(action, roomId, data);
    }
  }

  #noticeRoom(action: string, roomId: string, data: Fields): void {
    switch (action) {
      case 'room_created':
        // Guests are not in a room before they join it.
        if (!this.user?.isGuest) this.#enter(roomId, factsIn(data), 0);
        break;
      case 'user_added':
        this.#member(roomId, 'added', text(data, 'user_added'), factsIn(data));
        break;
      case 'room_joined':
        this.#member(roomId, 'joined', text(data, 'chatid'), factsIn(data));
        break;
      case 'user_removed':
        this.#member(roomId, 'removed', text(data, 'user_removed'), {});
        break;
      case 'room_left':
        this.#member(roomId, 'left', text(data, 'chatid'), {});
        break;
      case 'room_renamed':
        this.directory.rename(roomId, text(data, 'new_room_name'));
        break;
      case 'room_deleted':
        this.directory.leave(roomId, 'deleted');
        break;
    }
  }

  #member(
    roomId: string,
    change: ClientEvents['members']['change'],
    name: string,
    facts: Partial<RoomFacts>,
  ): void {
    const isEntry = change === 'added' || change === 'joined';
    if (name !== this.user?.name) this.events.emit('members', { room: this.room(roomId), change, name });
    else if (isEntry) this.#enter(roomId, facts);
    else this.directory.leave(roomId, change);
  }

  /** The user is in a room, perhaps a new one; frames tell little of it. */
  #enter(roomId: string, facts: Partial<RoomFacts>, base?: number): void {
    const { feed, isNew } = this.directory.enter(roomId, facts, base);
    if (!isNew) return;
    feed.connected();
    this.#refresh(this.#connected.signal).catch(() => undefined);
  }

  #takeDelivered(message: Message): void {
    const feed = this.directory.find(message.roomId)?.feed;
    if (feed) feed.takeDelivered(message);
    else if (this.#early && this.#early.length < maxEarly) this.#early.push(message);
  }

  #takePublicRooms(data: Fields): void {
    this.#publicRooms = list(data, 'rooms').map((room) => ({
      id: text(room, 'id'),
      name: text(room, 'name'),
      users: number(room, 'users'),
    }));
    for (const { id, name, users } of this.#publicRooms) {
      const known = this.directory.find(id);
      if (known && (known.name !== name || known.users !== users || known.visibility !== 'public')) {
        this.directory.learn(id, { name, users, visibility: 'public' });
      }
    }
    this.events.emit('public-rooms', this.#publicRooms);
  }
}

/** Whether anybody waits for it or not. */
function newOutcome(): PromiseWithResolvers<undefined> {
  const outcome = Promise.withResolvers<undefined>();
  outcome.promise.catch(() => undefined);
  return outcome;
}

/** What a notification tells of its room. */
function factsIn(data: Fields): Partial<RoomFacts> {
  const { room_name: name, owner } = data;
  return {
    ...(typeof name === 'string' && { name }),
    ...((typeof owner === 'string' || owner === null) && { owner }),
  };
}
