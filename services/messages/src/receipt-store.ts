import type { Acknowledged, IdRange, MessageId, RoomId, User, UserId, UserName } from '@parley/protocol';
import type { Database, Queries } from '@parley/service-kit';

export interface Acknowledgement {
  roomId: RoomId;
  user: User;
  ranges: readonly IdRange[];
}

/** A message that somebody acknowledged who had not before. */
export interface Delivery {
  roomId: RoomId;
  messageId: MessageId;
  senderId: UserId;
  reader: UserName;
}

export interface Receipt {
  userId: UserId;
  name: UserName;
  position: MessageId;
  at: string;
}

export type ReceiptStore = ReturnType<typeof createReceiptStore>;

/**
 * Delivery receipts in Postgres. A row that holds no more than `[0, 0]` is none: nothing has been acknowledged yet.
 *
 * Statements look up row by row what they are asked about, in subqueries: left the choice, as in a join, Postgres may keep
 * a plan from when the tables were small that reads all of an index.
 */
export function createReceiptStore(database: Database) {
  const { query } = database;

  /** What the user has acknowledged; the first time, everything that was sent so far counts as acknowledged. */
  async function begin(user: User, roomIds: readonly RoomId[]): Promise<Acknowledged[]> {
    return database.transaction(async (transaction) => {
      const isNew = await transaction.query({
        name: 'receipts.begin',
        text: 'insert into messages.reader (user_id) values ($1) on conflict do nothing returning 1',
        values: [user.userId],
      });
      if (isNew.length > 0) {
        await transaction.query({
          name: 'receipts.owedFromNow',
          text: `insert into messages.receipt as receipt (room_id, user_id, name, acknowledged, at)
                 select room_id, $1, $2, ${upToLastId}, now()
                 from (select distinct unnest($3::text[]) as room_id) as input order by room_id
                 on conflict (room_id, user_id) do update
                   set acknowledged = receipt.acknowledged + excluded.acknowledged`,
          values: [user.userId, user.name, roomIds],
        });
      } else {
        await ensureRows(
          transaction,
          roomIds.map((roomId) => ({ roomId, user })),
        );
      }
      const rows = await transaction.query<{ roomId: RoomId; ranges: [number, number][] }>({
        name: 'receipts.read',
        text: `select room_id as "roomId", (
                 select json_agg(json_build_array(lower(range), upper(range) - 1) order by range)
                 from unnest(acknowledged) as range
               ) as ranges
               from messages.receipt where user_id = $1 and room_id = any($2)`,
        values: [user.userId, roomIds],
      });
      const ranges = new Map(rows.map((row) => [row.roomId, row.ranges]));
      return roomIds.map((roomId) => ({ roomId, ranges: ranges.get(roomId)! }));
    });
  }

  /**
   * Where a user has no row of a room yet, makes it. What was sent before a reader's first login with the handshake counts
   * as acknowledged in rooms too that were not named at that login: there may have been too many, or it was just entering.
   */
  async function ensureRows(
    queries: Queries,
    keys: readonly Pick<Acknowledgement, 'roomId' | 'user'>[],
  ): Promise<void> {
    // Messages of the same millisecond may have been sent after that login: they are owed.
    const text = `
      insert into messages.receipt (room_id, user_id, name, acknowledged, at)
      select room_id, user_id, name, int8multirange(int8range(0, coalesce((
        select id from messages.message
        where message.room_id = input.room_id and sent_at < date_trunc('milliseconds', since)
        order by sent_at desc, id desc limit 1
      ), 0), '[]')), now()
      from unnest($1::text[], $2::text[], $3::text[]) as input (room_id, user_id, name)
      left join lateral (
        select since from messages.reader where reader.user_id = input.user_id limit 1
      ) as reader on true
      where (
        select true from messages.receipt where receipt.room_id = input.room_id and receipt.user_id = input.user_id
      ) is null
      order by room_id, user_id
      on conflict do nothing`;
    await queries.query({ name: 'receipts.ensureRows', text, values: columnsOf(keys) });
  }

  /** What was sent before a reader enters a room is not owed to it. Answers with the room's last id. */
  async function noteEntry(roomId: RoomId, { userId, name }: User): Promise<MessageId> {
    const text = `
      with room as (
        select coalesce((select last_id from messages.room where room_id = $1), 0) as last_id
      ), noted as (
        insert into messages.receipt as receipt (room_id, user_id, name, acknowledged, at)
        select $1, $2, $3, int8multirange(int8range(0, last_id, '[]')), now()
        from room where exists (select from messages.reader where user_id = $2)
        on conflict (room_id, user_id) do update set acknowledged = receipt.acknowledged + excluded.acknowledged
      )
      select last_id as "lastId" from room`;
    const rows = await query<{ lastId: string }>({
      name: 'receipts.noteEntry',
      text,
      values: [roomId, userId, name],
    });
    return Number(rows[0]!.lastId);
  }

  /**
   * Adds acknowledgements, one of each user and room at most; none is ever taken back, and ids that no message has are
   * left out. Answers with what nobody knew before: each message once, because rows are there before they are locked.
   * They are locked in the order of their keys, so that batches can't block each other in a circle.
   */
  async function add(acknowledgements: readonly Acknowledgement[]): Promise<Delivery[]> {
    await ensureRows(database, acknowledgements);
    // A boolean compared as a number and an array of ids: so Postgres expects few of both and goes on by keys. Expecting
    // many it reads whole tables, or spends 300 ms on compiling the statement.
    const text = `
      with input as (
        select room_id, user_id, name, ranges::int8multirange * ${upToLastId} as ranges
        from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as input (room_id, user_id, name, ranges)
        order by room_id, user_id
      ), before as (
        select input.*, acknowledged from input cross join lateral (
          select acknowledged from messages.receipt
          where receipt.room_id = input.room_id and receipt.user_id = input.user_id for update
        ) as receipt
      ), fresh as (
        select *, ranges - acknowledged as fresh_ranges from before where (acknowledged @> ranges)::integer = 0
      ), added as (
        update messages.receipt set acknowledged = receipt.acknowledged + fresh.ranges + ${ownGaps},
          at = greatest(receipt.at, date_trunc('milliseconds', clock_timestamp()))
        from fresh where receipt.room_id = fresh.room_id and receipt.user_id = fresh.user_id
      )
      select fresh.room_id as "roomId", id as "messageId", sender_id as "senderId", name as reader
      from fresh cross join lateral unnest(array(
        select id from unnest(fresh_ranges) as range cross join generate_series(lower(range), upper(range) - 1) as id
      )) as fresh_id (id) cross join lateral (
        select sender_id from messages.message where message.room_id = fresh.room_id and message.id = fresh_id.id limit 1
      ) as message
      where sender_id <> fresh.user_id`;
    const ranges = acknowledgements.map(
      (acknowledgement) => `{${acknowledgement.ranges.map(([from, to]) => `[${from},${to}]`).join(',')}}`,
    );
    const rows = await query<Omit<Delivery, 'messageId'> & { messageId: string }>({
      name: 'receipts.add',
      text,
      values: [...columnsOf(acknowledgements), ranges],
    });
    return rows.map((row) => ({ ...row, messageId: Number(row.messageId) }));
  }

  /** Receipts of a room, by name. */
  async function list(roomId: RoomId): Promise<Receipt[]> {
    const text = `
      select user_id as "userId", name, at,
        (select upper(range) - 1 from unnest(acknowledged) as range order by range limit 1) as position
      from messages.receipt where room_id = $1 and acknowledged <> '{[0,0]}' order by name`;
    interface Row {
      userId: UserId;
      name: UserName;
      position: string;
      at: Date;
    }
    const rows = await query<Row>({ name: 'receipts.list', text, values: [roomId] });
    return rows.map((row) => ({ ...row, position: Number(row.position), at: row.at.toISOString() }));
  }

  return { begin, noteEntry, add, list };
}

/**
 * What lies between acknowledged runs of a row of `fresh`, beside what was just added, and is nothing but the reader's own:
 * that counts as acknowledged, and the runs stay few.
 */
const ownGaps = `coalesce((
  select range_agg(gap) from (
    select int8range(upper(run), lead(lower(run)) over (order by run)) as gap
    from unnest(fresh.acknowledged + fresh.ranges) as run
  ) as gaps
  where not upper_inf(gap)
    and (upper(gap) in (select lower(range) from unnest(fresh.ranges) as range)
      or lower(gap) in (select upper(range) from unnest(fresh.ranges) as range))
    and (
      select true from messages.message
      where message.room_id = fresh.room_id and id >= lower(gap) and id < upper(gap) and sender_id <> fresh.user_id
      limit 1
    ) is null
), '{}'::int8multirange)`;

/** All ids so far of the room of each row of `input`. */
const upToLastId = `int8multirange(int8range(0, coalesce(
  (select last_id from messages.room where room.room_id = input.room_id), 0
), '[]'))`;

/** Rooms, users and their names, as arrays of the same length. */
function columnsOf(keys: readonly Pick<Acknowledgement, 'roomId' | 'user'>[]) {
  return [
    keys.map(({ roomId }) => roomId),
    keys.map(({ user }) => user.userId),
    keys.map(({ user }) => user.name),
  ];
}
