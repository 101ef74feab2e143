import { ParleyError } from '@parley/protocol';
import type { Room, RoomId, User, UserId, UserName, Visibility } from '@parley/protocol';
import { violates } from '@parley/service-kit';
import type { Database } from '@parley/service-kit';

/** A room with what decides about access to it. */
export interface StoredRoom extends Room {
  ownerId: UserId;
}

export interface NewRoom {
  roomId: RoomId;
  name: string;
  visibility: Visibility;
  owner: User;
  members: readonly User[];
}

export interface Limits {
  maxRoomsPerUser: number;
  maxMembersPerRoom: number;
}

export type RoomStore = ReturnType<typeof createRoomStore>;

const roomColumns = 'room.id as "roomId", room.name, room.visibility, room.owner, room.owner_id as "ownerId"';

/** Rooms and members in Postgres. */
export function createRoomStore(database: Database, { maxRoomsPerUser, maxMembersPerRoom }: Limits) {
  const { query } = database;

  /** @throws ParleyError `room_exists` where a public room has the name. */
  async function unlessNameTaken<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (violates(error, 'room_public_name_key')) throw new ParleyError('room_exists');
      throw error;
    }
  }

  return {
    /** The names of those among the users who are in as many rooms as one may be. */
    async findFull(users: readonly User[]): Promise<UserName[]> {
      const text = `select max(name) as name from rooms.member where user_id = any($1)
                    group by user_id having count(*) >= $2`;
      const values = [users.map(({ userId }) => userId), maxRoomsPerUser];
      return (await query<{ name: UserName }>({ name: 'rooms.findFull', text, values })).map(
        ({ name }) => name,
      );
    },

    async insert({ roomId, name, visibility, owner, members }: NewRoom): Promise<void> {
      await unlessNameTaken(() =>
        database.transaction(async (transaction) => {
          await transaction.query({
            name: 'rooms.insert',
            text: 'insert into rooms.room (id, name, visibility, owner_id, owner) values ($1, $2, $3, $4, $5)',
            values: [roomId, name, visibility, owner.userId, owner.name],
          });
          await transaction.query({
            name: 'rooms.insertMembers',
            text: `insert into rooms.member (room_id, user_id, name)
                   select $1, user_id, name from unnest($2::text[], $3::text[]) as member (user_id, name)`,
            values: [roomId, members.map(({ userId }) => userId), members.map((member) => member.name)],
          });
        }),
      );
    },

    async find(roomId: RoomId): Promise<StoredRoom | undefined> {
      const text = `select ${roomColumns} from rooms.room where id = $1`;
      return (await query<StoredRoom>({ name: 'rooms.find', text, values: [roomId] }))[0];
    },

    /** The rooms the user is a member of, in the order of joining. */
    async listOfUser(userId: UserId): Promise<StoredRoom[]> {
      const text = `select ${roomColumns} from rooms.member join rooms.room on room.id = member.room_id
                    where member.user_id = $1 order by member.joined_at, room.id`;
      return query<StoredRoom>({ name: 'rooms.listOfUser', text, values: [userId] });
    },

    /** Public rooms, by name. */
    async listPublic(userId: UserId, limit: number): Promise<(StoredRoom & { member: boolean })[]> {
      const text = `select ${roomColumns}, member.user_id is not null as member
                    from rooms.room left join rooms.member on member.room_id = room.id and member.user_id = $1
                    where room.visibility = 'public' order by room.name limit $2`;
      return query<StoredRoom & { member: boolean }>({
        name: 'rooms.listPublic',
        text,
        values: [userId, limit],
      });
    },

    /** Renames the room if the user owns it. */
    async rename(roomId: RoomId, newName: string, ownerId: UserId): Promise<StoredRoom | undefined> {
      const text = `update rooms.room set name = $2 where id = $1 and owner_id = $3 returning ${roomColumns}`;
      const values = [roomId, newName, ownerId];
      return (await unlessNameTaken(() => query<StoredRoom>({ name: 'rooms.rename', text, values })))[0];
    },

    /** Deletes the room with its members if the user owns it. */
    async delete(roomId: RoomId, ownerId: UserId): Promise<boolean> {
      const text = 'delete from rooms.room where id = $1 and owner_id = $2 returning id';
      return (await query({ name: 'rooms.delete', text, values: [roomId, ownerId] })).length > 0;
    },

    async isMember(roomId: RoomId, userId: UserId): Promise<boolean> {
      const text = 'select 1 from rooms.member where room_id = $1 and user_id = $2';
      return (await query({ name: 'rooms.isMember', text, values: [roomId, userId] })).length > 0;
    },

    async findMemberIds(roomId: RoomId, userIds: readonly UserId[]): Promise<UserId[]> {
      const text = 'select user_id as "userId" from rooms.member where room_id = $1 and user_id = any($2)';
      const rows = await query<{ userId: UserId }>({
        name: 'rooms.findMemberIds',
        text,
        values: [roomId, userIds],
      });
      return rows.map(({ userId }) => userId);
    },

    /** Members in the order of their names, after a name. */
    async listMembers(roomId: RoomId, after: UserName, limit: number): Promise<User[]> {
      const text = `select user_id as "userId", name from rooms.member where room_id = $1 and name > $2
                    order by name limit $3`;
      return query<User>({ name: 'rooms.listMembers', text, values: [roomId, after, limit] });
    },

    /** Adds a member. `already` where it is one; `full` where the room has as many as it may. */
    async addMember(
      roomId: RoomId,
      { userId, name }: User,
    ): Promise<'added' | 'already' | 'full' | 'no room'> {
      return database.transaction(async (transaction) => {
        // The room's row serializes those who join at once, so that the bound holds.
        const lock = 'select 1 from rooms.room where id = $1 for no key update';
        const room = await transaction.query({ name: 'rooms.lock', text: lock, values: [roomId] });
        if (room.length === 0) return 'no room';
        const text = `insert into rooms.member (room_id, user_id, name)
                      select $1, $2, $3 where (select count(*) from rooms.member where room_id = $1) < $4
                      on conflict do nothing returning 1`;
        const values = [roomId, userId, name, maxMembersPerRoom];
        const added = await transaction.query({ name: 'rooms.addMember', text, values });
        if (added.length > 0) return 'added';
        const isMember = 'select 1 from rooms.member where room_id = $1 and user_id = $2';
        const present = await transaction.query({
          name: 'rooms.isMember',
          text: isMember,
          values: [roomId, userId],
        });
        return present.length > 0 ? 'already' : 'full';
      });
    },

    /** Removes the member of that name; undefined where there is none. */
    async removeMember(roomId: RoomId, name: UserName): Promise<User | undefined> {
      const text = `delete from rooms.member where room_id = $1 and name = $2 returning user_id as "userId", name`;
      return (await query<User>({ name: 'rooms.removeMember', text, values: [roomId, name] }))[0];
    },
  };
}
