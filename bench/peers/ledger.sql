-- The plain SQL double-entry ledger that Accrue is compared with: accounts with running balances that each
-- transfer updates under row locks, a row for the transfer, an entry row with the running balance for each
-- side, uuid keys. Written for speed where that costs no guarantee: rows are locked by the update itself, in
-- the order of their ids, so nothing is locked twice and nobody deadlocks; accounts have room for updates in
-- place. The transfer's id is the caller's: its primary key makes a repeated transfer an error.
create schema if not exists plain;
set search_path = plain;
drop table if exists account, transfer, entry cascade;

create table account (
  id         uuid primary key default gen_random_uuid(),
  name       text not null,
  currency   text not null,
  balance    numeric not null default 0,
  version    bigint not null default 0,
  overdraft  boolean not null default false,
  created_at timestamptz not null default now(),
  check (overdraft or balance >= 0)
) with (fillfactor = 50);

create table transfer (
  id         uuid primary key,
  source     uuid not null references account,
  target     uuid not null references account,
  amount     numeric not null check (amount > 0),
  created_at timestamptz not null default now(),
  check (source <> target)
);

create table entry (
  id         uuid primary key default gen_random_uuid(),
  transfer   uuid not null references transfer,
  account    uuid not null references account,
  amount     numeric not null,
  balance    numeric not null,           -- of the account, after this entry
  version    bigint not null,            -- of the account: its n-th entry
  created_at timestamptz not null default now()
);
create index on entry (transfer);
create index on entry (account, version);

-- One transfer.
create or replace function transfer(id uuid, source uuid, target uuid, amount numeric) returns void
  language plpgsql
as $$
declare
  source_balance numeric;
  source_version bigint;
  target_balance numeric;
  target_version bigint;
begin
  if source < target then
    update account a set balance = a.balance - transfer.amount, version = a.version + 1
      where a.id = source returning balance, version into strict source_balance, source_version;
    update account a set balance = a.balance + transfer.amount, version = a.version + 1
      where a.id = target returning balance, version into strict target_balance, target_version;
  else
    update account a set balance = a.balance + transfer.amount, version = a.version + 1
      where a.id = target returning balance, version into strict target_balance, target_version;
    update account a set balance = a.balance - transfer.amount, version = a.version + 1
      where a.id = source returning balance, version into strict source_balance, source_version;
  end if;
  insert into transfer (id, source, target, amount) values (id, source, target, amount);
  insert into entry (transfer, account, amount, balance, version) values
    (id, source, -amount, source_balance, source_version),
    (id, target, amount, target_balance, target_version);
end
$$;

-- Many transfers in one call, by the same function; the accounts are locked in order first.
create or replace function transfer_each(ids uuid[], sources uuid[], targets uuid[], amounts numeric[]) returns void
  language plpgsql
as $$
begin
  perform from account a where a.id = any (sources || targets) order by a.id for no key update;
  for i in 1 .. cardinality(ids) loop
    perform transfer(ids[i], sources[i], targets[i], amounts[i]);
  end loop;
end
$$;

-- Many transfers in one call, as sets: each account is updated once, running balances are window sums.
create or replace function transfer_set(ids uuid[], sources uuid[], targets uuid[], amounts numeric[]) returns void
  language plpgsql
as $$
begin
  perform from account a where a.id = any (sources || targets) order by a.id for no key update;
  with wanted as materialized (
    select * from unnest(ids, sources, targets, amounts) with ordinality as t(id, source, target, amount, n)
  ), made as (
    insert into transfer (id, source, target, amount) select id, source, target, amount from wanted
  ), leg as materialized (
    select id as transfer, source as account, -amount as amount, 2 * n as place from wanted
    union all
    select id, target, amount, 2 * n + 1 from wanted
  ), running as materialized (
    select leg.*, a.balance + sum(leg.amount) over earlier as balance,
      a.version + count(*) over earlier as version
    from leg join account a on a.id = leg.account
    window earlier as (partition by leg.account order by leg.place)
  ), moved as (
    update account a set balance = a.balance + s.amount, version = a.version + s.entries
    from (select account, sum(amount) as amount, count(*) as entries from leg group by account) s
    where a.id = s.account
  )
  insert into entry (transfer, account, amount, balance, version)
    select transfer, account, amount, balance, version from running;
end
$$;

-- The n-th account of a benchmark: ids that a client can compute.
create or replace function account_id(n int) returns uuid
  language sql immutable strict parallel safe
as $$ select lpad(to_hex(n), 32, '0')::uuid $$;

insert into account (id, name, currency, balance)
  select account_id(n), 'account ' || n, 'USD', 1000000000 from generate_series(1, :accounts) as n;
