-- Since when the account may not log in, by an operator's order; null while it may.
alter table auth.account add column disabled_at timestamptz;
