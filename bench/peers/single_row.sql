-- One narrow row a commit: what one durable commit takes at least.
create schema if not exists plain;
drop table if exists plain.single_row;
create table plain.single_row (id uuid primary key, amount bigint not null, note text not null);
