import type { FileInfo, RoomId, UploadId, User, UserId, ConnectionId } from '@parley/protocol';
import type { Database, Queries } from '@parley/service-kit';

/** What a client says of a file that it is about to send. */
export interface Announced {
  roomId: RoomId;
  userId: UserId;
  name: string;
  size: number;
  packets: number;
  type: string;
  sha256: string | null;
}

export interface Upload extends Announced {
  uploadId: UploadId;
  /** The number of the first chunk; null until number 0 or the greatest number came. */
  base: 0 | 1 | null;
  finished: boolean;
}

/** Bounds on unfinished uploads. */
export interface Quotas {
  bytesOfAll: number;
  bytesOfUser: number;
  uploadsOfUser: number;
}

export type Beginning =
  { upload: Upload; resumed: boolean; replaced: UploadId | undefined } | { exceeded: keyof Quotas };

export type UploadStore = ReturnType<typeof createUploadStore>;

const columns = `id as "uploadId", room_id as "roomId", user_id as "userId", name, size::float8 as size, packets, type, sha256,
  base, finished_at is not null as finished`;

/** What an upload takes of the quotas, in bytes; the column `reserved` says the same. */
export function reservedBytes({ size, packets }: Pick<Announced, 'size' | 'packets'>): number {
  return size + packets * 128;
}

/** Uploads in Postgres. */
export function createUploadStore(database: Database) {
  const { query } = database;

  /** Resumes the upload if it was begun with the same words and is not wanted afresh, else begins it, within the quotas. */
  function begin(
    uploadId: UploadId,
    announced: Announced,
    quotas: Quotas,
    afresh: boolean,
  ): Promise<Beginning> {
    const { roomId, userId, name, size, packets, type, sha256 } = announced;
    return database.transaction<Beginning>(async (transaction) => {
      await lockQuotas(transaction);
      const [former] = await transaction.query<Upload>({
        name: 'uploads.findForBegin',
        text: `select ${columns} from files.upload where room_id = $1 and user_id = $2 and name = $3 for update`,
        values: [roomId, userId, name],
      });
      const isSame =
        !afresh &&
        former?.size === size &&
        former.packets === packets &&
        former.sha256 === sha256 &&
        !former.finished;
      if (isSame) {
        await transaction.query({
          name: 'uploads.setType',
          text: 'update files.upload set type = $2 where id = $1 and type <> $2',
          values: [former.uploadId, type],
        });
        return { upload: { ...former, type }, resumed: true, replaced: undefined };
      }
      const exceeded = await findExceeded(transaction, announced, former?.uploadId, quotas);
      if (exceeded) return { exceeded };
      if (former) await remove(transaction, former.uploadId);
      await transaction.query({
        name: 'uploads.insert',
        text: `insert into files.upload (id, room_id, user_id, name, size, packets, type, sha256)
               values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        values: [uploadId, roomId, userId, name, size, packets, type, sha256],
      });
      const upload = { ...announced, uploadId, base: null, finished: false };
      return { upload, resumed: false, replaced: former?.uploadId };
    });
  }

  async function find(uploadId: UploadId): Promise<Upload | undefined> {
    const text = `select ${columns} from files.upload where id = $1`;
    return (await query<Upload>({ name: 'uploads.find', text, values: [uploadId] }))[0];
  }

  async function findByName(roomId: RoomId, userId: UserId, name: string): Promise<Upload | undefined> {
    const text = `select ${columns} from files.upload where room_id = $1 and user_id = $2 and name = $3`;
    return (await query<Upload>({ name: 'uploads.findByName', text, values: [roomId, userId, name] }))[0];
  }

  /** Settles the number of the first chunk. False where the upload counts from the other one, or is no more. */
  async function settleBase(uploadId: UploadId, base: 0 | 1): Promise<boolean> {
    const text =
      'update files.upload set base = $2 where id = $1 and (base is null or base = $2) returning 1 as one';
    return (await query({ name: 'uploads.settleBase', text, values: [uploadId, base] })).length > 0;
  }

  /** Takes the lease on putting the upload together, unless another attempt has it. */
  async function claim(uploadId: UploadId, assembler: string, leaseMs: number): Promise<boolean> {
    const text = `update files.upload set assembler = $2, assembling_until = now() + $3 * interval '1 ms'
                  where id = $1 and finished_at is null and (assembler is null or assembling_until < now())
                  returning 1 as one`;
    return (await query({ name: 'uploads.claim', text, values: [uploadId, assembler, leaseMs] })).length > 0;
  }

  /** Prolongs the lease; false where it is lost. */
  async function renew(uploadId: UploadId, assembler: string, leaseMs: number): Promise<boolean> {
    const text = `update files.upload set assembling_until = now() + $3 * interval '1 ms'
                  where id = $1 and assembler = $2 returning 1 as one`;
    return (await query({ name: 'uploads.renew', text, values: [uploadId, assembler, leaseMs] })).length > 0;
  }

  async function release(uploadId: UploadId, assembler: string): Promise<void> {
    const text = `update files.upload set assembler = null, assembling_until = null
                  where id = $1 and assembler = $2`;
    await query({ name: 'uploads.release', text, values: [uploadId, assembler] });
  }

  /**
   * Lists the file in place of the one that had its name, and notes what is to follow: telling the room, removing the
   * chunks and, later, the bytes of the former file. False where the lease is lost: then nothing was done.
   */
  function finish(
    { uploadId, roomId }: Upload,
    assembler: string,
    listing: { file: FileInfo; objectId: string; sender: User; origin: ConnectionId | undefined },
  ): Promise<boolean> {
    const { file, objectId, sender, origin } = listing;
    const { name, size, type, sha256 } = file;
    return database.transaction(async (transaction) => {
      await lockName(transaction, roomId, name);
      const finished = await transaction.query({
        name: 'uploads.finish',
        text: `update files.upload
               set finished_at = now(), sha256 = $3, type = $4, assembler = null, assembling_until = null
               where id = $1 and assembler = $2 returning 1 as one`,
        values: [uploadId, assembler, sha256, type],
      });
      if (finished.length === 0) return false;
      await transaction.query({
        name: 'uploads.unlistFormer',
        text: `update files.object set unlisted_since = now()
               where id = (select object_id from files.file where room_id = $1 and name = $2)`,
        values: [roomId, name],
      });
      await transaction.query({
        name: 'uploads.listObject',
        text: 'update files.object set unlisted_since = null where id = $1',
        values: [objectId],
      });
      await transaction.query({
        name: 'uploads.listFile',
        text: `insert into files.file (room_id, name, upload_id, object_id, size, type, sha256, sender)
               values ($1, $2, $3, $4, $5, $6, $7, $8)
               on conflict (room_id, name) do update set
                 upload_id = excluded.upload_id, object_id = excluded.object_id, size = excluded.size,
                 type = excluded.type, sha256 = excluded.sha256, sender = excluded.sender, sent_at = excluded.sent_at`,
        values: [roomId, name, uploadId, objectId, size, type, sha256, sender.name],
      });
      await transaction.query({
        name: 'uploads.noteAnnouncement',
        text: `insert into files.announcement
                 (upload_id, room_id, sender_id, sender, origin, name, size, type, sha256)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        values: [uploadId, roomId, sender.userId, sender.name, origin, name, size, type, sha256],
      });
      await noteStale(transaction, uploadId);
      return true;
    });
  }

  /** Removes uploads that were begun so long ago, but for those that are being put together. */
  async function removeOlderThan(ms: number): Promise<void> {
    const text = `
      with gone as (
        delete from files.upload
        where begun_at < now() - $1 * interval '1 ms' and (assembling_until is null or assembling_until < now())
        returning id
      ) insert into files.stale_chunks (upload_id) select id from gone on conflict do nothing`;
    await query({ name: 'uploads.removeOld', text, values: [ms] });
  }

  async function listStale(most: number): Promise<UploadId[]> {
    const text = 'select upload_id as "uploadId" from files.stale_chunks limit $1';
    const rows = await query<{ uploadId: UploadId }>({ name: 'uploads.listStale', text, values: [most] });
    return rows.map(({ uploadId }) => uploadId);
  }

  /** The chunks of the upload have been removed. */
  async function forgetStale(uploadId: UploadId): Promise<void> {
    const text = 'delete from files.stale_chunks where upload_id = $1';
    await query({ name: 'uploads.forgetStale', text, values: [uploadId] });
  }

  return {
    begin,
    find,
    findByName,
    settleBase,
    claim,
    renew,
    release,
    finish,
    removeOlderThan,
    listStale,
    forgetStale,
  };
}

/** Which quota a further upload would exceed; the one that it replaces does not count. */
async function findExceeded(
  transaction: Queries,
  announced: Announced,
  replaced: UploadId | undefined,
  quotas: Quotas,
): Promise<keyof Quotas | undefined> {
  const [used] = await transaction.query<Quotas>({
    name: 'uploads.usage',
    text: `select coalesce(sum(reserved), 0)::float8 as "bytesOfAll",
             coalesce(sum(reserved) filter (where user_id = $1), 0)::float8 as "bytesOfUser",
             (count(*) filter (where user_id = $1))::int as "uploadsOfUser"
           from files.upload where finished_at is null and id is distinct from $2`,
    values: [announced.userId, replaced],
  });
  const bytes = reservedBytes(announced);
  const wanted: Quotas = { bytesOfAll: bytes, bytesOfUser: bytes, uploadsOfUser: 1 };
  const names = ['bytesOfUser', 'uploadsOfUser', 'bytesOfAll'] as const;
  return names.find((name) => used![name] + wanted[name] > quotas[name]);
}

async function remove(transaction: Queries, uploadId: UploadId): Promise<void> {
  const text = 'delete from files.upload where id = $1';
  await transaction.query({ name: 'uploads.remove', text, values: [uploadId] });
  await noteStale(transaction, uploadId);
}

async function noteStale(transaction: Queries, uploadId: UploadId): Promise<void> {
  const text = 'insert into files.stale_chunks (upload_id) values ($1) on conflict do nothing';
  await transaction.query({ name: 'uploads.noteStale', text, values: [uploadId] });
}

/** Tells our advisory locks from others in the same database. */
const quotaLock = 0x66_71;
const nameLocks = 0x66_6e;

/** One upload begins at a time: the quotas count what all have. */
async function lockQuotas(transaction: Queries): Promise<void> {
  const text = 'select pg_advisory_xact_lock($1, 0)';
  await transaction.query({ name: 'uploads.lockQuotas', text, values: [quotaLock] });
}

/** Of two that list a file under one name at once, the second sees the first's. */
async function lockName(transaction: Queries, roomId: RoomId, name: string): Promise<void> {
  const text = `select pg_advisory_xact_lock($1, hashtext($2 || '/' || $3))`;
  await transaction.query({ name: 'uploads.lockName', text, values: [nameLocks, roomId, name] });
}
