import { findRole, findUsers, noteEntry, ParleyError } from '@parley/protocol';
import type { MessageId, RoomId, User, UserId, UserName } from '@parley/protocol';
import type { Bus } from '@parley/service-kit';

/** What rooms has to ask of the other services. */
export interface Directory {
  /** @throws ParleyError `user_not_found` naming all who are unknown. */
  getUsers(names: readonly UserName[]): Promise<User[]>;
  /** Tells that the user is about to enter the room; answers with the id of its last message, 0 where there is none. */
  noteEntry(roomId: RoomId, user: User): Promise<MessageId>;
  /** Whether the user may delete any public room. */
  isAdmin(userId: UserId): Promise<boolean>;
}

export function createDirectory(bus: Bus): Directory {
  return {
    async getUsers(names) {
      const wanted = [...new Set(names)];
      if (wanted.length === 0) return [];
      const { users } = await bus.call(findUsers, { names: wanted });
      const byName = new Map(users.map((user) => [user.name, user]));
      const unknown = wanted.filter((name) => !byName.has(name));
      if (unknown.length > 0) {
        const message = `No such user: ${unknown.join(', ')}. Check the names.`;
        throw new ParleyError('user_not_found', { users: unknown }, { message });
      }
      return wanted.map((name) => byName.get(name)!);
    },

    async noteEntry(roomId, user) {
      return (await bus.call(noteEntry, { roomId, user })).lastId;
    },

    async isAdmin(userId) {
      return (await bus.call(findRole, { userId })).role === 'admin';
    },
  };
}
