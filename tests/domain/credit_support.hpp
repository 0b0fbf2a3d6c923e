// Builders for tests of credit: a harness that has its journal at hand, and what was booked by an instant.
// What is expected stands in the tests; nothing here decides anything.
#pragma once

#include "domain/history.hpp"
#include "domain/past.hpp"
#include "tests/domain/support.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace accrue::testing {

inline constexpr std::int64_t second_ns = ns_per_second;
inline constexpr std::int64_t hour_ns = 3600 * ns_per_second;
inline constexpr std::int64_t day_ns = 24 * hour_ns;

inline std::optional<decimal> maybe(std::string_view amount) {
  return amount.empty() ? std::optional<decimal>() : dec(amount);
}

// Grants.
inline command::grant_credit bought(std::string id,
                                    std::string_view amount,
                                    std::string_view cost_basis = {},
                                    std::string currency = "USD") {
  auto c = credit(std::move(id), amount, std::move(currency));
  c.funding = command::grant_funding::external;
  c.cost_basis = maybe(cost_basis);
  return c;
}
inline command::grant_credit until(command::grant_credit c, instant expires_at) {
  c.expires_at = expires_at;
  return c;
}
inline command::grant_credit from(command::grant_credit c, instant effective_at) {
  c.effective_at = effective_at;
  return c;
}
inline command::grant_credit only_for(command::grant_credit c, std::vector<std::string> features) {
  c.features = std::move(features);
  return c;
}
inline command::grant_credit ranked(command::grant_credit c, std::uint16_t priority) {
  c.priority = priority;
  return c;
}

// An empty amount is the command's default.
inline command::authorize_grant authorize(std::string grant, std::string_view amount = {}) {
  return {std::move(grant), maybe(amount)};
}
inline command::settle_grant settle(std::string grant, std::string_view amount = {}) {
  return {std::move(grant), maybe(amount)};
}
inline command::correct_charge correct(std::string charge, std::string_view amount = {}) {
  return {std::move(charge), maybe(amount)};
}
inline command::void_grant take_back(std::string grant, bool refund = false) {
  return {std::move(grant), refund};
}

// Reservations.
inline command::reserve reserve(std::string id,
                                std::string_view amount,
                                std::int64_t ttl_ns = 60 * second_ns,
                                std::string feature = {},
                                std::string currency = "USD") {
  return {std::move(id), dec(amount), std::move(currency), std::move(feature), ttl_ns, false};
}
inline command::reserve up_to(command::reserve c) {
  c.up_to = true;
  return c;
}
inline command::settle_reservation finish(std::string id, std::string_view actual) {
  return {std::move(id), dec(actual)};
}

inline const command::feature_filter only_unrestricted{command::feature_view::unrestricted, {}};
inline command::feature_filter for_feature(std::string f) {
  return {command::feature_view::feature, std::move(f)};
}

/// A customer's past as the engine keeps it: its units in blocks of this many, of which an answer gets only those
/// that it asks for, and the last ones as they are.
class blocks_of_past {
public:
  explicit blocks_of_past(const customer& c,
                          const std::vector<entry>& journal,
                          std::size_t size = 3)
      : customer_(&c), journal_(&journal) {
    statement_reader reader;
    statement_items items;
    std::size_t from = 0;
    for (std::size_t i = 0; i < journal.size(); ++i) {
      reader.read(c, journal[i], items);
      if (i + 1 - from < size)
        continue;
      blocks_[journal[i].number] = {block_of(journal[from].number, journal[i].number, items),
                                    items};
      items.clear();
      from = i + 1;
    }
    rest_ = items;
  }

  /// `loads`: counts what was read besides the sums.
  result<reply::receipt> ask(const command::any& query,
                             const catalog& cat,
                             instant now,
                             past::wanted* loads = nullptr) const {
    past p(*customer_);
    for (const auto& [_, block] : blocks_)
      p.add(block.first);
    p.add(rest_);
    for (int turn = 0; turn < 1000; ++turn) {
      auto got = p.ask(query, cat, now);
      if (!got)
        return tl::unexpected(got.error());
      if (auto* answer = std::get_if<reply::receipt>(&*got))
        return std::move(*answer);
      for (const auto& b : std::get<past::wanted>(*got).blocks) {
        REQUIRE(p.load(b, blocks_.at(b).second).has_value());
        if (loads != nullptr)
          loads->blocks.insert(b);
      }
      for (const auto& u : std::get<past::wanted>(*got).units) {
        p.know(journal_->at(u.value - journal_->front().number.value));
        if (loads != nullptr)
          loads->units.insert(u);
      }
    }
    FAIL("it never has enough");
    return reply::receipt{};
  }

private:
  const customer* customer_;
  const std::vector<entry>* journal_;
  std::map<sequence, std::pair<statement_block, statement_items>> blocks_;
  statement_items rest_;
};

/// The harness with its journal at hand: commands get the units that they need, questions about the past are
/// answered.
class credit_harness : public harness {
public:
  using harness::harness;

  result<reply::receipt> run(const command::any& c) override {
    if (command::is_for_namespace(c))
      return harness::run(c);
    const auto stamp = std::max(now, customer.clock);
    if (is_about_past(customer, c, stamp)) {
      if (auto ok = check_past(catalog, c); !ok)
        return tl::unexpected(ok.error());
      return blocks_of_past(customer, journal).ask(c, catalog, stamp);
    }
    if (command::is_query(c))
      return harness::run(c);
    const auto rows = units_for(c);
    unit u(customer, catalog, stamp, static_cast<std::uint8_t>(c.index()), &failures);
    u.loaded = rows;
    if (auto done = decide_on(u, c); !done)
      return tl::unexpected(done.error());
    if (const auto id = command::given_id(c); !id.empty())
      keys_[std::string(command::kind(c)) + ":" + std::string(id)] = journal.size();
    return commit(u);
  }

  reply::grant_view grant(const std::string& id) {
    return std::get<reply::grant_view>(ok(command::get_grant{id}).body);
  }
  reply::reservation_view reservation(const std::string& id) {
    return std::get<reply::reservation_view>(ok(command::get_reservation{id}).body);
  }
  reply::balance balance_as_of(instant t, command::feature_filter filter = {}) {
    command::get_balance q;
    q.currency = "USD";
    q.filter = std::move(filter);
    q.as_of = t;
    return std::get<reply::balances>(ok(q).body).items.at(0);
  }

  /// A credit_only fee of now, realised at once.
  void use(const std::string& id,
           std::string_view amount,
           std::string feature = {},
           std::string currency = "USD") {
    auto c = fee(id, amount, settlement_mode::credit_only);
    c.currency = std::move(currency);
    c.feature = std::move(feature);
    c.service_period = {now, plus_ns(now, 30 * day_ns)};
    c.invoice_at = now;
    ok(c);
    ok(command::advance_charge{id});
  }

  /// What is booked by an instant, from the journal alone: sub-accounts that are not zero, as `trial` prints them.
  /// Narrowed to what a grant supplied or a spend used, where one is named.
  [[nodiscard]] std::vector<std::string>
  standing(instant as_of, std::string_view grant = {}, std::string_view spend = {}) const {
    const history past(journal);
    const auto source = grant.empty() ? std::nullopt : past.find_grant(grant);
    const auto user = spend.empty() ? std::nullopt : past.find_spend(spend);
    REQUIRE(grant.empty() != source.has_value());
    REQUIRE(spend.empty() != user.has_value());
    std::map<sub_account_id, int128> sums;
    for (const auto& e : journal)
      for (const auto& t : e.transactions)
        for (const auto& p : t.postings())
          if (t.booked_at() <= as_of && (!source || p.source == *source) &&
              (!user || p.spend == *user))
            sums[p.account] += p.amount;
    std::vector<std::pair<int, std::string>> found;
    for (const auto& [number, sum] : sums) {
      const auto& a = customer.book.at(number);
      if (sum != 0)
        found.emplace_back(static_cast<int>(a.account),
                           text_of(a, catalog) + " = " + to_string(money{sum, a.route.currency}));
    }
    std::ranges::sort(found);
    std::vector<std::string> text;
    for (auto& [type, line] : found)
      text.push_back(std::move(line));
    return text;
  }
  [[nodiscard]] std::vector<std::string> standing() const { return standing(now); }
  [[nodiscard]] std::vector<std::string> standing_of(std::string_view grant,
                                                     std::string_view spend = {}) const {
    return standing(now, grant, spend);
  }

  /// The names of the last unit's templates, sorted.
  [[nodiscard]] std::vector<std::string> templates() const {
    std::vector<std::string> names;
    for (const auto& t : journal.back().transactions)
      names.emplace_back(ledger::find_template(t.code())->name);
    std::ranges::sort(names);
    return names;
  }

private:
  /// The units that the engine would load: a range of them, and those that stand under keys.
  [[nodiscard]] std::vector<entry> units_for(const command::any& c) const {
    std::vector<entry> rows;
    if (const auto wanted = rows_needed(customer, c))
      for (const auto& e : journal)
        if (e.number > wanted->after && rows.size() < wanted->limit)
          rows.push_back(e);
    for (const auto& key : keys_needed(customer, c))
      if (const auto it = keys_.find(key); it != keys_.end())
        rows.push_back(journal.at(it->second));
    return rows;
  }

  std::map<std::string, std::size_t, std::less<>> keys_;
};

/// A customer on the second of January, whose fee `f` used all of these grants.
inline credit_harness used_up(const std::vector<command::grant_credit>& grants,
                              std::string_view amount,
                              std::string feature = {}) {
  credit_harness h;
  for (const auto& g : grants)
    h.ok(g);
  h.now = at("2026-01-02");
  h.use("f", amount, std::move(feature));
  return h;
}

/// "g:1000 h:500", grant and minor units, in order.
template <class Slices>
std::string text_of_slices(const Slices& slices) {
  std::string text;
  for (const auto& s : slices)
    text += (text.empty() ? "" : " ") + s.grant + ":" + to_string(s.amount);
  return text;
}

} // namespace accrue::testing
