import {
  addMember,
  commitSends,
  createId,
  createRoom,
  findMemberships,
  joinRoom,
  register,
  renewPresenceLease,
  reportPresence,
  subjects,
} from '@parley/protocol';
import type {
  GatewayId,
  LobbyChanged,
  Method,
  PresenceChanged,
  ReplyOf,
  RequestOf,
  Room,
  RoomChanged,
  RoomId,
  SendResult,
  User,
  UserEvent,
} from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import { answerMs, contextOf, password } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';

export type RoomsClient = ReturnType<typeof clientOf>;

/** Asks the service over the bus, as a gateway does for its users. */
export function clientOf({ bus }: Parley) {
  function ask<M extends Method>(user: User, method: M, request: RequestOf<M>): Promise<ReplyOf<M>> {
    return bus.call(method, request, contextOf(user));
  }

  return {
    ask,

    /** A user with an account, whom others can name. */
    signUp: (name: string): Promise<User> =>
      bus.call(register, { name, password, address: '192.0.2.1' }, createContext(answerMs)),

    create: (
      owner: User,
      name: string,
      { visibility = 'private', participants = [] }: Partial<RequestOf<typeof createRoom>> = {},
    ): Promise<Room> => ask(owner, createRoom, { name, visibility, participants, address: '192.0.2.1' }),

    join: (user: User, roomId: RoomId) => ask(user, joinRoom, { roomId }),

    add: (owner: User, roomId: RoomId, user: string) => ask(owner, addMember, { roomId, user }),

    /** The ids of the rooms that the user is a member of, in the order of joining. */
    async roomsOf(user: User): Promise<RoomId[]> {
      const { rooms } = await ask(user, findMemberships, {});
      return rooms.map(({ roomId }) => roomId);
    },

    async send(sender: User, roomId: RoomId, content: string): Promise<SendResult> {
      const { results } = await ask(sender, commitSends, { roomId, sends: [{ content }] });
      return results[0]!;
    },

    /** What the room is told from now on. A change is heard before the reply to who asked for it. */
    async hearRoom(roomId: RoomId): Promise<RoomChanged[]> {
      const events: RoomChanged[] = [];
      bus.subscribe(subjects.roomChange(roomId), (event) => events.push(event as RoomChanged));
      await bus.flush();
      return events;
    },

    /** Who came into sight in the room and went from it, from now on. A report is answered after what it brings about is told. */
    async hearPresence(roomId: RoomId): Promise<PresenceChanged[]> {
      const events: PresenceChanged[] = [];
      bus.subscribe(subjects.roomPresence(roomId), (event) => events.push(event as PresenceChanged));
      await bus.flush();
      return events;
    },

    /** What all gateways are told of public rooms from now on. */
    async hearLobby(): Promise<LobbyChanged[]> {
      const events: LobbyChanged[] = [];
      bus.subscribe(subjects.lobby, (event) => events.push(event as LobbyChanged));
      await bus.flush();
      return events;
    },

    /** What the user is told from now on. */
    async hearUser({ userId }: User): Promise<UserEvent[]> {
      const events: UserEvent[] = [];
      bus.subscribe(subjects.userEvents(userId), (event) => events.push(event as UserEvent));
      await bus.flush();
      return events;
    },
  };
}

/** A user without an account: the service itself does not ask for one of those who call. */
export function someone(name: string): User {
  return { userId: createId('user'), name };
}

export function guest(name: string): User {
  return { userId: createId('guest'), name };
}

/** Gateways as the service sees them: leases, and reports of who is present. */
export function gatewaysOf({ bus }: Parley) {
  const living = new Map<GatewayId, NodeJS.Timeout>();

  function renew(gatewayId: GatewayId): Promise<ReplyOf<typeof renewPresenceLease>> {
    return bus.call(renewPresenceLease, { gatewayId }, createContext(answerMs));
  }

  function die(gatewayId: GatewayId): void {
    clearInterval(living.get(gatewayId));
    living.delete(gatewayId);
  }

  return {
    renew,
    die,

    /** A gateway that renews its lease until it dies. */
    async open(): Promise<GatewayId> {
      const gatewayId = createId('gateway');
      await renew(gatewayId);
      const timer = setInterval(() => {
        renew(gatewayId).catch(() => {
          // Redis is away; the next renewal may do better.
        });
      }, 250);
      living.set(gatewayId, timer);
      return gatewayId;
    },

    dieAll(): void {
      for (const gatewayId of living.keys()) die(gatewayId);
    },

    report(
      gatewayId: GatewayId,
      roomId: RoomId,
      { present = [], absent = [] }: { present?: User[]; absent?: User[] },
    ): Promise<ReplyOf<typeof reportPresence>> {
      const inRoom = ({ name }: User) => ({ roomId, name });
      const request = { gatewayId, present: present.map(inRoom), absent: absent.map(inRoom) };
      return bus.call(reportPresence, request, createContext(answerMs));
    },
  };
}

/** As many users, whose names come in the order of their numbers. */
export function crowdOf(size: number): User[] {
  return Array.from({ length: size }, (_, index) => someone(`guest ${String(index).padStart(4, '0')}`));
}
