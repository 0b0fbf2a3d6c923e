-- Bodies of version 4, whose postings and sub-accounts are laid out as before. Why: what nobody pays is written off,
-- and units that say so are of version 4. Format: docs/journal-format.md.

create or replace view sub_account as
select j.namespace, j.customer,
  row_number() over (partition by j.namespace, j.customer order by j.sequence, o.place) - 1 as number,
  j.sequence,
  (array['fbo', 'receivable', 'accrued', 'wash', 'earnings', 'brokerage', 'breakage', 'write_off',
         'tax_payable'])[o.account] as account,
  (array['open', 'authorized'])[o.stage] as stage,
  o.currency, o.exponent, o.cost_basis, o.cost_basis_currency, nullif(o.priority, 0) as priority,
  o.features
from journal j cross join lateral journal_opened(j.body) o
where (get_byte(j.body, 1) & 1)::boolean and coalesce(get_byte(j.body, 0) in (1, 2, 3, 4), false);

create or replace view posting as
select j.namespace, j.customer, j.sequence, p.transaction_no, p.posting_no, p.template,
  (array['forward', 'correction'])[p.direction + 1] as direction,
  (j.at + p.moved)::bigint as booked_at, j.at as recorded_at,
  a.account, a.stage, a.currency, a.cost_basis, a.priority, a.features,
  p.source, journal_spend(p.spend, j.sequence) as spend, p.amount
from journal j
cross join lateral journal_postings(j.body) p
join sub_account a
  on a.namespace = j.namespace and a.customer = j.customer and a.number = p.account
where coalesce(get_byte(j.body, 0) in (1, 2, 3, 4), false);
