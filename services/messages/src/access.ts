import { findAccess, isGuest, subjects } from '@parley/protocol';
import type { ReplyOf, RoomChanged, RoomId, UserId, Visibility } from '@parley/protocol';
import { contextInHand, createContext } from '@parley/service-kit';
import type { Bus, RequestContext } from '@parley/service-kit';

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

export interface AccessParts {
  bus: Pick<Bus, 'callTogether' | 'subscribe' | 'onReconnect'>;
  /** Bounds each question to the rooms service, in ms. */
  requestTimeoutMs: number;
  /** In ms, from whenever it likes. */
  now?: () => number;
}

type Answer = Members & { visibility: Visibility };

/** What is known of a room: its visibility, which never changes, and some of its members. */
class KnownRoom implements Answer {
  readonly visibility: Visibility;
  /** When the first of it was asked for: all of it is as old at the most. */
  readonly askedAt: number;
  readonly #memberIds = new Set<UserId>();
  /** It is being asked for anew. */
  isRenewing = false;

  constructor(visibility: Visibility, askedAt: number) {
    this.visibility = visibility;
    this.askedAt = askedAt;
  }

  /** Guests are as many as ever came, and need not be remembered. */
  add(memberIds: readonly UserId[]): void {
    for (const memberId of memberIds) if (!isGuest(memberId)) this.#memberIds.add(memberId);
  }

  has(userId: UserId): boolean {
    return isGuest(userId) ? this.visibility === 'public' : this.#memberIds.has(userId);
  }

  get memberIds(): readonly UserId[] {
    return [...this.#memberIds];
  }
}

/** Most rooms whose members are remembered; the one asked about least recently is forgotten first. */
const maxRooms = 20_000;
/** Most users that one question names. */
const maxUsersAsked = 1_000;
/** How long an answer counts, in ms: so long at most somebody is believed to be a member whose removal was never heard of. */
const rememberMs = 60_000;
/** What is still used then is asked for anew in good time, so that nobody has to wait for it, in ms. */
const renewAfterMs = 30_000;

/**
 * Remembers what the rooms service answered for a minute, or until an event of the room or a lost connection puts it in doubt. Only
 * members are remembered: who is none is asked about again.
 */
export function createAccess({ bus, requestTimeoutMs, now = Date.now }: AccessParts): Access {
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

  function recall(roomId: RoomId): KnownRoom | undefined {
    const known = memory.get(roomId);
    if (!known) return undefined;
    const age = now() - known.askedAt;
    if (age >= rememberMs) {
      memory.delete(roomId);
      return undefined;
    }
    if (age >= renewAfterMs && !known.isRenewing) void renew(roomId, known);
    return known;
  }

  /** With what others ask at the same time, of whatever room, in one message. */
  function question(
    roomId: RoomId,
    userIds: readonly UserId[],
    context: RequestContext,
  ): Promise<ReplyOf<typeof findAccess>> {
    return bus.callTogether(findAccess, { roomId, userIds: [...new Set(userIds)] }, context, 0);
  }

  /** The room with what the rooms service says of these users, beside what is known of others. */
  async function ask(roomId: RoomId, userIds: readonly UserId[], known?: KnownRoom): Promise<Answer> {
    const doubtsBefore = doubts;
    const askedAt = now();
    const { visibility, memberIds } = await question(roomId, userIds, contextInHand(requestTimeoutMs));
    const answer = new KnownRoom(visibility, askedAt);
    answer.add(memberIds);
    if (doubts === doubtsBefore) {
      const room = memory.get(roomId) ?? answer;
      room.add(memberIds);
      remember(roomId, room);
    }
    // Whatever becomes of what was known meanwhile, it counts for this question.
    return { visibility, has: (userId) => answer.has(userId) || (known?.has(userId) ?? false) };
  }

  /** Asks again about those who are remembered. Never rejects. */
  async function renew(roomId: RoomId, known: KnownRoom): Promise<void> {
    const doubtsBefore = doubts;
    const askedAt = now();
    known.isRenewing = true;
    try {
      const answers = await Promise.all(
        partsOf(known.memberIds).map((part) => question(roomId, part, createContext(requestTimeoutMs))),
      );
      if (doubts !== doubtsBefore || memory.get(roomId) !== known) return;
      const room = new KnownRoom(known.visibility, askedAt);
      for (const { memberIds } of answers) room.add(memberIds);
      memory.set(roomId, room);
    } catch {
      // Who asks next tries again, and waits for the answer once the minute is over.
    } finally {
      known.isRenewing = false;
    }
  }

  return {
    async membersAmong(roomId, userIds) {
      const known = recall(roomId);
      const unknown = userIds.filter((userId) => !known?.has(userId));
      return known && unknown.length === 0 ? known : ask(roomId, unknown, known);
    },

    async mayBrowse(roomId, userId) {
      const known = recall(roomId);
      const room = known?.visibility === 'public' || known?.has(userId) ? known : await ask(roomId, [userId]);
      return room.visibility === 'public' || room.has(userId);
    },
  };
}

/** As many questions as it takes; one where there is nobody to ask about. */
function partsOf(userIds: readonly UserId[]): UserId[][] {
  const parts = [userIds.slice(0, maxUsersAsked)];
  for (let start = maxUsersAsked; start < userIds.length; start += maxUsersAsked) {
    parts.push(userIds.slice(start, start + maxUsersAsked));
  }
  return parts;
}
