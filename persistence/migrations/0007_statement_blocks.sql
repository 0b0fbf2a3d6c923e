-- What some thousand units of a customer one after the other did to its credit: sums, and the rows that a listing
-- shows. An answer about the past reads all sums and the few blocks that it begins or ends in, however long the
-- history. Derived from the journal: what is missing is made again when it is asked for.
create table statement_block (
  namespace int4 not null,
  customer  int4 not null,
  last_sequence int8 not null,
  sums      bytea not null,
  items     bytea not null,
  primary key (namespace, customer, last_sequence)
);
alter table statement_block alter column items set storage external;
