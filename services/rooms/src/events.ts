import { subjects } from '@parley/protocol';
import type {
  ConnectionId,
  LobbyChanged,
  MessageId,
  PresenceChanged,
  RoomChange,
  RoomChanged,
  User,
  UserEvent,
} from '@parley/protocol';
import type { Bus } from '@parley/service-kit';

/** The connection that asked for a change; over HTTP there is none. */
type Origin = ConnectionId | undefined;

/** How changes are told. Always after the commit, never before. */
export interface RoomEvents {
  /** To a user who is in the room no more. */
  left(user: User, change: RoomChange, origin: Origin): void;
  /** To everyone in the room, except the connection that asked. */
  changed(change: RoomChange, origin: Origin): void;
  /** To users who came into the room. */
  entered(users: readonly User[], entry: { change: RoomChange; sinceId: MessageId; origin: Origin }): void;
  /**
   * To everyone in the room. A report names at most 2,000 users, whose names are at most 256 bytes each: that fits one
   * event on the bus, which takes 1 MiB.
   */
  presenceChanged(event: PresenceChanged): void;
  /** To all gateways. 1,000 rooms, whose names are at most 256 bytes each, fit one event. */
  lobbyChanged(event: LobbyChanged): void;
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
    presenceChanged(event) {
      publish(subjects.roomPresence(event.roomId), event);
    },
    lobbyChanged(event) {
      publish(subjects.lobby, event);
    },
  };
}
