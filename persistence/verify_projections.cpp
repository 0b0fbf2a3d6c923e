// Whether the tables beside the journal hold exactly the rows that its units lead to.
// Which rows those are is said by projections.cpp, for the engine and for this.
#include "persistence/verify_parts.hpp"

namespace accrue::verifying {
namespace {

// 12.50 and 12.5 are the same amount.
std::string amount(std::string_view text) {
  std::string out(text);
  if (out.find('.') == std::string::npos)
    return out;
  out.erase(out.find_last_not_of('0') + 1);
  if (out.ends_with('.'))
    out.pop_back();
  return out;
}

std::string number(std::int64_t n) { return std::to_string(n); }

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::int64_t at(sequence s) { return static_cast<std::int64_t>(s.value); }

std::string shard(const customer_key& k) { return std::to_string(shard_of(k.customer)); }

const std::string& trimmed(const std::string& title, std::string& value) {
  if (title == "amount" || title == "total")
    value = amount(value);
  return value;
}

} // namespace

std::string place_of(const customer_key& k) {
  return "namespace " + std::to_string(k.space.value) + ", customer " +
         std::to_string(k.customer.value);
}

projection_check::projection_check(pg::session& db, report& findings)
    : findings_(&findings),
      tables_{{
          {"customer",
           {"reference", "created_at"},
           {db,
            "customers",
            "SELECT namespace, customer, 0::int8, 0::int8, reference, created_at::text"
            " FROM customer ORDER BY namespace, customer"},
           {}},
          {"credit_grant",
           {"reference", "currency", "amount", "priority", "effective_at", "sequence"},
           {db,
            "grants",
            "SELECT namespace, customer, number::int8, 0::int8, reference, currency, amount::text,"
            " priority::text, effective_at::text, sequence::text"
            " FROM credit_grant ORDER BY namespace, customer, number"},
           {}},
          {"charge",
           {"reference", "status", "currency", "amount", "sequence", "body"},
           {db,
            "charges",
            "SELECT namespace, customer, number::int8, 0::int8, reference, status, currency,"
            " amount::text, sequence::text, body"
            " FROM charge ORDER BY namespace, customer, number"},
           {}},
          {"invoice",
           {"name", "status", "currency", "total", "sequence", "body"},
           {db,
            "invoices",
            "SELECT namespace, customer, number::int8, 0::int8, name, status, currency,"
            " total::text, sequence::text, body"
            " FROM invoice ORDER BY namespace, customer, number"},
           {}},
          {"wakeup",
           {"due", "shard"},
           {db,
            "wakeups",
            "SELECT namespace, customer, 0::int8, 0::int8, due::text, shard::text"
            " FROM wakeup ORDER BY namespace, customer"},
           {}},
          {"outbox",
           {"topic", "subject", "queued_at", "shard"},
           {db,
            "messages",
            "SELECT namespace, customer, sequence, place::int8, topic, subject, queued_at::text,"
            " shard::text FROM outbox ORDER BY namespace, customer, sequence, place"},
           {}},
      }} {}

void projection_check::expect(const unit_batch& batch) {
  // A customer's row is written once; the others are overwritten by later units.
  for (const auto& r : batch.customers)
    tables_[customers].expected.emplace(row_key{}, columns{r.reference, number(r.created_at.ns)});
  for (const auto& r : batch.grants)
    tables_[grants].expected[{r.number, 0}] = {r.reference,
                                               r.currency,
                                               amount(r.amount),
                                               number(r.priority),
                                               number(r.effective_at.ns),
                                               number(at(r.sequence))};
  const auto objects = [&](place where, const std::vector<object_row>& rows) {
    for (const auto& r : rows)
      tables_[where].expected[{r.number, 0}] = {r.reference,
                                                r.status,
                                                r.currency,
                                                amount(r.amount),
                                                number(at(r.sequence)),
                                                text(batch.at(r.body))};
  };
  objects(charges, batch.charges);
  objects(invoices, batch.invoices);
  for (const auto& r : batch.wakeups) {
    auto& expected = tables_[wakeups].expected;
    expected.clear();
    if (r.due)
      expected[{}] = {number(r.due->ns), shard(r.owner)};
  }
  for (const auto& r : batch.outbox)
    tables_[outbox].expected[{at(r.sequence), r.place}] = {
        r.topic, r.subject, number(r.queued_at.ns), shard(r.owner)};
}

std::string projection_check::row_name(const table& t, const row_key& k) const {
  if (&t == &tables_[customers] || &t == &tables_[wakeups])
    return "the row in " + t.name;
  if (&t == &tables_[outbox])
    return "outbox " + number(k.first) + "/" + number(k.second);
  return t.name + " " + number(k.first);
}

void projection_check::compare_row(const table& t,
                                   const customer_key& owner,
                                   const row_key& k,
                                   const columns& wanted) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::string stored(t.rows.text(static_cast<int>(i) + 4));
    if (trimmed(t.titles[i], stored) == wanted[i])
      continue;
    auto text = row_name(t, k);
    text.append(": ").append(t.titles[i]);
    if (t.titles[i] == "body")
      text.append(" is not what the journal leads to");
    else
      text.append(" is '")
          .append(stored)
          .append("', by the journal '")
          .append(wanted[i])
          .append("'");
    findings_->add(breach::projection, place_of(owner), std::move(text));
  }
}

void projection_check::compare(const customer_key& owner) {
  for (auto& t : tables_) {
    for (; t.rows.is_of(owner); t.rows.next()) {
      const row_key k{t.rows.i64(2), t.rows.i64(3)};
      const auto it = t.expected.find(k);
      if (it == t.expected.end()) {
        findings_->add(breach::projection,
                       place_of(owner),
                       row_name(t, k) + " is there, by the journal it should not be");
        continue;
      }
      compare_row(t, owner, k, it->second);
      t.expected.erase(it);
    }
    for (const auto& [k, _] : t.expected)
      findings_->add(breach::projection, place_of(owner), row_name(t, k) + " is missing");
    t.expected.clear();
  }
}

void projection_check::orphan(const table& t) {
  findings_->add(breach::owner,
                 place_of(t.rows.owner()),
                 row_name(t, {t.rows.i64(2), t.rows.i64(3)}) + " belongs to nobody with units");
}

void projection_check::pass(const customer_key& next) {
  for (auto& t : tables_)
    for (; !t.rows.done() && t.rows.owner() < next; t.rows.next())
      orphan(t);
}

void projection_check::skip(const customer_key& owner) {
  for (auto& t : tables_) {
    for (; t.rows.is_of(owner); t.rows.next()) {
    }
    t.expected.clear();
  }
}

void projection_check::finish() {
  for (auto& t : tables_)
    for (; !t.rows.done(); t.rows.next())
      orphan(t);
}

} // namespace accrue::verifying
