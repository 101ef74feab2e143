-- The roles of the services: `parley_auth` may read and write the rows of schema `auth`, `parley_auth_owner` makes and changes it;
-- so for rooms, messages and files. docker compose and k8s run this where there are no data yet; docs/operations.md says how to
-- run it on those that there are. It may be run again: passwords are then what the environment says.
\set ON_ERROR_STOP on
\getenv auth_password POSTGRES_AUTH_PASSWORD
\getenv rooms_password POSTGRES_ROOMS_PASSWORD
\getenv messages_password POSTGRES_MESSAGES_PASSWORD
\getenv files_password POSTGRES_FILES_PASSWORD

begin;

create temporary table service on commit drop as
  select name, 'parley_' || name as role, 'parley_' || name || '_owner' as owner, password
  from (
    values
      ('auth', :'auth_password'),
      ('rooms', :'rooms_password'),
      ('messages', :'messages_password'),
      ('files', :'files_password')
  ) as given (name, password);

-- Both of a service have its password: who has the service's settings has both anyway.
select format('create role %I', new.role)
from service, unnest(array[role, owner]) as new (role)
where not exists (select from pg_roles where rolname = new.role)
\gexec
select format('alter role %I login password %L', each.role, password)
from service, unnest(array[role, owner]) as each (role)
\gexec

-- Nobody else may come in, and nobody needs what all may do by default.
revoke all on database :"DBNAME" from public;
revoke all on schema public from public;
select format('grant connect on database %I to %I, %I', current_database(), role, owner) from service
\gexec
select format('grant create on database %I to %I', current_database(), owner) from service
\gexec

-- What was made when all services had one role.
select format('alter schema %I owner to %I', nspname, owner)
from service join pg_namespace on nspname = name
where pg_get_userbyid(nspowner) <> owner
\gexec
select format('alter table %I.%I owner to %I', nspname, relname, owner)
from service join pg_namespace on nspname = name join pg_class on relnamespace = pg_namespace.oid
where relkind in ('r', 'p') and pg_get_userbyid(relowner) <> owner
\gexec

commit;
