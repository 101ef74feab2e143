import { isGuest, ParleyError } from '@parley/protocol';
import type { MessageId, Room, RoomId, User, UserId, UserName, Visibility } from '@parley/protocol';
import { Gatherer, violates } from '@parley/service-kit';
import type { Database, Queries } from '@parley/service-kit';

/** A room with what decides about access to it. */
export interface StoredRoom extends Room {
  /** Null for a room that is nobody's. */
  ownerId: UserId | null;
}

/** A room as a user's lists show it. */
export interface ListedRoom extends StoredRoom {
  member: boolean;
}

/** A room with when its member entered. */
export interface RoomOfMember extends StoredRoom {
  /** The room's last message then, 0 where there was none; null for who entered before it was kept. */
  sinceId: MessageId | null;
}

/** A room as operators see it. */
export interface RoomRow extends StoredRoom {
  createdAt: Date;
  members: number;
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

/** A user in a room. */
export interface Membership {
  roomId: RoomId;
  userId: UserId;
}

interface AccessQuestion {
  roomId: RoomId;
  userIds: readonly UserId[];
}

interface AccessAnswer {
  visibility: Visibility;
  memberIds: UserId[];
}

export type Adding = 'added' | 'already' | 'full' | 'too many rooms' | 'no room';
export type RoomStore = ReturnType<typeof createRoomStore>;

/** Most users whose rooms one statement looks for. */
const maxUsers = 100;
/** Most questions of who is in which room that one statement answers. */
const maxAccessQuestions = 100;

const roomColumns = 'room.id as "roomId", room.name, room.visibility, room.owner, room.owner_id as "ownerId"';

const recordColumns = `${roomColumns}, room.created_at as "createdAt",
    (select count(*)::integer from rooms.member where member.room_id = room.id) as members`;

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

  /** The names of those among the users who are in as many rooms as one may be. */
  async function findFull(transaction: Queries, users: readonly User[]): Promise<UserName[]> {
    const text = `select max(name) as name from rooms.member where user_id = any($1)
                  group by user_id having count(*) >= $2`;
    const values = [users.map(({ userId }) => userId), maxRoomsPerUser];
    const rows = await transaction.query<{ name: UserName }>({ name: 'rooms.findFull', text, values });
    return rows.map(({ name }) => name);
  }

  /** Whether it is a guest with as many rooms as one may be in. Accounts are members of their rooms, so `findFull` tells. */
  async function isGuestFull(transaction: Queries, { userId }: User): Promise<boolean> {
    if (!isGuest(userId)) return false;
    const text = 'select 1 from rooms.room where owner_id = $1 having count(*) >= $2';
    const values = [userId, maxRoomsPerUser];
    return (await transaction.query({ name: 'rooms.isGuestFull', text, values })).length > 0;
  }

  // Many ask at once when a gateway's connections come back.
  const listing = new Gatherer<UserId, RoomOfMember[]>(maxUsers, async (userIds) => {
    const text = `select member.user_id as "userId", ${roomColumns}, member.since_id as "sinceId"
                  from rooms.member join rooms.room on room.id = member.room_id
                  where member.user_id = any($1) order by member.joined_at, room.id`;
    type Row = StoredRoom & { userId: UserId; sinceId: string | null };
    const rows = await query<Row>({ name: 'rooms.listOfUsers', text, values: [userIds] });
    const byUser = Map.groupBy(rows, ({ userId }) => userId);
    return userIds.map((userId) =>
      (byUser.get(userId) ?? []).map((row) => ({
        ...row,
        sinceId: row.sinceId === null ? null : Number(row.sinceId),
      })),
    );
  });

  // One message brings the questions of many rooms.
  const access = new Gatherer<AccessQuestion, AccessAnswer | undefined>(maxAccessQuestions, async (asked) => {
    const pairs = asked.flatMap(({ roomId, userIds }) => userIds.map((userId) => ({ roomId, userId })));
    const [rooms, members] = await Promise.all([
      findMany([...new Set(asked.map(({ roomId }) => roomId))]),
      findMembers(pairs),
    ]);
    const roomOf = new Map(rooms.map((room) => [room.roomId, room]));
    const membersOf = Map.groupBy(members, ({ roomId }) => roomId);
    return asked.map(({ roomId, userIds }) => {
      const room = roomOf.get(roomId);
      const memberIds = new Set(membersOf.get(roomId)?.map(({ userId }) => userId));
      return room && { visibility: room.visibility, memberIds: userIds.filter((id) => memberIds.has(id)) };
    });
  });

  /** Those of the rooms that exist, in any order. */
  async function findMany(roomIds: readonly RoomId[]): Promise<StoredRoom[]> {
    const text = `select ${roomColumns} from rooms.room where id = any($1)`;
    return query<StoredRoom>({ name: 'rooms.findMany', text, values: [roomIds] });
  }

  /** Those of the pairs where the user is a member of the room, in any order. */
  async function findMembers(pairs: readonly Membership[]): Promise<Membership[]> {
    const text = `select room_id as "roomId", user_id as "userId"
                  from rooms.member join unnest($1::text[], $2::text[]) as asked (room_id, user_id) using (room_id, user_id)`;
    const values = [pairs.map(({ roomId }) => roomId), pairs.map(({ userId }) => userId)];
    return query<Membership>({ name: 'rooms.findMembers', text, values });
  }

  return {
    findMany,
    findMembers,

    /** The room's visibility, and its members among these users; undefined where there is no such room. */
    findAccess: (roomId: RoomId, userIds: readonly UserId[]): Promise<AccessAnswer | undefined> =>
      access.add({ roomId, userIds }),

    /** Makes the room with its members, unless some of them are in as many rooms as one may be: tells who. */
    async insert({ roomId, name, visibility, owner, members }: NewRoom): Promise<{ full: UserName[] }> {
      return unlessNameTaken(() =>
        database.transaction(async (transaction) => {
          await lockUsers(transaction, [owner, ...members]);
          const full = await findFull(transaction, members);
          if (await isGuestFull(transaction, owner)) full.unshift(owner.name);
          if (full.length > 0) return { full };
          await transaction.query({
            name: 'rooms.insert',
            text: 'insert into rooms.room (id, name, visibility, owner_id, owner) values ($1, $2, $3, $4, $5)',
            values: [roomId, name, visibility, owner.userId, owner.name],
          });
          await transaction.query({
            name: 'rooms.insertMembers',
            text: `insert into rooms.member (room_id, user_id, name, since_id)
                   select $1, user_id, name, 0 from unnest($2::text[], $3::text[]) as member (user_id, name)`,
            values: [roomId, members.map(({ userId }) => userId), members.map((member) => member.name)],
          });
          return { full };
        }),
      );
    },

    async find(roomId: RoomId): Promise<StoredRoom | undefined> {
      const text = `select ${roomColumns} from rooms.room where id = $1`;
      return (await query<StoredRoom>({ name: 'rooms.find', text, values: [roomId] }))[0];
    },

    async findRow(roomId: RoomId): Promise<RoomRow | undefined> {
      const text = `select ${recordColumns} from rooms.room where id = $1`;
      return (await query<RoomRow>({ name: 'rooms.findRow', text, values: [roomId] }))[0];
    },

    /** All rooms in the order of their names and ids, after one of them. */
    async listAll(after: Pick<Room, 'name' | 'roomId'> | undefined, limit: number): Promise<RoomRow[]> {
      const text = `select ${recordColumns} from rooms.room where (name, id) > ($1, $2) order by name, id limit $3`;
      const values = [after?.name ?? '', after?.roomId ?? '', limit];
      return query<RoomRow>({ name: 'rooms.listAll', text, values });
    },

    /** The same of those that have the name. */
    async listNamed(name: string, after: RoomId | undefined, limit: number): Promise<RoomRow[]> {
      const text = `select ${recordColumns} from rooms.room where name = $1 and id > $2 order by id limit $3`;
      return query<RoomRow>({ name: 'rooms.listNamed', text, values: [name, after ?? '', limit] });
    },

    /** The rooms the user is a member of, in the order of joining. */
    listOfUser: (userId: UserId): Promise<RoomOfMember[]> => listing.add(userId),

    /** Those of the rooms that exist and are open to the user, in any order, with whether it is a member. */
    async describe(userId: UserId, roomIds: readonly RoomId[]): Promise<ListedRoom[]> {
      const text = `select ${roomColumns}, member.user_id is not null as member
                    from rooms.room left join rooms.member on member.room_id = room.id and member.user_id = $1
                    where room.id = any($2) and (room.visibility = 'public' or member.user_id is not null)`;
      return query<ListedRoom>({ name: 'rooms.describe', text, values: [userId, roomIds] });
    },

    async findPublic(name: string): Promise<StoredRoom | undefined> {
      const text = `select ${roomColumns} from rooms.room where visibility = 'public' and name = $1`;
      return (await query<StoredRoom>({ name: 'rooms.findPublic', text, values: [name] }))[0];
    },

    async countPublic(): Promise<number> {
      const text = `select count(*) as total from rooms.room where visibility = 'public'`;
      return Number((await query<{ total: string }>({ name: 'rooms.countPublic', text }))[0]!.total);
    },

    /** Public rooms by name, without some. */
    async listPublicExcept(roomIds: readonly RoomId[], limit: number): Promise<StoredRoom[]> {
      const text = `select ${roomColumns} from rooms.room where visibility = 'public' and id <> all($1)
                    order by name limit $2`;
      return query<StoredRoom>({ name: 'rooms.listPublicExcept', text, values: [roomIds, limit] });
    },

    /** Public rooms and the user's private ones, in the order of their ids, after an id. */
    async listReachable(userId: UserId, after: string, limit: number): Promise<StoredRoom[]> {
      const text = `select ${roomColumns} from (
          (select * from rooms.room where visibility = 'public' and id > $2 order by id limit $3)
          union all
          (select room.* from rooms.member join rooms.room on room.id = member.room_id
           where member.user_id = $1 and room.visibility = 'private' and room.id > $2 order by room.id limit $3)
        ) as room order by room.id limit $3`;
      return query<StoredRoom>({ name: 'rooms.listReachable', text, values: [userId, after, limit] });
    },

    /** Renames the room if the user owns it; tells what it was called until then. */
    async rename(
      roomId: RoomId,
      newName: string,
      ownerId: UserId,
    ): Promise<(StoredRoom & { oldName: string }) | undefined> {
      // Locked before it is read: of two renames at once the second finds the name that the first gave.
      const text = `update rooms.room set name = $2
                    from (select id, name from rooms.room where id = $1 and owner_id = $3 for update) as before
                    where room.id = before.id returning ${roomColumns}, before.name as "oldName"`;
      const values = [roomId, newName, ownerId];
      return (
        await unlessNameTaken(() =>
          query<StoredRoom & { oldName: string }>({ name: 'rooms.rename', text, values }),
        )
      )[0];
    },

    /** Deletes the room with its members if the user owns it; answers with what it was. */
    async delete(roomId: RoomId, ownerId: UserId): Promise<StoredRoom | undefined> {
      const text = `delete from rooms.room where id = $1 and owner_id = $2 returning ${roomColumns}`;
      return (await query<StoredRoom>({ name: 'rooms.delete', text, values: [roomId, ownerId] }))[0];
    },

    /** Deletes the room if it is public, whoever owns it; answers with what it was. */
    async deletePublic(roomId: RoomId): Promise<StoredRoom | undefined> {
      const text = `delete from rooms.room where id = $1 and visibility = 'public' returning ${roomColumns}`;
      return (await query<StoredRoom>({ name: 'rooms.deletePublic', text, values: [roomId] }))[0];
    },

    /** Deletes the room, whoever owns it; answers with what it was. */
    async drop(roomId: RoomId): Promise<StoredRoom | undefined> {
      const text = `delete from rooms.room where id = $1 returning ${roomColumns}`;
      return (await query<StoredRoom>({ name: 'rooms.drop', text, values: [roomId] }))[0];
    },

    async isMember(roomId: RoomId, userId: UserId): Promise<boolean> {
      const text = 'select 1 from rooms.member where room_id = $1 and user_id = $2';
      return (await query({ name: 'rooms.isMember', text, values: [roomId, userId] })).length > 0;
    },

    /** Members in the order of their names, after a name. */
    async listMembers(roomId: RoomId, after: UserName, limit: number): Promise<User[]> {
      const text = `select user_id as "userId", name from rooms.member where room_id = $1 and name > $2
                    order by name limit $3`;
      return query<User>({ name: 'rooms.listMembers', text, values: [roomId, after, limit] });
    },

    /**
     * Adds a member, unless it is one `already`, the room is `full`, or the user is in `too many rooms`.
     * @param sinceId The room's last message before, 0 where there is none.
     */
    async addMember(roomId: RoomId, user: User, sinceId: MessageId): Promise<Adding> {
      return database.transaction(async (transaction) => {
        await lockUsers(transaction, [user]);
        // The room's row serializes those who join at once, so that its bound holds.
        const lock = 'select 1 from rooms.room where id = $1 for no key update';
        const room = await transaction.query({ name: 'rooms.lock', text: lock, values: [roomId] });
        if (room.length === 0) return 'no room';
        const outcome = `select case
            when exists (select from rooms.member where room_id = $1 and user_id = $2) then 'already'
            when (select count(*) from rooms.member where room_id = $1) >= $3 then 'full'
            when (select count(*) from rooms.member where user_id = $2) >= $4 then 'too many rooms'
            else 'added' end as outcome`;
        const values = [roomId, user.userId, maxMembersPerRoom, maxRoomsPerUser];
        const [row] = await transaction.query<{ outcome: Adding }>({
          name: 'rooms.mayAdd',
          text: outcome,
          values,
        });
        if (row!.outcome !== 'added') return row!.outcome;
        await transaction.query({
          name: 'rooms.addMember',
          text: 'insert into rooms.member (room_id, user_id, name, since_id) values ($1, $2, $3, $4)',
          values: [roomId, user.userId, user.name, sinceId],
        });
        return 'added';
      });
    },

    /** Removes the member of that name; undefined where there is none. */
    async removeMember(roomId: RoomId, name: UserName): Promise<User | undefined> {
      const text = `delete from rooms.member where room_id = $1 and name = $2 returning user_id as "userId", name`;
      return (await query<User>({ name: 'rooms.removeMember', text, values: [roomId, name] }))[0];
    },

    /** Removes the member; undefined where it is none. */
    async removeUser(roomId: RoomId, userId: UserId): Promise<User | undefined> {
      const text = `delete from rooms.member where room_id = $1 and user_id = $2 returning user_id as "userId", name`;
      return (await query<User>({ name: 'rooms.removeUser', text, values: [roomId, userId] }))[0];
    },
  };
}

/**
 * Serializes those who bring the same user into rooms at once, so that the bound on its rooms holds. Users share 64
 * locks, always taken in the same order: however many users a room is made with, they fit Postgres's lock table.
 */
async function lockUsers(transaction: Queries, users: readonly User[]): Promise<void> {
  const text = `select pg_advisory_xact_lock(${userLocks}, share) from (
      select distinct hashtext(user_id) & 63 as share from unnest($1::text[]) as member (user_id) order by share
    ) as shares`;
  await transaction.query({ name: 'rooms.lockUsers', text, values: [users.map(({ userId }) => userId)] });
}

/** Tells our advisory locks from others in the same database. */
const userLocks = 0x726d;
