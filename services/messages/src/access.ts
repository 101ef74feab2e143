import { findAccess } from '@parley/protocol';
import type { RoomChanged, RoomId, UserId } from '@parley/protocol';
import { subjects } from '@parley/protocol';
import type { Bus } from '@parley/service-kit';

/** Who may read and write where. */
export interface Access {
  /** Those of the users who are members. @throws ParleyError `room_not_found`, `unavailable`. */
  membersAmong(roomId: RoomId, userIds: readonly UserId[]): Promise<ReadonlySet<UserId>>;
}

/** Most rooms whose members are remembered; the one asked about least recently is forgotten first. */
const maxRooms = 20_000;

/**
 * Remembers what the rooms service answered, until an event of the room or a lost connection puts it in doubt. Only
 * members are remembered: who is none is asked about again.
 */
export function createAccess(bus: Pick<Bus, 'call' | 'subscribe' | 'onReconnect'>): Access {
  const memory = new Map<RoomId, Set<UserId>>();
  /** Answers that were asked for before this moment are not remembered. */
  let doubts = 0;

  function forget(roomId: RoomId): void {
    memory.delete(roomId);
    doubts += 1;
  }

  bus.subscribe(subjects.allRoomChanges, (event) => {
    forget((event as RoomChanged).change.roomId);
  });
  bus.onReconnect(() => {
    memory.clear();
    doubts += 1;
  });

  function remember(roomId: RoomId, memberIds: readonly UserId[]): void {
    const members = memory.get(roomId) ?? new Set();
    for (const memberId of memberIds) members.add(memberId);
    memory.delete(roomId);
    memory.set(roomId, members);
    const [oldest] = memory.keys();
    if (memory.size > maxRooms && oldest) memory.delete(oldest);
  }

  return {
    async membersAmong(roomId, userIds) {
      const known = memory.get(roomId);
      const unknown = userIds.filter((userId) => !known?.has(userId));
      if (known && unknown.length === 0) return known;
      const doubtsBefore = doubts;
      const { memberIds } = await bus.call(findAccess, { roomId, userIds: [...new Set(unknown)] });
      if (doubts === doubtsBefore) remember(roomId, memberIds);
      return new Set([...(known ?? []), ...memberIds]);
    },
  };
}
