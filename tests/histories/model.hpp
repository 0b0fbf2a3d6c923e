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
  enum class funding : std::uint8_t { promotional, external, opening };
  struct source { // a grant, or opening credit
    std::string id;
    accrue::currency currency;
    funding paid = funding::promotional;
    std::uint16_t priority = 100;
    std::vector<std::string> features; ///< sorted
    instant from;
    std::optional<instant> until;
    int128 amount = 0; ///< all of it, what covered advance too
    int128 left = 0;   ///< neither used nor taken back; held or not
    std::optional<instant> voided_at;
    // Of external credit; the last two in what it is paid in.
    decimal cost_basis;
    accrue::currency fiat;
    int128 not_owed = 0; ///< of `amount`, taken back before it was authorised
    int128 authorized = 0;
    int128 written_off = 0;
    int128 voided_paid = 0; ///< of `amount`, taken back after it was authorised
    int128 refunded = 0;
    int128 settled = 0;

    [[nodiscard]] int128 price(int128 face) const;
    [[nodiscard]] int128 owed() const { return price(amount - not_owed); }
    /// What was paid for what was taken back, as far as it is there and was not paid back: what stays is paid first.
    [[nodiscard]] int128 claim() const {
      return std::max<int128>(settled - price(amount - not_owed - voided_paid), 0) - refunded;
    }
    [[nodiscard]] bool ended(instant t) const noexcept { return until && *until <= t; }
  };
  /// Something that moved the settled balance, or will (balances.md 1.2).
  struct movement {
    std::size_t of = 0; ///< the source, or the spend whose advance it is
    bool advance = false;
    bool issues = false; ///< credit becomes there
    instant booked;
    instant recorded;
    int128 amount = 0;
  };
  struct slice {
    std::size_t source = 0;
    int128 amount = 0;
  };
  struct use : slice { ///< less what was given back
    bool recognized = false;
  };
  struct cover : use { ///< of advance, by a later grant
    instant booked;
  };
  struct spend { // what used credit: a charge, a consume, a settled reservation, an opening advance
    std::string id;
    std::optional<std::size_t> fee;
    bool opening = false;
    accrue::currency currency;
    instant booked;
    std::uint64_t place = 0; ///< in the order in which advance is covered
    std::vector<use> uses;   ///< in the order of collection
    std::vector<std::string> features;
    int128 uncovered = 0;      ///< advance
    std::vector<cover> covers; ///< oldest first

    [[nodiscard]] int128 left() const;
  };
  enum class hold_state : std::uint8_t { held, settled, released, expired };
  struct hold { // a reservation
    std::string id;
    accrue::currency currency;
    std::string feature;
    std::vector<slice> slices;
    instant expires_at;
    hold_state state = hold_state::held;

    [[nodiscard]] bool stands(instant t) const noexcept {
      return state == hold_state::held && t < expires_at;
    }
  };
  struct realized {
    std::vector<int128>
        rows; ///< taken from each route, in order, the advance last; then what came back
    int128 billed = 0;
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
  enum class paper : std::uint8_t {
    waiting,
    manual,
    failed,
    pending,
    authorized,
    overdue,
    paid,
    uncollectible
  };
  struct bill {
    struct line {
      std::size_t fee = 0; ///< nobody's where it is a tax, the last line
      int128 amount = 0, total = 0, authorized = 0, settled = 0, written_off = 0;
      bool booked = false;
      std::optional<reply::tax> tax = {};
      bool recognized = false;
    };
    accrue::currency currency;
    paper state = paper::waiting;
    std::vector<line> lines;
    std::optional<instant> until;
    std::uint64_t number = 0; ///< 0: a draft
    instant issued_at;
    instant due_at;

    [[nodiscard]] int128 sum(int128 line::*part) const;
    [[nodiscard]] bool is_payable() const noexcept {
      return state == paper::pending || state == paper::authorized || state == paper::overdue;
    }
    [[nodiscard]] std::optional<instant> due() const;
  };
  struct touched { ///< by the unit that is being decided
    std::set<std::size_t> fees, bills;
    std::set<accrue::currency> currencies; ///< by postings
    std::set<accrue::currency> named;      ///< by the command, and of holds
    std::size_t messages = 0;
    std::size_t ended_holds = 0;
    std::size_t advances = 0;
    std::optional<reply::body> body;
  };
  using refused = std::optional<errc>;
  using told = std::variant<reply::body, errc>;

  refused change(const command::any& c, const booking_failures& failures);
  refused on(const command::put_customer& c);
  refused on(const command::create_charge& c);
  refused on(const command::advance_charge& c);
  // model_credit.cpp
  refused on(const command::grant_credit& c);
  refused on(const command::consume& c);
  refused on(const command::open_credit& c);
  refused on(const command::open_advance& c);
  refused on(const command::authorize_grant& c);
  refused on(const command::settle_grant& c);
  refused on(const command::void_grant& c);
  refused on(const command::refund_grant& c);
  refused on(const command::write_off_grant& c);
  // model_corrections.cpp
  refused on(const command::correct_charge& c);
  refused on(const command::recognize& c);
  // model_reservations.cpp
  refused on(const command::reserve& c);
  refused on(const command::settle_reservation& c);
  refused on(const command::release_reservation& c);
  refused on(const command::extend_reservation& c);
  // model_invoices.cpp
  refused on(const command::invoice_pending& c, const booking_failures& failures);
  refused on(const command::run_due& c, const booking_failures& failures);
  refused on(const command::advance_invoice& c, const booking_failures& failures);
  refused on(const command::approve_invoice& c, const booking_failures& failures);
  refused on(const command::retry_invoice& c, const booking_failures& failures);
  refused on(const command::authorize_payment& c) { return pay(c.invoice, true, false, c.amount); }
  refused on(const command::settle_payment& c) { return pay(c.invoice, false, true, c.amount); }
  refused on(const command::write_off_invoice& c);
  refused on(const command::pay_invoice& c) { return pay(c.invoice, true, true, std::nullopt); }

  // Credit.
  refused price(const command::grant_credit& c, source& s) const;
  int128 cover_advance(std::size_t source, instant booked);
  void issue(std::size_t source, int128 amount, instant booked);
  void move(std::size_t source, int128 amount, instant booked);
  [[nodiscard]] std::vector<std::size_t> collection_order() const;
  [[nodiscard]] std::vector<slice>
  collect(accrue::currency c, std::string_view feature, int128 amount, instant as_of) const;
  [[nodiscard]] std::vector<int128> rows_of(const std::vector<slice>& parts) const;
  [[nodiscard]] std::vector<reply::taken> told_of(const std::vector<slice>& parts) const;
  [[nodiscard]] bool one_route(std::size_t a, std::size_t b) const;
  std::size_t spend_for(const fee& f);
  std::size_t spend_of_unit(std::string id, accrue::currency c);
  void take(std::size_t spend, const std::vector<slice>& parts);
  refused lend(std::size_t spend, std::string_view feature, int128 amount);
  refused
  shortfall(std::size_t spend, std::string_view feature, int128 missing, reply::consumed& to);
  [[nodiscard]] std::optional<std::size_t> used_by(std::string_view name, refused& why) const;
  /// What a spend gives back, by routes: of its advance first.
  std::vector<int128> give_back(std::size_t spend, int128 amount);
  int128 give_back_advance(std::size_t spend, int128 amount);
  void return_credit(std::size_t source, int128 amount, instant at);
  void expire_holds();
  hold* standing(std::string_view reservation);

  refused advance_fee(std::size_t n);
  void add_tax(bill& b) const;
  void issue_bill(std::size_t n, const booking_failures& failures);
  void time_passed(std::size_t n, const booking_failures& failures);
  refused pay(std::string_view name, bool authorize, bool settle, std::optional<decimal> amount);
  refused move_money(bill& b, bool authorize, int128 amount);

  [[nodiscard]] verdict answer(const command::any& query, instant stamp) const;
  [[nodiscard]] told ask(const command::get_customer&, instant) const { return view(); }
  [[nodiscard]] told ask(const command::get_balance& q, instant now) const;
  [[nodiscard]] told ask(const command::get_charge& q, instant now) const;
  [[nodiscard]] told ask(const command::get_invoice& q, instant now) const;
  [[nodiscard]] told ask(const command::list_invoices& q, instant now) const;
  [[nodiscard]] told ask(const command::get_accounts& q, instant now) const;
  [[nodiscard]] told ask(const command::get_grant& q, instant now) const;
  [[nodiscard]] told ask(const command::list_grants& q, instant now) const;
  [[nodiscard]] told ask(const command::get_reservation& q, instant now) const;

  [[nodiscard]] const accrue::currency* currency_of(std::string_view code) const;
  [[nodiscard]] std::string code_of(accrue::currency c) const;
  [[nodiscard]] std::optional<std::size_t> fee_of(std::string_view id) const;
  [[nodiscard]] std::optional<std::size_t> bill_of(std::string_view name) const;
  [[nodiscard]] std::optional<std::size_t> source_of(std::string_view id) const;
  [[nodiscard]] std::string name_of(std::size_t bill) const;

  // Balances.
  [[nodiscard]] int128 held(std::size_t source, instant now) const;
  [[nodiscard]] int128 free(std::size_t source, instant now) const;
  [[nodiscard]] int128
  pressed(accrue::currency c, instant now, const command::feature_filter& filter) const;
  [[nodiscard]] reply::balance
  balance(accrue::currency c, instant now, const command::feature_filter& filter = {}) const;

  [[nodiscard]] reply::charge_view view(const fee& f) const;
  [[nodiscard]] reply::grant_view view(const source& s, instant now) const;
  [[nodiscard]] reply::reservation_view view(const hold& h, instant now) const;
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
  std::vector<source> sources_; ///< as recorded
  std::vector<spend> spends_;   ///< likewise
  std::vector<hold> holds_;
  std::vector<movement> movements_;
  std::set<accrue::currency> used_;
  std::vector<fee> fees_;
  std::vector<bill> bills_;
  std::uint64_t issued_ = 0;
  touched touched_;
};

} // namespace accrue::histories
