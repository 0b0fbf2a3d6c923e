-- Customers that may not write until an operator says so. Why: a restart of the server must not lift what
-- nobody has looked at. A row a customer in quarantine, so a handful; written beside the lanes, never by a
-- batch. Customer 0 is the namespace itself.
create table quarantine (
  namespace     int4 not null,
  customer      int4 not null,
  reference     text not null,         -- empty: the namespace itself; the customer may not be stored
  since         int8 not null,         -- UTC nanoseconds
  kind          int2 not null check (kind between 1 and 3), -- numbers of domain/quarantine.hpp
  why           text not null,
  last_sequence int8 not null,         -- of the last good unit; 0: none
  primary key (namespace, customer)
);
