// Builders for tests of the domain: a customer driven by commands, and texts of what it booked.
// What is expected stands in the tests; nothing here decides anything.
#pragma once

#include "domain/decisions.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/catch_tostring.hpp>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

/// Prints a refusal's code where a comparison of codes fails.
template <>
struct Catch::StringMaker<accrue::errc> {
  static std::string convert(accrue::errc code) { return std::string(to_string(code)); }
};
template <>
struct Catch::StringMaker<accrue::int128> {
  static std::string convert(accrue::int128 value) { return accrue::to_string(value); }
};
template <>
struct Catch::StringMaker<accrue::instant> {
  static std::string convert(accrue::instant value) { return accrue::to_string(value); }
};

namespace accrue::testing {

inline const currency usd{840, 2};
inline const currency jpy{392, 0};

inline decimal dec(std::string_view text) { return decimal::parse(text).value(); }
/// "2026-01-31" or "2026-01-31T12:00:00Z".
inline instant at(std::string_view text) {
  return parse_instant(std::string(text) + (text.size() == 10 ? "T00:00:00Z" : "")).value();
}
inline period from_to(std::string_view from, std::string_view to) { return {at(from), at(to)}; }
/// Cents.
inline money dollars(std::string_view text) { return exact_money(dec(text), usd).value(); }

/// The last part of a type's name: "waiting_for_collection".
template <class T>
std::string type_name() {
  const std::string_view all = __PRETTY_FUNCTION__;
  auto name = all.substr(all.find("T = ") + 4);
  name = name.substr(0, name.find_first_of(";]"));
  return std::string(name.substr(name.rfind(':') + 1));
}

/// "finished" and so on for the targets of one transition row.
template <class... Targets>
std::string names_of(const to<Targets...>*) {
  std::string text;
  ((text += (text.empty() ? "" : ", ") + type_name<Targets>()), ...);
  return text;
}

inline std::string file_text(const std::string& path) {
  std::ifstream in(std::string(ACCRUE_SOURCE_DIR) + "/" + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// "receivable.open USD @1", "fbo USD @0 p100 [api]": account, stage, currency, cost basis, priority,
/// features.
inline std::string text_of(const ledger::sub_account& a, const catalog& cat) {
  std::string text(to_string(a.account));
  if (a.route.stage != ledger::stage::none)
    text += a.route.stage == ledger::stage::open ? ".open" : ".authorized";
  text += " " + std::string(cat.code(a.route.currency)) + " @";
  text += a.route.cost_basis ? a.route.cost_basis->to_string() : "none";
  if (a.route.priority != 0)
    text += " p" + std::to_string(a.route.priority);
  for (const auto& feature : a.route.features)
    text += (&feature == &a.route.features.front() ? " [" : ",") + feature;
  return text + (a.route.features.empty() ? "" : "]");
}

/// A customer, its catalog and its journal; commands are decided, numbered and applied as the engine
/// does it.
class harness {
public:
  accrue::catalog catalog;
  accrue::customer customer;
  accrue::customer registry; ///< the namespace itself: customer 0
  fail_points failures;
  std::vector<entry> journal;
  std::vector<reply::receipt> receipts;
  instant now = at("2026-01-01");
  /// Called before each message to a charge, when set.
  std::function<void(const to_charge&)> before_charge;

  explicit harness(std::string reference = "acme") {
    catalog.namespace_reference = "shop";
    customer.number = customer_id(7);
    customer.reference = std::move(reference);
    registry.reference = "shop";
    registry.exists = true;
    REQUIRE(harness::run(command::put_customer{}).has_value());
  }

  virtual ~harness() = default;

  virtual result<reply::receipt> run(const command::any& c) {
    if (is_for_namespace(c))
      return is_query(c) ? answer_for_namespace(catalog, registry.last, c) : run_for_namespace(c);
    if (is_query(c))
      return answer(customer, catalog, now, c);
    unit u(customer, catalog, std::max(now, customer.clock), kind_of(c), &failures);
    if (auto done = decide_on(u, c); !done)
      return tl::unexpected(done.error());
    return commit(u);
  }

  /// Runs a command that must succeed.
  reply::receipt ok(const command::any& c) {
    auto done = run(c);
    if (!done)
      FAIL(command::kind(c) << ": " << to_string(done.error().code) << " " << done.error().subject
                            << " " << done.error().text);
    return *done;
  }

  /// Runs a command that must be refused and must leave everything as it was; why.
  refusal refusal_of(const command::any& c) {
    const auto before = customer;
    const auto entries = journal.size();
    const auto done = run(c);
    CHECK(customer == before);
    CHECK(journal.size() == entries);
    if (done)
      FAIL(command::kind(c) << " was accepted");
    return done.error();
  }
  errc refused(const command::any& c) { return refusal_of(c).code; }

  /// Decides on a unit of the test's own.
  result<void> decide_on(unit& u, const command::any& c) {
    if (is_simple(c))
      return decide_now(u, c);
    auto talk = decide(u, c);
    return before_charge ? carry(u, talk) : drive(u, talk);
  }

  /// Numbers and applies what was decided.
  reply::receipt commit(const unit& u) {
    journal.push_back(u.finish());
    customer.apply(journal.back());
    receipts.push_back(receipt_of(journal.back(), customer, catalog));
    return receipts.back();
  }

  reply::charge_view charge(const std::string& reference) {
    return std::get<reply::charge_view>(ok(command::get_charge{reference}).body);
  }
  reply::invoice_view invoice(const std::string& name) {
    return std::get<reply::invoice_view>(ok(command::get_invoice{name}).body);
  }
  reply::balance balance(const std::string& code = "USD", command::feature_filter filter = {}) {
    const auto found = ok(command::get_balance{code, std::move(filter)});
    return std::get<reply::balances>(found.body).items.at(0);
  }

  /// Sub-accounts that are not zero, in the order of account types, each with its balance.
  [[nodiscard]] std::vector<std::string> trial() const {
    std::vector<std::pair<int, std::string>> lines;
    const auto accounts = customer.book.sub_accounts();
    for (std::uint32_t i = 0; i < accounts.size(); ++i)
      if (const auto b = customer.book.balance(sub_account_id(i)); b != 0)
        lines.emplace_back(static_cast<int>(accounts[i].account),
                           text_of(accounts[i], catalog) + " = " +
                               to_string(money{b, accounts[i].route.currency}));
    std::ranges::sort(lines);
    std::vector<std::string> text;
    for (auto& [type, line] : lines)
      text.push_back(std::move(line));
    return text;
  }

  /// The transactions of the last unit: "name @instant: posting; posting".
  [[nodiscard]] std::vector<std::string> booked() const {
    std::vector<std::string> lines;
    for (const auto& t : journal.back().transactions) {
      std::string line(ledger::find_template(t.code())->name);
      line += " @" + to_string(t.booked_at()) + ":";
      for (const auto& p : t.postings()) {
        const auto& where = customer.book.at(p.account);
        line += (p == t.postings().front() ? " " : "; ") + text_of(where, catalog);
        line += " " + to_string(money{p.amount, where.route.currency});
      }
      lines.push_back(std::move(line));
    }
    return lines;
  }

private:
  static std::uint8_t kind_of(const command::any& c) {
    return static_cast<std::uint8_t>(c.index());
  }

  result<reply::receipt> run_for_namespace(const command::any& c) {
    unit u(registry, catalog, now, kind_of(c));
    if (auto done = decide_for_namespace(u, c); !done)
      return tl::unexpected(done.error());
    const auto e = u.finish();
    registry.apply(e);
    accrue::apply(catalog, e);
    return receipt_of(e, registry, catalog);
  }

  /// As `drive`, with the test listening.
  result<void> carry(unit& u, conversation& talk) {
    for (talk.resume(); !talk.done(); talk.resume()) {
      before_charge(talk.asked());
      talk.answer(step(u, talk.asked()));
    }
    return talk.outcome();
  }

  static result<flat_fee::decision> step(unit& u, const to_charge& message) {
    const auto* target = u.find_charge(message.charge);
    REQUIRE(target != nullptr);
    const auto terms = target->terms;
    auto decided = flat_fee::decide(target->state, message.event, terms);
    while (decided && need_of(*decided)) {
      auto supplied = supply(u, terms, *need_of(*decided));
      if (!supplied)
        return tl::unexpected(supplied.error());
      decided = flat_fee::decide(decided->state, *supplied, terms);
    }
    return decided;
  }
};

// Commands as the tests use them most.
inline command::grant_credit
credit(std::string id, std::string_view amount, std::string currency = "USD") {
  command::grant_credit c;
  c.id = std::move(id);
  c.amount = dec(amount);
  c.currency = std::move(currency);
  return c;
}

inline command::consume consume(std::string id,
                                std::string_view amount,
                                std::string feature = {},
                                std::string currency = "USD") {
  return {std::move(id), dec(amount), std::move(currency), std::move(feature)};
}

/// A fee for January 2026, in advance, invoiced on the first of January.
inline command::create_charge fee(std::string id,
                                  std::string_view amount,
                                  settlement_mode mode = settlement_mode::credit_then_invoice) {
  command::create_charge c;
  c.id = std::move(id);
  c.mode = mode;
  c.amount = dec(amount);
  c.currency = "USD";
  c.service_period = from_to("2026-01-01", "2026-02-01");
  c.invoice_at = at("2026-01-01");
  c.term = payment_term::in_advance;
  return c;
}

inline command::put_customer policy(command::over_settlement p) {
  command::put_customer c;
  c.over_settlement = p;
  return c;
}

inline rating::tax_rate tax_of(std::string name, std::string_view fraction) {
  return rating::tax_rate::make(std::move(name), dec(fraction)).value();
}

/// The customer's invoices from now on have this tax.
inline command::put_customer taxed(std::string name, std::string_view fraction) {
  command::put_customer c;
  c.tax.emplace(tax_of(std::move(name), fraction));
  return c;
}

inline command::put_billing_profile manual_approval() {
  command::put_billing_profile c;
  c.auto_advance = false;
  return c;
}

using lines = std::vector<std::string>;

} // namespace accrue::testing
