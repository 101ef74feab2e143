-- Operators read all rooms in this order, page by page, and look rooms up by name.
create index room_name on rooms.room (name, id);
