// From a selection to its lines, sums and tax, by the functions that invoices use.
#include "domain/catalog/quote.hpp"

#include <algorithm>

namespace accrue::product {

namespace {

const rate_card* find_card(const std::vector<rate_card>& cards, std::string_view key) {
  const auto at = std::ranges::find(cards, key, &rate_card::key);
  return at == cards.end() ? nullptr : &*at;
}

const std::vector<rate_card>& cards_of(const selection& s) {
  return s.plan.get().phases[s.phase].rate_cards;
}

class pricing {
public:
  pricing(const selection& s, const circumstances& c, std::vector<priced_line>& out)
      : selection_(s), circumstances_(c), out_(out) {}

  /// The lines of all flat, or all metered, cards of a list.
  result<void> add(const std::vector<rate_card>& cards, card_type type, const add_on* source) {
    for (const auto& card : cards) {
      if (card.type != type || !card.tariff)
        continue;
      auto rated = card.type == card_type::flat_fee ? fee(card) : usage(card, source);
      if (!rated)
        return tl::unexpected(rated.error());
      if (rated->totals == rating::totals{})
        continue;
      const auto kind = source != nullptr                  ? line_kind::add_on
                        : card.type == card_type::flat_fee ? line_kind::plan_base
                                                           : line_kind::overage;
      out_.push_back({kind, &card, source, std::move(*rated)});
    }
    return {};
  }

private:
  [[nodiscard]] rating::line line() const {
    rating::line l;
    l.period = circumstances_.service;
    l.currency = selection_.plan.get().currency;
    return l;
  }

  /// The amount of a fee is that of its charge: rounded, then taken in proportion. Discounts come off
  /// the result. Source: charges.md 1.8.
  [[nodiscard]] result<rating::rated_line> fee(const rate_card& card) const {
    const auto& plan = selection_.plan.get();
    const auto& agreed = std::get<rating::flat_price>(card.tariff->price().terms());
    auto amount = rounded_money(agreed.amount, plan.currency);
    if (amount && plan.prorate && card.cadence)
      amount = flat_fee::prorate(*amount, circumstances_.service, circumstances_.full);
    auto price = amount.and_then([](const money& m) { return to_decimal(m); })
                     .and_then([&](const decimal& d) {
                       return rating::price::make(rating::flat_price{d, agreed.term});
                     });
    if (!price)
      return tl::unexpected(price.error());
    return rating::tariff::make(std::move(*price), card.tariff->discounts())
        .and_then([&](const rating::tariff& t) { return rating::rate(t, line()); });
  }

  [[nodiscard]] result<rating::rated_line> usage(const rate_card& card,
                                                 const add_on* source) const {
    const auto tariff = with_included(card, source);
    if (!tariff)
      return tl::unexpected(tariff.error());
    auto l = line();
    if (const auto used = circumstances_.usage.find(card.key); used != circumstances_.usage.end())
      l.usage.quantity = used->second;
    return rating::rate(*tariff, l);
  }

  /// The card's tariff with all that is included, by the card and by add-ons, as a usage discount.
  [[nodiscard]] result<rating::tariff> with_included(const rate_card& card,
                                                     const add_on* source) const {
    auto discounts = card.tariff->discounts();
    auto free = result<decimal>(card.included);
    const auto more = [&](const decimal& quantity) {
      free = free.and_then([&](const decimal& sum) { return accrue::add(sum, quantity); });
    };
    if (discounts.usage)
      more(discounts.usage->quantity);
    if (source == nullptr)
      for (const add_on& a : selection_.add_ons)
        if (const auto* other = find_card(a.rate_cards, card.key); other && !other->tariff)
          more(other->included);
    if (!free)
      return tl::unexpected(free.error());
    if (free->is_zero())
      return *card.tariff;
    discounts.usage = {*free, discounts.usage ? discounts.usage->correlation_id : std::string()};
    return rating::tariff::make(
        card.tariff->price(), std::move(discounts), card.tariff->conversion());
  }

  const selection& selection_;
  const circumstances& circumstances_;
  std::vector<priced_line>& out_;
};

result<void> check(const selection& s, const circumstances& c) {
  const auto& plan = s.plan.get();
  if (s.phase >= plan.phases.size())
    return refuse(errc::validation, "The plan has no such phase.", "phase");
  if (c.service.from < c.full.from || c.full.to < c.service.to)
    return refuse(errc::invalid_period, "The service period does not lie in its full period.");
  for (auto at = s.add_ons.begin(); at != s.add_ons.end(); ++at) {
    const auto& key = at->get().key;
    if (std::ranges::find(plan.add_ons, key) == plan.add_ons.end())
      return refuse(errc::validation, "This add-on cannot be taken with the plan.", key);
    const auto again =
        std::find_if(s.add_ons.begin(), at, [&](const add_on& other) { return other.key == key; });
    if (again != at && !at->get().multiple)
      return refuse(errc::validation, "This add-on can be taken only once.", key);
  }
  const auto metered = [&](const std::vector<rate_card>& cards, const std::string& key) {
    const auto* card = find_card(cards, key);
    return card != nullptr && card->type == card_type::usage_based;
  };
  for (const auto& [key, quantity] : c.usage) {
    bool known = metered(cards_of(s), key);
    for (const add_on& a : s.add_ons)
      known = known || metered(a.rate_cards, key);
    if (!known)
      return refuse(errc::validation, "No rate card of this key is billed by usage.", key);
  }
  return {};
}

} // namespace

std::string_view to_string(line_kind k) noexcept {
  switch (k) {
  case line_kind::plan_base:
    return "plan_base";
  case line_kind::add_on:
    return "addon";
  case line_kind::overage:
    return "overage";
  }
  return "unknown";
}

std::string name_of(const priced_line& l) {
  if (l.source != nullptr)
    return "Addon: " + l.source->key;
  return l.card->name.empty() ? l.card->key : l.card->name;
}

result<std::vector<priced_line>> lines_of(const selection& s, const circumstances& c) {
  if (auto fine = check(s, c); !fine)
    return tl::unexpected(fine.error());
  std::vector<priced_line> out;
  pricing prices(s, c, out);
  auto done = prices.add(cards_of(s), card_type::flat_fee, nullptr);
  for (const add_on& a : s.add_ons) {
    if (done)
      done = prices.add(a.rate_cards, card_type::flat_fee, &a);
    if (done)
      done = prices.add(a.rate_cards, card_type::usage_based, &a);
  }
  if (done)
    done = prices.add(cards_of(s), card_type::usage_based, nullptr);
  if (!done)
    return tl::unexpected(done.error());
  return out;
}

int128 quote::total() const noexcept { return rating::with_tax(subtotal, tax).total(); }

result<quote> quote_for(const selection& s, const circumstances& c, const payer& p) {
  auto lines = lines_of(s, c);
  if (!lines)
    return tl::unexpected(lines.error());
  quote q;
  q.lines = std::move(*lines);
  for (const auto& l : q.lines)
    q.subtotal += l.rated.totals;
  const auto currency = s.plan.get().currency;
  auto tax = rating::tax_on(q.subtotal, p.tax, currency);
  if (!tax)
    return tl::unexpected(tax.error());
  q.tax = std::move(*tax);
  if (!p.credit)
    return q;
  auto paid = q.subtotal;
  paid.credits = std::clamp<int128>(*p.credit, 0, std::max<int128>(paid.total(), 0));
  const auto left = rating::tax_on(paid, p.tax, currency);
  if (!left)
    return tl::unexpected(left.error());
  const auto all = rating::with_tax(paid, *left);
  q.after_credits = {paid.credits, all.taxes(), all.total()};
  return q;
}

} // namespace accrue::product
