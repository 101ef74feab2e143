import {
  beginReading,
  everywhere,
  findMemberships,
  maxReceiptsPerRequest,
  ParleyError,
  subjects,
} from '@parley/protocol';
import type { RoomEvent, RoomId, UserEvent, UserId } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, BusSubscription, Log, RequestContext } from '@parley/service-kit';
import { closeCodes, isAmong } from './connection.ts';
import type { BoundSession, Connection, LoginOptions } from './connection.ts';
import { before } from './deadline.ts';
import { isSessionOpen } from './open-sessions.ts';
import type { PresenceReporter } from './presence-reporter.ts';
import type { RoomChannels } from './room-channels.ts';

interface LocalUser {
  connections: Set<Connection>;
  rooms: Set<RoomId>;
  subscription: BusSubscription;
}

export interface LocalUsersParts {
  bus: Bus;
  log: Log;
  requestTimeoutMs: number;
  channels: RoomChannels;
  presence: PresenceReporter;
}

/** Users with connections of the login dialect here: each is present in all its user's rooms, as long as they are its. */
export class LocalUsers {
  readonly #parts: LocalUsersParts;
  readonly #users = new Map<UserId, LocalUser>();

  constructor(parts: LocalUsersParts) {
    this.#parts = parts;
    parts.bus.onReconnect(() => {
      for (const userId of this.#users.keys()) void this.#reconcile(userId);
    });
  }

  /**
   * Binds a connection to its session and puts it into its user's rooms. What happens there from now on is held back by
   * the connection until its login is answered.
   * @throws ParleyError `unavailable`; then nothing is bound.
   */
  async add(
    connection: Connection,
    session: BoundSession,
    options: LoginOptions,
    context: RequestContext,
  ): Promise<void> {
    const { bus, presence } = this.#parts;
    connection.hold();
    connection.bind(session, options);
    const user = this.#users.get(session.userId) ?? this.#subscribe(session.userId);
    user.connections.add(connection);
    presence.enter(everywhere, session.name);
    try {
      // Subscribed first, then the rooms are read, so that no change falls between.
      const [{ rooms }, isCurrent] = await Promise.all([
        bus.call(findMemberships, { userId: session.userId }, context),
        isSessionOpen(bus, session, context, connection.id),
      ]);
      // Ended between its opening and our listening: nobody would tell us any more.
      if (!isCurrent || !connection.isOpen()) throw new ParleyError('unavailable');
      const roomIds = rooms.map(({ roomId }) => roomId);
      if (options.handshake) await this.#followOwed(connection, session, roomIds, context);
      if (!connection.isOpen()) throw new ParleyError('unavailable');
      const ready = roomIds.map((roomId) => this.#enter(user, roomId, [connection]));
      await before(context.deadline, Promise.all([...ready, presence.report()]));
      if (!connection.isOpen()) throw new ParleyError('unavailable');
    } catch (error) {
      connection.dropHeld();
      this.remove(connection);
      throw error;
    }
  }

  /** Finds out what is owed to the user; it is delivered once the rooms' channels are ready. */
  async #followOwed(
    connection: Connection,
    { userId, name }: BoundSession,
    roomIds: readonly RoomId[],
    context: RequestContext,
  ): Promise<void> {
    // Asked at least once, also by a user without rooms: what is owed begins with the first handshake login.
    for (let start = 0; start === 0 || start < roomIds.length; start += maxReceiptsPerRequest) {
      const some = roomIds.slice(start, start + maxReceiptsPerRequest);
      const { rooms } = await this.#parts.bus.call(
        beginReading,
        { user: { userId, name }, roomIds: some },
        context,
      );
      for (const { roomId, ranges } of rooms) connection.deliveries?.follow(roomId, ranges, true);
    }
  }

  #subscribe(userId: UserId): LocalUser {
    const user: LocalUser = {
      connections: new Set(),
      rooms: new Set(),
      subscription: this.#parts.bus.subscribe(subjects.userEvents(userId), (event) => {
        this.#hear(user, event as UserEvent);
      }),
    };
    this.#users.set(userId, user);
    return user;
  }

  /**
   * Unbinds a connection from its session, if it has one.
   * @param isLost It did not log out: its user may be back in a moment, and is not said to be gone before.
   */
  remove(connection: Connection, isLost = false): void {
    const { session } = connection;
    if (!session) return;
    const user = this.#users.get(session.userId);
    if (user?.connections.delete(connection)) {
      const { presence, channels } = this.#parts;
      if (isLost) {
        presence.lose([everywhere], session.name);
        channels.lose(connection, user.rooms);
      } else {
        presence.leave(everywhere, session.name);
        for (const roomId of user.rooms) channels.detach(connection, roomId);
      }
      if (user.connections.size === 0) {
        user.subscription.unsubscribe();
        this.#users.delete(session.userId);
      }
    }
    connection.unbind();
  }

  #enter(
    user: LocalUser,
    roomId: RoomId,
    connections: Iterable<Connection>,
    after?: number,
  ): Promise<unknown> {
    user.rooms.add(roomId);
    return Promise.all(
      [...connections].map((connection) => this.#parts.channels.attach(connection, roomId, after)),
    );
  }

  #leave(user: LocalUser, roomId: RoomId): void {
    user.rooms.delete(roomId);
    for (const connection of user.connections) this.#parts.channels.detach(connection, roomId);
  }

  #hear(user: LocalUser, event: UserEvent): void {
    if (event.type === 'entered-room') {
      tell(user, event.change, ({ id }) => id !== event.origin);
      void this.#enter(user, event.roomId, user.connections, event.sinceId);
    } else if (event.type === 'left-room') {
      tell(user, event.change, ({ id }) => id !== event.origin);
      this.#leave(user, event.roomId);
    } else if (event.type === 'message-delivered') {
      tell(user, event, ({ wantsReceipts }) => wantsReceipts);
    } else {
      const ended = [...user.connections].filter(
        ({ id, session }) => id !== event.except && isAmong(event.sessionIds, session),
      );
      for (const connection of ended) {
        if (event.reason === 'session-ended') connection.close(closeCodes.sessionEnded, 'session ended');
        else connection.close(closeCodes.takenOver, 'session taken over elsewhere');
      }
    }
  }

  /** A deleted room is nobody's any more. */
  roomGone(connection: Connection, roomId: RoomId): void {
    const user = connection.session && this.#users.get(connection.session.userId);
    if (user) this.#leave(user, roomId);
  }

  /** Compares with what is stored, after events may have been missed; tells the connections what they did not hear. */
  async #reconcile(userId: UserId): Promise<void> {
    const { bus, log, requestTimeoutMs } = this.#parts;
    try {
      const { rooms } = await bus.call(findMemberships, { userId }, createContext(requestTimeoutMs));
      const user = this.#users.get(userId);
      const [name] = [...(user?.connections ?? [])].map(({ session }) => session?.name);
      if (!user || name === undefined) return;
      const stored = new Set(rooms.map(({ roomId }) => roomId));
      for (const roomId of user.rooms) {
        if (stored.has(roomId)) continue;
        tell(user, { type: 'member-removed', roomId, user: { userId, name } });
        this.#leave(user, roomId);
      }
      for (const { roomId, name: roomName, owner } of rooms) {
        if (user.rooms.has(roomId)) continue;
        tell(user, { type: 'member-added', roomId, roomName, owner, user: { userId, name } });
        void this.#enter(user, roomId, user.connections);
      }
    } catch (err) {
      log.warn({ err, userId }, 'memberships could not be compared');
    }
  }

  /** All connections that are bound to a session. */
  *connections(): Generator<Connection> {
    for (const user of this.#users.values()) yield* user.connections;
  }
}

/** Tells the user's own connections, or some of them. */
function tell(
  user: LocalUser,
  event: RoomEvent,
  isTold: (connection: Connection) => boolean = () => true,
): void {
  for (const connection of user.connections) {
    if (isTold(connection)) connection.tell(event);
  }
}
