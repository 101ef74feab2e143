create table auth.account (
  id text collate "C" primary key,
  -- Trimmed, in NFC; compared byte by byte, so case-sensitive.
  name text collate "C" not null constraint account_name_key unique,
  -- argon2id in PHC string format, salt and parameters included.
  password_hash text not null,
  created_at timestamptz not null default now()
);
