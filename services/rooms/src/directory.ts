import { findLastIds, findUsers, ParleyError } from '@parley/protocol';
import type { MessageId, RoomId, User, UserName } from '@parley/protocol';
import type { Bus } from '@parley/service-kit';

/** What rooms has to ask of the other services. */
export interface Directory {
  /** @throws ParleyError `user_not_found` naming all who are unknown. */
  getUsers(names: readonly UserName[]): Promise<User[]>;
  /** The id of the room's last message, 0 where there is none. */
  getLastId(roomId: RoomId): Promise<MessageId>;
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

    async getLastId(roomId) {
      const { lastIds } = await bus.call(findLastIds, { roomIds: [roomId] });
      return lastIds[0] ?? 0;
    },
  };
}
