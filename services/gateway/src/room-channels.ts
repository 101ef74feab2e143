import { findLastIds, replay, subjects } from '@parley/protocol';
import type { MessageId, MessagesCommitted, RoomChange, RoomChanged, RoomId } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, BusSubscription, Log } from '@parley/service-kit';
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
      if (connection.deliveries) channel.follow(connection, connection.deliveries);
      else channel.attach(connection, after);
      this.#parts.presence.enter(roomId, connection);
    }
    return started;
  }

  detach(connection: Connection, roomId: RoomId): void {
    const channel = this.#open.get(roomId)?.channel;
    if (!channel?.has(connection)) return;
    this.#parts.presence.leave(roomId, connection);
    connection.deliveries?.unfollow(roomId);
    channel.detach(connection);
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
      const lastIds = await this.#readLastIds(some);
      some.forEach((channel, index) => {
        channel.start(lastIds[index]!);
      });
    }
  }

  /** Reads the last ids, as often as it takes. */
  async #readLastIds(channels: readonly RoomChannel<Connection>[]): Promise<MessageId[]> {
    const roomIds = channels.map(({ roomId }) => roomId);
    for (;;) {
      try {
        await this.#parts.bus.flush();
        const context = createContext(this.#parts.requestTimeoutMs);
        return (await this.#parts.bus.call(findLastIds, { roomIds }, context)).lastIds;
      } catch (err) {
        this.#parts.log.warn({ err, rooms: roomIds.length }, 'last ids unavailable, rooms wait');
        await new Promise((resolve) => setTimeout(resolve, retryMs * (1 + Math.random())));
      }
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

  #changed(channel: RoomChannel<Connection>, { change, origin }: RoomChanged): void {
    const concerned = concernedUser(change);
    channel.tell(change, ({ id, session }) => id === origin || session?.userId === concerned);
    if (change.type === 'room-deleted') {
      for (const connection of channel.connections) this.#parts.roomGone(connection, channel.roomId);
    }
  }

  #close(roomId: RoomId, channel: RoomChannel<Connection>): void {
    const open = this.#open.get(roomId);
    if (open?.channel !== channel) return;
    open.subscription.unsubscribe();
    channel.close();
    this.#open.delete(roomId);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Who came or went: told by an event of its own. */
function concernedUser(change: RoomChange) {
  return 'user' in change ? change.user.userId : undefined;
}
