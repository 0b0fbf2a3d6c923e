// Catalogs, read from commands and replies alike, and written into them.
// What makes a catalog hold together is the domain's: catalog/plan.hpp.
#include "protocol/fields.hpp"
#include "protocol/messages.hpp"

namespace accrue::wire {

namespace {

using product::aggregation;
using product::card_type;
using rating::tier_mode;
using rating::unit_conversion;

static_assert(v1::AGGREGATION_LATEST == static_cast<int>(aggregation::latest));
static_assert(v1::CARD_TYPE_USAGE_BASED == static_cast<int>(card_type::usage_based));
static_assert(v1::TIER_MODE_VOLUME == static_cast<int>(tier_mode::volume));
static_assert(v1::UnitConversion::OPERATION_DIVIDE ==
              static_cast<int>(unit_conversion::operation::divide));
static_assert(v1::UnitConversion::ROUNDING_HALF_UP ==
              static_cast<int>(unit_conversion::rounding_mode::half_up));

std::string inside(const std::string& place, std::string_view name) {
  return place.empty() ? std::string(name) : place + "." + std::string(name);
}

std::string element(const std::string& place, std::string_view list, int index) {
  return inside(place, list) + "[" + std::to_string(index) + "]";
}

/// Reads the parts of a catalog; each function is given the place of its message.
class catalog_reader {
public:
  explicit catalog_reader(field_reader& in) : in_(in) {}

  product::catalog whole(const v1::Catalog& m, const std::string& place) {
    in_.only_known(m, place);
    product::listing all;
    for (int i = 0; i < m.meters_size(); ++i)
      all.meters.push_back(meter(m.meters(i), element(place, "meters", i)));
    for (int i = 0; i < m.features_size(); ++i)
      all.features.push_back(feature(m.features(i), element(place, "features", i)));
    for (int i = 0; i < m.add_ons_size(); ++i)
      all.add_ons.push_back(add_on(m.add_ons(i), element(place, "add_ons", i)));
    for (int i = 0; i < m.plans_size(); ++i)
      all.plans.push_back(plan(m.plans(i), element(place, "plans", i)));
    if (in_.failed())
      return {};
    return accept(product::catalog::make(std::move(all)), place).value_or(product::catalog());
  }

private:
  /// What was made of a message, or its refusal at this place.
  template <class T>
  std::optional<T> accept(result<T> made, const std::string& place) {
    if (made)
      return std::move(*made);
    const auto& no = made.error();
    in_.fail(
        no.subject.empty() ? place : inside(place, no.subject), "is wrong: " + no.text, no.code);
    return std::nullopt;
  }

  std::optional<decimal> number(bool present, const std::string& text, const std::string& place) {
    return present ? std::optional(in_.number(place, text)) : std::nullopt;
  }

  currency iso(const std::string& code, const std::string& place) {
    return accept(find_iso_currency(code), inside(place, "currency")).value_or(currency());
  }

  std::optional<product::cadence> cadence(const std::string& text, const std::string& place) {
    return text.empty() ? std::nullopt : accept(product::cadence::parse(text), place);
  }

  product::meter meter(const v1::Meter& m, const std::string& place) {
    in_.only_known(m, place);
    return {m.key(),
            in_.choice(inside(place, "aggregation"),
                       m.aggregation(),
                       m.aggregation() != v1::AGGREGATION_UNSPECIFIED &&
                           v1::Aggregation_IsValid(m.aggregation()),
                       aggregation::sum),
            m.unit()};
  }

  product::feature feature(const v1::Feature& m, const std::string& place) {
    in_.only_known(m, place);
    return {m.key(), m.meter(), m.archived()};
  }

  product::add_on add_on(const v1::AddOn& m, const std::string& place) {
    in_.only_known(m, place);
    return {
        m.key(), m.name(), iso(m.currency(), place), m.multiple(), cards(m.rate_cards(), place)};
  }

  product::plan plan(const v1::Plan& m, const std::string& place) {
    in_.only_known(m, place);
    product::plan p;
    p.key = m.key();
    p.version = m.version();
    p.name = m.name();
    p.currency = iso(m.currency(), place);
    p.billing_cadence =
        cadence(m.billing_cadence(), inside(place, "billing_cadence")).value_or(product::cadence());
    p.prorate = !m.has_prorate() || m.prorate();
    if (m.settlement_mode() != v1::SETTLEMENT_MODE_UNSPECIFIED)
      p.mode = in_.choice(inside(place, "settlement_mode"),
                          m.settlement_mode(),
                          v1::SettlementMode_IsValid(m.settlement_mode()),
                          p.mode);
    p.effective_from = in_.optional_instant(
        inside(place, "effective_from"), m.has_effective_from(), m.effective_from());
    p.effective_to =
        in_.optional_instant(inside(place, "effective_to"), m.has_effective_to(), m.effective_to());
    for (int i = 0; i < m.phases_size(); ++i)
      p.phases.push_back(phase(m.phases(i), element(place, "phases", i)));
    p.add_ons.assign(m.add_ons().begin(), m.add_ons().end());
    return p;
  }

  product::phase phase(const v1::Phase& m, const std::string& place) {
    in_.only_known(m, place);
    return {m.key(),
            m.name(),
            cadence(m.duration(), inside(place, "duration")),
            cards(m.rate_cards(), place)};
  }

  template <class Cards>
  std::vector<product::rate_card> cards(const Cards& all, const std::string& place) {
    std::vector<product::rate_card> read;
    for (int i = 0; i < all.size(); ++i)
      read.push_back(card(all.Get(i), element(place, "rate_cards", i)));
    return read;
  }

  product::rate_card card(const v1::RateCard& m, const std::string& place) {
    in_.only_known(m, place);
    product::rate_card c;
    c.key = m.key();
    c.name = m.name();
    c.feature = m.feature();
    c.type = in_.choice(inside(place, "type"),
                        m.type(),
                        m.type() != v1::CARD_TYPE_UNSPECIFIED && v1::CardType_IsValid(m.type()),
                        c.type);
    c.cadence = cadence(m.cadence(), inside(place, "cadence"));
    if (!m.included().empty())
      c.included = in_.number(inside(place, "included"), m.included());
    if (m.has_price())
      c.tariff = tariff(m, place);
    else if (m.has_discounts() || m.has_unit_config())
      in_.fail(inside(place, "price"), "is missing: discounts and unit_config need one.");
    return c;
  }

  std::optional<rating::tariff> tariff(const v1::RateCard& m, const std::string& place) {
    auto terms = price(m.price(), inside(place, "price"));
    auto off = discounts(m.discounts(), inside(place, "discounts"));
    auto converts = m.has_unit_config()
                        ? std::optional(conversion(m.unit_config(), inside(place, "unit_config")))
                        : std::nullopt;
    if (in_.failed())
      return std::nullopt;
    auto made = accept(rating::price::make(std::move(terms)), inside(place, "price"));
    if (!made)
      return std::nullopt;
    return accept(rating::tariff::make(std::move(*made), std::move(off), std::move(converts))
                      .map_error(rating::in_rate_card),
                  place);
  }

  rating::commitments commitments(const v1::Commitments& m, const std::string& price) {
    const auto place = inside(price, "commitments");
    in_.only_known(m, place);
    return {number(m.has_minimum_amount(), m.minimum_amount(), inside(place, "minimum_amount")),
            number(m.has_maximum_amount(), m.maximum_amount(), inside(place, "maximum_amount"))};
  }

  rating::price::any price(const v1::Price& m, const std::string& place) {
    in_.only_known(m, place);
    switch (m.kind_case()) {
    case v1::Price::kFlat:
      return flat(m.flat(), place);
    case v1::Price::kUnit:
      in_.only_known(m.unit(), place);
      return rating::unit_price{in_.number(inside(place, "amount"), m.unit().amount()),
                                commitments(m.unit().commitments(), place)};
    case v1::Price::kTiered:
      return tiered(m.tiered(), place);
    case v1::Price::kPackage:
      in_.only_known(m.package(), place);
      return rating::package_price{
          in_.number(inside(place, "amount"), m.package().amount()),
          in_.number(inside(place, "quantity_per_package"), m.package().quantity_per_package()),
          commitments(m.package().commitments(), place)};
    case v1::Price::kDynamic:
      return dynamic(m.dynamic(), place);
    case v1::Price::KIND_NOT_SET:
      break;
    }
    in_.fail(place, "is of no type that this version knows.");
    return {};
  }

  rating::price::any flat(const v1::FlatPrice& m, const std::string& place) {
    in_.only_known(m, place);
    rating::flat_price p{in_.number(inside(place, "amount"), m.amount())};
    if (m.payment_term() != v1::PAYMENT_TERM_UNSPECIFIED)
      p.term = in_.choice(inside(place, "payment_term"),
                          m.payment_term(),
                          v1::PaymentTerm_IsValid(m.payment_term()),
                          p.term);
    return p;
  }

  rating::price::any tiered(const v1::TieredPrice& m, const std::string& place) {
    in_.only_known(m, place);
    rating::tiered_price p;
    p.mode = in_.choice(inside(place, "mode"),
                        m.mode(),
                        m.mode() != v1::TIER_MODE_UNSPECIFIED && v1::TierMode_IsValid(m.mode()),
                        p.mode);
    for (int i = 0; i < m.tiers_size(); ++i) {
      const auto& t = m.tiers(i);
      const auto at = element(place, "tiers", i);
      in_.only_known(t, at);
      p.tiers.push_back({number(t.has_up_to_amount(), t.up_to_amount(), inside(at, "up_to_amount")),
                         number(t.has_flat_price(), t.flat_price(), inside(at, "flat_price")),
                         number(t.has_unit_price(), t.unit_price(), inside(at, "unit_price"))});
    }
    p.commitments = commitments(m.commitments(), place);
    return p;
  }

  rating::price::any dynamic(const v1::DynamicPrice& m, const std::string& place) {
    in_.only_known(m, place);
    rating::dynamic_price p;
    if (!m.multiplier().empty())
      p.multiplier = in_.number(inside(place, "multiplier"), m.multiplier());
    p.commitments = commitments(m.commitments(), place);
    return p;
  }

  rating::discounts discounts(const v1::Discounts& m, const std::string& place) {
    in_.only_known(m, place);
    rating::discounts d;
    if (m.has_percentage()) {
      const auto at = inside(place, "percentage");
      in_.only_known(m.percentage(), at);
      d.percentage = {in_.number(inside(at, "percentage"), m.percentage().percentage()),
                      m.percentage().correlation_id()};
    }
    if (m.has_usage()) {
      const auto at = inside(place, "usage");
      in_.only_known(m.usage(), at);
      d.usage = {in_.number(inside(at, "quantity"), m.usage().quantity()),
                 m.usage().correlation_id()};
    }
    return d;
  }

  unit_conversion conversion(const v1::UnitConversion& m, const std::string& place) {
    in_.only_known(m, place);
    unit_conversion c;
    c.op = in_.choice(inside(place, "operation"),
                      m.operation(),
                      m.operation() != v1::UnitConversion::OPERATION_UNSPECIFIED &&
                          v1::UnitConversion::Operation_IsValid(m.operation()),
                      c.op);
    c.factor = in_.number(inside(place, "conversion_factor"), m.conversion_factor());
    if (m.rounding() != v1::UnitConversion::ROUNDING_UNSPECIFIED)
      c.rounding = in_.choice(inside(place, "rounding"),
                              m.rounding(),
                              v1::UnitConversion::Rounding_IsValid(m.rounding()),
                              c.rounding);
    if (m.precision() > decimal::scale_max)
      in_.fail(inside(place, "precision"), "must be 0 to 18.");
    c.precision = static_cast<int>(m.precision() % (decimal::scale_max + 1));
    c.display_unit = m.display_unit();
    return c;
  }

  field_reader& in_;
};

// Out.

template <class Message>
void put_commitments(const rating::commitments& c, Message& m) {
  if (c.minimum)
    m.mutable_commitments()->set_minimum_amount(c.minimum->to_string());
  if (c.maximum)
    m.mutable_commitments()->set_maximum_amount(c.maximum->to_string());
}

void write(const rating::flat_price& p, v1::Price& m) {
  m.mutable_flat()->set_amount(p.amount.to_string());
  m.mutable_flat()->set_payment_term(static_cast<v1::PaymentTerm>(p.term));
}

void write(const rating::unit_price& p, v1::Price& m) {
  m.mutable_unit()->set_amount(p.amount.to_string());
  put_commitments(p.commitments, *m.mutable_unit());
}

void write(const rating::tier& t, v1::Tier& m) {
  if (t.up_to)
    m.set_up_to_amount(t.up_to->to_string());
  if (t.flat)
    m.set_flat_price(t.flat->to_string());
  if (t.unit)
    m.set_unit_price(t.unit->to_string());
}

void write(const rating::tiered_price& p, v1::Price& m) {
  auto& tiered = *m.mutable_tiered();
  tiered.set_mode(static_cast<v1::TierMode>(p.mode));
  // Of the order in which they were listed, only the first matters.
  write(p.tiers[p.first_listed], *tiered.add_tiers());
  for (std::size_t i = 0; i < p.tiers.size(); ++i)
    if (i != p.first_listed)
      write(p.tiers[i], *tiered.add_tiers());
  put_commitments(p.commitments, tiered);
}

void write(const rating::package_price& p, v1::Price& m) {
  m.mutable_package()->set_amount(p.amount.to_string());
  m.mutable_package()->set_quantity_per_package(p.size.to_string());
  put_commitments(p.commitments, *m.mutable_package());
}

void write(const rating::dynamic_price& p, v1::Price& m) {
  m.mutable_dynamic()->set_multiplier(p.multiplier.to_string());
  put_commitments(p.commitments, *m.mutable_dynamic());
}

void write(const rating::discounts& d, v1::Discounts& m) {
  if (d.percentage) {
    m.mutable_percentage()->set_percentage(d.percentage->percentage.to_string());
    m.mutable_percentage()->set_correlation_id(d.percentage->correlation_id);
  }
  if (d.usage) {
    m.mutable_usage()->set_quantity(d.usage->quantity.to_string());
    m.mutable_usage()->set_correlation_id(d.usage->correlation_id);
  }
}

void write(const unit_conversion& c, v1::UnitConversion& m) {
  m.set_operation(static_cast<v1::UnitConversion::Operation>(c.op));
  m.set_conversion_factor(c.factor.to_string());
  m.set_rounding(static_cast<v1::UnitConversion::Rounding>(c.rounding));
  m.set_precision(static_cast<std::uint32_t>(c.precision));
  m.set_display_unit(c.display_unit);
}

void write(const product::rate_card& c, v1::RateCard& m) {
  m.set_key(c.key);
  m.set_name(c.name);
  m.set_feature(c.feature);
  m.set_type(static_cast<v1::CardType>(c.type));
  if (c.cadence)
    m.set_cadence(c.cadence->to_string());
  if (!c.included.is_zero())
    m.set_included(c.included.to_string());
  if (!c.tariff)
    return;
  std::visit([&](const auto& terms) { write(terms, *m.mutable_price()); },
             c.tariff->price().terms());
  if (c.tariff->discounts() != rating::discounts{})
    write(c.tariff->discounts(), *m.mutable_discounts());
  if (c.tariff->conversion())
    write(*c.tariff->conversion(), *m.mutable_unit_config());
}

void write(const product::plan& p, v1::Plan& m) {
  m.set_key(p.key);
  m.set_version(p.version);
  m.set_name(p.name);
  m.set_currency(std::string(iso_code(p.currency)));
  m.set_billing_cadence(p.billing_cadence.to_string());
  m.set_prorate(p.prorate);
  m.set_settlement_mode(static_cast<v1::SettlementMode>(p.mode));
  if (p.effective_from)
    put_instant(*m.mutable_effective_from(), *p.effective_from);
  if (p.effective_to)
    put_instant(*m.mutable_effective_to(), *p.effective_to);
  for (const auto& phase : p.phases) {
    auto& out = *m.add_phases();
    out.set_key(phase.key);
    out.set_name(phase.name);
    if (phase.duration)
      out.set_duration(phase.duration->to_string());
    for (const auto& card : phase.rate_cards)
      write(card, *out.add_rate_cards());
  }
  for (const auto& key : p.add_ons)
    m.add_add_ons(key);
}

void write(const product::add_on& a, v1::AddOn& m) {
  m.set_key(a.key);
  m.set_name(a.name);
  m.set_currency(std::string(iso_code(a.currency)));
  m.set_multiple(a.multiple);
  for (const auto& card : a.rate_cards)
    write(card, *m.add_rate_cards());
}

} // namespace

product::catalog read_catalog(const v1::Catalog& m, const std::string& field, field_reader& in) {
  return catalog_reader(in).whole(m, field);
}

void write_catalog(const product::catalog& c, v1::Catalog& m) {
  for (const auto& meter : c.all().meters) {
    auto& out = *m.add_meters();
    out.set_key(meter.key);
    out.set_aggregation(static_cast<v1::Aggregation>(meter.aggregation));
    out.set_unit(meter.unit);
  }
  for (const auto& feature : c.all().features) {
    auto& out = *m.add_features();
    out.set_key(feature.key);
    out.set_meter(feature.meter);
    out.set_archived(feature.archived);
  }
  for (const auto& add_on : c.all().add_ons)
    write(add_on, *m.add_add_ons());
  for (const auto& plan : c.all().plans)
    write(plan, *m.add_plans());
}

} // namespace accrue::wire
