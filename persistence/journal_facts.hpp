// How facts are laid out in the journal's bytes, as the values in journal_fields.hpp. The order of fields is the
// format.
#pragma once

#include "persistence/journal_fields.hpp"

namespace accrue::journal {

template <class F, is<fact::customer_changed> T>
void fields(F& f, T& x) {
  f(x.reference, x.settings, x.created_at);
}
template <class F, is<fact::grant_recorded> T>
void fields(F& f, T& x) {
  f(x.grant);
}
template <class F, is<fact::consumed> T>
void fields(F& f, T& x) {
  f(x.id, x.currency, x.booked, x.uncovered);
}
template <class F, is<fact::charge_changed> T>
void fields(F& f, T& x) {
  f(x.charge);
}
template <class F, is<fact::invoice_changed> T>
void fields(F& f, T& x) {
  f(x.invoice);
}
template <class F, is<fact::advance_opened> T>
void fields(F& f, T& x) {
  f(x.id, x.amount);
}
template <class F, is<fact::message_queued> T>
void fields(F& f, T& x) {
  f(x.topic, x.subject);
}
template <class F, is<fact::credit_unit_created> T>
void fields(F& f, T& x) {
  f(x.code, x.exponent);
}
template <class F, is<fact::profile_changed> T>
void fields(F& f, T& x) {
  f(x.profile);
}

template <class F, is<fact::grant_changed> T>
void fields(F& f, T& x) {
  f(x.grant);
}
template <class F, is<fact::spend_changed> T>
void fields(F& f, T& x) {
  f(x.realization);
}
template <class F, is<fact::given_back> T>
void fields(F& f, T& x) {
  f(x.reference, x.amount);
}
template <class F, is<fact::recognition_planned> T>
void fields(F& f, T& x) {
  f(x.hour);
}
template <class F, is<fact::recognized> T>
void fields(F& f, T& x) {
  f(x.through, x.amounts);
}
template <class F, is<fact::reserved> T>
void fields(F& f, T& x) {
  f(x.hold);
}
template <class F, is<fact::hold_extended> T>
void fields(F& f, T& x) {
  f(x.hold);
}
template <class F, is<fact::hold_ended> T>
void fields(F& f, T& x) {
  f(x.reference, x.how, x.currency, x.booked, x.uncovered);
}

template <class F, is<fact::key_added> T>
void fields(F& f, T& x) {
  f(x.key);
}

// Facts of a catalog stand whole in the journal; read back, the catalog is not judged again.
inline void fields(field_writer& f, const fact::catalog_replaced& x) { f(x.catalog.all()); }
inline void fields(field_reader& f, fact::catalog_replaced& x) {
  product::listing all;
  f(all);
  x.catalog = product::catalog::restored(std::move(all));
}

} // namespace accrue::journal
