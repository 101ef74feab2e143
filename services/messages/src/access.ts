import { findAccess, isGuest, subjects } from '@parley/protocol';
import type { RoomChanged, RoomId, UserId, Visibility } from '@parley/protocol';
import type { Bus } from '@parley/service-kit';

/** The members of a room, and guests where it is public. */
export interface Members {
  has(userId: UserId): boolean;
}

/** Who may read and write where. */
export interface Access {
  /**
   * The members of the room, as far as the users asked about are concerned.
   * @throws ParleyError `room_not_found`, `unavailable`.
   */
  membersAmong(roomId: RoomId, userIds: readonly UserId[]): Promise<Members>;
  /**
   * Whether the user may look into the room: into a public one everybody.
   * @throws ParleyError `room_not_found`, `unavailable`.
   */
  mayBrowse(roomId: RoomId, userId: UserId): Promise<boolean>;
}

/** What is known of a room: its visibility, which never changes, and some of its members. */
class KnownRoom implements Members {
  readonly visibility: Visibility;
  readonly #memberIds: Set<UserId>;

  constructor(visibility: Visibility, former?: KnownRoom) {
    this.visibility = visibility;
    this.#memberIds = new Set(former ? former.#memberIds : []);
  }

  /** Guests are as many as ever came, and need not be remembered. */
  add(memberIds: readonly UserId[]): void {
    for (const memberId of memberIds) if (!isGuest(memberId)) this.#memberIds.add(memberId);
  }

  has(userId: UserId): boolean {
    return isGuest(userId) ? this.visibility === 'public' : this.#memberIds.has(userId);
  }
}

/** Most rooms whose members are remembered; the one asked about least recently is forgotten first. */
const maxRooms = 20_000;

/**
 * Remembers what the rooms service answered, until an event of the room or a lost connection puts it in doubt. Only
 * members are remembered: who is none is asked about again.
 */
export function createAccess(bus: Pick<Bus, 'call' | 'subscribe' | 'onReconnect'>): Access {
  const memory = new Map<RoomId, KnownRoom>();
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

  function remember(roomId: RoomId, room: KnownRoom): void {
    memory.delete(roomId);
    memory.set(roomId, room);
    const [oldest] = memory.keys();
    if (memory.size > maxRooms && oldest) memory.delete(oldest);
  }

  /** The room with what the rooms service says of these users, beside what is known of others. */
  async function ask(roomId: RoomId, userIds: readonly UserId[]): Promise<KnownRoom> {
    const doubtsBefore = doubts;
    const known = memory.get(roomId);
    const { visibility, memberIds } = await bus.call(findAccess, { roomId, userIds: [...new Set(userIds)] });
    if (doubts !== doubtsBefore) {
      const room = new KnownRoom(visibility, known);
      room.add(memberIds);
      return room;
    }
    const room = memory.get(roomId) ?? known ?? new KnownRoom(visibility);
    room.add(memberIds);
    remember(roomId, room);
    return room;
  }

  return {
    async membersAmong(roomId, userIds) {
      const known = memory.get(roomId);
      const unknown = userIds.filter((userId) => !known?.has(userId));
      return known && unknown.length === 0 ? known : ask(roomId, unknown);
    },

    async mayBrowse(roomId, userId) {
      const known = memory.get(roomId);
      const room = known?.visibility === 'public' || known?.has(userId) ? known : await ask(roomId, [userId]);
      return room.visibility === 'public' || room.has(userId);
    },
  };
}
