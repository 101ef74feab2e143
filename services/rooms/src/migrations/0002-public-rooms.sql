-- A room may be nobody's: `default` is.
alter table rooms.room alter column owner_id drop not null, alter column owner drop not null;
alter table rooms.room add constraint room_owner_check check ((owner_id is null) = (owner is null));

insert into rooms.room (id, name, visibility) values ('room_000000000000000000000000', 'default', 'public');

-- Public rooms are counted, and listed page by page.
create index room_public on rooms.room (id) where visibility = 'public';

-- Guests are no members of the rooms they make, so these are counted by owner.
create index room_owner on rooms.room (owner_id);
