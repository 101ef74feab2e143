-- What the account may do beyond its own; given by an operator.
alter table auth.account
  add column role text collate "C" not null default 'member'
    constraint account_role_check check (role in ('member', 'admin'));
