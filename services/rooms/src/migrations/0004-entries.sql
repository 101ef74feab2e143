-- The room's last message when the user entered, 0 where there was none: where nobody heard of the entry, what follows is still
-- delivered. Unknown for who entered before.
alter table rooms.member add column since_id bigint;
