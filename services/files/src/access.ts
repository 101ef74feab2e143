import { findAccess, isGuest, ParleyError } from '@parley/protocol';
import type { Caller, RoomId } from '@parley/protocol';
import type { Bus } from '@parley/service-kit';

export type Access = ReturnType<typeof createAccess>;

/** Who may do what with a room's files, as the rooms service says. */
export function createAccess(bus: Pick<Bus, 'call'>) {
  /** @throws ParleyError `forbidden` for guests, `room_not_found`, `not_in_room`, `unavailable`. */
  async function requireMember({ userId }: Caller, roomId: RoomId): Promise<void> {
    if (isGuest(userId)) {
      const message = 'Guests cannot send files; log in to an account first.';
      throw new ParleyError('forbidden', {}, { message });
    }
    const { memberIds } = await bus.call(findAccess, { roomId, userIds: [userId] });
    if (!memberIds.includes(userId)) throw new ParleyError('not_in_room');
  }

  /** Members, and in public rooms everybody. @throws ParleyError `room_not_found`, `not_in_room`, `unavailable`. */
  async function requireReader({ userId }: Caller, roomId: RoomId): Promise<void> {
    const { visibility, memberIds } = await bus.call(findAccess, { roomId, userIds: [userId] });
    if (visibility !== 'public' && !memberIds.includes(userId)) throw new ParleyError('not_in_room');
  }

  return { requireMember, requireReader };
}
