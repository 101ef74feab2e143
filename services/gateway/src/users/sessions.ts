import {
  endSession,
  logIn,
  register,
  releaseConnections,
  renewConnectionLease,
  resumeSession,
  touchSessions,
} from '@parley/protocol';
import type {
  closeSession,
  GatewayId,
  LeaseReply,
  openSession,
  ReplyOf,
  RequestOf,
  registerAccount,
  UserId,
} from '@parley/protocol';
import { callerOf, createContext } from '@parley/service-kit';
import type { Bus, Log, RequestContext } from '@parley/service-kit';
import { closeCodes, isAmong } from '../connection/connection.ts';
import type { Connection } from '../connection/connection.ts';
import type { Lobby } from '../rooms/lobby.ts';
import { Batches } from './batches.ts';
import { requireNobody } from './caller.ts';
import type { LocalUsers } from './local-users.ts';

export interface SessionsParts {
  bus: Bus;
  log: Log;
  gatewayId: GatewayId;
  requestTimeoutMs: number;
  users: LocalUsers;
  lobby: Pick<Lobby, 'remove'>;
  /** `HANDSHAKE=required`. */
  isHandshakeRequired: boolean;
}

const maxPerRequest = 1_000;

/** Binds sessions of the auth service to connections, and keeps them alive as long as these are open. */
export class Sessions {
  readonly #parts: SessionsParts;
  readonly #releases: Batches<RequestOf<typeof releaseConnections>['connections'][number]>;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    const { bus, log, requestTimeoutMs } = parts;
    this.#releases = new Batches(async (connections) => {
      try {
        await bus.call(releaseConnections, { connections }, createContext(requestTimeoutMs));
      } catch (err) {
        log.warn({ err, connections: connections.length }, 'closed connections could not be released');
      }
    });
    parts.bus.onReconnect(() => {
      this.touch().catch((err: unknown) => {
        parts.log.warn({ err }, 'sessions could not be touched, next time');
      });
    });
  }

  async register(
    connection: Connection,
    { name, password }: RequestOf<typeof registerAccount>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof registerAccount>> {
    await this.#parts.bus.call(register, { name, password, address: connection.address }, context);
    return { name };
  }

  async open(
    connection: Connection,
    { name, proof, handshake, receipts }: RequestOf<typeof openSession>,
    context: RequestContext,
  ): Promise<ReplyOf<typeof openSession>> {
    requireNobody(connection);
    const { bus, gatewayId, users, isHandshakeRequired } = this.#parts;
    const credentials = {
      name,
      address: connection.address,
      place: { connectionId: connection.id, gatewayId },
    };
    const { sessionKey, ...session } =
      'password' in proof
        ? await bus.call(logIn, { ...credentials, password: proof.password }, context)
        : await bus.callTogether(resumeSession, { ...credentials, sessionKey: proof.sessionKey }, context);
    try {
      const options = { handshake: handshake || isHandshakeRequired, receipts };
      await users.add(connection, session, options, context);
    } catch (error) {
      this.#release(connection, session.userId);
      throw error;
    }
    return { name, sessionKey };
  }

  async close(connection: Connection, context: RequestContext): Promise<ReplyOf<typeof closeSession>> {
    const { bus, users, lobby } = this.#parts;
    const { name } = callerOf(context);
    await bus.call(endSession, {}, context);
    users.remove(connection);
    lobby.remove(connection);
    return { name };
  }

  /** The connection is gone: its user may log in elsewhere at once, and may resume the session. */
  forget(connection: Connection): void {
    const { session } = connection;
    this.#parts.users.remove(connection, true);
    this.#parts.lobby.remove(connection);
    if (session) this.#release(connection, session.userId);
  }

  #release({ id: connectionId }: Connection, userId: UserId): void {
    this.#releases.add({ userId, place: { connectionId, gatewayId: this.#parts.gatewayId } });
  }

  /** Resolves when all connections that are gone have been released. Never rejects: a probe would find them gone. */
  released(): Promise<void> {
    return this.#releases.sent();
  }

  /** Prolongs the gateway's lease. @throws ParleyError `unavailable` */
  renewLease(): Promise<LeaseReply> {
    const { bus, gatewayId, requestTimeoutMs } = this.#parts;
    return bus.call(renewConnectionLease, { gatewayId }, createContext(requestTimeoutMs));
  }

  /** Keeps the sessions of all connections alive; those that ended without our hearing of it are closed. */
  async touch(): Promise<void> {
    const { bus, requestTimeoutMs, users } = this.#parts;
    const connections = [...users.connections()];
    for (let start = 0; start < connections.length; start += maxPerRequest) {
      const some = connections.slice(start, start + maxPerRequest);
      const touched = some.flatMap(({ id, session }) =>
        session?.sessionId === undefined ? [] : [{ sessionId: session.sessionId, connectionId: id }],
      );
      const { ended } = await bus.call(touchSessions, { sessions: touched }, createContext(requestTimeoutMs));
      for (const connection of some) {
        if (isAmong(ended, connection.session)) connection.close(closeCodes.sessionEnded, 'session ended');
      }
    }
  }
}
