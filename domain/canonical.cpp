// Field by field, each with its length or its presence, so that no two contents run together.
#include "domain/canonical.hpp"

#include "domain/catalog/fields.hpp"

namespace accrue {
namespace {

struct writer {
  std::string& out;

  void number(std::uint64_t v) {
    while (v >= 0x80) {
      out += static_cast<char>(v | 0x80);
      v >>= 7;
    }
    out += static_cast<char>(v);
  }
  void put(std::int64_t v) { number(static_cast<std::uint64_t>(v)); }
  void put(std::uint16_t v) { number(v); }
  void put(std::uint8_t v) { number(v); }
  void put(bool v) { number(v ? 1 : 0); }
  void put(const std::string& v) {
    number(v.size());
    out += v;
  }
  void put(const decimal& v) {
    const auto c = static_cast<uint128>(v.coefficient());
    number(static_cast<std::uint64_t>(c));
    number(static_cast<std::uint64_t>(c >> 64));
    number(static_cast<std::uint64_t>(v.scale()));
  }
  void put(instant v) { put(v.ns); }
  void put(const period& v) {
    put(v.from);
    put(v.to);
  }
  template <class T>
  requires std::is_enum_v<T>
  void put(T v) { number(static_cast<std::uint64_t>(v)); }
  void put(std::uint32_t v) { number(v); }
  void put(std::uint64_t v) { number(v); }
  void put(int v) { put(std::int64_t{v}); }
  void put(currency v) { number(v.number()); }
  void put(const rating::tax_rate& v) { all(v.name(), v.fraction()); }
  void put(const product::cadence& v) { put(v.to_string()); }
  template <class... T>
  void put(const std::variant<T...>& v) {
    number(v.index());
    std::visit([this](const auto& x) { this->put(x); }, v);
  }
  /// What has a description of its fields.
  template <class T>
  requires std::is_class_v<T>
  void put(const T& v) {
    auto each = [this](const auto&... x) { this->all(x...); };
    fields(each, v);
  }
  template <class T>
  void put(const std::optional<T>& v) {
    number(v ? 1 : 0);
    if (v)
      put(*v);
  }
  template <class T>
  void put(const std::vector<T>& v) {
    number(v.size());
    for (const auto& x : v)
      put(x);
  }
  template <class K, class V>
  void put(const std::map<K, V>& v) {
    number(v.size());
    for (const auto& [key, value] : v) {
      put(key);
      put(value);
    }
  }
  template <class... T>
  void all(const T&... v) {
    (put(v), ...);
  }

  void operator()(const command::put_customer& c) {
    all(c.currency, c.over_settlement, c.advance_limit);
    if (c.tax) // of a later version: what came before keeps its fingerprint (D6)
      put(*c.tax);
  }
  void operator()(const command::grant_credit& c) {
    all(c.id, c.amount, c.currency, c.priority, c.features, c.effective_at);
    const bool plain = c.funding == command::grant_funding::promotional && !c.expires_at &&
                       !c.cost_basis && !c.fiat_currency;
    if (!plain) // of a later version: what came before keeps its fingerprint (D6)
      all(c.funding, c.expires_at, c.cost_basis, c.fiat_currency);
  }
  void operator()(const command::consume& c) { all(c.id, c.amount, c.currency, c.feature); }
  void operator()(const command::create_charge& c) {
    all(c.id,
        c.mode,
        c.amount,
        c.currency,
        c.service_period,
        c.full_service_period,
        c.invoice_at,
        c.term,
        c.feature);
  }
  void operator()(const command::advance_charge& c) { all(c.charge); }
  void operator()(const command::invoice_pending& c) { all(c.currency, c.as_of, c.charges); }
  void operator()(const command::approve_invoice& c) { all(c.invoice); }
  void operator()(const command::advance_invoice& c) { all(c.invoice); }
  void operator()(const command::retry_invoice& c) { all(c.invoice); }
  void operator()(const command::authorize_payment& c) { all(c.invoice, c.amount); }
  void operator()(const command::settle_payment& c) { all(c.invoice, c.amount); }
  void operator()(const command::pay_invoice& c) { all(c.invoice); }
  void operator()(const command::open_credit& c) {
    all(c.id, c.amount, c.currency, c.features, c.at);
    if (c.expires_at)
      put(*c.expires_at);
  }
  void operator()(const command::open_advance& c) {
    all(c.id, c.amount, c.currency, c.features, c.at);
  }
  void operator()(const command::run_due&) {}
  void operator()(const command::create_credit_unit& c) { all(c.code, c.exponent); }
  void operator()(const command::put_billing_profile& c) {
    all(c.auto_advance, c.draft_period_ns, c.due_after_ns);
    if (c.recognition) // of a later version: what came before keeps its fingerprint (D6)
      put(*c.recognition);
  }
  void operator()(const command::put_catalog& c) { put(c.catalog.all()); }
  void operator()(const command::authorize_grant& c) { all(c.grant, c.amount); }
  void operator()(const command::settle_grant& c) { all(c.grant, c.amount); }
  void operator()(const command::void_grant& c) { all(c.grant, c.refund); }
  void operator()(const command::refund_grant& c) { all(c.grant, c.amount); }
  void operator()(const command::write_off_grant& c) { all(c.grant); }
  void operator()(const command::write_off_invoice& c) { all(c.invoice); }
  void operator()(const command::correct_charge& c) { all(c.charge, c.amount); }
  void operator()(const command::recognize& c) {
    put(c.as_of); // of credit is 0, as it was when there were two
    number(static_cast<std::uint64_t>(c.what) - 1);
  }
  void operator()(const command::reserve& c) {
    all(c.id, c.amount, c.currency, c.feature, c.ttl_ns, c.up_to);
  }
  void operator()(const command::settle_reservation& c) { all(c.id, c.amount); }
  void operator()(const command::release_reservation& c) { all(c.id); }
  void operator()(const command::extend_reservation& c) { all(c.reservation, c.ttl_ns); }
  void operator()(const command::open_balances& c) {
    put(c.id);
    number(c.credits.size());
    for (const auto& each : c.credits)
      (*this)(each);
    for (const auto& each : c.advances)
      (*this)(each);
  }
  // Queries have no key.
  void operator()(const command::get_grant&) {}
  void operator()(const command::list_grants&) {}
  void operator()(const command::get_reservation&) {}
  void operator()(const command::list_transactions&) {}
  void operator()(const command::get_catalog&) {}
  void operator()(const command::get_quote&) {}
  void operator()(const command::get_customer&) {}
  void operator()(const command::get_balance&) {}
  void operator()(const command::get_charge&) {}
  void operator()(const command::get_invoice&) {}
  void operator()(const command::list_invoices&) {}
  void operator()(const command::get_accounts&) {}
};

} // namespace

void append_canonical(const command::any& c, std::string& out) {
  writer w{out};
  w.put(std::string(command::kind(c)));
  std::visit(w, c);
}

} // namespace accrue
