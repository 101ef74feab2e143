import { firstThatFit, ParleyError, subjects } from '@parley/protocol';
import type {
  beginReading,
  Caller,
  IdRange,
  listReceipts,
  ReplyOf,
  RoomId,
  UserEvent,
  UserId,
} from '@parley/protocol';
import type { Access, Members } from './access.ts';
import type { Acknowledgement, Receipt, ReceiptStore } from './receipt-store.ts';

export interface ReceiptsParts {
  store: Pick<ReceiptStore, 'add' | 'begin' | 'list'>;
  access: Pick<Access, 'membersAmong'>;
  publish: (subject: string, event: UserEvent) => void;
}

/** Users whose membership is asked about at once. */
const maxUsersPerQuestion = 1_000;

export type Receipts = ReturnType<typeof createReceipts>;

/** Who has acknowledged what. */
export function createReceipts({ store, access, publish }: ReceiptsParts) {
  /** What the caller has acknowledged of those of the rooms that it is in. @throws ParleyError `unavailable` */
  async function begin(
    { userId, name }: Caller,
    roomIds: readonly RoomId[],
  ): Promise<ReplyOf<typeof beginReading>> {
    const isIn = await Promise.all(
      roomIds.map(async (roomId) => (await findMembers(roomId, [userId])).has(userId)),
    );
    const own = roomIds.filter((_roomId, index) => isIn[index]);
    return { rooms: await store.begin({ userId, name }, own) };
  }

  /** Nobody where there is no such room. */
  async function findMembers(roomId: RoomId, userIds: readonly UserId[]): Promise<Members> {
    try {
      return await access.membersAmong(roomId, userIds);
    } catch (error) {
      if (ParleyError.from(error).code === 'room_not_found') return new Set();
      throw error;
    }
  }

  /**
   * Stores acknowledgements and tells the senders, wherever they are. Those of users who are not in the room are left out: they may have
   * left a moment ago.
   * @throws ParleyError `invalid_field` where a range ends before it begins; then none of them is stored.
   */
  async function acknowledge(acknowledgements: readonly Acknowledgement[]): Promise<void> {
    if (acknowledgements.some(({ ranges }) => ranges.some(([from, to]) => from > to))) {
      throw new ParleyError('invalid_field', { field: 'ranges' });
    }
    const ofMembers = await onlyOfMembers(merged(acknowledgements));
    for (const { roomId, messageId, senderId, reader } of await store.add(ofMembers)) {
      publish(subjects.userEvents(senderId), { type: 'message-delivered', roomId, messageId, reader });
    }
  }

  async function onlyOfMembers(acknowledgements: readonly Acknowledgement[]): Promise<Acknowledgement[]> {
    const byRoom = Map.groupBy(acknowledgements, ({ roomId }) => roomId);
    const kept = await Promise.all(
      [...byRoom].map(async ([roomId, ofRoom]) => {
        const members = await findMembers(
          roomId,
          ofRoom.map(({ user }) => user.userId),
        );
        return ofRoom.filter(({ user }) => members.has(user.userId));
      }),
    );
    return kept.flat();
  }

  /** For members, of those who still are. @throws ParleyError `room_not_found` or `not_in_room`. */
  async function list(caller: Caller, roomId: RoomId): Promise<ReplyOf<typeof listReceipts>> {
    const asking = await access.membersAmong(roomId, [caller.userId]);
    if (!asking.has(caller.userId)) throw new ParleyError('not_in_room');
    const all = await store.list(roomId);
    const ofMembers: Receipt[] = [];
    for (let start = 0; start < all.length; start += maxUsersPerQuestion) {
      const some = all.slice(start, start + maxUsersPerQuestion);
      const members = await access.membersAmong(
        roomId,
        some.map(({ userId }) => userId),
      );
      ofMembers.push(...some.filter(({ userId }) => members.has(userId)));
    }
    const receipts = ofMembers.map(({ name, position, at }) => ({ name, position, at }));
    return { roomId, receipts: firstThatFit(receipts) };
  }

  return { begin, acknowledge, list };
}

/** One acknowledgement for each user and room. */
function merged(acknowledgements: readonly Acknowledgement[]): Acknowledgement[] {
  const byKey = Map.groupBy(acknowledgements, ({ roomId, user }) => `${roomId} ${user.userId}`);
  return [...byKey.values()].map((same) => ({
    ...same[0]!,
    ranges: same.flatMap(({ ranges }): readonly IdRange[] => ranges),
  }));
}
