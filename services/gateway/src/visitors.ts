import { findMemberships, isGuest, ParleyError, subjects } from '@parley/protocol';
import type { ConnectionsEnded, LeftRoom, MessageId, Room, RoomId, UserEvent } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, BusSubscription, Log, RequestContext } from '@parley/service-kit';
import { closeCodes, isAmong } from './connection.ts';
import type { BoundSession, Connection, LoginOptions } from './connection.ts';
import { before } from './deadline.ts';
import type { PresenceReporter } from './presence-reporter.ts';
import type { RoomChannels } from './room-channels.ts';

interface Visit {
  rooms: Set<RoomId>;
  /** What happens to the user elsewhere; for guests that is receipts only. */
  subscription: BusSubscription | undefined;
  /** How often the user left a room elsewhere: an entry under way at that time is void. */
  departures: number;
}

export interface VisitorsParts {
  bus: Bus;
  log: Log;
  requestTimeoutMs: number;
  channels: RoomChannels;
  presence: PresenceReporter;
}

const noOptions: LoginOptions = { handshake: false, receipts: false };

/** Connections that are present only in the rooms they joined: guests, and accounts in dialects that join by connection. */
export class Visitors {
  readonly #parts: VisitorsParts;
  readonly #visits = new Map<Connection, Visit>();

  constructor(parts: VisitorsParts) {
    this.#parts = parts;
    parts.bus.onReconnect(() => {
      for (const connection of this.#visits.keys()) void this.#reconcile(connection);
    });
  }

  has(connection: Connection): boolean {
    return this.#visits.has(connection);
  }

  /** Whether the connection is in the room. */
  isPresent(connection: Connection, roomId: RoomId): boolean {
    return this.#visits.get(connection)?.rooms.has(roomId) ?? false;
  }

  /** The rooms that the connection is in. */
  roomsOf(connection: Connection): RoomId[] {
    return [...(this.#visits.get(connection)?.rooms ?? [])];
  }

  /** Binds the connection to a user, in no room yet. */
  add(connection: Connection, session: BoundSession, options = noOptions): void {
    connection.bind(session, options);
    const visit: Visit = { rooms: new Set(), subscription: undefined, departures: 0 };
    this.#visits.set(connection, visit);
    if (isGuest(session.userId) && !options.receipts) return;
    visit.subscription = this.#parts.bus.subscribe(subjects.userEvents(session.userId), (event) => {
      this.#hear(connection, visit, event as UserEvent);
    });
  }

  /**
   * Makes the connection present in a room that its user may be in.
   * @param find Looks whether it may, once changes are heard of.
   * @param after What follows this message is delivered; by default what is sent from now on.
   * @throws ParleyError as `find`; `not_in_room` or `room_not_found` where it was over meanwhile, `unavailable`.
   */
  async enter(
    connection: Connection,
    find: () => Promise<Room>,
    after: MessageId | undefined,
    context: RequestContext,
  ): Promise<Room> {
    const { channels, presence } = this.#parts;
    const visit = this.#visits.get(connection)!;
    const { departures } = visit;
    const room = await find();
    const { roomId } = room;
    if (!connection.isOpen() || !this.has(connection)) throw new ParleyError('unavailable');
    if (departures !== visit.departures) throw new ParleyError('not_in_room');
    if (visit.rooms.has(roomId)) return room;
    visit.rooms.add(roomId);
    try {
      const started = channels.attach(connection, roomId, after);
      await before(context.deadline, Promise.all([started, presence.report()]));
    } catch (error) {
      this.leave(connection, roomId);
      throw error;
    }
    if (!connection.isOpen()) throw new ParleyError('unavailable');
    if (!channels.has(connection, roomId)) throw new ParleyError('room_not_found');
    return room;
  }

  /** Ends the connection's presence in a room; false where it is not in it. */
  leave(connection: Connection, roomId: RoomId): boolean {
    const isLeft = this.#visits.get(connection)?.rooms.delete(roomId) ?? false;
    if (isLeft) this.#parts.channels.detach(connection, roomId);
    return isLeft;
  }

  /** Gives the user another name, in all its rooms. */
  rename(connection: Connection, name: string): void {
    const { presence } = this.#parts;
    const { user } = connection;
    connection.session = { ...user, name };
    for (const roomId of this.#visits.get(connection)?.rooms ?? []) {
      presence.leave(roomId, user.name);
      presence.enter(roomId, name);
    }
  }

  /**
   * Unbinds the connection from its user; answers who that was.
   * @param isLost It did not log out: its user may be back in a moment, and is not said to be gone before.
   */
  remove(connection: Connection, isLost: boolean): BoundSession | undefined {
    const visit = this.#visits.get(connection);
    if (!visit) return undefined;
    visit.subscription?.unsubscribe();
    if (isLost) this.#parts.channels.lose(connection, visit.rooms);
    else for (const roomId of visit.rooms) this.#parts.channels.detach(connection, roomId);
    this.#visits.delete(connection);
    const { user } = connection;
    connection.unbind();
    return user;
  }

  /** The room is no more. */
  roomGone(connection: Connection, roomId: RoomId): void {
    this.leave(connection, roomId);
  }

  #hear(connection: Connection, visit: Visit, event: UserEvent): void {
    if (event.type === 'left-room') this.#heardLeft(connection, visit, event);
    else if (event.type === 'connections-ended') endIfConcerned(connection, event);
    else if (event.type === 'message-delivered' && connection.wantsReceipts) connection.tell(event);
  }

  #heardLeft(connection: Connection, visit: Visit, { roomId }: LeftRoom): void {
    visit.departures += 1;
    this.#end(connection, roomId);
  }

  /** Ends the connection's presence by no request of its own. */
  #end(connection: Connection, roomId: RoomId): void {
    const roomName = this.#parts.channels.nameOf(roomId) ?? '';
    if (this.leave(connection, roomId)) connection.tell({ type: 'presence-ended', roomId, roomName });
  }

  /** Compares with what is stored, after events may have been missed. Rooms that are gone are noticed by their channels. */
  async #reconcile(connection: Connection): Promise<void> {
    const { bus, log, requestTimeoutMs } = this.#parts;
    const { userId } = connection.user;
    if (isGuest(userId)) return;
    try {
      const { rooms } = await bus.call(findMemberships, { userId }, createContext(requestTimeoutMs));
      const stored = new Set(rooms.map(({ roomId }) => roomId));
      for (const roomId of this.#visits.get(connection)?.rooms ?? []) {
        if (!stored.has(roomId)) this.#end(connection, roomId);
      }
    } catch (err) {
      log.warn({ err, userId }, 'memberships could not be compared');
    }
  }

  connections(): IterableIterator<Connection> {
    return this.#visits.keys();
  }
}

function endIfConcerned(connection: Connection, { reason, sessionIds, except }: ConnectionsEnded): void {
  // A session that goes on elsewhere is still this connection's too.
  if (reason === 'resumed' || connection.id === except || !isAmong(sessionIds, connection.session)) return;
  connection.close(closeCodes.sessionEnded, 'session ended');
}
