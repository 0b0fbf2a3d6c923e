// The pipeline of one line: quantities, pricer, discounts, commitments, credits, totals.
#include "domain/rating/line.hpp"

#include "domain/rating/amount.hpp"

#include <algorithm>

namespace accrue::rating {

namespace {

/// One of something whose price is an amount, rounded already.
result<detailed_line> line_of_amount(component what, int128 amount, currency c) {
  return to_decimal({amount, c}).map([&](const decimal& price) {
    detailed_line made{what};
    made.quantity = decimal(1);
    made.per_unit = price;
    made.amount = amount;
    return made;
  });
}

/// Turns quantities into detailed lines, by the rules of each price. Source: invoicing.md 2.3.
class pricer {
public:
  pricer(const line& l, const measured& m, std::vector<detailed_line>& out)
      : line_(l), measured_(m), out_(out) {}

  result<void> operator()(const flat_price& p) const {
    const bool due = p.term == payment_term::in_advance ? line_.is_first() : line_.is_last();
    return due ? once(component::flat, 0, p.amount, p.term) : result<void>();
  }

  result<void> operator()(const unit_price& p) const {
    return quantity().is_zero() ? result<void>()
                                : times(component::unit_usage, 0, quantity(), p.amount);
  }

  result<void> operator()(const dynamic_price& p) const {
    if (quantity().is_zero())
      return {};
    const auto amount = amount_of(p.multiplier, quantity(), measured_.divisor, line_.currency);
    if (!amount)
      return tl::unexpected(amount.error());
    return line_of_amount(component::usage, *amount, line_.currency)
        .map([&](const detailed_line& made) { out_.push_back(made); });
  }

  result<void> operator()(const package_price& p) const {
    const auto end = add(before(), quantity());
    if (!end)
      return tl::unexpected(end.error());
    const auto begun = packages_begun(*end, p.size);
    // The first part counts from nothing, whatever a meter reports from before it.
    const auto billed = packages_begun(line_.is_first() ? decimal() : before(), p.size);
    if (!begun || !billed)
      return tl::unexpected(begun ? billed.error() : begun.error());
    const auto added = subtract(*begun, *billed);
    if (!added)
      return tl::unexpected(added.error());
    return added->is_zero() ? result<void>() : times(component::usage, 0, *added, p.amount);
  }

  result<void> operator()(const tiered_price& p) const {
    return p.mode == tier_mode::graduated ? graduated(p) : volume(p);
  }

private:
  [[nodiscard]] const decimal& quantity() const { return measured_.undivided.quantity; }
  [[nodiscard]] const decimal& before() const { return measured_.undivided.before; }

  result<void> graduated(const tiered_price& p) const {
    return walk(p, measured_, [&](const stretch& s) -> result<void> {
      if (!s.billed)
        return {};
      const auto number = static_cast<std::uint32_t>(s.place + 1);
      if (s.tier->unit) {
        const auto used = s.quantity();
        if (!used)
          return tl::unexpected(used.error());
        if (auto made = times(component::graduated_usage, number, *used, *s.tier->unit); !made)
          return made;
      }
      if (s.tier->flat && s.enters && (s.place > 0 || line_.is_first()))
        return once(component::graduated_flat, number, *s.tier->flat);
      return {};
    });
  }

  result<void> volume(const tiered_price& p) const {
    if (!line_.is_last())
      return {};
    if (!before().is_zero())
      return refuse(errc::unsupported_operation,
                    "A volume price cannot be billed in parts: its tier is known at the end.",
                    std::string(reason::volume_split));
    const auto place = volume_tier(p, measured_);
    if (!place)
      return tl::unexpected(place.error());
    const auto& tier = p.tiers[*place];
    const auto number = static_cast<std::uint32_t>(*place + 1);
    if (tier.flat)
      if (auto made = once(component::volume_flat, number, *tier.flat); !made)
        return made;
    if (tier.unit && !quantity().is_zero())
      return times(component::volume_usage, number, quantity(), *tier.unit);
    return {};
  }

  /// So many units, still to be divided, at a price each.
  result<void>
  times(component what, std::uint32_t tier, const decimal& units, const decimal& per_unit) const {
    const auto amount = amount_of(per_unit, units, measured_.divisor, line_.currency);
    if (!amount)
      return tl::unexpected(amount.error());
    auto& made = out_.emplace_back();
    made.what = what;
    made.tier = tier;
    made.quantity = units;
    made.per_unit = per_unit;
    made.amount = *amount;
    if (!measured_.divisor)
      return {};
    return measured_.shown(units).map([&](const decimal& shown) { made.quantity = shown; });
  }

  result<void> once(component what,
                    std::uint32_t tier,
                    const decimal& price,
                    payment_term term = payment_term::in_arrears) const {
    const auto amount = amount_of(price, line_.currency);
    if (!amount)
      return tl::unexpected(amount.error());
    auto& made = out_.emplace_back();
    made.what = what;
    made.tier = tier;
    made.term = term;
    made.quantity = decimal(1);
    made.per_unit = price;
    made.amount = *amount;
    return {};
  }

  const line& line_;
  const measured& measured_;
  std::vector<detailed_line>& out_;
};

result<void> check(const tariff& t, const line& l, const options& o) {
  if (l.usage.quantity.is_negative() || l.usage.before.is_negative())
    return refuse(errc::validation,
                  "Usage to be rated cannot be negative; rate before and after, and take the "
                  "difference.",
                  "usage");
  if (l.split_of && (l.period.from < l.split_of->from || l.split_of->to < l.period.to))
    return refuse(errc::invalid_period, "The part does not lie in its full period.");
  if (t.conversion() && !o.conversion_enabled && !t.price().is_flat())
    return refuse(errc::unsupported_operation,
                  "Conversion of units is switched off; without it this line cannot be rated.",
                  std::string(reason::unit_config_disabled));
  if (l.previously_billed > amount_max || l.previously_billed < -amount_max)
    return refuse(errc::overflow, "The amount billed before is too large.");
  return {};
}

/// Conversion and usage discount; what is left to be priced.
result<measured> quantities(const tariff& t, const line& l, rated_line& out) {
  if (t.price().is_flat())
    return measured{l.usage};
  auto m = convert(l.usage, t.conversion());
  if (!m || !t.discounts().usage)
    return m;
  const auto taken = take_discount(*m, t.discounts().usage->quantity);
  if (!taken)
    return tl::unexpected(taken.error());
  out.free_of_charge = *taken;
  return m;
}

result<void>
take_percentage(std::span<detailed_line> lines, const decimal& percentage, currency c) {
  for (auto& d : lines) {
    const auto off = percentage_of(d.total(), percentage, c);
    if (!off)
      return tl::unexpected(off.error());
    d.percentage_discount = *off;
  }
  return {};
}

/// Maximum first, so that the minimum sees what is really owed; the line of the minimum comes last
/// and is never discounted. Source: invoicing.md 2.5, 2.6.
result<void>
apply_commitments(const commitments& agreed, const line& l, const options& o, rated_line& out) {
  if (agreed.maximum) {
    const auto maximum = amount_of(*agreed.maximum, l.currency);
    if (!maximum)
      return tl::unexpected(maximum.error());
    limit_spend(out.lines, *maximum, l.previously_billed);
  }
  if (!agreed.minimum || !l.is_last() || o.ignore_minimum)
    return {};
  const auto minimum = amount_of(*agreed.minimum, l.currency);
  if (!minimum)
    return tl::unexpected(minimum.error());
  int128 owed = l.previously_billed;
  for (const auto& d : out.lines)
    owed += d.total();
  if (owed >= *minimum)
    return {};
  return line_of_amount(component::minimum_spend, *minimum - owed, l.currency)
      .map([&](const detailed_line& made) { out.lines.push_back(made); });
}

result<usage> shown(const measured& m) {
  const auto quantity = m.shown(m.undivided.quantity);
  const auto before = m.shown(m.undivided.before);
  if (!quantity || !before)
    return tl::unexpected(quantity ? before.error() : quantity.error());
  return usage{*quantity, *before};
}

} // namespace

totals detailed_line::totals() const noexcept {
  rating::totals t;
  (is_commitment() ? t.charges : t.amount) = amount;
  t.discounts = discounts();
  t.credits = credits;
  return t;
}

void limit_spend(std::span<detailed_line> lines, int128 maximum, int128 previously_billed) {
  int128 before = previously_billed;
  for (auto& d : lines) {
    const int128 total = d.total();
    if (before + total > maximum)
      d.maximum_discount = before >= maximum ? total : before + total - maximum;
    before += d.total();
  }
}

result<void> apply_credits(std::span<detailed_line> lines,
                           std::span<const int128> credits,
                           std::vector<applied_credit>& applied) {
  std::size_t at = 0; // the lines before it are paid, or had nothing to pay
  for (std::size_t credit = 0; credit < credits.size(); ++credit) {
    int128 left = credits[credit];
    if (left < 0)
      return refuse(errc::validation, "A credit cannot be negative.", "credits");
    for (; left > 0 && at < lines.size(); ++at) {
      auto& d = lines[at];
      const int128 taken = std::min(left, std::max(d.total(), int128{0}));
      if (taken == 0)
        continue;
      d.credits += taken;
      left -= taken;
      applied.push_back({at, credit, taken});
      if (d.total() > 0)
        break; // the next credit goes on here
    }
    if (left > 0)
      return refuse(errc::validation,
                    "There is more credit than there is to pay on the line.",
                    std::string(reason::credits_left));
  }
  return {};
}

result<void> rate(const tariff& t, const line& l, rated_line& out, const options& o) {
  out.lines.clear();
  out.credits.clear();
  out.free_of_charge.reset();
  out.totals = {};
  if (auto fine = check(t, l, o); !fine)
    return fine;
  const auto m = quantities(t, l, out);
  if (!m)
    return tl::unexpected(m.error());
  const auto billed = shown(*m);
  if (!billed)
    return tl::unexpected(billed.error());
  out.billed = *billed;
  if (auto priced = std::visit(pricer(l, *m, out.lines), t.price().terms()); !priced)
    return priced;
  if (const auto& off = t.discounts().percentage)
    if (auto taken = take_percentage(out.lines, off->percentage, l.currency); !taken)
      return taken;
  if (const auto* agreed = t.price().commitments())
    if (auto done = apply_commitments(*agreed, l, o, out); !done)
      return done;
  if (!o.ignore_credits)
    if (auto paid = apply_credits(out.lines, l.credits, out.credits); !paid)
      return paid;
  for (const auto& d : out.lines)
    out.totals += d.totals();
  return {};
}

result<rated_line> rate(const tariff& t, const line& l, const options& o) {
  rated_line out;
  return rate(t, l, out, o).map([&] { return std::move(out); });
}

result<std::optional<period>>
billable_part(const price& p, const line& l, instant invoice_at, instant now, bool progressive) {
  if (!p.may_be_split()) {
    if (l.split_of)
      return refuse(errc::unsupported_operation,
                    "This price cannot be billed in parts.",
                    std::string(reason::not_splittable));
    return now >= (p.is_flat() ? invoice_at : l.period.to) ? std::optional(l.period) : std::nullopt;
  }
  const auto until = std::min(floor_seconds(now), l.period.to);
  if (until == l.period.to)
    return l.period;
  if (!progressive || until <= l.period.from)
    return std::nullopt;
  return period{l.period.from, until};
}

} // namespace accrue::rating
