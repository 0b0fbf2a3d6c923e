// What catalogs and prices consist of, each type once: for those who write and read them field by field.
// The order is stored for ever: a new field goes to the end, with the version it belongs to.
#pragma once

#include "domain/catalog/plan.hpp"

#include <concepts>
#include <type_traits>

namespace accrue {

/// T is U, or U const: one description serves writers and readers.
template <class T, class U>
concept either = std::same_as<std::remove_const_t<T>, U>;

} // namespace accrue

namespace accrue::rating {

template <class F, either<commitments> T>
void fields(F& f, T& x) {
  f(x.minimum, x.maximum);
}
template <class F, either<flat_price> T>
void fields(F& f, T& x) {
  f(x.amount, x.term);
}
template <class F, either<unit_price> T>
void fields(F& f, T& x) {
  f(x.amount, x.commitments);
}
template <class F, either<tier> T>
void fields(F& f, T& x) {
  f(x.up_to, x.flat, x.unit);
}
template <class F, either<tiered_price> T>
void fields(F& f, T& x) {
  f(x.mode, x.tiers, x.commitments, x.first_listed);
}
template <class F, either<package_price> T>
void fields(F& f, T& x) {
  f(x.amount, x.size, x.commitments);
}
template <class F, either<dynamic_price> T>
void fields(F& f, T& x) {
  f(x.multiplier, x.commitments);
}
template <class F, either<percentage_discount> T>
void fields(F& f, T& x) {
  f(x.percentage, x.correlation_id);
}
template <class F, either<usage_discount> T>
void fields(F& f, T& x) {
  f(x.quantity, x.correlation_id);
}
template <class F, either<discounts> T>
void fields(F& f, T& x) {
  f(x.percentage, x.usage);
}
template <class F, either<unit_conversion> T>
void fields(F& f, T& x) {
  f(x.op, x.factor, x.rounding, x.precision, x.display_unit);
}
/// Written only: who reads one makes it.
template <class F>
void fields(F& f, const tariff& x) {
  f(x.price().terms(), x.discounts(), x.conversion());
}

} // namespace accrue::rating

namespace accrue::product {

template <class F, either<meter> T>
void fields(F& f, T& x) {
  f(x.key, x.aggregation, x.unit);
}
template <class F, either<feature> T>
void fields(F& f, T& x) {
  f(x.key, x.meter, x.archived);
}
template <class F, either<rate_card> T>
void fields(F& f, T& x) {
  f(x.key, x.name, x.feature, x.type, x.tariff, x.cadence, x.included);
}
template <class F, either<phase> T>
void fields(F& f, T& x) {
  f(x.key, x.name, x.duration, x.rate_cards);
}
template <class F, either<plan> T>
void fields(F& f, T& x) {
  f(x.key, x.version, x.name, x.currency, x.billing_cadence, x.prorate, x.mode);
  f(x.effective_from, x.effective_to, x.phases, x.add_ons);
}
template <class F, either<add_on> T>
void fields(F& f, T& x) {
  f(x.key, x.name, x.currency, x.multiple, x.rate_cards);
}
template <class F, either<listing> T>
void fields(F& f, T& x) {
  f(x.meters, x.features, x.add_ons, x.plans);
}

} // namespace accrue::product
