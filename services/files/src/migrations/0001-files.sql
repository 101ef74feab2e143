-- An upload, from its beginning on. What is finished is remembered for a while, so that asking again is answered the same.
create table files.upload (
  id text collate "C" primary key,
  room_id text collate "C" not null,
  user_id text collate "C" not null,
  name text collate "C" not null,
  size bigint not null,
  packets integer not null,
  type text collate "C" not null,
  -- What the client says that the bytes have; of a finished upload what they have.
  sha256 text collate "C",
  -- The number of the first chunk; unknown until number 0 or the greatest number comes.
  base smallint,
  begun_at timestamptz not null default now(),
  -- The attempt to put it together that is under way, while its lease lasts.
  assembler text collate "C",
  assembling_until timestamptz,
  finished_at timestamptz,
  -- What its chunks may take, with what JetStream keeps beside their bytes.
  reserved bigint not null generated always as (size + packets * 128::bigint) stored
);
create unique index upload_key on files.upload (room_id, user_id, name);
create index upload_unfinished on files.upload (user_id) include (reserved) where finished_at is null;
create index upload_begun_at on files.upload (begun_at);

-- Uploads whose chunks are of no use any more and have not been removed yet.
create table files.stale_chunks (
  upload_id text collate "C" primary key
);

-- Bytes in the byte store. Noted before the first byte is written, so that whatever was begun can be removed.
create table files.object (
  id text collate "C" primary key,
  -- Since when no file has these bytes; null while one has.
  unlisted_since timestamptz default now()
);
create index object_unlisted on files.object (unlisted_since) where unlisted_since is not null;

-- The files of each room as they are listed.
create table files.file (
  room_id text collate "C" not null,
  name text collate "C" not null,
  upload_id text collate "C" not null,
  object_id text collate "C" not null unique references files.object,
  size bigint not null,
  type text collate "C" not null,
  sha256 text collate "C" not null,
  sender text collate "C" not null,
  sent_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
  primary key (room_id, name)
);
create index file_upload on files.file (upload_id);

-- Files of which their rooms have not been told yet, in the order in which they were listed.
create table files.announcement (
  position bigserial primary key,
  upload_id text collate "C" not null unique,
  room_id text collate "C" not null,
  sender_id text collate "C" not null,
  sender text collate "C" not null,
  -- The connection that finished the upload, which is not told.
  origin text collate "C",
  name text collate "C" not null,
  size bigint not null,
  type text collate "C" not null,
  sha256 text collate "C" not null
);
create index announcement_room on files.announcement (room_id);
