import { findLastIds, findPublicRoom, findRooms, ParleyError, replay, subjects } from '@parley/protocol';
import type {
  MessageId,
  MessagesCommitted,
  PresenceChanged,
  Room,
  RoomChange,
  RoomChanged,
  RoomId,
  SentMessage,
} from '@parley/protocol';
import { createContext, Gatherer } from '@parley/service-kit';
import type { Bus, BusSubscription, Log, RequestContext } from '@parley/service-kit';
import type { Connection } from '../connection/connection.ts';
import { rooms } from '../metrics.ts';
import type { Admission } from './admission.ts';
import { noteArrival } from './delivery-spans.ts';
import type { PresenceReporter } from './presence-reporter.ts';
import { RoomChannel } from './room-channel.ts';

interface OpenChannel {
  channel: RoomChannel<Connection>;
  subscription: BusSubscription;
  started: Promise<unknown>;
  /** The room's name as connections were told it before its events were heard here. */
  toldNames: Map<Connection, string>;
}

/** `closed`: not to the one that it was asked for; it has to be asked for another. */
type Beginning = 'over' | 'closed';

export interface RoomChannelsParts {
  bus: Bus;
  log: Log;
  requestTimeoutMs: number;
  presence: PresenceReporter;
  /** The room is no more for these connections. */
  roomGone: (connection: Connection, roomId: RoomId) => void;
  /** A service says that the connection's user is not in the room. */
  doubted: (connection: Connection, roomId: RoomId) => void;
}

/** How often the last ids of all open rooms are compared, for events that got lost without a trace, in ms. */
const compareEveryMs = 5_000;
const maxRoomsPerRequest = 1_000;
const retryMs = 250;

/** The channels of all rooms that somebody here is in: each is open as long as somebody is. */
export class RoomChannels implements Disposable {
  readonly #parts: RoomChannelsParts;
  readonly #open = new Map<RoomId, OpenChannel>();
  /** The open ones that are public, by name. */
  readonly #byName = new Map<string, RoomId>();
  readonly #timer: NodeJS.Timeout;
  readonly #counted: Disposable;
  readonly #starting = new Gatherer<RoomChannel<Connection>, Beginning>(maxRoomsPerRequest, (channels) =>
    this.#startAll(channels),
  );

  constructor(parts: RoomChannelsParts) {
    this.#parts = parts;
    this.#counted = rooms.from(() => this.size);
    this.#timer = setInterval(() => {
      void this.#compareLastIds();
    }, compareEveryMs);
    parts.bus.onReconnect(() => {
      void this.#compareLastIds();
      void this.#compareRooms();
    });
  }

  /**
   * Puts the connection into the room's channel. Its own user counts as present there.
   * @param admission Its user's own.
   * @param after What follows this message is delivered; by default what is sent from when the channel is ready.
   * @returns Resolves when the channel is ready.
   */
  attach(connection: Connection, admission: Admission, after?: MessageId): Promise<unknown> {
    const { roomId } = admission;
    if (!admission.isOf(connection.user.userId))
      throw new Error('a connection got the admission of another user');
    const { channel, started, toldNames } = this.#open.get(roomId) ?? this.#openChannel(roomId);
    if (!channel.has(connection)) {
      const toldName = admission.nameToldTo(connection.id);
      if (toldName !== undefined && channel.name === undefined) toldNames.set(connection, toldName);
      const { deliveries } = connection;
      deliveries?.follow(roomId, after === undefined ? undefined : [[0, after]], false);
      if (deliveries) channel.follow(connection, deliveries);
      else channel.attach(connection, after);
      this.#parts.presence.enter(roomId, connection.user.name);
    }
    return started;
  }

  /**
   * Takes the connection out of the room's channel: its user has left.
   * @returns The last message that it got; 0 where there is none, or it acknowledges what it gets.
   */
  detach(connection: Connection, roomId: RoomId): MessageId {
    const lastId = this.#takeOut(connection, roomId);
    if (lastId !== undefined) this.#parts.presence.leave(roomId, connection.user.name);
    return lastId ?? 0;
  }

  /** Takes a lost connection out of all its rooms: its user may be back in a moment. */
  lose(connection: Connection, roomIds: Iterable<RoomId>): void {
    const left = [...roomIds].filter((roomId) => this.#takeOut(connection, roomId) !== undefined);
    this.#parts.presence.lose(left, connection.user.name);
  }

  /** Undefined where it was not in the room; otherwise as {@link detach}. */
  #takeOut(connection: Connection, roomId: RoomId): MessageId | undefined {
    const channel = this.#open.get(roomId)?.channel;
    if (!channel?.has(connection)) return undefined;
    connection.deliveries?.unfollow(roomId);
    return channel.detach(connection);
  }

  /** How many rooms somebody here is in. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether the connection is in the room. */
  has(connection: Connection, roomId: RoomId): boolean {
    return this.#open.get(roomId)?.channel.has(connection) ?? false;
  }

  /** The room's name, where somebody here is in it. */
  nameOf(roomId: RoomId): string | undefined {
    return this.#open.get(roomId)?.channel.name;
  }

  /** The public room of that name. @throws ParleyError `room_not_found`, `unavailable`. */
  async findByName(name: string, context: () => RequestContext): Promise<RoomId> {
    const { roomId } = await this.#parts.bus.call(findPublicRoom, { name }, context());
    return roomId;
  }

  /** The same where somebody here is in it: a connection that is needs not ask. */
  findOpenByName(name: string): RoomId | undefined {
    return this.#byName.get(name);
  }

  /** A message of the room is known to exist. */
  noticeLastId(roomId: RoomId, lastId: MessageId): void {
    this.#open.get(roomId)?.channel.noticeLastId(lastId);
  }

  /** Resolves when the message has gone out to the connection; undefined where it has, or the connection is not in the room. */
  whenDelivered(connection: Connection, roomId: RoomId, messageId: MessageId): Promise<void> | undefined {
    return this.#open.get(roomId)?.channel.whenDelivered(connection, messageId);
  }

  /** Whether the connection is in the room and the message has gone out there. */
  wasDelivered(connection: Connection, roomId: RoomId, messageId: MessageId): boolean {
    const channel = this.#open.get(roomId)?.channel;
    return channel !== undefined && channel.has(connection) && messageId <= channel.position;
  }

  #openChannel(roomId: RoomId): OpenChannel {
    const channel = new RoomChannel<Connection>(roomId, {
      readAfter: (id, after, connection) => this.readAfter(connection, id, after),
      emptied: () => {
        this.#close(roomId, channel);
      },
      repairFailed: (id, err) => {
        this.#parts.log.warn({ err, roomId: id }, 'history unavailable, repair waits');
      },
    });
    const subscription = this.#parts.bus.subscribe(subjects.roomEvents(roomId), (event, subject) => {
      if (subject === subjects.roomMessages(roomId)) {
        noteArrival(event as MessagesCommitted);
        channel.hear((event as MessagesCommitted).messages);
      } else if (subject === subjects.roomPresence(roomId)) tellPresence(channel, event as PresenceChanged);
      else this.#changed(channel, event as RoomChanged);
    });
    const open = { channel, subscription, started: this.#start(channel), toldNames: new Map() };
    this.#open.set(roomId, open);
    return open;
  }

  /** Where the room is closed to the one that it was asked for, who has to go then, perhaps it is not to the others. */
  async #start(channel: RoomChannel<Connection>): Promise<void> {
    while ((await this.#starting.add(channel)) === 'closed') {
      await new Promise((resolve) => setTimeout(resolve, retryMs));
      if (!channel.someone) return;
    }
  }

  /** Subscribed first, then the last ids are read, so nothing falls between. */
  async #startAll(channels: readonly RoomChannel<Connection>[]): Promise<Beginning[]> {
    const { rooms, lastIds } = await this.#readBeginnings(channels);
    return channels.map((channel, index) => {
      const room = rooms.get(channel.roomId)!;
      if (room === 'closed') return 'closed';
      if (room === 'gone') this.#gone(channel);
      else this.#begin(channel, room, lastIds[index]!);
      return 'over';
    });
  }

  /** Reads the rooms and their last ids, as often as it takes. */
  async #readBeginnings(channels: readonly RoomChannel<Connection>[]) {
    const roomIds = channels.map(({ roomId }) => roomId);
    for (;;) {
      try {
        const context = createContext(this.#parts.requestTimeoutMs);
        const [rooms, { lastIds }] = await Promise.all([
          this.#readRooms(channels),
          this.#parts.bus.call(findLastIds, { roomIds }, context),
        ]);
        return { rooms, lastIds };
      } catch (err) {
        this.#parts.log.warn({ err, rooms: roomIds.length }, 'last ids unavailable, rooms wait');
        await new Promise((resolve) => setTimeout(resolve, retryMs * (1 + Math.random())));
      }
    }
  }

  /** Each for somebody who is in it here. Who is not after all is doubted. */
  async #readRooms(
    channels: readonly RoomChannel<Connection>[],
  ): Promise<ReadonlyMap<RoomId, Room | 'closed' | 'gone'>> {
    const readers = new Map(channels.map(({ roomId, someone }) => [roomId, someone]));
    const asked = [...readers].flatMap(([roomId, reader]) =>
      reader?.session ? [{ roomId, userId: reader.session.userId }] : [],
    );
    const { bus, requestTimeoutMs, doubted } = this.#parts;
    const { rooms, closed } = await bus.call(findRooms, { rooms: asked }, createContext(requestTimeoutMs));
    const wasAsked = new Set(asked.map(({ roomId }) => roomId));
    const found = new Map<RoomId, Room | 'closed' | 'gone'>(
      channels.map(({ roomId }) => [roomId, wasAsked.has(roomId) ? 'gone' : 'closed']),
    );
    for (const room of rooms) found.set(room.roomId, room);
    for (const roomId of closed) {
      found.set(roomId, 'closed');
      doubted(readers.get(roomId)!, roomId);
    }
    return found;
  }

  /**
   * What follows a message of a room that the connection is in, oldest first.
   * @param limit By default as many as fit a page.
   * @throws ParleyError `unavailable`; `not_in_room` or `room_not_found`, then the connection is looked after.
   */
  async readAfter(
    connection: Connection,
    roomId: RoomId,
    after: MessageId,
    limit?: number,
  ): Promise<{ messages: readonly SentMessage[]; hasMore: boolean }> {
    const { bus, requestTimeoutMs, doubted } = this.#parts;
    const { session } = connection;
    if (!session) throw new ParleyError('unavailable');
    const request = { roomId, readerId: session.userId, after, ...(limit !== undefined && { limit }) };
    try {
      return await bus.call(replay, request, createContext(requestTimeoutMs));
    } catch (thrown) {
      const { code } = ParleyError.from(thrown);
      const channel = this.#open.get(roomId)?.channel;
      if (code === 'not_in_room') doubted(connection, roomId);
      else if (code === 'room_not_found' && channel) this.#gone(channel);
      throw thrown;
    }
  }

  #begin(channel: RoomChannel<Connection>, { roomId, name, visibility }: Room, lastId: MessageId): void {
    // What was heard meanwhile is as new or newer.
    if (channel.name === undefined) this.#tellRenamed(channel, name);
    channel.name ??= name;
    this.#open.get(roomId)?.toldNames.clear();
    if (visibility === 'public') this.#byName.set(channel.name, roomId);
    channel.start(lastId);
  }

  /** A rename right after somebody entered may have been told before the room's events were heard here. */
  #tellRenamed(channel: RoomChannel<Connection>, newName: string): void {
    const { roomId } = channel;
    for (const [connection, oldName] of this.#open.get(roomId)?.toldNames ?? []) {
      if (oldName === newName || !channel.has(connection)) continue;
      connection.tell({ type: 'room-renamed', roomId, oldName, newName });
    }
  }

  async #compareLastIds(): Promise<void> {
    const channels = [...this.#open.values()].map(({ channel }) => channel);
    for (let start = 0; start < channels.length; start += maxRoomsPerRequest) {
      const some = channels.slice(start, start + maxRoomsPerRequest);
      const roomIds = some.map(({ roomId }) => roomId);
      try {
        const context = createContext(this.#parts.requestTimeoutMs);
        const { lastIds } = await this.#parts.bus.call(findLastIds, { roomIds }, context);
        some.forEach((channel, index) => {
          channel.noticeLastId(lastIds[index]!);
        });
      } catch (err) {
        this.#parts.log.debug({ err }, 'last ids could not be compared, next time');
      }
    }
  }

  /** Looks for renames and deletions that were not heard of. */
  async #compareRooms(): Promise<void> {
    const channels = [...this.#open.values()].map(({ channel }) => channel);
    for (let start = 0; start < channels.length; start += maxRoomsPerRequest) {
      const some = channels.slice(start, start + maxRoomsPerRequest);
      try {
        const rooms = await this.#readRooms(some);
        for (const channel of some) {
          const { roomId, name: oldName } = channel;
          const room = rooms.get(roomId)!;
          if (room === 'gone') this.#gone(channel);
          else if (room !== 'closed' && oldName !== undefined && room.name !== oldName) {
            const change = { type: 'room-renamed', roomId, oldName, newName: room.name } as const;
            this.#changed(channel, { change, origin: undefined });
          }
        }
      } catch (err) {
        this.#parts.log.warn({ err }, 'rooms could not be compared');
      }
    }
  }

  /** The room is no more, and nobody told. */
  #gone(channel: RoomChannel<Connection>): void {
    const { roomId, name: roomName = '' } = channel;
    this.#changed(channel, { change: { type: 'room-deleted', roomId, roomName }, origin: undefined });
  }

  #changed(channel: RoomChannel<Connection>, { change, origin }: RoomChanged): void {
    const concerned = concernedUser(change);
    channel.tell(change, ({ id, session }) => id === origin || session?.userId === concerned);
    if (change.type === 'room-renamed') {
      const isPublic = this.#byName.get(change.oldName) === channel.roomId;
      if (isPublic) this.#byName.delete(change.oldName);
      if (isPublic) this.#byName.set(change.newName, channel.roomId);
      channel.name = change.newName;
    } else if (change.type === 'room-deleted') {
      for (const connection of channel.connections) this.#parts.roomGone(connection, channel.roomId);
    }
  }

  #close(roomId: RoomId, channel: RoomChannel<Connection>): void {
    const open = this.#open.get(roomId);
    if (open?.channel !== channel) return;
    open.subscription.unsubscribe();
    channel.close();
    this.#open.delete(roomId);
    if (channel.name !== undefined && this.#byName.get(channel.name) === roomId)
      this.#byName.delete(channel.name);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#counted[Symbol.dispose]();
  }
}

function tellPresence(channel: RoomChannel<Connection>, { roomId, joined, left }: PresenceChanged): void {
  const events = [
    ...left.map((user) => ({ type: 'user-left', roomId, user }) as const),
    ...joined.map((user) => ({ type: 'user-joined', roomId, user }) as const),
  ];
  channel.tellPresence(events, ({ session }) => session?.name);
}

/** Who came or went: told by an event of its own. */
function concernedUser(change: RoomChange) {
  return 'user' in change ? change.user.userId : undefined;
}
