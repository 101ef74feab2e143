import {
  createId,
  endSession,
  findSession,
  logIn,
  openToken,
  probeConnection,
  register,
  releaseConnections,
  renewConnectionLease,
  resumeSession,
  subjects,
  touchSessions,
} from '@parley/protocol';
import type {
  Caller,
  ConnectionId,
  ConnectionPlace,
  GatewayId,
  ReplyOf,
  SessionId,
  User,
  UserEvent,
} from '@parley/protocol';
import { createContext, endpoint } from '@parley/service-kit';
import type { Bus } from '@parley/service-kit';
import { answerMs, password } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';

export type Session = ReplyOf<typeof logIn>;

let addresses = 0;

/** An address that nobody has used yet, so with its whole limit before it. */
export function newAddress(): string {
  addresses += 1;
  return `198.51.100.${addresses}`;
}

/** Asks the service over the bus, as a gateway does for its users. */
export function clientOf({ bus }: Parley) {
  const context = () => createContext(answerMs);
  return {
    signUp: (name: string, address = newAddress()): Promise<User> =>
      bus.call(register, { name, password, address }, context()),

    signIn: (
      name: string,
      place: ConnectionPlace,
      address = newAddress(),
      secret = password,
    ): Promise<Session> => bus.call(logIn, { name, password: secret, address, place }, context()),

    openToken: (name: string, address = newAddress(), secret = password): Promise<Session> =>
      bus.call(openToken, { name, password: secret, address }, context()),

    find: (sessionKey: string) => bus.call(findSession, { sessionKey }, context()),

    resume: (
      name: string,
      sessionKey: string,
      place: ConnectionPlace,
      address = newAddress(),
    ): Promise<Session> => bus.call(resumeSession, { name, sessionKey, address, place }, context()),

    touch: (...sessionIds: SessionId[]) =>
      bus.call(touchSessions, { sessions: sessionIds.map((sessionId) => ({ sessionId })) }, context()),

    logOut: (caller: Caller) => bus.call(endSession, {}, createContext(answerMs, caller)),

    release: ({ userId }: User, place: ConnectionPlace) =>
      bus.call(releaseConnections, { connections: [{ userId, place }] }, context()),
  };
}

/** A gateway as the auth service sees it. */
export interface PlayedGateway extends AsyncDisposable {
  gatewayId: GatewayId;
  /** A new connection, which answers probes. */
  open(): ConnectionPlace;
  /** The connection answers no more. */
  lose(place: ConnectionPlace): void;
  /** It is cut off from Redis: its lease runs out, though it would still answer. */
  stopRenewing(): void;
  /** The connections that were asked about, in order. */
  probed: ConnectionId[];
}

const renewEveryMs = 250;

/** Holds a lease and answers probes until it is closed. */
export async function playGateway(bus: Bus): Promise<PlayedGateway> {
  const gatewayId = createId('gateway');
  const alive = new Set<ConnectionId>();
  const probed: ConnectionId[] = [];
  const answerProbe = endpoint(probeConnection, ({ connectionId }) => {
    probed.push(connectionId);
    return Promise.resolve({ alive: alive.has(connectionId) });
  });
  const served = await bus.serve('gateway', [answerProbe], gatewayId);
  const lease = await holdLease(bus, gatewayId);
  return {
    gatewayId,
    probed,
    open() {
      const connectionId = createId('connection');
      alive.add(connectionId);
      return { connectionId, gatewayId };
    },
    lose({ connectionId }) {
      alive.delete(connectionId);
    },
    stopRenewing() {
      lease[Symbol.dispose]();
    },
    async [Symbol.asyncDispose]() {
      lease[Symbol.dispose]();
      await served[Symbol.asyncDispose]();
    },
  };
}

/** Keeps a gateway's lease, as its process does while it lives. */
export async function holdLease(bus: Bus, gatewayId: GatewayId): Promise<Disposable> {
  const renew = () => bus.call(renewConnectionLease, { gatewayId }, createContext(answerMs));
  await renew();
  const timer = setInterval(() => {
    renew().catch(() => {
      // Redis is away; the next renewal may do better.
    });
  }, renewEveryMs);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}

/** What the user is told from now on. */
export async function hear(bus: Bus, { userId }: User): Promise<UserEvent[]> {
  const events: UserEvent[] = [];
  bus.subscribe(subjects.userEvents(userId), (event) => events.push(event as UserEvent));
  await bus.flush();
  return events;
}
