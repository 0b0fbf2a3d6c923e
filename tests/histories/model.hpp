// The reference model: one customer as plain sums and lists, written from the specification alone. It knows
// commands and replies and nothing of the engine's own code; it is fed with the durable order of commands.
#pragma once

#include "domain/commands.hpp"
#include "domain/replies.hpp"
#include "domain/result.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace accrue::histories {

/// What the namespace says, fixed for a history.
struct rules {
  std::map<std::string, currency, std::less<>> currencies; ///< by code
  invoicing::profile profile;
};

/// A positive answer, or the code of the refusal.
using verdict = std::variant<reply::receipt, errc>;

/// Bookings that a fault made fail, as the journal tells: how many lines of an invoice (by ordinal) had
/// been booked before the one that failed.
using booking_failures = std::map<std::uint32_t, std::size_t>;

class model {
public:
  model(std::string reference, const rules& r) : reference_(std::move(reference)), rules_(&r) {}

  /// Decides a command; a refusal changes nothing. `stamp`: when it came in.
  verdict decide(const command::any& c, instant stamp, const booking_failures& failures = {});
  /// What it would be answered here.
  [[nodiscard]] verdict expect(const command::any& c, instant stamp) const;

  [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
  [[nodiscard]] instant clock() const noexcept { return clock_; }

private:
  struct source {
    std::string id;
    accrue::currency currency;
    std::uint16_t priority = 100;
    std::vector<std::string> features; ///< sorted
    bool opening = false;              ///< else promotional
    instant from;
    int128 left = 0;
  };
  struct debt { // advance taken, or opened
    accrue::currency currency;
    std::vector<std::string> features;
    int128 amount = 0;
  };
  struct realized {
    std::vector<reply::taken> slices;
    std::vector<std::size_t> sources; ///< of each slice, for the moment
    std::vector<int128> rows;         ///< taken from each route, in order
    int128 advanced = 0;
    int128 billed = 0;
    int128 authorized = 0;
    int128 settled = 0;
  };
  enum class stage : std::uint8_t { created, active, processing, awaiting, final };
  struct fee {
    std::string id;
    settlement_mode mode{};
    payment_term term{};
    accrue::currency currency;
    int128 amount = 0;
    period span;
    instant invoice_at;
    std::string feature;
    stage at = stage::created;
    std::optional<realized> run;

    [[nodiscard]] instant booked_at() const noexcept {
      return term == payment_term::in_advance ? span.from : span.to;
    }
    [[nodiscard]] std::optional<instant> due() const noexcept;
    [[nodiscard]] bool billable(instant as_of) const noexcept;
  };
  enum class paper : std::uint8_t { waiting, manual, failed, pending, authorized, overdue, paid };
  struct bill {
    struct line {
      std::size_t fee = 0; ///< nobody's where it is a tax, the last line
      int128 amount = 0, total = 0, authorized = 0, settled = 0;
      bool booked = false;
      std::optional<reply::tax> tax = {};
    };
    accrue::currency currency;
    paper state = paper::waiting;
    std::vector<line> lines;
    std::optional<instant> until;
    std::uint64_t number = 0; ///< 0: a draft
    instant issued_at;
    instant due_at;

    [[nodiscard]] int128 sum(int128 line::*part) const;
    [[nodiscard]] std::optional<instant> due() const;
  };
  struct touched { ///< by the unit that is being decided
    std::set<std::size_t> fees, bills;
    std::set<accrue::currency> currencies; ///< by postings
    std::optional<accrue::currency> named; ///< by the command
    std::size_t messages = 0;
    std::optional<reply::body> body;
  };
  using refused = std::optional<errc>;

  refused change(const command::any& c, const booking_failures& failures);
  [[nodiscard]] verdict answer(const command::any& query, instant stamp) const;
  refused on(const command::put_customer& c);
  refused on(const command::grant_credit& c);
  refused on(const command::consume& c);
  refused on(const command::create_charge& c);
  template <class Opening>
  refused open(const Opening& c, bool credit);

  realized
  collect(accrue::currency c, std::string_view feature, int128 amount, instant as_of) const;
  void take(const realized& r);
  refused
  lend(accrue::currency c, std::string_view feature, int128 amount, std::optional<int128> owed_max);
  refused advance_fee(std::size_t n);
  refused invoice(const command::invoice_pending& c, const booking_failures& failures);
  void add_tax(bill& b) const;
  void issue(std::size_t n, const booking_failures& failures);
  void time_passed(std::size_t n, const booking_failures& failures);
  refused pay(std::string_view name, bool authorize, bool settle, std::optional<decimal> amount);
  refused move_money(bill& b, bool authorize, int128 amount);
  void run_due(const booking_failures& failures);

  [[nodiscard]] const accrue::currency* currency_of(std::string_view code) const;
  [[nodiscard]] std::string code_of(accrue::currency c) const;
  [[nodiscard]] std::optional<std::size_t> fee_of(std::string_view id) const;
  [[nodiscard]] std::optional<std::size_t> bill_of(std::string_view name) const;
  [[nodiscard]] std::string name_of(std::size_t bill) const;
  [[nodiscard]] reply::balance
  balance(accrue::currency c, instant now, const command::feature_filter& filter = {}) const;
  [[nodiscard]] int128
  pressed(accrue::currency c, instant now, const command::feature_filter& filter) const;
  [[nodiscard]] reply::charge_view view(const fee& f) const;
  [[nodiscard]] reply::invoice_view view_bill(std::size_t n) const;
  [[nodiscard]] reply::customer_view view() const;

  std::string reference_;
  const rules* rules_;
  bool exists_ = false;
  std::optional<accrue::currency> default_currency_;
  command::over_settlement policy_ = command::over_settlement::refuse;
  std::map<accrue::currency, int128> limits_;
  std::string tax_name_; ///< empty: no tax
  decimal tax_rate_;
  instant created_at_;
  std::uint64_t sequence_ = 0;
  instant clock_;
  std::vector<source> sources_; ///< in the order of collection
  std::vector<debt> debts_;
  std::set<accrue::currency> used_;
  std::vector<fee> fees_;
  std::vector<bill> bills_;
  std::uint64_t issued_ = 0;
  touched touched_;
};

} // namespace accrue::histories
