import { beginReading, everywhere, maxReceiptsPerRequest, ParleyError, subjects } from '@parley/protocol';
import type { MessageId, RoomEvent, RoomId, UserEvent, UserId } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, BusSubscription, Log, RequestContext } from '@parley/service-kit';
import { closeCodes, isAmong } from '../connection/connection.ts';
import type { BoundSession, Connection, LoginOptions } from '../connection/connection.ts';
import { before } from '../deadline.ts';
import { Admission } from '../rooms/admission.ts';
import type { PresenceReporter } from '../rooms/presence-reporter.ts';
import type { RoomChannels } from '../rooms/room-channels.ts';
import { callerFor } from './caller.ts';
import { Comparisons } from './comparisons.ts';
import { isSessionOpen } from './open-sessions.ts';

interface LocalUser {
  connections: Set<Connection>;
  /** Logins under way: until they are over, the rooms may not be known here yet. */
  arriving: number;
  rooms: Map<RoomId, Admission>;
  /** How often the user left a room: what was read of its rooms before may be no more. */
  departures: number;
  /** What connections got last of rooms that the user left: where it is back by then, they do not get that again. */
  lastIds: WeakMap<Connection, Map<RoomId, MessageId>>;
  /** Rooms that the last comparison found and nobody told of: the event may be on its way. */
  untold: ReadonlySet<RoomId> | undefined;
  subscription: BusSubscription;
}

/** Rooms that were left of which the last ids are kept, for each connection: as many as one may be in unless it is set otherwise. */
const maxLastIds = 1_000;

export interface LocalUsersParts {
  bus: Bus;
  log: Log;
  requestTimeoutMs: number;
  channels: RoomChannels;
  presence: PresenceReporter;
}

/** Users with connections of the login dialect here: each is present in all its user's rooms, as long as they are its. */
export class LocalUsers implements Disposable {
  readonly #parts: LocalUsersParts;
  readonly #users = new Map<UserId, LocalUser>();
  readonly #comparisons: Comparisons<UserId>;

  constructor(parts: LocalUsersParts) {
    this.#parts = parts;
    this.#comparisons = new Comparisons(parts, this.#users, (userId) => this.#compare(userId));
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
    user.arriving += 1;
    presence.enter(everywhere, session.name);
    try {
      // Subscribed first, then the rooms are read, so that no change falls between.
      const asUser = { ...context, caller: callerFor(connection) };
      const [admissions, isCurrent] = await Promise.all([
        this.#findRooms(user, asUser),
        isSessionOpen(bus, session, context, connection.id),
      ]);
      // Ended between its opening and our listening: nobody would tell us any more.
      if (!isCurrent || !connection.isOpen()) throw new ParleyError('unavailable');
      const roomIds = admissions.map(({ roomId }) => roomId);
      if (options.handshake) await this.#followOwed(connection, roomIds, asUser);
      if (!connection.isOpen()) throw new ParleyError('unavailable');
      const { channels } = this.#parts;
      const ready = admissions.map((admission) => {
        user.rooms.set(admission.roomId, admission);
        return channels.attach(connection, admission);
      });
      await before(context.deadline, Promise.all([...ready, presence.report()]));
      if (!connection.isOpen()) throw new ParleyError('unavailable');
    } catch (error) {
      // In this order: what its going sets free in one room, while another goes, is not for the client either.
      this.remove(connection);
      connection.dropHeld();
      throw error;
    } finally {
      user.arriving -= 1;
    }
  }

  /** The rooms that the caller is in, read until it left none meanwhile. @throws ParleyError `unavailable` */
  async #findRooms(user: LocalUser, context: RequestContext): Promise<Admission[]> {
    for (;;) {
      const { departures } = user;
      const found = await Admission.ofMember(this.#parts.bus, context);
      if (departures === user.departures) return found.map(({ admission }) => admission);
    }
  }

  /** Finds out what is owed to the user; it is delivered once the rooms' channels are ready. */
  async #followOwed(
    connection: Connection,
    roomIds: readonly RoomId[],
    context: RequestContext,
  ): Promise<void> {
    // Asked at least once, also by a user without rooms: what is owed begins with the first handshake login.
    for (let start = 0; start === 0 || start < roomIds.length; start += maxReceiptsPerRequest) {
      const some = roomIds.slice(start, start + maxReceiptsPerRequest);
      const { rooms } = await this.#parts.bus.call(beginReading, { roomIds: some }, context);
      for (const { roomId, ranges } of rooms) connection.deliveries?.follow(roomId, ranges, true);
    }
  }

  #subscribe(userId: UserId): LocalUser {
    const user: LocalUser = {
      connections: new Set(),
      arriving: 0,
      rooms: new Map(),
      departures: 0,
      lastIds: new WeakMap(),
      untold: undefined,
      subscription: this.#parts.bus.subscribe(subjects.userEvents(userId), (event) => {
        this.#hear(userId, user, event as UserEvent);
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
        channels.lose(connection, user.rooms.keys());
      } else {
        presence.leave(everywhere, session.name);
        for (const roomId of user.rooms.keys()) channels.detach(connection, roomId);
      }
      if (user.connections.size === 0) {
        user.subscription.unsubscribe();
        this.#users.delete(session.userId);
      }
    }
    connection.unbind();
  }

  /** All its connections are in the room, and get what was sent since it entered: this may be known long after. */
  #enter(user: LocalUser, admission: Admission): void {
    const { roomId, sinceId } = admission;
    user.rooms.set(roomId, admission);
    for (const connection of user.connections) {
      const lastId = user.lastIds.get(connection)?.get(roomId) ?? 0;
      const after = sinceId === undefined ? undefined : Math.max(sinceId, lastId);
      void this.#parts.channels.attach(connection, admission, after);
    }
  }

  #leave(user: LocalUser, roomId: RoomId): void {
    user.departures += 1;
    user.rooms.delete(roomId);
    for (const connection of user.connections) {
      const lastId = this.#parts.channels.detach(connection, roomId);
      if (lastId === 0) continue;
      const lastIds = user.lastIds.get(connection) ?? new Map<RoomId, MessageId>();
      user.lastIds.set(connection, lastIds.set(roomId, lastId));
      const [oldest] = lastIds.keys();
      if (lastIds.size > maxLastIds) lastIds.delete(oldest!);
    }
  }

  #hear(userId: UserId, user: LocalUser, event: UserEvent): void {
    if (event.type === 'entered-room') {
      tell(user, event.change, ({ id }) => id !== event.origin);
      this.#enter(user, Admission.byEvent(userId, event));
    } else if (event.type === 'left-room') {
      // A comparison may have been quicker.
      if (user.rooms.has(event.roomId)) tell(user, event.change, ({ id }) => id !== event.origin);
      this.#leave(user, event.roomId);
      // It may be back already: what two services tell may be heard in another order than it happened.
      this.#comparisons.soon(userId);
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

  /** A service says that the connection's user is not in a room that it is in here. */
  doubt({ session }: Connection): void {
    if (session) void this.#comparisons.compare([session.userId]);
  }

  /** Compares with what is stored, as events may have been missed; tells the connections what they did not hear. */
  async #compare(userId: UserId): Promise<void> {
    const { bus, channels, requestTimeoutMs } = this.#parts;
    const user = this.#users.get(userId);
    const [connection] = user?.connections ?? [];
    if (!user || !connection) return;
    if (user.arriving > 0) {
      this.#comparisons.soon(userId);
      return;
    }
    const { name } = connection.user;
    const before = [...user.rooms];
    const found = await Admission.ofMember(bus, createContext(requestTimeoutMs, callerFor(connection)));
    if (this.#users.get(userId) !== user) return;
    // Whose login is under way would count as not told.
    if (user.arriving > 0) {
      this.#comparisons.soon(userId);
      return;
    }
    const stored = new Set(found.map(({ room }) => room.roomId));
    for (const [roomId, admission] of before) {
      // Where it left and came back meanwhile, the answer is older than that.
      if (stored.has(roomId) || user.rooms.get(roomId) !== admission) continue;
      tell(user, { type: 'member-removed', roomId, user: { userId, name } });
      this.#leave(user, roomId);
    }
    // One that logged in since knows a room that the others were not told of.
    const isOutside = (connection: Connection, roomId: RoomId) => !channels.has(connection, roomId);
    const untold = found.filter(({ room: { roomId } }) =>
      [...user.connections].some((each) => isOutside(each, roomId)),
    );
    const { untold: untoldBefore } = user;
    user.untold = untold.length > 0 ? new Set(untold.map(({ room }) => room.roomId)) : undefined;
    for (const { admission, room } of untold) {
      const { roomId, name: roomName, owner } = room;
      if (!untoldBefore?.has(roomId)) continue;
      const change = { type: 'member-added', roomId, roomName, owner, user: { userId, name } } as const;
      tell(user, change, (each) => isOutside(each, roomId));
      this.#enter(user, admission);
    }
    if (untold.some(({ room }) => !untoldBefore?.has(room.roomId))) this.#comparisons.soon(userId);
  }

  /** All connections that are bound to a session. */
  *connections(): Generator<Connection> {
    for (const user of this.#users.values()) yield* user.connections;
  }

  [Symbol.dispose](): void {
    this.#comparisons[Symbol.dispose]();
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
