import { everywhere, findMemberships, ParleyError, subjects } from '@parley/protocol';
import type { ConnectionId, RoomChange, RoomId, UserEvent, UserId } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, BusSubscription, Log, RequestContext } from '@parley/service-kit';
import { closeCodes } from './connection.ts';
import type { BoundSession, Connection } from './connection.ts';
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

/** The users that are connected here: each connection is present in all its user's rooms, as long as they are its. */
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
  async add(connection: Connection, session: BoundSession, context: RequestContext): Promise<void> {
    const { bus, presence } = this.#parts;
    connection.session = session;
    connection.hold();
    const user = this.#users.get(session.userId) ?? this.#subscribe(session.userId);
    user.connections.add(connection);
    presence.enter(everywhere, connection);
    try {
      // Subscribed first, then the rooms are read, so that no change falls between.
      await bus.flush();
      const { rooms } = await bus.call(findMemberships, { userId: session.userId }, context);
      if (!connection.isOpen()) throw new ParleyError('unavailable');
      const ready = rooms.map(({ roomId }) => this.#enter(user, roomId, [connection]));
      await before(context.deadline, Promise.all([...ready, presence.report()]));
      if (!connection.isOpen()) throw new ParleyError('unavailable');
    } catch (error) {
      connection.dropHeld();
      this.remove(connection);
      throw error;
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

  /** Unbinds a connection from its session, if it has one. */
  remove(connection: Connection): void {
    const { session } = connection;
    if (!session) return;
    const user = this.#users.get(session.userId);
    if (user?.connections.delete(connection)) {
      this.#parts.presence.leave(everywhere, connection);
      for (const roomId of user.rooms) this.#parts.channels.detach(connection, roomId);
      if (user.connections.size === 0) {
        user.subscription.unsubscribe();
        this.#users.delete(session.userId);
      }
    }
    connection.session = undefined;
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
      tell(user, event.change, event.origin);
      void this.#enter(user, event.roomId, user.connections, event.sinceId);
    } else if (event.type === 'left-room') {
      tell(user, event.change, event.origin);
      this.#leave(user, event.roomId);
    } else {
      const ended = [...user.connections].filter(
        ({ id, session }) => id !== event.except && session && event.sessionIds.includes(session.sessionId),
      );
      for (const connection of ended) {
        if (event.reason === 'taken-over')
          connection.close(closeCodes.takenOver, 'session taken over elsewhere');
        else connection.close(closeCodes.sessionEnded, 'session ended');
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
  *connections(): Generator<Connection & { session: BoundSession }> {
    for (const user of this.#users.values()) {
      yield* user.connections as Set<Connection & { session: BoundSession }>;
    }
  }
}

/** Tells the user's own connections, except the one that asked. */
function tell(user: LocalUser, change: RoomChange, origin?: ConnectionId): void {
  for (const connection of user.connections) {
    const frame = connection.id === origin ? undefined : connection.dialect.encodeEvent(change);
    if (frame !== undefined) connection.send(frame);
  }
}

/** @throws ParleyError `unavailable` at the deadline. */
function before<Result>(deadline: number, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new ParleyError('unavailable'));
    }, deadline - Date.now());
    void work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}
