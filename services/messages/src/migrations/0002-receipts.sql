-- Who ever logged in with the integrity handshake: from then on messages are owed until they are acknowledged.
create table messages.reader (
  user_id text collate "C" primary key,
  since timestamptz not null default now()
);

create table messages.receipt (
  room_id text collate "C" not null,
  user_id text collate "C" not null,
  name text collate "C" not null,
  -- The ids acknowledged: [0, position], and behind each hole what was acknowledged after it.
  acknowledged int8multirange not null,
  at timestamptz not null,
  primary key (room_id, user_id)
);
