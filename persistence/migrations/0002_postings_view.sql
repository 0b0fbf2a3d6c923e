-- The journal as bookkeepers read it: every posting of every unit with its sub-account. Why: bodies are
-- bytes, and whoever audits or mends the books has to be able to read them without our programs. For
-- people and reports, never for the engine. Format: docs/journal-format.md.

-- All integers of a body, from its second byte on, with the offset behind each. What follows the
-- integers is text; what this makes of text is never looked at, hence the bound of 19 digits.
create function journal_integers(body bytea)
  returns table (place int, value numeric, stop int)
  language sql immutable parallel safe
as $$
  with digits as (
    select i, get_byte(body, i) as digit,
      count(*) filter (where get_byte(body, i) < 128)
        over (order by i rows between unbounded preceding and 1 preceding) as place
    from generate_series(1, octet_length(body) - 1) as i
  ), ranked as (
    select i, digit, place, i - min(i) over (partition by place) as power from digits
  )
  select place::int, trunc(sum((digit & 127) * 128::numeric ^ power)), max(i) + 1
  from ranked
  where power < 19
  group by place
$$;

-- Signed integers are stored zigzag: 0, -1, 1, -2 … as 0, 1, 2, 3 …
create function journal_signed(value numeric)
  returns numeric
  language sql immutable strict parallel safe
as $$
  select case when value % 2 = 0 then div(value, 2) else -div(value + 1, 2) end
$$;

-- The heads of a body's transactions, with how many instants and postings stand before theirs.
create function journal_transactions(body bytea)
  returns table (transaction_no int, template int, direction int, moved int, moved_before int,
                 postings int, postings_before int)
  language sql immutable parallel safe
as $$
  with numbers as materialized (select place, value from journal_integers(body)),
  heads as (
    select (h.place - 1) / 2 + 1 as n, h.value as head, c.value::int as postings
    from numbers h join numbers c on c.place = h.place + 1
    where h.place % 2 = 1
      and h.place < 2 * (select div(value, 16) from numbers where place = 0) + 1
  )
  select n, div(head, 4)::int, (div(head, 2) % 2)::int, (head % 2)::int,
    (sum(head % 2) over w - head % 2)::int, postings, (sum(postings) over w - postings)::int
  from heads
  window w as (order by n)
$$;

-- Integers stand by column: 2 a transaction, 1 a transaction that was moved in time, 4 a posting.
create function journal_postings(body bytea)
  returns table (transaction_no int, posting_no int, template int, direction int, moved numeric,
                 account int, amount numeric, source int, spend numeric)
  language sql immutable parallel safe
as $$
  with numbers as materialized (select place, value from journal_integers(body)),
  heads as materialized (select * from journal_transactions(body)),
  sizes as (select 2 * count(*) + 1 as moved_from, 2 * count(*) + sum(moved) + 1 as postings_from
            from heads),
  legs as (
    select h.*, no, postings_from + 4 * (postings_before + no - 1) as place,
      moved_from + moved_before as moved_at
    from heads h cross join sizes cross join generate_series(1, h.postings) as no
  )
  select transaction_no, no, template, direction,
    case when moved = 1 then journal_signed(m.value) else 0 end,
    a.value::int, journal_signed(v.value), s.value::int, p.value
  from legs
  join numbers a on a.place = legs.place
  join numbers v on v.place = legs.place + 1
  join numbers s on s.place = legs.place + 2
  join numbers p on p.place = legs.place + 3
  left join numbers m on m.place = legs.moved_at and legs.moved = 1
$$;

-- 0 none, 1 the unit itself, then even for charges and odd for other units by their distance; given
-- back as the engine numbers them: charge × 4 + 1, unit × 4 + 2.
create function journal_spend(code numeric, unit bigint)
  returns bigint
  language sql immutable strict parallel safe
as $$
  select (case
    when code = 0 then 0
    when code = 1 then unit::numeric * 4 + 2
    when code % 2 = 0 then (code - 2) * 2 + 1
    else (unit - journal_signed(div(code, 2))) * 4 + 2
  end)::bigint
$$;

-- The sub-accounts a unit opens: a count, 9 integers each, the lengths of all features, their text.
create function journal_opened(body bytea)
  returns table (place int, account int, stage int, currency int, exponent int, cost_basis numeric,
                 cost_basis_currency int, priority int, features text[])
  language sql immutable parallel safe
as $$
  with numbers as materialized (select * from journal_integers(body)),
  start as (
    select (1 + coalesce(sum(2 + moved + 4 * postings), 0))::int as at
    from journal_transactions(body)
  ),
  opened as (select at, value::int as count from numbers join start on place = at),
  parts as (
    select (n.place - at - 1) / 9 + 1 as no,
      array_agg(value order by n.place) as part
    from numbers n cross join opened
    where n.place > at and n.place <= at + 9 * count
    group by 1
  ),
  lists as (select no, part[9]::int as size, sum(part[9]) over (order by no) - part[9] as before
            from parts),
  keys as (
    select no, key, at + 9 * count + before + key as place
    from lists cross join opened cross join generate_series(1, size) as key
  ),
  text_start as (
    select n.stop as at
    from opened cross join numbers n
    where n.place = opened.at + 9 * count + (select sum(part[9]) from parts)
  ),
  texts as (
    select no, key, n.value::int as size,
      t.at + (sum(n.value) over (order by k.place) - n.value)::int as at
    from keys k join numbers n on n.place = k.place cross join text_start t
  )
  select no::int, part[1]::int, part[2]::int, div(part[3], 16)::int, (part[3] % 16)::int,
    case when part[4] > 0
      then trim_scale(journal_signed(part[5]) / 10::numeric ^ (part[4] - 1)) end,
    case when part[6] > 0 then div(part[6] - 1, 16)::int end,
    part[7]::int,
    coalesce((select array_agg(convert_from(substr(body, texts.at + 1, size), 'UTF8') order by key)
              from texts where texts.no = parts.no), '{}')
  from parts
$$;

-- A customer's sub-accounts, numbered as its postings name them.
create view sub_account as
select j.namespace, j.customer,
  row_number() over (partition by j.namespace, j.customer order by j.sequence, o.place) - 1 as number,
  j.sequence,
  (array['fbo', 'receivable', 'accrued', 'wash', 'earnings', 'brokerage', 'breakage', 'write_off',
         'tax_payable'])[o.account] as account,
  (array['open', 'authorized'])[o.stage] as stage,
  o.currency, o.exponent, o.cost_basis, o.cost_basis_currency, nullif(o.priority, 0) as priority,
  o.features
from journal j cross join lateral journal_opened(j.body) o
where (get_byte(j.body, 1) & 1)::boolean and coalesce(get_byte(j.body, 0) = 1, false);

-- One row a posting. Instants are nanoseconds UTC, amounts minor units of the currency.
create view posting as
select j.namespace, j.customer, j.sequence, p.transaction_no, p.posting_no, p.template,
  (array['forward', 'correction'])[p.direction + 1] as direction,
  (j.at + p.moved)::bigint as booked_at, j.at as recorded_at,
  a.account, a.stage, a.currency, a.cost_basis, a.priority, a.features,
  p.source, journal_spend(p.spend, j.sequence) as spend, p.amount
from journal j
cross join lateral journal_postings(j.body) p
join sub_account a
  on a.namespace = j.namespace and a.customer = j.customer and a.number = p.account
where coalesce(get_byte(j.body, 0) = 1, false);
