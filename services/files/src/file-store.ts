import type { ConnectionId, FileInfo, ListedFile, RoomId, UploadId, User } from '@parley/protocol';
import type { Database } from '@parley/service-kit';

/** A listed file and its bytes. */
export interface StoredFile {
  file: ListedFile;
  objectId: string;
}

/** A file of which its room has not been told yet. */
export interface Announcement {
  uploadId: UploadId;
  roomId: RoomId;
  sender: User;
  origin: ConnectionId | undefined;
  file: FileInfo;
}

export type FileStore = ReturnType<typeof createFileStore>;

const fileColumns =
  'name, size::float8 as size, type, sha256, sender, sent_at as "sentAt", object_id as "objectId"';

interface FileRow extends Omit<ListedFile, 'sentAt'> {
  sentAt: Date;
  objectId: string;
}

interface AnnouncementRow extends FileInfo {
  uploadId: UploadId;
  roomId: RoomId;
  senderId: User['userId'];
  sender: User['name'];
  origin: ConnectionId | null;
}

/** Listed files, what is known of stored bytes, and what rooms are still to be told, in Postgres. */
export function createFileStore(database: Pick<Database, 'query' | 'transaction'>) {
  const { query } = database;

  async function find(roomId: RoomId, name: string): Promise<StoredFile | undefined> {
    const text = `select ${fileColumns} from files.file where room_id = $1 and name = $2`;
    const [row] = await query<FileRow>({ name: 'files.find', text, values: [roomId, name] });
    return row && storedFile(row);
  }

  /** Files in the order of their names, those after a name. */
  async function list(roomId: RoomId, after: string, most: number): Promise<ListedFile[]> {
    const text = `select ${fileColumns} from files.file where room_id = $1 and name > $2 order by name limit $3`;
    const rows = await query<FileRow>({ name: 'files.list', text, values: [roomId, after, most] });
    return rows.map((row) => storedFile(row).file);
  }

  /** Notes bytes that are about to be written; no file has them yet. */
  async function noteObject(objectId: string): Promise<void> {
    const text = 'insert into files.object (id) values ($1)';
    await query({ name: 'files.noteObject', text, values: [objectId] });
  }

  /** Bytes that no file has had for so long. */
  async function listUnlisted(forMs: number, most: number): Promise<string[]> {
    const text = `select id as "objectId" from files.object
                  where unlisted_since < now() - $1 * interval '1 ms' order by unlisted_since limit $2`;
    const rows = await query<{ objectId: string }>({
      name: 'files.listUnlisted',
      text,
      values: [forMs, most],
    });
    return rows.map(({ objectId }) => objectId);
  }

  /**
   * Removes bytes, unless a file has them. They can't be listed meanwhile, not even by a commit that is under way and
   * whose answer was lost.
   */
  async function removeObject(objectId: string, removeBytes: () => Promise<void>): Promise<void> {
    await database.transaction(async (within) => {
      const unlisted = await within.query({
        name: 'files.lockUnlisted',
        text: 'select 1 as one from files.object where id = $1 and unlisted_since is not null for update',
        values: [objectId],
      });
      if (unlisted.length === 0) return;
      await removeBytes();
      const text = 'delete from files.object where id = $1';
      await within.query({ name: 'files.removeObject', text, values: [objectId] });
    });
  }

  async function listAnnouncements(most: number): Promise<Announcement[]> {
    const text = `select upload_id as "uploadId", room_id as "roomId", sender_id as "senderId", sender, origin,
                    name, size::float8 as size, type, sha256
                  from files.announcement order by position limit $1`;
    const rows = await query<AnnouncementRow>({ name: 'files.listAnnouncements', text, values: [most] });
    return rows.map(({ uploadId, roomId, senderId, sender, origin, ...file }) => ({
      uploadId,
      roomId,
      sender: { userId: senderId, name: sender },
      origin: origin ?? undefined,
      file,
    }));
  }

  /**
   * The room was told, or nobody is there to tell.
   * @param sentAt The time of the message that told it, which the list shows too.
   */
  async function forgetAnnouncement(uploadId: UploadId, sentAt: string | undefined): Promise<void> {
    const text = `with told as (delete from files.announcement where upload_id = $1)
                  update files.file set sent_at = coalesce($2, sent_at) where upload_id = $1`;
    await query({ name: 'files.forgetAnnouncement', text, values: [uploadId, sentAt] });
  }

  /** Removes everything of a room that is no more. */
  async function removeRoom(roomId: RoomId): Promise<void> {
    await database.transaction(async (within) => {
      const statements = {
        'files.removeRoomFiles': `
          with gone as (delete from files.file where room_id = $1 returning object_id)
          update files.object set unlisted_since = now() where id in (select object_id from gone)`,
        'files.removeRoomUploads': `
          with gone as (delete from files.upload where room_id = $1 returning id)
          insert into files.stale_chunks (upload_id) select id from gone on conflict do nothing`,
        'files.removeRoomAnnouncements': 'delete from files.announcement where room_id = $1',
      };
      for (const [name, text] of Object.entries(statements))
        await within.query({ name, text, values: [roomId] });
    });
  }

  /** Rooms that have files or uploads, in the order of their ids, those after one. */
  async function listRoomIds(after: string, most: number): Promise<RoomId[]> {
    const text = `select room_id as "roomId" from files.file where room_id > $1
                  union select room_id from files.upload where room_id > $1 order by 1 limit $2`;
    const rows = await query<{ roomId: RoomId }>({
      name: 'files.listRoomIds',
      text,
      values: [after, most],
    });
    return rows.map(({ roomId }) => roomId);
  }

  /** Does the work unless another instance is at it. */
  async function alone(work: () => Promise<void>): Promise<void> {
    await database.transaction(async (within) => {
      const text = 'select pg_try_advisory_xact_lock($1, 0) as ours';
      const [lock] = await within.query<{ ours: boolean }>({
        name: 'files.lockSweep',
        text,
        values: [sweepLock],
      });
      if (lock?.ours) await work();
    });
  }

  return {
    find,
    list,
    noteObject,
    listUnlisted,
    removeObject,
    listAnnouncements,
    forgetAnnouncement,
    removeRoom,
    listRoomIds,
    alone,
  };
}

/** Tells our advisory lock from others in the same database. */
const sweepLock = 0x66_73;

function storedFile({ objectId, sentAt, ...file }: FileRow): StoredFile {
  return { file: { ...file, sentAt: sentAt.toISOString() }, objectId };
}
