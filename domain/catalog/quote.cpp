// From a selection to its lines, sums and tax, by the functions that invoices use.
#include "domain/catalog/quote.hpp"

#include "domain/catalog/listing_index.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace accrue::product {

namespace {

const std::vector<rate_card>& cards_of(const selection& s) {
  return s.plan.get().phases[s.phase].rate_cards;
}

bool is_priced(const rate_card* card) { return card != nullptr && card->tariff.has_value(); }

bool is_metered(const rate_card* card) {
  return is_priced(card) && card->type == card_type::usage_based;
}

class pricing {
public:
  pricing(const selection& s, const circumstances& c, std::vector<priced_line>& out)
      : selection_(s), circumstances_(c), cards_(index_of(cards_of(s))), out_(out) {
    for (const add_on& a : s.add_ons)
      for (const auto& card : a.rate_cards)
        of_add_ons_[card.key].emplace_back(&card, &a);
  }

  /// The lines of all flat, or all metered, cards of a list. An add-on's flat fee with the key of a fee of
  /// the plan stands on that one's line.
  result<void> add(const std::vector<rate_card>& cards, card_type type, const add_on* source) {
    for (const auto& card : cards) {
      const bool merged = source != nullptr && is_priced(find(cards_, card.key));
      if (card.type != type || !card.tariff || merged)
        continue;
      if (auto done = add(card, source); !done)
        return done;
    }
    return {};
  }

private:
  result<void> add(const rate_card& card, const add_on* source) {
    const auto& plan = selection_.plan.get();
    if (card.cadence && *card.cadence != plan.billing_cadence)
      return refuse(errc::unsupported_operation,
                    "This rate card recurs each " + card.cadence->to_string() +
                        ", the plan is billed each " + plan.billing_cadence.to_string() +
                        "; a quote is of one billing period.",
                    card.key);
    const bool fixed = card.type == card_type::flat_fee;
    if (!fixed && circumstances_.service.from == circumstances_.service.to)
      return {}; // no time, no usage
    auto rated = fixed ? fee(card, source) : usage(card);
    if (!rated)
      return tl::unexpected(rated.error());
    if (rated->totals == rating::totals{})
      return {};
    const auto kind = source != nullptr ? line_kind::add_on
                      : fixed           ? line_kind::plan_base
                                        : line_kind::overage;
    out_.push_back({kind, &plan, &card, source, std::move(*rated)});
    return {};
  }

  [[nodiscard]] rating::line line() const {
    rating::line l;
    l.period = circumstances_.service;
    l.currency = selection_.plan.get().currency;
    return l;
  }

  /// Calls `what(card, add_on)` for each card of this key that an add-on brings, as often as it is taken.
  template <class What>
  void each_of_add_ons(const std::string& key, const What& what) const {
    if (const auto all = of_add_ons_.find(key); all != of_add_ons_.end())
      for (const auto& [card, from] : all->second)
        what(*card, *from);
  }

  /// The amount of a fee is that of its charge: rounded, then taken in proportion. Discounts come off
  /// the result. Source: charges.md 1.8; fees of add-ons: invoicing.md 1.9.
  [[nodiscard]] result<rating::rated_line> fee(const rate_card& card, const add_on* source) const {
    const auto& plan = selection_.plan.get();
    const auto& agreed = std::get<rating::flat_price>(card.tariff->price().terms());
    auto discounts = card.tariff->discounts();
    auto sum = result<decimal>(agreed.amount);
    const add_on* discounted_by = nullptr;
    each_of_add_ons(card.key, [&](const rate_card& other, const add_on& from) {
      if (source != nullptr || !sum || !other.tariff)
        return;
      const auto& more = *other.tariff;
      if (discounts.percentage && more.discounts().percentage && discounted_by != &from) {
        sum = refuse(errc::validation,
                     "Two percentage discounts would meet on '" + card.key + "'.",
                     from.key);
        return;
      }
      if (more.discounts().percentage) {
        discounts.percentage = more.discounts().percentage;
        discounted_by = &from;
      }
      sum = accrue::add(*sum, std::get<rating::flat_price>(more.price().terms()).amount);
    });
    auto amount = sum.and_then([&](const decimal& d) { return rounded_money(d, plan.currency); });
    if (amount && plan.prorate && card.cadence)
      amount = flat_fee::prorate(*amount, circumstances_.service, circumstances_.full);
    auto price = amount.and_then([](const money& m) { return to_decimal(m); })
                     .and_then([&](const decimal& d) {
                       return rating::price::make(rating::flat_price{d, agreed.term});
                     });
    if (!price)
      return tl::unexpected(price.error());
    return rating::tariff::make(std::move(*price), std::move(discounts))
        .and_then([&](const rating::tariff& t) { return rating::rate(t, line()); });
  }

  [[nodiscard]] result<rating::rated_line> usage(const rate_card& card) const {
    const auto tariff = with_included(card);
    if (!tariff)
      return tl::unexpected(tariff.error());
    auto l = line();
    if (const auto used = circumstances_.usage.find(card.key); used != circumstances_.usage.end())
      l.usage.quantity = used->second;
    return rating::rate(*tariff, l);
  }

  /// The card's tariff with all that is included, by it and by add-ons' cards without a price, as a usage
  /// discount.
  [[nodiscard]] result<rating::tariff> with_included(const rate_card& card) const {
    auto discounts = card.tariff->discounts();
    auto free = result<decimal>(card.included);
    const auto more = [&](const decimal& quantity) {
      free = free.and_then([&](const decimal& sum) { return accrue::add(sum, quantity); });
    };
    if (discounts.usage)
      more(discounts.usage->quantity);
    each_of_add_ons(card.key, [&](const rate_card& other, const add_on&) {
      if (!other.tariff)
        more(other.included);
    });
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
  by_key<rate_card> cards_; ///< of the plan
  std::map<std::string_view, std::vector<std::pair<const rate_card*, const add_on*>>> of_add_ons_;
  std::vector<priced_line>& out_;
};

/// Each add-on goes with the plan, and as often as it may; none charges usage that another one charges.
result<void> check_add_ons(const selection& s) {
  const auto& plan = s.plan.get();
  if (s.add_ons.size() > add_ons_max)
    return refuse(errc::validation,
                  "A quote takes " + std::to_string(add_ons_max) + " add-ons at most.",
                  "add_ons");
  std::set<std::string_view> taken;
  std::set<std::string_view> metered;
  for (const auto& card : cards_of(s))
    if (is_metered(&card))
      metered.insert(card.key);
  for (const add_on& a : s.add_ons) {
    if (std::ranges::find(plan.add_ons, a.key) == plan.add_ons.end())
      return refuse(errc::validation, "This add-on cannot be taken with the plan.", a.key);
    if (!taken.insert(a.key).second && !a.multiple)
      return refuse(errc::validation, "This add-on can be taken only once.", a.key);
    for (const auto& card : a.rate_cards)
      if (is_metered(&card) && !metered.insert(card.key).second)
        return refuse(errc::validation,
                      "The usage of '" + card.key + "' has a price already, of another add-on.",
                      a.key);
  }
  return {};
}

result<void> check(const selection& s, const circumstances& c) {
  if (s.phase >= s.plan.get().phases.size())
    return refuse(errc::validation, "The plan has no such phase.", "phase");
  if (c.service.from < c.full.from || c.full.to < c.service.to)
    return refuse(errc::invalid_period, "The service period does not lie in its full period.");
  if (auto fine = check_add_ons(s); !fine)
    return fine;
  std::set<std::string_view> by_usage;
  const auto take = [&](const std::vector<rate_card>& cards) {
    for (const auto& card : cards)
      if (card.type == card_type::usage_based)
        by_usage.insert(card.key);
  };
  take(cards_of(s));
  for (const add_on& a : s.add_ons)
    take(a.rate_cards);
  for (const auto& [key, quantity] : c.usage)
    if (!by_usage.contains(key))
      return refuse(errc::validation, "No rate card of this key is billed by usage.", key);
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
  const auto& own = l.card->name.empty() ? l.card->key : l.card->name;
  if (l.source == nullptr)
    return own;
  const bool one = std::ranges::count_if(l.source->rate_cards,
                                         [](const rate_card& c) { return is_priced(&c); }) == 1;
  return "Addon: " + l.source->key + (one ? "" : ": " + own);
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

std::function<result<int128>(const priced_line&)> any_credit(int128 amount) {
  return [left = amount](const priced_line& l) mutable -> result<int128> {
    const auto taken = std::min(left, l.rated.totals.total());
    left -= taken;
    return taken;
  };
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
  // What is paid with credit alone reaches no invoice, and was taxed when the credit was bought (D53).
  const auto rate = s.plan.get().mode == settlement_mode::credit_only ? std::nullopt : p.tax;
  auto tax = rating::tax_on(q.subtotal, rate, currency);
  if (!tax)
    return tl::unexpected(tax.error());
  q.tax = std::move(*tax);
  if (!p.credit)
    return q;
  auto paid = q.subtotal;
  for (const auto& l : q.lines) {
    if (l.rated.totals.total() <= 0)
      continue;
    const auto taken = p.credit(l);
    if (!taken)
      return tl::unexpected(taken.error());
    paid.credits += *taken;
  }
  const auto left = rating::tax_on(paid, rate, currency);
  if (!left)
    return tl::unexpected(left.error());
  const auto all = rating::with_tax(paid, *left);
  q.after_credits = {paid.credits, all.taxes(), all.total()};
  return q;
}

} // namespace accrue::product
