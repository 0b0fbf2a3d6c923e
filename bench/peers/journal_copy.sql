-- Journal rows as Accrue wrote them, to a file and back by one COPY into an empty table with the same
-- columns, checks and primary key: the least that storing such rows can take.
create schema if not exists plain;
drop table if exists plain.journal_copy;
create table plain.journal_copy (like public.journal including all);
copy (select * from public.journal limit :rows) to :'path' (format binary);
\timing on
copy plain.journal_copy from :'path' (format binary);
