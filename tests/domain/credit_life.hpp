// Random lives of a customer's credit: what is done is drawn, what must be true stands in the tests.
// Expiries fall on midnights, nothing else does: many end together, and nothing happens right then.
#pragma once

#include "tests/domain/credit_support.hpp"

#include <rapidcheck.h>

#include <map>
#include <set>
#include <sstream>
#include <tuple>

namespace accrue::testing {

/// What to do, with numbers to choose by: (kind, amount, choice, seconds since the last).
using credit_step = std::tuple<int, int, int, int>;
using credit_life = std::vector<credit_step>;

/// Runs `check` over this many lives of at most `longest` steps, always the same ones.
template <class Check>
bool over_credit_lives(int count, int longest, Check check) {
  const auto one = rc::gen::tuple(rc::gen::inRange(0, 32),
                                  rc::gen::inRange(1, 9999),
                                  rc::gen::inRange(0, 1'000'000'000),
                                  rc::gen::inRange(0, 20'000));
  const auto any_life = rc::gen::container<credit_life>(rc::gen::resize(rc::kNominalSize, one));
  rc::detail::TestMetadata metadata;
  metadata.id = "lives of credit";
  rc::detail::TestParams params;
  params.seed = 20260102;
  params.maxSuccess = count;
  params.maxSize = longest;
  const rc::detail::TestResult outcome = rc::detail::checkTestable(
      [&] {
        const auto drawn = *any_life;
        check(drawn);
      },
      metadata,
      params);
  std::ostringstream text;
  rc::detail::printResultMessage(outcome, text);
  UNSCOPED_INFO(text.str());
  return outcome.template is<rc::detail::SuccessResult>();
}

/// One number as many small ones.
class chooser {
public:
  explicit chooser(int from) : rest_(from) {}
  int operator()(int below) {
    const auto chosen = rest_ % below;
    rest_ /= below;
    return chosen;
  }

private:
  int rest_;
};

/// A customer that lives.
class credit_story {
public:
  credit_harness h;
  std::vector<std::string> spends; ///< what used credit and can be given back

  /// `openings`: with opening balances, which no row of a statement tells.
  explicit credit_story(bool openings) : openings_(openings) {
    h.ok(command::create_credit_unit{"TOKEN", 4});
  }

  /// Whether it was accepted.
  bool take(const credit_step& s) {
    const auto [kind, minor, choice, wait] = s;
    h.now = plus_ns(h.now, wait * second_ns);
    id_ = "n" + std::to_string(++serial_);
    const auto c = command_of(kind, minor, chooser(choice));
    const auto done = h.run(c);
    if (!done) {
      RC_ASSERT(done.error().code != errc::internal);
      return false;
    }
    note(c);
    return true;
  }

  template <class After>
  void live(const credit_life& steps, After after) {
    for (const auto& s : steps)
      after(take(s));
  }
  void live(const credit_life& steps) {
    live(steps, [](bool) {});
  }

  /// An id nobody has.
  std::string fresh() { return "n" + std::to_string(++serial_); }

private:
  [[nodiscard]] static decimal amount(int minor, const std::string& code) {
    return decimal::make(minor, code == "TOKEN" ? 4 : 2).value();
  }
  [[nodiscard]] static std::string code(int choice) { return choice == 0 ? "TOKEN" : "USD"; }
  [[nodiscard]] static std::string feature(int choice) {
    return choice == 0 ? "" : choice == 1 ? "api" : "disk";
  }
  [[nodiscard]] static const std::string& one_of(const std::vector<std::string>& all, int choice) {
    static const std::string nobody = "nobody";
    return all.empty() ? nobody : all[static_cast<std::size_t>(choice) % all.size()];
  }
  [[nodiscard]] std::optional<decimal> part(int minor, int choice) const {
    return choice == 0 ? std::optional<decimal>() : amount(minor / (choice * choice) + 1, "USD");
  }
  [[nodiscard]] instant ago(int hours) const { return plus_ns(h.now, -hours * hour_ns); }

  [[nodiscard]] command::any grant(int minor, chooser next) const {
    command::grant_credit c;
    c.id = id_;
    c.currency = code(next(6));
    c.amount = amount(minor, c.currency);
    c.priority = static_cast<std::uint16_t>(1 + next(3));
    const std::vector<std::string> features[] = {{}, {}, {}, {"api"}, {"api", "disk"}};
    c.features = features[next(5)];
    if (next(2) == 0) {
      const char* const prices[] = {"1", "0.5", "0.333", "0.005", "0.0007"};
      c.funding = command::grant_funding::external;
      c.cost_basis = dec(prices[next(5)]);
      if (c.currency == "TOKEN")
        c.fiat_currency = "USD";
    }
    const auto when = next(6);
    if (when < 2)
      c.effective_at = when == 0 ? ago(1 + next(60)) : ago(-1 - next(60));
    if (next(2) == 0) {
      const auto begins = std::max(h.now, c.effective_at.value_or(h.now));
      c.expires_at = instant{(begins.ns / day_ns + 1 + next(8)) * day_ns};
    }
    return c;
  }

  // Booked and cut off in the past, or now.
  [[nodiscard]] command::any use(int minor, chooser next) const {
    command::create_charge c;
    c.id = id_;
    c.mode = settlement_mode::credit_only;
    c.currency = code(next(6));
    c.amount = amount(minor, c.currency);
    c.feature = feature(next(3));
    c.invoice_at = next(2) == 0 ? h.now : ago(next(40));
    c.term = next(2) == 0 ? payment_term::in_advance : payment_term::in_arrears;
    const auto booked = next(2) == 0 ? h.now : ago(next(40));
    c.service_period = c.term == payment_term::in_advance
                           ? period{booked, plus_ns(booked, 30 * day_ns)}
                           : period{plus_ns(booked, -30 * day_ns), booked};
    return c;
  }

  [[nodiscard]] command::any opening(int minor, chooser next) const {
    const auto in = code(next(6));
    if (!openings_)
      return command::run_due{};
    if (next(2) == 0)
      return command::open_advance{id_, amount(minor, in), in, {}, {}};
    command::open_credit c{id_, amount(minor, in), in, {}, {}};
    if (next(2) == 0)
      c.expires_at = instant{(h.now.ns / day_ns + 1 + next(8)) * day_ns};
    return c;
  }

  [[nodiscard]] command::any command_of(int kind, int minor, chooser next) {
    if (kind < 7)
      return grant(minor, next);
    if (kind < 11) {
      const auto in = code(next(6));
      return command::consume{id_, amount(minor, in), in, feature(next(3))};
    }
    if (kind < 13)
      return use(minor, next);
    if (kind < 16) {
      const auto in = code(next(6));
      const auto ttl = (1 + next(86'400)) * second_ns;
      return command::reserve{id_, amount(minor, in), in, feature(next(3)), ttl, next(2) == 0};
    }
    if (kind < 18)
      return command::settle_reservation{one_of(holds_, next(1000)), amount(minor - 1, "USD")};
    switch (kind) {
    case 18:
      return command::release_reservation{one_of(holds_, next(1000))};
    case 19:
      return command::extend_reservation{one_of(holds_, next(1000)),
                                         (1 + next(86'400)) * second_ns};
    case 20:
    case 21:
    case 22:
      return correct_of(minor, next);
    case 23:
      return take_back(one_of(next(2) == 0 ? paid_ : grants_, next(500)), next(3) == 0);
    case 24:
      if (next(4) == 0)
        return command::write_off_grant{one_of(grants_, next(1000))};
      return command::authorize_grant{one_of(grants_, next(1000)), part(minor, next(4))};
    case 25:
      if (next(3) == 0)
        return command::refund_grant{one_of(voided_, next(1000)), part(minor, 3 * next(2))};
      return command::settle_grant{one_of(grants_, next(1000)), part(minor, next(8) % 4 * next(2))};
    case 26:
      return command::recognize{next(3) == 0 ? std::optional(ago(next(30))) : std::nullopt};
    case 27:
      return policy(static_cast<command::over_settlement>(1 + next(3)));
    case 28:
      return opening(minor, next);
    case 29:
      h.now = plus_ns(h.now, next(6) * day_ns);
      return command::run_due{};
    default:
      // The advance that grants cover.
      return policy(command::over_settlement::advance);
    }
  }
  [[nodiscard]] command::any correct_of(int minor, chooser next) const {
    const auto& spend = one_of(spends, next(1000));
    return command::correct_charge{spend, part(minor, next(4))};
  }

  void note(const command::any& c) {
    if (const auto* f = std::get_if<command::create_charge>(&c)) {
      if (h.run(command::advance_charge{f->id}))
        spends.push_back(f->id);
    } else if (std::holds_alternative<command::grant_credit>(c) ||
               std::holds_alternative<command::open_credit>(c)) {
      grants_.push_back(id_);
    } else if (const auto* paid = std::get_if<command::settle_grant>(&c)) {
      paid_.push_back(paid->grant);
    } else if (const auto* v = std::get_if<command::void_grant>(&c)) {
      voided_.push_back(v->grant);
      if (serial_ % 2 == 0) // most have nothing to get back
        (void)h.run(command::refund_grant{v->grant, {}});
    } else if (std::holds_alternative<command::consume>(c)) {
      spends.push_back(id_);
    } else if (std::holds_alternative<command::reserve>(c)) {
      holds_.push_back(id_);
    } else if (const auto* s = std::get_if<command::settle_reservation>(&c)) {
      spends.push_back(s->id);
      std::erase(holds_, s->id);
    }
  }

  bool openings_;
  int serial_ = 0;
  std::string id_;
  std::vector<std::string> grants_;
  std::vector<std::string> paid_;
  std::vector<std::string> voided_;
  std::vector<std::string> holds_;
};

} // namespace accrue::testing
