-- Whole states and key filters are mostly fingerprints, which do not compress: trying cost a batch some
-- 0.3 ms a customer, and with it everybody whose answer waited for that batch.
alter table snapshot alter column body set storage external;
alter table key_segment alter column body set storage external;
