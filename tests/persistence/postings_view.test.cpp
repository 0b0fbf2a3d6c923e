// The SQL that reads bodies against the C++ that reads them, on histories and on random entries.
#include "persistence/journal_codec.hpp"
#include "tests/persistence/billing_history.hpp"
#include "tests/persistence/random_facts.hpp"

#include <catch2/catch_test_macros.hpp>

namespace accrue {
namespace {

using testing::billing_history;
using testing::day;

using lines = std::vector<std::string>;

template <class... T>
std::string joined(const T&... parts) {
  std::string out;
  ((out += out.empty() ? "" : "|", out += parts), ...);
  return out;
}

std::string text(int128 n) { return to_string(n); }
std::string text(instant t) { return std::to_string(t.ns); }
std::string text(const std::optional<decimal>& d) { return d ? d->to_string() : "-"; }
std::string text(const std::vector<std::string>& features) {
  std::string out;
  for (const auto& f : features)
    out += "[" + f + "]";
  return out;
}
std::string stage_text(ledger::stage s) {
  return s == ledger::stage::open ? "open" : s == ledger::stage::authorized ? "authorized" : "-";
}

std::string address(const ledger::sub_account& a) {
  const auto& r = a.route;
  return joined(to_string(a.account).data(),
                stage_text(r.stage),
                text(r.currency.number()),
                text(r.cost_basis),
                r.priority == 0 ? "-" : text(r.priority),
                text(r.features));
}

constexpr auto address_sql =
    "account, coalesce(stage, '-'), currency::text, coalesce(cost_basis::text, '-'),"
    " coalesce(priority::text, '-'),"
    " coalesce((select string_agg('[' || f || ']', '' order by n)"
    "   from unnest(features) with ordinality as u(f, n)), '')";

lines column(billing_history& h, const std::string& sql) {
  const auto rows = h.database().execute(sql);
  if (!rows)
    return {rows.error().text};
  lines out;
  for (int i = 0; i < rows->rows(); ++i)
    out.emplace_back(rows->text(i, 0));
  return out;
}

std::string where(const customer_key& k) {
  return " where namespace = " + std::to_string(k.space.value) +
         " and customer = " + std::to_string(k.customer.value);
}

lines postings_by_sql(billing_history& h, const customer_key& k) {
  return column(h,
                std::string("select concat_ws('|', sequence, transaction_no, posting_no, template,"
                            " direction, booked_at, recorded_at, ") +
                    address_sql + ", source, spend, amount) from posting" + where(k) +
                    " order by sequence, transaction_no, posting_no");
}

lines postings_by_codec(const billing_history::life& l) {
  lines out;
  for (const auto& e : l.entries) {
    int n = 0;
    for (const auto& t : e.transactions) {
      ++n;
      int i = 0;
      for (const auto& p : t.postings())
        out.push_back(joined(text(e.number.value),
                             text(n),
                             text(++i),
                             text(static_cast<int>(t.code())),
                             t.direction() == ledger::direction::forward ? "forward" : "correction",
                             text(t.booked_at()),
                             text(e.at),
                             address(l.customer.book.at(p.account)),
                             text(p.source.value),
                             text(p.spend.value()),
                             text(p.amount)));
    }
  }
  return out;
}

/// The first line in which they differ; empty where none does.
std::string difference(const lines& shown, const lines& wanted) {
  for (std::size_t i = 0; i < std::max(shown.size(), wanted.size()); ++i) {
    const auto a = i < shown.size() ? shown[i] : "nothing";
    const auto b = i < wanted.size() ? wanted[i] : "nothing";
    if (a != b)
      return "shown: " + a + "\nread:  " + b;
  }
  return "";
}

TEST_CASE("the view shows the postings of a history as the codec reads them", "[pg]") {
  billing_history h;
  fill(h);
  std::size_t shown = 0;
  for (const auto& [key, life] : h.customers()) {
    CAPTURE(key.space.value, key.customer.value);
    const auto wanted = postings_by_codec(life);
    CHECK(difference(postings_by_sql(h, key), wanted) == "");
    shown += wanted.size();
  }
  CHECK(shown > 40);
  CHECK(h.value("select count(*) from posting") == std::to_string(shown));
  CHECK(h.value("select coalesce(sum(abs(total)), 0) from (select sum(amount) as total from posting"
                " group by namespace, customer, currency, cost_basis) as t") == "0");
}

TEST_CASE("the view shows sub-accounts under the numbers that postings have", "[pg]") {
  billing_history h;
  fill(h);
  for (const auto& [key, life] : h.customers()) {
    CAPTURE(key.space.value, key.customer.value);
    lines wanted;
    for (const auto& a : life.customer.book.sub_accounts())
      wanted.push_back(joined(text(wanted.size()), text(a.route.currency.exponent()), address(a)));
    CHECK(column(h,
                 std::string("select concat_ws('|', number, exponent, ") + address_sql +
                     ") from sub_account" + where(key) + " order by number") == wanted);
  }
}

// Entries that no domain would decide: the ends of all ranges, many transactions, many features.
TEST_CASE("the view reads random entries as the codec does", "[pg]") {
  billing_history h;
  h.open_namespace(1, "random");
  testing::random_facts random(11);
  catalog cat;
  for (std::uint64_t n = 1; n <= 20; ++n) {
    const customer_key key{namespace_id(1), customer_id(n)};
    std::uint32_t accounts = 0;
    for (std::uint64_t s = 1; s <= 10; ++s) {
      entry e;
      e.number = sequence(s);
      e.at = day(static_cast<int>(s));
      for (auto left = s == 1 ? 1 : random.below(4); left > 0; --left)
        e.opened.push_back(random.sub_account());
      accounts += static_cast<std::uint32_t>(e.opened.size());
      for (auto left = random.below(s == 5 ? 40 : 4); left > 0; --left) {
        auto t = random.transaction(e.number, e.at);
        std::vector<ledger::posting> legs(t.postings().begin(), t.postings().end());
        for (auto& p : legs) {
          p.account = sub_account_id(static_cast<std::uint32_t>(random.below(accounts)));
          p.source = {};
          p.amount /= 1024;
          if (p.spend.value() >> 62 != 0) // the journal's sequences have 63 bits
            p.spend = {};
        }
        e.transactions.push_back(
            ledger::transaction::restored(t.code(),
                                          t.direction(),
                                          {day(0).ns + static_cast<std::int64_t>(random.number())},
                                          legs));
      }
      h.add(key, e, cat);
    }
  }
  h.commit(0);
  for (const auto& [key, life] : h.customers()) {
    CAPTURE(key.customer.value);
    CHECK(difference(postings_by_sql(h, key), postings_by_codec(life)) == "");
  }
}

TEST_CASE("the widest amounts are read whole", "[pg]") {
  billing_history h;
  CHECK(h.value("select string_agg(value::text, ' ' order by place) from journal_integers("
                "'\\x01ffffffffffffffffffffffffffffffffffff03ac0200'::bytea)") ==
        "340282366920938463463374607431768211455 300 0");
  CHECK(h.value("select journal_signed(340282366920938463463374607431768211455)") ==
        "-170141183460469231731687303715884105728");
}

} // namespace
} // namespace accrue
