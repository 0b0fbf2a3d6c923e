// See recognition.hpp.
#include "domain/recognition.hpp"

#include "domain/credit_decisions.hpp"
#include "domain/decisions.hpp"

#include <algorithm>
#include <limits>

namespace accrue {

namespace {

constexpr std::int64_t ns_per_hour = 3600 * ns_per_second;

// The hour that an instant lies in; the first of all where it lies before it.
std::uint32_t hour_of(instant t) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(t.ns / ns_per_hour, 1));
}

constexpr auto invoiced = ledger::part::origin::invoiced;

// The charge's end, where value waits for it; of what is no charge's, or no longer known, that is over.
std::optional<instant> period_end(const unit& u, ledger::spend_id spend) {
  if (!spend.is_charge())
    return std::nullopt;
  const auto* c = u.find_charge(charge_id(static_cast<std::uint32_t>(spend.number())));
  return c == nullptr ? std::nullopt : std::optional(c->terms.service_period.to);
}

// Accrued value at a known price, of whatever time.
bool has_accrued(const customer& c) {
  const auto accounts = c.book.sub_accounts();
  for (std::uint32_t n = 0; n < accounts.size(); ++n)
    if (accounts[n].account == ledger::account_type::accrued && accounts[n].route.cost_basis &&
        c.book.balance(sub_account_id(n)) != 0)
      return true;
  return false;
}

bool waits_for_period(const unit& u, bool is_invoiced) {
  return is_invoiced ||
         u.catalog().profile.recognition == invoicing::recognition_policy::at_period_end;
}

} // namespace

std::uint32_t recognition_hour(customer_id c, instant eligible, std::uint32_t every) noexcept {
  constexpr auto last = std::numeric_limits<std::int64_t>::max() / ns_per_hour;
  const auto first = std::uint64_t{hour_of(plus_ns(eligible, ns_per_hour - 1))};
  // A customer's number is its place in its shard and the shard: both, so that every hour has all shards.
  const auto own = (c.value / shard_count + c.value % shard_count) % every;
  const auto hour = first + (own + every - first % every) % every;
  return hour > static_cast<std::uint64_t>(last) ? 0 : static_cast<std::uint32_t>(hour);
}

instant start_of_hour(std::uint32_t hour) noexcept { return {std::int64_t{hour} * ns_per_hour}; }

std::optional<fact::recognition_planned> planned_by(const unit& u) {
  const auto every = u.catalog().recognize_every_hours;
  if (every == 0)
    return std::nullopt;
  const auto& c = u.before();
  const auto planned = c.recognizes_at;
  if (planned != 0 && planned <= recognition_hour(c.number, u.now(), every))
    return std::nullopt; // nothing can be earlier
  std::optional<instant> first;
  for (const auto& t : u.book.transactions()) {
    if (t.direction() != ledger::direction::forward)
      continue;
    const bool waits = waits_for_period(u, t.code() == ledger::template_code::accrue_invoice);
    for (const auto& p : t.postings()) {
      const auto& a = u.book.at(p.account);
      if (p.amount < 0 || a.account != ledger::account_type::accrued || !a.route.cost_basis)
        continue;
      auto at = std::max(t.booked_at(), u.now());
      if (const auto end = waits ? period_end(u, p.spend) : std::nullopt)
        at = std::max(at, *end);
      first = std::min(first.value_or(at), at);
    }
  }
  if (!first && planned == 0 && has_accrued(c)) // before the server recognised by itself
    first = u.now();
  const auto hour = first ? recognition_hour(c.number, *first, every) : 0;
  if (hour == 0 || (planned != 0 && planned <= hour))
    return std::nullopt;
  return fact::recognition_planned{hour};
}

namespace {

class recognition {
public:
  recognition(unit& u, instant as_of, command::recognizable what)
      : u_(&u), as_of_(as_of), what_(what), grants_(grants_of(u)) {}

  result<void> run() {
    for (auto& r : u_->realizations())
      if (has_room())
        take(std::move(r));
    for (const auto* c : u_->charges())
      if (has_room())
        take_charge(*c);
    auto through = u_->before().extras->recognized_through;
    if (what_ != command::recognizable::invoiced)
      through = take_units(through);
    if (auto ok = ledger::recognize(u_->book, all_, ledger::direction::forward, as_of_); !ok)
      return ok;
    fact::recognized done{through, {}};
    for (const auto& x : all_)
      add(done.amounts, {x.amount, x.accrued.route.currency});
    u_->facts.emplace_back(std::move(done));
    plan();
    return {};
  }

private:
  static void add(std::vector<money>& sums, const money& m) {
    const auto it = std::ranges::find(sums, m.currency, &money::currency);
    if (it == sums.end())
      sums.push_back(m);
    else
      it->minor += m.minor;
  }

  // Credit-backed value, or what invoices billed; each by its own command, both when their hour has come (D11).
  [[nodiscard]] bool wanted(const ledger::part& p) const {
    return what_ == command::recognizable::both ||
           (p.from == invoiced) == (what_ == command::recognizable::invoiced);
  }
  // Who asks for what was invoiced by a command of its own does not wait for the period.
  [[nodiscard]] instant eligible(const ledger::realization& r, const ledger::part& p) const {
    const auto booked = std::max(r.booked_at, p.priced_at);
    const bool asked = p.from == invoiced && what_ == command::recognizable::invoiced;
    const auto end = !asked && waits_for_period(*u_, p.from == invoiced) ? period_end(*u_, r.spend)
                                                                         : std::nullopt;
    return std::max(booked, end.value_or(booked));
  }
  // Whether a part is recognised now; of one that is not, when it may be is kept in mind.
  [[nodiscard]] bool is_due(const ledger::realization& r, const ledger::part& p) {
    const auto at = eligible(r, p);
    if (wanted(p) && at <= as_of_)
      return true;
    left_ = std::min(left_.value_or(at), at);
    return false;
  }

  // A unit has an end, however much there is.
  bool has_room() {
    goes_on_ = goes_on_ || changed_ == recognized_at_once;
    return !goes_on_;
  }

  void take(ledger::realization r) {
    bool changed = false;
    const auto first = static_cast<std::ptrdiff_t>(all_.size());
    for (auto& p : r.parts) {
      auto found = ledger::unrecognised(u_->book, r, p, grants_);
      if (!found || !is_due(r, p))
        continue;
      p.recognized += found->amount;
      changed = true;
      const auto same =
          std::find_if(all_.begin() + first, all_.end(), [&](const ledger::recognisable& x) {
            return x.accrued == found->accrued && x.source == found->source;
          });
      if (same == all_.end())
        all_.push_back(std::move(*found));
      else
        same->amount += found->amount;
    }
    if (!changed)
      return;
    ++changed_;
    u_->put(std::move(r));
  }

  void take_charge(const charge& c) {
    const auto* known = u_->find_realization(ledger::spend_id::of(c.terms.id));
    auto r = known != nullptr ? std::optional(*known) : from_charge(c);
    if (!r)
      return;
    const auto billed = flat_fee::current_run(c.state)->billed;
    const ledger::part bill{invoiced, {}, {}, billed, 0, {}};
    const bool has_bill =
        billed == 0 || !is_booked(c.state) ||
        std::ranges::any_of(r->parts, [](const auto& p) { return p.from == invoiced; });
    if (!has_bill && is_due(*r, bill))
      r->parts.push_back(bill);
    else if (known != nullptr)
      return; // taken with the others
    take(std::move(*r));
  }

  [[nodiscard]] sequence take_units(sequence through) {
    for (const auto& e : u_->loaded) {
      if (e.at <= as_of_) {
        take_unit(e, all_);
        through = e.number;
        continue;
      }
      std::vector<ledger::recognisable> later;
      take_unit(e, later);
      if (!later.empty())
        left_ = std::min(left_.value_or(e.at), e.at);
    }
    goes_on_ = goes_on_ || u_->loaded.size() == recognized_at_once;
    return through;
  }

  // The one of a plain consume or settlement: all that it collected and that has a price.
  void take_unit(const entry& e, std::vector<ledger::recognisable>& into) const {
    const auto spend = ledger::spend_id::of(e.number);
    if (u_->find_realization(spend) != nullptr)
      return;
    for (const auto& t : e.transactions) {
      if (t.code() != ledger::template_code::collect || t.direction() != ledger::direction::forward)
        continue;
      for (const auto& p : t.postings())
        if (p.amount > 0 && p.spend == spend && u_->book.at(p.account).route.cost_basis)
          into.push_back({u_->book.at(p.account), p.source, spend, p.amount});
    }
  }

  // What is left has its hour; what was not read has the one that stands. A command does not make it earlier.
  void plan() const {
    if (what_ == command::recognizable::invoiced)
      return;
    const auto& c = u_->before();
    const auto every = u_->catalog().recognize_every_hours;
    std::uint32_t hour = 0;
    if (goes_on_ && what_ == command::recognizable::both)
      hour = hour_of(u_->now());
    else if (every != 0 && (goes_on_ || left_))
      hour =
          what_ != command::recognizable::both && c.recognizes_at != 0
              ? c.recognizes_at
              : recognition_hour(c.number, std::max(left_.value_or(u_->now()), u_->now()), every);
    if (hour != c.recognizes_at)
      u_->facts.emplace_back(fact::recognition_planned{hour});
  }

  unit* u_;
  instant as_of_;
  command::recognizable what_;
  ledger::grant_of grants_;
  std::vector<ledger::recognisable> all_;
  std::optional<instant> left_; ///< when the first may be recognised that was not
  std::uint32_t changed_ = 0;   ///< realizations that this unit recognises a part of
  bool goes_on_ = false;        ///< there may be more
};

} // namespace

result<void> on(unit& u, const command::recognize& c) {
  const auto as_of = c.as_of.value_or(u.now());
  if (as_of > u.now())
    return refuse(errc::validation, "as_of must not lie in the future");
  return recognition(u, as_of, c.what).run();
}

std::optional<command::recognize> due_recognition(const customer& c, instant now) noexcept {
  if (c.recognizes_at == 0 || now < start_of_hour(c.recognizes_at))
    return std::nullopt;
  return command::recognize{{}, command::recognizable::both};
}

std::optional<command::recognize> only_recognition_due(const customer& c, instant now) noexcept {
  const auto event = next_event(c);
  return event && *event <= now ? std::nullopt : due_recognition(c, now);
}

bool does_nothing(const unit& u) noexcept {
  const auto* earned =
      u.facts.size() == 1 ? std::get_if<fact::recognized>(&u.facts.front()) : nullptr;
  return u.facts.empty() || (earned != nullptr && earned->amounts.empty() &&
                             earned->through == u.before().extras->recognized_through);
}

} // namespace accrue
