// Random entries and customers for tests of what is stored: every kind of fact and state, the ends of
// every range. They make no sense as billing; those of billing_history.hpp do.
#pragma once

#include "domain/customer.hpp"
#include "tests/domain/catalog/random_catalog.hpp"

#include <random>
#include <string>
#include <vector>

namespace accrue::testing {

/// One seed, one series of values.
class random_facts {
public:
  explicit random_facts(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t end) { return engine_() % end; }
  bool coin() { return below(2) == 0; }
  template <class T, std::size_t N>
  T one_of(const T (&all)[N]) {
    return all[below(N)];
  }
  /// Small and huge ones, both ends included.
  int128 amount() {
    const auto bits = below(129);
    if (bits == 0)
      return 0;
    const auto wide = uint128{engine_()} << 64 | engine_();
    return static_cast<int128>(wide >> (128 - bits));
  }
  std::uint32_t number() { return static_cast<std::uint32_t>(engine_() >> (32 + below(32))); }
  instant time() {
    const auto ns = static_cast<std::int64_t>(engine_()) >> below(64);
    return coin() ? instant{ns} : instant{ns / ns_per_second * ns_per_second};
  }
  accrue::currency currency() {
    constexpr accrue::currency all[] = {{840, 2}, {978, 2}, {392, 0}, {1000, 9}, {2047, 4}};
    return one_of(all);
  }
  std::string text() {
    std::string out(below(20), 'x');
    for (auto& c : out)
      c = static_cast<char>(below(256));
    return out;
  }
  accrue::money money() { return {amount(), currency()}; }
  std::vector<std::string> features() {
    constexpr const char* all[] = {"",
                                   "api",
                                   "tokens",
                                   "gr\xc3\xb6\xc3\x9f"
                                   "e",
                                   "\xe8\xaf\xad"};
    std::vector<std::string> out;
    for (auto left = below(4); left > 0; --left)
      out.emplace_back(one_of(all));
    return out;
  }

  ledger::sub_account sub_account();
  ledger::transaction transaction(sequence unit, instant at);
  accrue::charge charge();
  invoicing::invoice invoice();
  accrue::grant grant();
  accrue::hold hold();
  ledger::realization realization();
  /// Above 0, far from overflow.
  int128 positive();
  accrue::settings settings();
  rating::tax_rate tax_rate();
  /// The alternative at this place of `fact::any`.
  fact::any fact(std::size_t place);
  accrue::entry entry();
  /// Has a book with credit left in it.
  accrue::customer customer();

private:
  rare<grant_details> details();
  flat_fee::run run();
  std::mt19937_64 engine_;
};

inline ledger::sub_account random_facts::sub_account() {
  using enum ledger::account_type;
  constexpr ledger::account_type accounts[] = {
      fbo, receivable, accrued, wash, earnings, brokerage, breakage, write_off, tax_payable};
  constexpr ledger::stage stages[] = {
      ledger::stage::none, ledger::stage::open, ledger::stage::authorized};
  ledger::sub_account a{one_of(accounts), {}};
  a.route.stage = one_of(stages);
  a.route.currency = currency();
  if (coin())
    a.route.cost_basis = *decimal::make(static_cast<int128>(number()) - number(), int(below(19)));
  if (coin())
    a.route.cost_basis_currency = currency();
  a.route.priority = static_cast<std::uint16_t>(number());
  a.route.features = features();
  return a;
}

inline ledger::transaction random_facts::transaction(sequence unit, instant at) {
  const auto all = ledger::templates();
  std::vector<ledger::posting> postings(below(5));
  for (auto& p : postings) {
    p.account = sub_account_id(number());
    p.source = grant_id(number());
    p.amount = amount();
    const ledger::spend_id spends[] = {
        {},
        ledger::spend_id::of(unit),
        ledger::spend_id::of(charge_id(number())),
        ledger::spend_id::of(invoice_id(number())),
        ledger::spend_id::of(sequence(engine_() >> (2 + below(60))))};
    p.spend = one_of(spends);
  }
  return ledger::transaction::restored(all[below(all.size())].code,
                                       coin() ? ledger::direction::forward
                                              : ledger::direction::correction,
                                       coin() ? at : time(),
                                       std::move(postings));
}

inline flat_fee::run random_facts::run() {
  flat_fee::run r;
  r.invoice = invoice_id(number());
  for (auto left = below(3); left > 0; --left)
    r.credits.push_back({grant_id(number()), sub_account_id(number()), amount()});
  r.advanced = amount();
  r.billed = amount();
  r.authorized = amount();
  r.settled = amount();
  return r;
}

inline accrue::charge random_facts::charge() {
  using enum settlement_mode;
  constexpr settlement_mode modes[] = {credit_then_invoice, credit_only, invoice_only};
  accrue::charge c;
  c.terms = {charge_id(number()),
             text(),
             one_of(modes),
             coin() ? payment_term::in_advance : payment_term::in_arrears,
             money(),
             {time(), time()},
             time(),
             text()};
  const flat_fee::state states[] = {flat_fee::created{},
                                    flat_fee::active{},
                                    flat_fee::collecting_credit{invoice_id(number())},
                                    flat_fee::waiting_for_collection{run()},
                                    flat_fee::processing{run()},
                                    flat_fee::awaiting_payment{run()},
                                    flat_fee::finished{},
                                    flat_fee::finished{run()},
                                    flat_fee::deleted{}};
  c.state = one_of(states);
  return c;
}

inline invoicing::invoice random_facts::invoice() {
  const invoicing::issuance issued{engine_() >> below(64), time(), time()};
  const invoicing::state states[] = {invoicing::draft_waiting_auto_approval{time()},
                                     invoicing::draft_manual_approval_needed{},
                                     invoicing::issuing_charge_booking{},
                                     invoicing::issuing_charge_booking_failed{},
                                     invoicing::payment_pending{issued},
                                     invoicing::payment_authorized{issued},
                                     invoicing::overdue{issued},
                                     invoicing::paid{issued},
                                     invoicing::uncollectible{issued}};
  invoicing::invoice i;
  i.id = invoice_id(number());
  i.currency = currency();
  i.state = one_of(states);
  for (auto left = below(4); left > 0; --left)
    i.lines.push_back(
        {charge_id(number()),
         text(),
         {time(), time()},
         amount(),
         amount(),
         amount(),
         coin(),
         amount(),
         amount(),
         amount(),
         coin() ? std::optional(rating::tax{tax_rate(), amount(), amount()}) : std::nullopt});
  for (auto left = below(3); left > 0; --left)
    i.issues.push_back({coin(), text(), text()});
  i.created_at = time();
  if (coin())
    i.draft_until = time();
  i.due_after_ns = time().ns;
  i.revision = number();
  return i;
}

inline accrue::grant random_facts::grant() {
  constexpr funding fundings[] = {funding::promotional, funding::opening, funding::external};
  return {grant_id(number()),
          text(),
          one_of(fundings),
          money(),
          static_cast<std::uint16_t>(number()),
          features(),
          time(),
          details()};
}

inline rare<grant_details> random_facts::details() {
  rare<grant_details> held;
  if (coin())
    return held;
  auto& d = held.edit();
  d.expires_at = time(); // a real one, so that it is not as good as none
  d.recorded_in = sequence(number());
  if (coin())
    d.cost_basis = *decimal::make(static_cast<int128>(number()), int(below(19)));
  if (coin())
    d.fiat = currency();
  d.authorized = amount();
  d.closed_face = amount();
  d.settled = amount();
  d.written_off = amount();
  if (coin())
    d.voided_at = time();
  d.voided_unauthorized = amount();
  d.voided_paid = amount();
  d.claimed = amount();
  d.refunded = amount();
  return held;
}

inline int128 random_facts::positive() { return (amount() >> 8 & ((int128{1} << 100) - 1)) + 1; }

inline accrue::hold random_facts::hold() {
  accrue::hold h{text(), currency(), text(), time(), {}};
  for (auto left = below(4); left > 0; --left)
    h.slices.push_back({grant_id(number()), sub_account_id(number()), amount()});
  return h;
}

inline ledger::realization random_facts::realization() {
  using enum ledger::part::origin;
  constexpr ledger::part::origin origins[] = {credit, advance, invoiced, opening};
  ledger::realization r{ledger::spend_id::of(charge_id(number())), text(), currency(), time(), {}};
  for (auto left = below(4); left > 0; --left)
    r.parts.push_back({one_of(origins),
                       grant_id(number()),
                       sub_account_id(number()),
                       amount(),
                       amount(),
                       time()});
  return r;
}

inline accrue::settings random_facts::settings() {
  using enum command::over_settlement;
  constexpr command::over_settlement policies[] = {refuse, cap, advance};
  accrue::settings s;
  if (coin())
    s.default_currency = currency();
  s.over_settlement = one_of(policies);
  for (auto left = below(4); left > 0; --left)
    s.advance_limits.edit().push_back({amount(), currency()});
  if (coin())
    s.tax = tax_rate();
  return s;
}

inline rating::tax_rate random_facts::tax_rate() {
  const auto fraction = decimal::make(static_cast<int128>(below(1001)), 3).value();
  return rating::tax_rate::make("VAT" + text(), fraction).value();
}

inline fact::any random_facts::fact(std::size_t place) {
  fact::key_added key;
  for (auto& b : key.key)
    b = static_cast<std::byte>(below(256));
  const fact::any all[] = {
      fact::customer_changed{text(), settings(), time()},
      fact::grant_recorded{grant()},
      fact::consumed{text(), currency(), amount(), amount()},
      fact::charge_changed{charge()},
      fact::invoice_changed{invoice()},
      fact::advance_opened{text(), money()},
      fact::message_queued{text(), text()},
      fact::credit_unit_created{text(), static_cast<std::uint8_t>(number())},
      fact::profile_changed{{coin(),
                             time().ns,
                             time().ns,
                             coin() ? invoicing::recognition_policy::on_collection
                                    : invoicing::recognition_policy::at_period_end}},
      key,
      fact::catalog_replaced{},
      fact::grant_changed{grant()},
      fact::spend_changed{realization()},
      fact::given_back{text(), money()},
      fact::recognized{sequence(number()), {money(), money()}},
      fact::reserved{hold()},
      fact::hold_extended{hold()},
      fact::hold_ended{text(), hold_end::released, currency(), amount(), amount()},
      fact::recognition_planned{number()},
  };
  static_assert(std::size(all) == std::variant_size_v<fact::any>);
  // The one fact that is worth its while only where it is wanted.
  if (std::holds_alternative<fact::catalog_replaced>(all[place]))
    return fact::catalog_replaced{random_catalog(engine_()).catalog()};
  return all[place];
}

inline accrue::entry random_facts::entry() {
  accrue::entry e;
  e.number = sequence(1 + (engine_() >> (2 + below(60))));
  e.at = time();
  e.kind = static_cast<std::uint8_t>(below(std::variant_size_v<command::any>));
  for (auto left = below(4); left > 0; --left)
    e.opened.push_back(sub_account());
  for (auto left = below(4); left > 0; --left)
    e.transactions.push_back(transaction(e.number, e.at));
  for (auto left = below(4); left > 0; --left)
    e.facts.push_back(fact(below(std::variant_size_v<fact::any>)));
  for (auto left = below(3); left > 0; --left) {
    const auto settled = amount();
    const bool plain = coin();
    e.after.push_back({currency(),
                       "",
                       settled,
                       plain ? settled : amount(),
                       plain ? 0 : amount(),
                       plain ? 0 : amount()});
  }
  return e;
}

inline accrue::customer random_facts::customer() {
  accrue::customer c;
  c.number = customer_id(engine_() >> 1);
  c.reference = text();
  c.exists = coin();
  c.settings = settings();
  c.created_at = time();
  c.last = sequence(engine_() >> 2);
  c.clock = time();
  const auto accounts = below(6);
  for (std::uint32_t i = 0; i < accounts; ++i) {
    c.book.open(sub_account());
    const auto book = [&](grant_id source, int128 x, instant until) {
      c.book.apply(ledger::transaction::restored(ledger::template_code::issue,
                                                 ledger::direction::forward,
                                                 time(),
                                                 {{sub_account_id(i), source, {}, x}}),
                   c.clock,
                   [&](grant_id) {
                     return ledger::lifetime{time(), until};
                   });
    };
    book({}, amount() / 4 | 1, {});
    for (std::uint32_t g = 1; g < below(5); ++g)
      book(grant_id(g), positive(), coin() ? ledger::never : time());
  }
  std::vector<ledger::slice> held;
  for (const auto& s : c.book.sources())
    held.push_back({s.grant, s.account, s.amount / 2});
  c.book.hold(held, +1);
  if (coin()) {
    auto& x = c.extras.edit();
    for (auto left = below(3); left > 0; --left)
      if (auto h = hold(); x.holds.find(h.reference) == nullptr)
        x.holds.add(std::move(h));
    x.holds.restore_end({text(), hold_end::expired});
    x.realizations.push_back(realization());
    x.recognized_through = sequence(number());
  }
  for (auto left = below(3); left > 0; --left)
    c.grants.push_back(grant());
  for (auto left = below(3); left > 0; --left)
    c.charges.push_back(charge());
  for (auto left = below(3); left > 0; --left)
    c.invoices.push_back(invoice());
  c.charges_made = number();
  c.invoices_made = number();
  c.advances_opened = number();
  c.invoices_issued = number();
  c.recognizes_at = number();
  return c;
}

} // namespace accrue::testing
