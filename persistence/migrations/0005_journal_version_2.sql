-- Bodies of version 2, whose postings are laid out as in version 1, and tax, which an invoice spends. Why: an
-- invoice may carry tax, and bookkeepers have to see whose it is. Format: docs/journal-format.md.

-- 0 none, 1 the unit itself, then even for charges and behind them for invoices, and odd for other units by
-- their distance; given back as the engine numbers them: charge × 4 + 1, unit × 4 + 2, invoice × 4 + 3.
create or replace function journal_spend(code numeric, unit bigint)
  returns bigint
  language sql immutable strict parallel safe
as $$
  select (case
    when code = 0 then 0
    when code = 1 then unit::numeric * 4 + 2
    when code % 2 = 0 and code > 8589934592 then (code - 8589934594) * 2 + 3
    when code % 2 = 0 then (code - 2) * 2 + 1
    else (unit - journal_signed(div(code, 2))) * 4 + 2
  end)::bigint
$$;

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
where (get_byte(j.body, 1) & 1)::boolean and coalesce(get_byte(j.body, 0) in (1, 2), false);

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
where coalesce(get_byte(j.body, 0) in (1, 2), false);
