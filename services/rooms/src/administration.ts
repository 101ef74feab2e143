import { ParleyError } from '@parley/protocol';
import type {
  listAllRooms,
  ReplyOf,
  RequestOf,
  Room,
  RoomId,
  RoomRecord,
  showRoom,
  UserName,
} from '@parley/protocol';
import type { Log } from '@parley/service-kit';
import type { Membership } from './membership.ts';
import type { PresenceStore } from './presence.ts';
import { publicFace } from './rooms.ts';
import type { Rooms } from './rooms.ts';
import type { RoomRow, RoomStore } from './store.ts';

export interface AdministrationParts {
  store: RoomStore;
  presence: PresenceStore;
  rooms: Rooms;
  membership: Membership;
  /** Who runs a Parley may have to say what was deleted, and when. */
  log: Pick<Log, 'info'>;
}

export type Administration = ReturnType<typeof createAdministration>;

/** What an operator sees of all rooms, private ones too, and does with them. */
export function createAdministration({ store, presence, rooms, membership, log }: AdministrationParts) {
  async function list({
    name,
    after,
    limit,
  }: RequestOf<typeof listAllRooms>): Promise<ReplyOf<typeof listAllRooms>> {
    const found =
      name === undefined
        ? await store.listAll(after, limit + 1)
        : await store.listNamed(name, after?.roomId, limit + 1);
    return { rooms: await recordsOf(found.slice(0, limit)), hasMore: found.length > limit };
  }

  async function show(roomId: RoomId, after: UserName | undefined): Promise<ReplyOf<typeof showRoom>> {
    const row = await store.findRow(roomId);
    if (!row) throw new ParleyError('room_not_found');
    const [room] = (await recordsOf([row])) as [RoomRecord];
    return { room, ...(await membership.readPage(row, after)) };
  }

  async function drop(roomId: RoomId): Promise<Room> {
    const room = await rooms.drop(roomId);
    log.info({ roomId }, 'room deleted by an operator');
    return room;
  }

  async function recordsOf(rows: readonly RoomRow[]): Promise<RoomRecord[]> {
    const counts = await presence.count(rows.map(({ roomId }) => roomId));
    return rows.map((row, index) => ({
      ...publicFace(row),
      createdAt: row.createdAt.toISOString(),
      members: row.members,
      users: counts[index]!,
    }));
  }

  return { list, show, drop };
}
