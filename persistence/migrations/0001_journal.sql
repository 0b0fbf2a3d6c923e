-- The journal and what stands beside it. Why: one narrow row a unit of work is the truth (D65); all
-- other tables are projections of it, calendars or fences. Every customer-owned table has
-- (namespace, customer) in its primary key, so that the schema can be spread over several machines.

-- Names of namespaces. A namespace is customer 0 of itself.
create table namespace (
  namespace int4 primary key,
  reference text not null unique
);

-- One row a unit of work, units without postings too. Insert-only for the engine's role.
-- hash = sha256(hash of the sequence before, then the stored columns): see chain_row in persistence/unit_batch.hpp.
-- Columns stand in order of their alignment; numbers of customers are counters and fit 31 bits.
create table journal (
  sequence  int8 not null check (sequence > 0),
  at        int8 not null,             -- when it was decided: UTC nanoseconds
  batch     int8 not null,
  customer  int4 not null,
  namespace int4 not null,
  lane      int2 not null,
  kind      int2 not null,             -- which command; numbers of domain/commands.hpp
  key       uuid not null,             -- 128-bit fingerprint of the idempotency key (D6)
  content   uuid not null,             -- 128-bit fingerprint of the command's content
  hash      bytea not null check (octet_length(hash) = 32),
  body      bytea not null,            -- postings and facts: persistence/journal_codec.hpp
  primary key (namespace, customer, sequence)
);

-- One row a committed batch: proof that no journal row, the last included, went missing.
create table batch (
  lane   int2 not null,
  number int8 not null,
  epoch  int8 not null,
  rows   int4 not null,
  hash   bytea not null check (octet_length(hash) = 32),
  primary key (lane, number)
);

-- Fence and lease: every batch updates its lane's row under its owner's epoch. Small rows, updated
-- often: room for updates in place.
create table lane (
  lane       int2 primary key,
  epoch      int8 not null,
  batch      int8 not null,
  owner      text not null,
  expires_at timestamptz not null
) with (fillfactor = 10);

create table customer (
  namespace int4 not null,
  customer  int4 not null,
  reference text not null,
  created_at int8 not null,
  primary key (namespace, customer)
);
create unique index customer_reference on customer (namespace, reference);

create table credit_grant (
  namespace int4 not null,
  customer  int4 not null,
  number    int4 not null,
  reference text not null,
  currency  text not null,
  amount    numeric not null,
  priority  int4 not null,
  effective_at int8 not null,
  sequence  int8 not null,
  primary key (namespace, customer, number)
);

create table charge (
  namespace int4 not null,
  customer  int4 not null,
  number    int4 not null,
  reference text not null,
  status    text not null,
  currency  text not null,
  amount    numeric not null,
  sequence  int8 not null,             -- of the unit that changed it last
  body      bytea not null,            -- the whole charge: journal_codec.hpp
  primary key (namespace, customer, number)
);

create table invoice (
  namespace int4 not null,
  customer  int4 not null,
  number    int4 not null,             -- the customer's n-th invoice
  name      text not null,             -- 'ACME-000012', or '#1' for a draft
  status    text not null,
  currency  text not null,
  total     numeric not null,
  sequence  int8 not null,
  body      bytea not null,
  primary key (namespace, customer, number)
);

-- When a customer has to be woken next; one row a customer.
create table wakeup (
  shard     int2 not null,
  due       int8 not null,
  namespace int4 not null,
  customer  int4 not null,
  primary key (namespace, customer)
);
create index wakeup_due on wakeup (shard, due, namespace, customer);

-- What leaves the house, with its key (namespace, customer, sequence, place) and until when it waits.
create table outbox (
  shard     int2 not null,
  namespace int4 not null,
  customer  int4 not null,
  sequence  int8 not null,
  place     int2 not null,
  topic     text not null,
  subject   text not null,
  queued_at int8 not null,
  delivered_at int8,
  primary key (namespace, customer, sequence, place)
);
create index outbox_waiting on outbox (shard, queued_at) where delivered_at is null;

-- A customer's whole state at a sequence, so that reloading costs the same however long its history.
create table snapshot (
  namespace int4 not null,
  customer  int4 not null,
  sequence  int8 not null,
  body      bytea not null,
  primary key (namespace, customer)
);

-- Compact filters over the idempotency keys up to a snapshot (D6).
create table key_segment (
  namespace int4 not null,
  customer  int4 not null,
  last_sequence int8 not null,
  body      bytea not null,
  primary key (namespace, customer, last_sequence)
);
