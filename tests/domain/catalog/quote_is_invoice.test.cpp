// The property behind every quote: the invoice that later comes shows the same lines, tax and total, for
// random catalogs, add-ons, periods, usage and credit.
#include "domain/catalog/quote.hpp"
#include "domain/rating/delta.hpp"
#include "tests/domain/catalog/random_catalog.hpp"
#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;
using namespace accrue::product;

namespace {

/// One question, and a customer who could ask it.
struct occasion {
  harness h;
  command::get_quote wanted;
  const plan* asked = nullptr;
  std::vector<const add_on*> taken;
};

command::create_charge charge_for(const occasion& o, const rate_card& card, std::size_t place) {
  command::create_charge c;
  c.id = std::to_string(place) + " " + card.key;
  c.mode = o.asked->mode;
  c.currency = iso_code(o.asked->currency);
  c.service_period = o.wanted.service_period;
  c.invoice_at = o.wanted.service_period.from;
  c.term = payment_term::in_arrears;
  c.feature = card.feature;
  return c;
}

decimal agreed_fee(const rate_card& card) {
  return std::get<rating::flat_price>(card.tariff->price().terms()).amount;
}

/// Whether the plan has a price of this key, so that an add-on's fee is a part of it.
bool plan_has(const occasion& o, const std::string& key) {
  return std::ranges::any_of(o.asked->phases.front().rate_cards,
                             [&](const rate_card& c) { return c.key == key && c.tariff; });
}

/// A fee as its charge is created: the amount that was agreed, with what add-ons add to it, and what it is a
/// part of.
command::create_charge
fee_for(const occasion& o, const rate_card& card, std::size_t place, bool of_plan) {
  auto c = charge_for(o, card, place);
  c.amount = agreed_fee(card);
  for (const auto* a : o.taken)
    for (const auto& other : a->rate_cards)
      if (of_plan && other.key == card.key && other.tariff)
        c.amount = add(c.amount, agreed_fee(other)).value();
  if (o.asked->prorate && card.cadence)
    c.full_service_period = o.wanted.full_service_period;
  return c;
}

/// What the plan, its add-ons and its discount leave free of charge.
rating::tariff with_free_units(const occasion& o, const rate_card& card) {
  auto d = card.tariff->discounts();
  auto free = card.included;
  if (d.usage)
    free = add(free, d.usage->quantity).value();
  for (const auto* a : o.taken)
    for (const auto& other : a->rate_cards)
      if (other.key == card.key)
        free = add(free, other.included).value();
  if (!free.is_zero())
    d.usage = {free, d.usage ? d.usage->correlation_id : ""};
  return rating::tariff::make(card.tariff->price(), d, card.tariff->conversion()).value();
}

/// Usage as it is billed when it is billed bit by bit: each run is the difference between what all usage so
/// far comes to and what was billed of it.
int128 in_runs(const occasion& o, const rate_card& card, random_catalog& random) {
  const auto tariff = with_free_units(o, card);
  const auto used = o.wanted.usage.find(card.key);
  const auto whole = used == o.wanted.usage.end() ? decimal() : used->second;
  std::vector<rating::billed_line> billed;
  int128 total = 0;
  for (std::size_t run = 1; run <= 3; ++run) {
    rating::line l;
    l.period = o.wanted.service_period;
    l.currency = o.asked->currency;
    const auto part = decimal(static_cast<std::int64_t>(random.below(10)));
    l.usage.quantity = run == 3 ? whole : std::min(part, whole);
    const auto rated = rating::rate(tariff, l).value();
    const auto unbilled = rating::difference(rated.lines, billed).value();
    for (const auto& d : unbilled) {
      billed.push_back({d.line, billed.size() + 1});
      total += d.line.total();
    }
  }
  return total;
}

command::create_charge
usage_for(const occasion& o, const rate_card& card, std::size_t place, random_catalog& random) {
  auto c = charge_for(o, card, place);
  c.amount = to_decimal({in_runs(o, card, random), o.asked->currency}).value();
  return c;
}

/// The charges of a subscription to this plan, in the order in which their lines stand.
std::vector<command::create_charge> charges_of(const occasion& o, random_catalog& random) {
  std::vector<command::create_charge> all;
  const auto take = [&](const std::vector<rate_card>& cards, card_type type, bool of_plan) {
    for (const auto& card : cards)
      if (card.type == type && card.tariff && (of_plan || !plan_has(o, card.key)))
        all.push_back(type == card_type::flat_fee ? fee_for(o, card, all.size(), of_plan)
                                                  : usage_for(o, card, all.size(), random));
  };
  const auto& cards = o.asked->phases.front().rate_cards;
  take(cards, card_type::flat_fee, true);
  for (const auto* a : o.taken) {
    take(a->rate_cards, card_type::flat_fee, false);
    take(a->rate_cards, card_type::usage_based, false);
  }
  take(cards, card_type::usage_based, true);
  return all;
}

occasion any_occasion(random_catalog& random) {
  occasion o;
  o.h.now = at("2026-01-01");
  o.h.ok(command::put_catalog{random.catalog()});
  o.h.ok(taxed("VAT", "0.19"));
  o.h.ok(manual_approval());
  const auto& all = o.h.catalog.products;
  o.asked = &all.all().plans[random.below(all.all().plans.size())];
  o.wanted.plan = o.asked->key;
  o.wanted.version = o.asked->version;
  for (const auto& a : all.all().add_ons)
    for (auto times = a.multiple ? random.below(3) : random.below(2); times > 0; --times) {
      o.wanted.add_ons.push_back(a.key);
      o.taken.push_back(&a);
    }
  for (const auto& card : o.asked->phases.front().rate_cards)
    if (card.type == card_type::usage_based && random.coin())
      o.wanted.usage[card.key] = random.number();
  o.wanted.full_service_period = from_to("2026-01-01", "2026-02-01");
  o.wanted.service_period =
      random.coin() ? from_to("2026-01-01", "2026-02-01") : from_to("2026-01-12", "2026-01-23");
  const std::string code(iso_code(o.asked->currency));
  if (random.coin())
    o.h.ok(credit("anything", "12345", code));
  if (random.coin()) {
    auto some = credit("some", "99", code);
    some.features = {"used0"};
    o.h.ok(some);
  }
  return o;
}

using amounts = std::vector<int128>;

} // namespace

TEST_CASE("a quote is the invoice, for random catalogs and usage", "[catalog][D44]") {
  int compared = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    random_catalog random(seed);
    auto o = any_occasion(random);
    const auto quote = std::get<reply::quote_view>(o.h.ok(o.wanted).body);
    REQUIRE(quote == std::get<reply::quote_view>(o.h.ok(o.wanted).body)); // nothing was spent

    for (const auto& c : charges_of(o, random))
      o.h.ok(c);
    o.h.now = at("2026-03-01");
    amounts quoted, billed;
    for (const auto& l : quote.lines)
      if (l.amount != l.discounts) // nothing is billed that comes to nothing
        quoted.push_back(l.amount - l.discounts);
    if (quoted.empty()) {
      CHECK(o.h.refused(command::invoice_pending{}) == errc::invoice_create_no_lines);
      continue;
    }
    o.h.ok(command::invoice_pending{});
    const auto invoice = o.h.invoice("#1");
    for (const auto& l : invoice.lines)
      if (l.kind == "charge" && l.amount != 0)
        billed.push_back(l.amount);
    REQUIRE(quoted == billed);
    CHECK(quote.subtotal == invoice.amount);
    CHECK(quote.after_credits->credits == invoice.credits);
    CHECK(quote.after_credits->total == invoice.total);
    CHECK(quote.after_credits->tax == (invoice.taxes.empty() ? 0 : invoice.taxes[0].amount));
    ++compared;
  }
  CHECK(compared > 300);
}

TEST_CASE("without a customer a quote has no tax and no credit", "[catalog][D44]") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    random_catalog random(seed);
    auto o = any_occasion(random);
    const auto answered = answer_for_namespace(o.h.catalog, sequence(3), o.wanted).value();
    CHECK(answered.sequence == sequence(3));
    const auto nobody = std::get<reply::quote_view>(answered.body);
    const auto somebody = std::get<reply::quote_view>(o.h.ok(o.wanted).body);
    CHECK(nobody.lines == somebody.lines);
    CHECK(nobody.taxes.empty());
    CHECK(nobody.total == nobody.subtotal);
    CHECK_FALSE(nobody.after_credits.has_value());
    CHECK(somebody.taxes == std::vector<reply::tax>(somebody.subtotal > 0 ? 1 : 0, [&] {
            // 19 % of the subtotal, half away from zero.
            const int128 tax = (somebody.subtotal * 19 + 50) / 100;
            return reply::tax{"VAT", dec("0.19"), somebody.subtotal, tax};
          }()));
  }
}

TEST_CASE("what is not in the catalog cannot be quoted", "[catalog]") {
  random_catalog random(7);
  auto o = any_occasion(random);
  const auto refused = [&](auto change) {
    auto wanted = o.wanted;
    change(wanted);
    return o.h.refused(wanted);
  };
  CHECK(refused([](auto& w) { w.plan = "none"; }) == errc::not_found);
  CHECK(refused([](auto& w) { w.version = 9; }) == errc::not_found);
  CHECK(refused([](auto& w) { w.phase = "none"; }) == errc::not_found);
  CHECK(refused([](auto& w) { w.add_ons = {"none"}; }) == errc::not_found);
  CHECK(refused([](auto& w) { w.usage["none"] = dec("1"); }) == errc::validation);
}
