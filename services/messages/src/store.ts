import type { ConnectionId, FileInfo, MessageId, RoomId, Send, SentMessage, User } from '@parley/protocol';
import { maxPageBytes } from '@parley/protocol';
import { violates } from '@parley/service-kit';
import type { Database } from '@parley/service-kit';

/** A send with whose it is and where it goes. */
export interface RoomSend extends Send {
  roomId: RoomId;
  sender: User;
  /** The connection that it comes from. */
  origin?: ConnectionId;
  /** What it announces. */
  file?: FileInfo;
  /** Where traces are made: what its commit is a part of. */
  traceparent?: string;
}

/** Where a send ended up; `repeated` where it was stored before, under these. */
export interface Stored {
  id: MessageId;
  sentAt: string;
  repeated: boolean;
}

/** What of a room's history to read. */
export interface PageBounds {
  from?: string;
  after?: MessageId;
  before?: MessageId;
  limit: number;
}

export type MessageStore = ReturnType<typeof createMessageStore>;

/**
 * Stores a batch in one statement, so in one transaction: repeats are looked up, each room's row gives ids to its fresh
 * ones, in the order of the batch. Rooms are locked in the order of their ids, so that batches can't block each other
 * in a circle. A time is never before the room's last.
 */
const storeText = `
  with input as (
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[])
      with ordinality as input (room_id, sender_id, sender, content, client_message_id, origin, file, position)
  ), known as (
    select input.position, message.id, message.sent_at
    from input join messages.message using (room_id, sender_id, client_message_id)
  ), fresh as (
    select input.*,
      row_number() over (partition by room_id order by position) as number,
      count(*) over (partition by room_id) as total
    from input where position not in (select position from known)
  ), numbered as (
    insert into messages.room as room (room_id, last_id, last_sent_at)
    select room_id, count(*), date_trunc('milliseconds', clock_timestamp()) from fresh
    group by room_id order by room_id
    on conflict (room_id) do update set
      last_id = room.last_id + excluded.last_id,
      last_sent_at = greatest(room.last_sent_at, excluded.last_sent_at)
    returning room_id, last_id, last_sent_at
  ), placed as (
    select fresh.*, last_id - total + number as id, last_sent_at as sent_at from fresh join numbered using (room_id)
  ), inserted as (
    insert into messages.message (room_id, id, sender_id, sender, content, sent_at, client_message_id, origin, file)
    select room_id, id, sender_id, sender, content, sent_at, client_message_id, origin, file from placed
  )
  select null as position, room_id as "roomId", last_id as id, last_sent_at as "sentAt" from numbered
  union all select position, null, id, sent_at from known`;

/** The last fresh message of a room of the batch; the others have the ids before, and the same time. */
interface NumberedRow {
  position: null;
  roomId: RoomId;
  id: string;
  sentAt: Date;
}

/** A repeat: its place in the batch, from 1, and what it was stored as. */
interface KnownRow {
  position: string;
  roomId: null;
  id: string;
  sentAt: Date;
}

const messageColumns = 'id, sender_id as "senderId", sender, content, sent_at as "sentAt", origin, file';

interface MessageRow extends Omit<SentMessage, 'id' | 'sentAt' | 'origin' | 'file'> {
  id: string;
  sentAt: Date;
  origin: ConnectionId | null;
  file: FileInfo | null;
}

/** How often a batch that met another's repeat or lock is tried again. */
const maxAttempts = 5;

/** Messages in Postgres. */
export function createMessageStore({ query }: Pick<Database, 'query'>) {
  /**
   * Stores the sends in their order; resolves once they are committed. No two of them may be the same sender's repeats.
   */
  async function insert(sends: readonly RoomSend[]): Promise<Stored[]> {
    const values = [
      sends.map(({ roomId }) => roomId),
      sends.map(({ sender }) => sender.userId),
      sends.map(({ sender }) => sender.name),
      sends.map(({ content }) => content),
      sends.map(({ clientMessageId }) => clientMessageId ?? null),
      sends.map(({ origin }) => origin ?? null),
      // Where no message announces one, the shorter array is filled up with nulls.
      sends.some(({ file }) => file) ? sends.map(({ file }) => (file ? JSON.stringify(file) : null)) : [],
    ];
    for (let attempt = 1; ; attempt += 1) {
      try {
        const rows = await query<NumberedRow | KnownRow>({
          name: 'messages.insert',
          text: storeText,
          values,
        });
        return placesOf(sends, rows);
      } catch (error) {
        // Another instance stored one of these meanwhile; now it can be seen.
        if (attempt === maxAttempts || !violates(error, 'message_client_id_key')) throw error;
      }
    }
  }

  /**
   * A page in id order, as many as fit; see `readHistory` for which. One more than `limit` may come, to tell whether
   * there are more.
   */
  async function read(roomId: RoomId, { from, after, before, limit }: PageBounds): Promise<SentMessage[]> {
    const oldestFirst = after !== undefined || from !== undefined;
    const order = oldestFirst ? 'asc' : 'desc';
    // Each form of the question has a plan of its own: with "or $n is null" in one statement none would be good.
    const conditions = [
      'room_id = $1',
      ...(from === undefined ? [] : ['sent_at >= $3']),
      ...(after === undefined ? [] : [`id > $${from === undefined ? 3 : 4}`]),
      ...(before === undefined
        ? []
        : [`id < $${3 + [from, after].filter((bound) => bound !== undefined).length}`]),
    ].join(' and ');
    const text = `
      select ${messageColumns} from (
        select *, sum(octet_length(content) + octet_length(sender)) over (order by id ${order}) as bytes from (
          select * from messages.message where ${conditions}
          order by ${from === undefined ? 'id' : 'sent_at, id'} ${order} limit $2
        ) as page
      ) as sized
      where bytes - octet_length(content) - octet_length(sender) <= ${maxPageBytes} order by id`;
    const bounds = [from, after, before].filter((bound) => bound !== undefined);
    // Postgres cuts names after 63 bytes.
    const kind = Object.entries({ from, after, before }).flatMap(([name, bound]) =>
      bound === undefined ? [] : [name],
    );
    const rows = await query<MessageRow>({
      name: `messages.read ${kind.join(' ')}`,
      text,
      values: [roomId, limit + 1, ...bounds],
    });
    return rows.map(messageFrom);
  }

  async function findLastIds(roomIds: readonly RoomId[]): Promise<MessageId[]> {
    const text = 'select room_id as "roomId", last_id as "lastId" from messages.room where room_id = any($1)';
    const rows = await query<{ roomId: RoomId; lastId: string }>({
      name: 'messages.lastIds',
      text,
      values: [roomIds],
    });
    const lastIds = new Map(rows.map(({ roomId, lastId }) => [roomId, Number(lastId)]));
    return roomIds.map((roomId) => lastIds.get(roomId) ?? 0);
  }

  return { insert, read, findLastIds };
}

/** Where each send ended up. A row for each would be most of the answer, and of the work with it. */
function placesOf(sends: readonly RoomSend[], rows: readonly (NumberedRow | KnownRow)[]): Stored[] {
  const stored = new Array<Stored>(sends.length);
  const lastOf = new Map<RoomId, { id: MessageId; sentAt: string }>();
  for (const { position, roomId, id, sentAt } of rows) {
    const place = { id: Number(id), sentAt: sentAt.toISOString() };
    if (position === null) lastOf.set(roomId, place);
    else stored[Number(position) - 1] = { ...place, repeated: true };
  }
  for (let index = sends.length - 1; index >= 0; index -= 1) {
    if (stored[index]) continue;
    const last = lastOf.get(sends[index]!.roomId)!;
    stored[index] = { id: last.id, sentAt: last.sentAt, repeated: false };
    last.id -= 1;
  }
  return stored;
}

function messageFrom({ id, sentAt, origin, file, ...message }: MessageRow): SentMessage {
  return {
    id: Number(id),
    ...message,
    sentAt: sentAt.toISOString(),
    ...(origin && { origin }),
    ...(file && { file }),
  };
}
