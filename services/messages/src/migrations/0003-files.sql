-- The file that a message announces, as it is listed: {name, size, type, sha256}.
alter table messages.message add column file jsonb;

-- What is sent over HTTP comes from no connection.
alter table messages.message alter column origin drop not null;
