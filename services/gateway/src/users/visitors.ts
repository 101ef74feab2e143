import { isGuest, ParleyError, subjects } from '@parley/protocol';
import type { ConnectionsEnded, LeftRoom, MessageId, Room, RoomId, UserEvent } from '@parley/protocol';
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

interface Visit {
  rooms: Map<RoomId, Admission>;
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
export class Visitors implements Disposable {
  readonly #parts: VisitorsParts;
  readonly #visits = new Map<Connection, Visit>();
  readonly #comparisons: Comparisons<Connection>;

  constructor(parts: VisitorsParts) {
    this.#parts = parts;
    this.#comparisons = new Comparisons(parts, this.#visits, (connection) => this.#compare(connection));
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
    return [...(this.#visits.get(connection)?.rooms.keys() ?? [])];
  }

  /** Binds the connection to a user, in no room yet. */
  add(connection: Connection, session: BoundSession, options = noOptions): void {
    connection.bind(session, options);
    const visit: Visit = { rooms: new Map(), subscription: undefined, departures: 0 };
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
    find: () => Promise<{ admission: Admission; room: Room }>,
    after: MessageId | undefined,
    context: RequestContext,
  ): Promise<Room> {
    const { channels, presence } = this.#parts;
    const visit = this.#visits.get(connection)!;
    const { departures } = visit;
    const { admission, room } = await find();
    const { roomId } = room;
    if (!connection.isOpen() || !this.has(connection)) throw new ParleyError('unavailable');
    if (departures !== visit.departures) throw new ParleyError('not_in_room');
    if (visit.rooms.has(roomId)) return room;
    visit.rooms.set(roomId, admission);
    try {
      const started = channels.attach(connection, admission, after);
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
    for (const roomId of this.roomsOf(connection)) {
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
    if (isLost) this.#parts.channels.lose(connection, visit.rooms.keys());
    else for (const roomId of visit.rooms.keys()) this.#parts.channels.detach(connection, roomId);
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

  /** A service says that the connection's user is not in the room. */
  doubt(connection: Connection, roomId: RoomId): void {
    // Guests have no memberships to be compared.
    if (isGuest(connection.user.userId)) this.#end(connection, roomId);
    else void this.#comparisons.compare([connection]);
  }

  /**
   * Compares with what is stored, as events may have been missed. Guests are members of nothing, and rooms that are gone are noticed by
   * their channels.
   */
  async #compare(connection: Connection): Promise<void> {
    const visit = this.#visits.get(connection);
    if (!visit || visit.rooms.size === 0 || isGuest(connection.user.userId)) return;
    const { bus, requestTimeoutMs } = this.#parts;
    const before = [...visit.rooms];
    const found = await Admission.ofMember(bus, createContext(requestTimeoutMs, callerFor(connection)));
    const stored = new Set(found.map(({ room }) => room.roomId));
    for (const [roomId, admission] of before) {
      // Where it left and came back meanwhile, the answer is older than that.
      if (!stored.has(roomId) && visit.rooms.get(roomId) === admission) this.#end(connection, roomId);
    }
  }

  connections(): IterableIterator<Connection> {
    return this.#visits.keys();
  }

  [Symbol.dispose](): void {
    this.#comparisons[Symbol.dispose]();
  }
}

function endIfConcerned(connection: Connection, { reason, sessionIds, except }: ConnectionsEnded): void {
  // A session that goes on elsewhere is still this connection's too.
  if (reason === 'resumed' || connection.id === except || !isAmong(sessionIds, connection.session)) return;
  connection.close(closeCodes.sessionEnded, 'session ended');
}
