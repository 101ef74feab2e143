import { findLastIds, findPublicRoom, findRooms, replay, subjects } from '@parley/protocol';
import type {
  MessageId,
  MessagesCommitted,
  PresenceChanged,
  Room,
  RoomChange,
  RoomChanged,
  RoomId,
} from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, BusSubscription, Log, RequestContext } from '@parley/service-kit';
import type { Connection } from './connection.ts';
import type { PresenceReporter } from './presence-reporter.ts';
import { RoomChannel } from './room-channel.ts';

interface OpenChannel {
  channel: RoomChannel<Connection>;
  subscription: BusSubscription;
  started: Promise<void>;
}

export interface RoomChannelsParts {
  bus: Bus;
  log: Log;
  requestTimeoutMs: number;
  presence: PresenceReporter;
  /** The room is no more for these connections. */
  roomGone: (connection: Connection, roomId: RoomId) => void;
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
  /** The rooms whose channels were asked for in this turn: they are started together. */
  #starting: RoomChannel<Connection>[] = [];
  #startingDone: Promise<void> | undefined;

  constructor(parts: RoomChannelsParts) {
    this.#parts = parts;
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
   * @param after What follows this message is delivered; by default what is sent from when the channel is ready.
   * @returns Resolves when the channel is ready.
   */
  attach(connection: Connection, roomId: RoomId, after?: MessageId): Promise<void> {
    const { channel, started } = this.#open.get(roomId) ?? this.#openChannel(roomId);
    if (!channel.has(connection)) {
      const { deliveries } = connection;
      deliveries?.follow(roomId, after === undefined ? undefined : [[0, after]], false);
      if (deliveries) channel.follow(connection, deliveries);
      else channel.attach(connection, after);
      this.#parts.presence.enter(roomId, connection.user.name);
    }
    return started;
  }

  /** Takes the connection out of the room's channel: its user has left. */
  detach(connection: Connection, roomId: RoomId): void {
    if (this.#takeOut(connection, roomId)) this.#parts.presence.leave(roomId, connection.user.name);
  }

  /** Takes a lost connection out of all its rooms: its user may be back in a moment. */
  lose(connection: Connection, roomIds: Iterable<RoomId>): void {
    const left = [...roomIds].filter((roomId) => this.#takeOut(connection, roomId));
    this.#parts.presence.lose(left, connection.user.name);
  }

  #takeOut(connection: Connection, roomId: RoomId): boolean {
    const channel = this.#open.get(roomId)?.channel;
    if (!channel?.has(connection)) return false;
    connection.deliveries?.unfollow(roomId);
    channel.detach(connection);
    return true;
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

  /** Whether the connection is in the room and the message has gone out there. */
  wasDelivered(connection: Connection, roomId: RoomId, messageId: MessageId): boolean {
    const channel = this.#open.get(roomId)?.channel;
    return channel !== undefined && channel.has(connection) && messageId <= channel.position;
  }

  #openChannel(roomId: RoomId): OpenChannel {
    const channel = new RoomChannel<Connection>(roomId, {
      readAfter: (id, after) =>
        this.#parts.bus.call(replay, { roomId: id, after }, createContext(this.#parts.requestTimeoutMs)),
      emptied: () => {
        this.#close(roomId, channel);
      },
      repairFailed: (id, err) => {
        this.#parts.log.warn({ err, roomId: id }, 'history unavailable, repair waits');
      },
    });
    const subscription = this.#parts.bus.subscribe(subjects.roomEvents(roomId), (event, subject) => {
      if (subject === subjects.roomMessages(roomId)) channel.hear((event as MessagesCommitted).messages);
      else if (subject === subjects.roomPresence(roomId)) tellPresence(channel, event as PresenceChanged);
      else this.#changed(channel, event as RoomChanged);
    });
    this.#starting.push(channel);
    this.#startingDone ??= this.#startAll();
    const open = { channel, subscription, started: this.#startingDone };
    this.#open.set(roomId, open);
    return open;
  }

  /** Subscribed first, then the last ids are read, so nothing falls between. */
  async #startAll(): Promise<void> {
    await new Promise(setImmediate);
    const channels = this.#starting;
    this.#starting = [];
    this.#startingDone = undefined;
    for (let start = 0; start < channels.length; start += maxRoomsPerRequest) {
      const some = channels.slice(start, start + maxRoomsPerRequest);
      const { rooms, lastIds } = await this.#readBeginnings(some);
      some.forEach((channel, index) => {
        const room = rooms.get(channel.roomId);
        if (room) this.#begin(channel, room, lastIds[index]!);
        else this.#gone(channel);
      });
    }
  }

  /** Reads the rooms and their last ids, as often as it takes. */
  async #readBeginnings(channels: readonly RoomChannel<Connection>[]) {
    const roomIds = channels.map(({ roomId }) => roomId);
    for (;;) {
      try {
        const context = createContext(this.#parts.requestTimeoutMs);
        const [rooms, { lastIds }] = await Promise.all([
          this.#readRooms(roomIds),
          this.#parts.bus.call(findLastIds, { roomIds }, context),
        ]);
        return { rooms, lastIds };
      } catch (err) {
        this.#parts.log.warn({ err, rooms: roomIds.length }, 'last ids unavailable, rooms wait');
        await new Promise((resolve) => setTimeout(resolve, retryMs * (1 + Math.random())));
      }
    }
  }

  async #readRooms(roomIds: RoomId[]): Promise<ReadonlyMap<RoomId, Room>> {
    const { rooms } = await this.#parts.bus.call(
      findRooms,
      { roomIds },
      createContext(this.#parts.requestTimeoutMs),
    );
    return new Map(rooms.map((room) => [room.roomId, room]));
  }

  #begin(channel: RoomChannel<Connection>, { roomId, name, visibility }: Room, lastId: MessageId): void {
    // What was heard meanwhile is as new or newer.
    channel.name ??= name;
    if (visibility === 'public') this.#byName.set(channel.name, roomId);
    channel.start(lastId);
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
        const rooms = await this.#readRooms(some.map(({ roomId }) => roomId));
        for (const channel of some) {
          const { roomId, name: oldName } = channel;
          const newName = rooms.get(roomId)?.name;
          if (newName === undefined) this.#gone(channel);
          else if (oldName !== undefined && newName !== oldName) {
            const change = { type: 'room-renamed', roomId, oldName, newName } as const;
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
