import {
  addMember,
  commitSends,
  createId,
  createRoom,
  findMemberships,
  joinRoom,
  register,
  subjects,
} from '@parley/protocol';
import type {
  Method,
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
import { contextOf, password } from '@parley/test-kit';
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
      bus.call(register, { name, password, address: '192.0.2.1' }, createContext(5_000)),

    create: (
      owner: User,
      name: string,
      { visibility = 'private', participants = [] }: Partial<RequestOf<typeof createRoom>> = {},
    ): Promise<Room> => ask(owner, createRoom, { name, visibility, participants }),

    join: (user: User, roomId: RoomId) => ask(user, joinRoom, { roomId }),

    add: (owner: User, roomId: RoomId, user: string) => ask(owner, addMember, { roomId, user }),

    /** The ids of the rooms that the user is a member of, in the order of joining. */
    async roomsOf({ userId }: User): Promise<RoomId[]> {
      const { rooms } = await bus.call(findMemberships, { userId }, createContext(5_000));
      return rooms.map(({ roomId }) => roomId);
    },

    async send(sender: User, roomId: RoomId, content: string): Promise<SendResult> {
      const sends = [{ sender, content, origin: createId('connection') }];
      const { results } = await bus.call(commitSends, { roomId, sends }, createContext(5_000));
      return results[0]!;
    },

    /** What the room is told from now on. A change is heard before the reply to who asked for it. */
    async hearRoom(roomId: RoomId): Promise<RoomChanged[]> {
      const events: RoomChanged[] = [];
      bus.subscribe(subjects.roomChange(roomId), (event) => events.push(event as RoomChanged));
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
