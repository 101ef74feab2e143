create table rooms.room (
  id text collate "C" primary key,
  name text collate "C" not null,
  visibility text not null check (visibility in ('private', 'public')),
  owner_id text collate "C" not null,
  -- Account names never change, so they may be kept beside the ids.
  owner text collate "C" not null,
  created_at timestamptz not null default now()
);

-- Public rooms are addressed by name; private ones may share theirs.
create unique index room_public_name_key on rooms.room (name) where visibility = 'public';

create table rooms.member (
  room_id text collate "C" not null constraint member_room_fkey references rooms.room (id) on delete cascade,
  user_id text collate "C" not null,
  name text collate "C" not null,
  joined_at timestamptz not null default now(),
  primary key (room_id, user_id)
);

-- Names are unique among accounts, and so in a room; pages of members come in this order.
create unique index member_name_key on rooms.member (room_id, name);
create index member_user on rooms.member (user_id, joined_at);
