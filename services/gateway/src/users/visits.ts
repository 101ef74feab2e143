import { setTimeout as delay } from 'node:timers/promises';
import {
  createRoom,
  describeRooms,
  defaultRoomId,
  findExistingRooms,
  isGuest,
  keepGuests,
  openGuest,
  ParleyError,
  releaseGuests,
  renameGuest,
  touchSessions,
} from '@parley/protocol';
import type {
  closeSession,
  ConnectionPlace,
  createPublicRoom,
  enterRoom,
  exitRoom,
  GatewayId,
  HeldGuest,
  identifyGuest,
  joinAsUser,
  leaveAsUser,
  MessageId,
  openGuestSession,
  renameSelf,
  ReplyOf,
  RequestOf,
  RoomId,
  User,
  watchLobby,
} from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, Log, RequestContext } from '@parley/service-kit';
import { closeCodes, isAmong } from '../connection/connection.ts';
import type { BoundSession, Connection, LoginOptions } from '../connection/connection.ts';
import { before } from '../deadline.ts';
import { Admission } from '../rooms/admission.ts';
import type { Lobby } from '../rooms/lobby.ts';
import { Batches } from './batches.ts';
import { authorize, callerFor, requireNobody } from './caller.ts';
import { findCaller } from './find-caller.ts';
import { isSessionOpen } from './open-sessions.ts';
import type { Visitors } from './visitors.ts';

export interface VisitsParts {
  bus: Bus;
  log: Log;
  gatewayId: GatewayId;
  requestTimeoutMs: number;
  visitors: Visitors;
  lobby: Lobby;
  /** `HANDSHAKE=required`. */
  isHandshakeRequired: boolean;
  /** The open connection of that id, of whatever kind. */
  findConnection: (connectionId: string) => Connection | undefined;
}

const maxPerRequest = 1_000;

/** How long, and how often, it is tried to release names, in ms: services and their servers restart. */
const releaseForMs = 15_000;
const releaseEveryMs = 500;

/** What connections ask for that join rooms one by one: who they are, and where they are present. */
export class Visits {
  readonly #parts: VisitsParts;
  readonly #releases: Batches<HeldGuest>;

  constructor(parts: VisitsParts) {
    this.#parts = parts;
    this.#releases = new Batches((guests) => this.#releaseAll(guests));
  }

  /** Tries again for a while: a name that is not released is nobody's until its claim is over. Never rejects. */
  async #releaseAll(guests: HeldGuest[]): Promise<void> {
    const { bus, log, requestTimeoutMs } = this.#parts;
    const end = Date.now() + releaseForMs;
    for (;;) {
      try {
        await bus.call(releaseGuests, { guests }, createContext(requestTimeoutMs));
        return;
      } catch (err) {
        if (Date.now() >= end) {
          log.warn({ err, guests: guests.length }, 'the names of guests that are gone could not be released');
          return;
        }
        await delay(releaseEveryMs);
      }
    }
  }

  /** A guest with the lobby's list, in room `default`; who is one already is renamed. */
  async identify(
    connection: Connection,
    { name }: RequestOf<typeof identifyGuest>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof identifyGuest>> {
    if (connection.session) return this.rename(connection, { newName: name }, context);
    const { lobby, visitors } = this.#parts;
    connection.hold();
    await this.#becomeGuest(connection, { name }, context).catch(accountsNameIsTaken);
    try {
      const room = await this.#enter(connection, defaultRoomId, undefined, context);
      if (!visitors.has(connection)) throw new ParleyError('unavailable');
      lobby.add(connection);
      await lobby.send(connection);
      return { name, room };
    } catch (error) {
      this.forget(connection);
      connection.dropHeld();
      throw error;
    }
  }

  /** A guest of the login dialect, in no room yet: by its key the same as before, whose former connection has to go. */
  async logIn(
    connection: Connection,
    { name, sessionKey, handshake, receipts }: RequestOf<typeof openGuestSession>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof openGuestSession>> {
    requireNobody(connection);
    const options = { handshake: handshake || this.#parts.isHandshakeRequired, receipts };
    const guest = await this.#becomeGuest(
      connection,
      { name, ...(sessionKey === undefined ? {} : { sessionKey }) },
      context,
      options,
    ).catch(accountsNameIsTaken);
    return { name, sessionKey: guest.sessionKey };
  }

  /** The guest is gone, and its name is free when this resolves. */
  async logOut(connection: Connection): Promise<ReplyOf<typeof closeSession>> {
    const { name } = connection.user;
    this.#remove(connection, false);
    await this.released();
    return { name };
  }

  async rename(
    connection: Connection,
    { newName }: RequestOf<typeof renameSelf>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof renameSelf>> {
    const { bus, visitors } = this.#parts;
    const { userId, name } = connection.user;
    if (!isGuest(userId)) {
      throw new ParleyError('forbidden', {}, { message: 'The name of an account cannot be changed.' });
    }
    const place = this.#placeOf(connection);
    await bus.call(renameGuest, { guest: { userId, name }, newName, place }, context);
    if (visitors.has(connection)) visitors.rename(connection, newName);
    else this.#release(connection, { userId, name: newName });
    return { name: newName };
  }

  /** @param claimedName Who a connection that is nobody yet says it is. */
  async enter(
    connection: Connection,
    { roomId, token, lastId }: RequestOf<typeof enterRoom>,
    claimedName: string | undefined,
    context: RequestContext,
  ): Promise<ReplyOf<typeof enterRoom>> {
    const isNew = !connection.session;
    if (!isNew) authorize(connection.session, claimedName);
    connection.hold();
    if (isNew) await this.#becomeSomebody(connection, token, claimedName, context);
    try {
      const room = await this.#enter(connection, roomId, lastId, context);
      return { room, name: connection.user.name };
    } catch (error) {
      if (isNew) this.forget(connection);
      if (isNew) connection.dropHeld();
      throw error;
    }
  }

  async #becomeSomebody(
    connection: Connection,
    token: string | undefined,
    name: string | undefined,
    context: RequestContext,
  ): Promise<void> {
    if (name === undefined) throw new ParleyError('not_authenticated');
    const session = token === undefined ? connection.tokenSession : await this.findSession(token, context);
    if (!session) {
      await this.#becomeGuest(connection, { name }, context).catch((thrown: unknown) => {
        const error = ParleyError.from(thrown);
        // Where there are no guests, an account is what it takes.
        throw error.code === 'forbidden' ? new ParleyError('not_authenticated') : error;
      });
    } else {
      authorize(session, name);
      this.#parts.visitors.add(connection, session);
      // Only now, as its end is heard of from here on.
      await this.#requireOpen(connection, session, context).catch((error: unknown) => {
        this.forget(connection);
        throw error;
      });
    }
  }

  async #requireOpen(connection: Connection, session: BoundSession, context: RequestContext): Promise<void> {
    const { bus } = this.#parts;
    if (!(await isSessionOpen(bus, session, context))) throw new ParleyError('not_authenticated');
    if (!connection.isOpen()) throw new ParleyError('unavailable');
  }

  async #becomeGuest(
    connection: Connection,
    wanted: Pick<RequestOf<typeof openGuest>, 'name' | 'sessionKey'>,
    context: RequestContext,
    options?: LoginOptions,
  ): Promise<ReplyOf<typeof openGuest>> {
    const { bus, gatewayId, visitors, findConnection } = this.#parts;
    const origin = { address: connection.address, place: this.#placeOf(connection) };
    const opened = await bus.call(openGuest, { ...wanted, ...origin }, context);
    const { userId, name, former } = opened;
    // On another gateway it finds out when it tells of its guests again.
    if (former?.gatewayId === gatewayId) {
      findConnection(former.connectionId)?.close(closeCodes.takenOver, 'session taken over elsewhere');
    }
    if (!connection.isOpen()) {
      this.#release(connection, { userId, name });
      throw new ParleyError('unavailable');
    }
    visitors.add(connection, { userId, name }, options);
    return opened;
  }

  #placeOf({ id: connectionId }: Connection): ConnectionPlace {
    return { connectionId, gatewayId: this.#parts.gatewayId };
  }

  /** Whose token it is. @throws ParleyError `not_authenticated`, `unavailable`. */
  findSession(token: string, context: RequestContext): Promise<BoundSession> {
    return findCaller(this.#parts.bus, token, context);
  }

  #enter(connection: Connection, roomId: RoomId, lastId: MessageId | undefined, context: RequestContext) {
    const { bus, visitors } = this.#parts;
    const asCaller = { ...context, caller: callerFor(connection) };
    const find = () => Admission.byJoining(bus, roomId, asCaller);
    return visitors.enter(connection, find, lastId, context);
  }

  async exit(
    connection: Connection,
    { roomId }: RequestOf<typeof exitRoom>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof exitRoom>> {
    if (!this.#parts.visitors.leave(connection, roomId)) throw await this.whyNotPresent(roomId, context);
    return { roomId };
  }

  /** Makes a guest present in a room. */
  async join(
    connection: Connection,
    { roomId, lastId }: RequestOf<typeof joinAsUser>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof joinAsUser>> {
    connection.hold();
    const room = await this.#enter(connection, roomId, lastId, context);
    return { room, user: userOf(connection) };
  }

  /** Ends a guest's presence in a room. */
  async leave(
    connection: Connection,
    request: RequestOf<typeof leaveAsUser>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof leaveAsUser>> {
    const { roomId } = await this.exit(connection, request, context);
    return { roomId, user: userOf(connection) };
  }

  /** The rooms that a guest is present in. */
  listRooms(connection: Connection, context: RequestContext): Promise<ReplyOf<typeof describeRooms>> {
    const { bus, visitors } = this.#parts;
    return bus.call(
      describeRooms,
      { roomIds: visitors.roomsOf(connection).slice(0, maxPerRequest) },
      context,
    );
  }

  /** What to answer to a connection that is not in the room. */
  async whyNotPresent(roomId: RoomId, context: RequestContext): Promise<ParleyError> {
    const { roomIds } = await this.#parts.bus.call(findExistingRooms, { roomIds: [roomId] }, context);
    return new ParleyError(roomIds.length > 0 ? 'not_in_room' : 'room_not_found');
  }

  async createRoom(
    connection: Connection,
    { name }: RequestOf<typeof createPublicRoom>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof createPublicRoom>> {
    const { bus, lobby } = this.#parts;
    const { address } = connection;
    const room = { name, visibility: 'public' as const, participants: [], address };
    const { roomId } = await bus.call(createRoom, room, context);
    lobby.noticeRoom({ roomId, name, users: 0 });
    await lobby.send(connection);
    return {};
  }

  async showLobby(connection: Connection): Promise<object> {
    await this.#parts.lobby.send(connection);
    return {};
  }

  /** From now on the connection is told the lobby's list, or no more. */
  async watchLobby(
    connection: Connection,
    { watch }: RequestOf<typeof watchLobby>,
    { deadline }: RequestContext,
  ): Promise<ReplyOf<typeof watchLobby>> {
    const { lobby } = this.#parts;
    if (!watch) {
      lobby.remove(connection);
      return { watch };
    }
    connection.hold();
    lobby.add(connection);
    try {
      await before(deadline, lobby.send(connection));
    } catch (error) {
      lobby.remove(connection);
      throw error;
    }
    return { watch };
  }

  /** The connection is gone, or was nobody's after all. A guest's name is free at once. */
  forget(connection: Connection): void {
    this.#remove(connection, true);
  }

  #remove(connection: Connection, isLost: boolean): void {
    const { lobby, visitors } = this.#parts;
    lobby.remove(connection);
    const user = visitors.remove(connection, isLost);
    if (user && isGuest(user.userId)) this.#release(connection, user);
  }

  #release({ id: connectionId }: Connection, { userId, name }: User): void {
    this.#releases.add({ userId, name, connectionId });
  }

  /** Resolves when the names of all guests that are gone are free. Never rejects: they would be in the end. */
  released(): Promise<void> {
    return this.#releases.sent();
  }

  /** Keeps the guests' names and the accounts' tokens; who lost one is closed. @throws ParleyError `unavailable` */
  async touch(): Promise<void> {
    const connections = [...this.#parts.visitors.connections()];
    for (let start = 0; start < connections.length; start += maxPerRequest) {
      const some = connections.slice(start, start + maxPerRequest);
      await Promise.all([this.#touchGuests(some), this.#touchTokens(some)]);
    }
  }

  async #touchGuests(connections: readonly Connection[]): Promise<void> {
    const { bus, gatewayId, requestTimeoutMs } = this.#parts;
    const guests = connections.flatMap(({ id: connectionId, session }) =>
      session && isGuest(session.userId)
        ? [{ userId: session.userId, name: session.name, connectionId }]
        : [],
    );
    if (guests.length === 0) return;
    const { lost, takenOver } = await bus.call(
      keepGuests,
      { gatewayId, guests },
      createContext(requestTimeoutMs),
    );
    const asked = new Map(guests.map((guest) => [guest.connectionId, guest]));
    for (const connection of connections) {
      // Meanwhile it may have another name, which was not asked about.
      if (asked.get(connection.id)?.name !== connection.session?.name) continue;
      if (lost.includes(connection.id)) {
        connection.close(closeCodes.sessionEnded, 'the name is somebody else’s now');
      } else if (takenOver.includes(connection.id)) {
        connection.close(closeCodes.takenOver, 'session taken over elsewhere');
      }
    }
  }

  async #touchTokens(connections: readonly Connection[]): Promise<void> {
    const { bus, requestTimeoutMs } = this.#parts;
    const sessions = connections.flatMap(({ session }) =>
      session?.sessionId === undefined ? [] : [{ sessionId: session.sessionId }],
    );
    if (sessions.length === 0) return;
    const { ended } = await bus.call(touchSessions, { sessions }, createContext(requestTimeoutMs));
    for (const connection of connections) {
      if (isAmong(ended, connection.session)) connection.close(closeCodes.sessionEnded, 'session ended');
    }
  }
}

function userOf({ user: { userId, name } }: Connection): User {
  return { userId, name };
}

/** Told to a guest, who has no way to prove that it is the account whose name it wants. */
function accountsNameIsTaken(thrown: unknown): never {
  const error = ParleyError.from(thrown);
  throw error.code === 'not_authenticated' ? new ParleyError('username_taken') : error;
}
