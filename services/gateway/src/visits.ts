import {
  createRoom,
  defaultRoomId,
  findRooms,
  isGuest,
  joinRoom,
  keepGuests,
  openGuest,
  ParleyError,
  releaseGuests,
  renameGuest,
  touchSessions,
} from '@parley/protocol';
import type {
  createPublicRoom,
  enterRoom,
  exitRoom,
  GatewayId,
  identifyGuest,
  MessageId,
  renameSelf,
  ReplyOf,
  RequestOf,
  RoomId,
  User,
} from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, Log, RequestContext } from '@parley/service-kit';
import { Batches } from './batches.ts';
import { authorize, callerFor } from './caller.ts';
import { closeCodes, isAmong } from './connection.ts';
import type { BoundSession, Connection } from './connection.ts';
import { findCaller } from './http/callers.ts';
import type { Lobby } from './lobby.ts';
import type { Visitors } from './visitors.ts';

export interface VisitsParts {
  bus: Bus;
  log: Log;
  gatewayId: GatewayId;
  requestTimeoutMs: number;
  visitors: Visitors;
  lobby: Lobby;
}

const maxPerRequest = 1_000;

/** What connections ask for that join rooms one by one: who they are, and where they are present. */
export class Visits {
  readonly #parts: VisitsParts;
  readonly #releases: Batches<User>;

  constructor(parts: VisitsParts) {
    this.#parts = parts;
    const { bus, log, requestTimeoutMs } = parts;
    this.#releases = new Batches(async (guests) => {
      try {
        await bus.call(releaseGuests, { guests }, createContext(requestTimeoutMs));
      } catch (err) {
        log.warn({ err, guests: guests.length }, 'the names of guests that are gone could not be released');
      }
    });
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
    await this.#becomeGuest(connection, name, context).catch((thrown: unknown) => {
      const error = ParleyError.from(thrown);
      // Here there is no way to prove who one is.
      throw error.code === 'not_authenticated' ? new ParleyError('username_taken') : error;
    });
    try {
      const room = await this.#enter(connection, defaultRoomId, undefined, context);
      if (!visitors.has(connection)) throw new ParleyError('unavailable');
      lobby.add(connection);
      await lobby.send(connection);
      return { name, room };
    } catch (error) {
      connection.dropHeld();
      this.forget(connection);
      throw error;
    }
  }

  async rename(
    connection: Connection,
    { newName }: RequestOf<typeof renameSelf>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof renameSelf>> {
    const { bus, gatewayId, visitors } = this.#parts;
    const { userId, name } = connection.user;
    if (!isGuest(userId)) {
      throw new ParleyError('forbidden', {}, { message: 'The name of an account cannot be changed.' });
    }
    await bus.call(renameGuest, { guest: { userId, name }, newName, gatewayId }, context);
    if (visitors.has(connection)) visitors.rename(connection, newName);
    else this.#release({ userId, name: newName });
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
      if (isNew) connection.dropHeld();
      if (isNew) this.forget(connection);
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
      await this.#becomeGuest(connection, name, context).catch((thrown: unknown) => {
        const error = ParleyError.from(thrown);
        // Where there are no guests, an account is what it takes.
        throw error.code === 'forbidden' ? new ParleyError('not_authenticated') : error;
      });
    } else {
      authorize(session, name);
      if (!connection.isOpen()) throw new ParleyError('unavailable');
      this.#parts.visitors.add(connection, session);
    }
  }

  async #becomeGuest(connection: Connection, name: string, context: RequestContext): Promise<void> {
    const { bus, gatewayId, visitors } = this.#parts;
    const guest = await bus.call(openGuest, { name, gatewayId }, context);
    if (connection.isOpen()) {
      visitors.add(connection, guest);
    } else {
      this.#release(guest);
      throw new ParleyError('unavailable');
    }
  }

  /** Whose token it is. @throws ParleyError `not_authenticated`, `unavailable`. */
  findSession(token: string, context: RequestContext): Promise<BoundSession> {
    return findCaller(this.#parts.bus, token, context);
  }

  #enter(connection: Connection, roomId: RoomId, lastId: MessageId | undefined, context: RequestContext) {
    const { bus, visitors } = this.#parts;
    const asCaller = { ...context, caller: callerFor(connection) };
    const find = async () => (await bus.call(joinRoom, { roomId }, asCaller)).room;
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

  /** What to answer to a connection that is not in the room. */
  async whyNotPresent(roomId: RoomId, context: RequestContext): Promise<ParleyError> {
    const { rooms } = await this.#parts.bus.call(findRooms, { roomIds: [roomId] }, context);
    return new ParleyError(rooms.length > 0 ? 'not_in_room' : 'room_not_found');
  }

  async createRoom(
    connection: Connection,
    { name }: RequestOf<typeof createPublicRoom>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof createPublicRoom>> {
    const { bus, lobby } = this.#parts;
    const { roomId } = await bus.call(createRoom, { name, visibility: 'public', participants: [] }, context);
    lobby.noticeRoom({ roomId, name, users: 0 });
    await lobby.send(connection);
    return {};
  }

  async showLobby(connection: Connection): Promise<object> {
    await this.#parts.lobby.send(connection);
    return {};
  }

  /** The connection is gone, or was nobody's after all. A guest's name is free at once. */
  forget(connection: Connection): void {
    const { lobby, visitors } = this.#parts;
    lobby.remove(connection);
    const user = visitors.remove(connection);
    if (user && isGuest(user.userId)) this.#release(user);
  }

  #release({ userId, name }: User): void {
    this.#releases.add({ userId, name });
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
    const guests = connections.flatMap(({ session }) =>
      session && isGuest(session.userId) ? [{ userId: session.userId, name: session.name }] : [],
    );
    if (guests.length === 0) return;
    const { lost } = await bus.call(keepGuests, { gatewayId, guests }, createContext(requestTimeoutMs));
    for (const connection of connections) {
      const { session } = connection;
      if (session && lost.includes(session.userId)) {
        connection.close(closeCodes.sessionEnded, 'the name is somebody else’s now');
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
