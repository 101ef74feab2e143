-- One row a room that was ever written to: it gives the ids, and its lock orders those who write at once.
create table messages.room (
  room_id text collate "C" primary key,
  last_id bigint not null,
  last_sent_at timestamptz not null
) with (fillfactor = 50);

create table messages.message (
  room_id text collate "C" not null,
  id bigint not null,
  sender_id text collate "C" not null,
  -- The sender's name at that time.
  sender text collate "C" not null,
  content text collate "C" not null,
  sent_at timestamptz not null,
  client_message_id text collate "C",
  -- The connection it came from: where a missed event is made good from here, that one still gets no delivery.
  origin text collate "C" not null,
  primary key (room_id, id)
);

-- A sender's own id for a message is good once in a room, for ever.
create unique index message_client_id_key on messages.message (room_id, sender_id, client_message_id)
  where client_message_id is not null;

-- Times do not go back as ids grow, so this finds the first message from a time on.
create index message_sent_at on messages.message (room_id, sent_at, id);
