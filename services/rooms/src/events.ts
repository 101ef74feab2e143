import { subjects } from '@parley/protocol';
import type { ConnectionId, MessageId, RoomChange, RoomChanged, User, UserEvent } from '@parley/protocol';
import type { Bus } from '@parley/service-kit';

/** How changes are told. Always after the commit, never before. */
export interface RoomEvents {
  /** To a user who is in the room no more. */
  left(user: User, change: RoomChange, origin: ConnectionId): void;
  /** To everyone in the room, except the connection that asked. */
  changed(change: RoomChange, origin: ConnectionId): void;
  /** To users who came into the room. */
  entered(
    users: readonly User[],
    entry: { change: RoomChange; sinceId: MessageId; origin: ConnectionId },
  ): void;
}

export function createRoomEvents({ publish }: Pick<Bus, 'publish'>): RoomEvents {
  return {
    changed(change, origin) {
      const event: RoomChanged = { change, origin };
      publish(subjects.roomChange(change.roomId), event);
    },
    left({ userId }, change, origin) {
      const event: UserEvent = { type: 'left-room', roomId: change.roomId, change, origin };
      publish(subjects.userEvents(userId), event);
    },
    entered(users, entry) {
      const event: UserEvent = { type: 'entered-room', roomId: entry.change.roomId, ...entry };
      for (const { userId } of users) publish(subjects.userEvents(userId), event);
    },
  };
}
