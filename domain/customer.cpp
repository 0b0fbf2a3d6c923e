// Taking facts in. No rule is decided here: an entry has already been decided.
#include "domain/customer.hpp"

#include <algorithm>
#include <charconv>

namespace accrue {
namespace {

template <class T>
void put(std::vector<T>& items, const T& item, auto same) {
  const auto it = std::ranges::find_if(items, same);
  if (it == items.end())
    items.push_back(item);
  else
    *it = item;
}

struct taker {
  customer& c;

  void operator()(const fact::customer_changed& f) const {
    c.exists = true;
    c.reference = f.reference;
    c.settings = f.settings;
    c.created_at = f.created_at;
  }
  void operator()(const fact::grant_recorded& f) const {
    ENSURE(f.grant.id.value == c.grants.size() + 1);
    c.grants.push_back(f.grant);
  }
  void operator()(const fact::grant_changed& f) const {
    ENSURE(f.grant.id.value >= 1 && f.grant.id.value <= c.grants.size());
    c.grants[f.grant.id.value - 1] = f.grant;
  }
  void operator()(const fact::spend_changed& f) const {
    auto& all = c.extras.edit().realizations;
    const auto it =
        std::ranges::lower_bound(all, f.realization.spend, {}, &ledger::realization::spend);
    if (it == all.end() || it->spend != f.realization.spend)
      all.insert(it, f.realization);
    else
      *it = f.realization;
  }
  void operator()(const fact::given_back&) const {}
  void operator()(const fact::recognized& f) const {
    auto& through = c.extras.edit().recognized_through;
    through = std::max(through, f.through);
  }
  void operator()(const fact::reserved& f) const {
    c.book.hold(f.hold.slices, +1);
    c.extras.edit().holds.add(f.hold);
  }
  void operator()(const fact::hold_extended& f) const {
    c.extras.edit().holds.extend(f.hold.reference, f.hold.expires_at);
  }
  void operator()(const fact::hold_ended& f) const {
    auto& holds = c.extras.edit().holds;
    const auto* h = holds.find(f.reference);
    ENSURE(h != nullptr);
    c.book.hold(h->slices, -1);
    holds.remove(f.reference, f.how);
  }
  void operator()(const fact::consumed&) const {}
  void operator()(const fact::charge_changed& f) const {
    const auto id = f.charge.terms.id;
    c.charges_made = std::max(c.charges_made, id.value);
    put(c.charges, f.charge, [&](const charge& x) { return x.terms.id == id; });
  }
  void operator()(const fact::invoice_changed& f) const {
    c.invoices_made = std::max(c.invoices_made, f.invoice.id.value);
    if (const auto* issued = f.invoice.issued())
      c.invoices_issued = std::max(c.invoices_issued, static_cast<std::uint32_t>(issued->number));
    put(c.invoices, f.invoice, [&](const invoicing::invoice& x) { return x.id == f.invoice.id; });
  }
  void operator()(const fact::advance_opened&) const { ++c.advances_opened; }
  void operator()(const fact::recognition_planned& f) const { c.recognizes_at = f.hour; }
  void operator()(const fact::message_queued&) const {}
  void operator()(const fact::credit_unit_created&) const {}
  void operator()(const fact::profile_changed&) const {}
  void operator()(const fact::key_added&) const {}
  void operator()(const fact::catalog_replaced&) const {}
};

} // namespace

const grant* customer::find_grant(std::string_view wanted) const noexcept {
  const auto it = std::ranges::find(grants, wanted, &grant::reference);
  return it == grants.end() ? nullptr : &*it;
}

const grant& customer::grant_at(grant_id id) const {
  ENSURE(id.value >= 1 && id.value <= grants.size());
  return grants[id.value - 1];
}

const charge* customer::find_charge(std::string_view wanted) const noexcept {
  const auto it =
      std::ranges::find_if(charges, [&](const charge& c) { return c.terms.reference == wanted; });
  return it == charges.end() ? nullptr : &*it;
}

const charge* customer::find_charge(charge_id id) const noexcept {
  const auto it = std::ranges::find_if(charges, [&](const charge& c) { return c.terms.id == id; });
  return it == charges.end() ? nullptr : &*it;
}

const invoicing::invoice* customer::find_invoice(std::string_view name) const noexcept {
  if (name.starts_with('#')) {
    std::uint32_t ordinal = 0;
    const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), ordinal);
    if (error != std::errc{} || end != name.data() + name.size())
      return nullptr;
    return find_invoice(invoice_id(ordinal));
  }
  const auto it = std::ranges::find_if(invoices, [&](const invoicing::invoice& i) {
    return i.issued() != nullptr && invoice_name(*this, i) == name;
  });
  return it == invoices.end() ? nullptr : &*it;
}

const invoicing::invoice* customer::find_invoice(invoice_id id) const noexcept {
  const auto it = std::ranges::find(invoices, id, &invoicing::invoice::id);
  return it == invoices.end() ? nullptr : &*it;
}

void customer::apply(const entry& e) {
  ENSURE(e.number.value == last.value + 1);
  last = e.number;
  clock = std::max(clock, e.at);
  book.pass(clock);
  for (const auto& f : e.facts)
    std::visit(taker{*this}, f);
  for (const auto& a : e.opened)
    book.open(a);
  const ledger::lifetime_of credit = [this](grant_id id) { return grant_at(id).life(); };
  for (const auto& t : e.transactions)
    book.apply(t, clock, credit);
}

std::string invoice_name(const customer& c, const invoicing::invoice& i) {
  if (const auto* issued = i.issued())
    return invoicing::format_number(invoicing::number_prefix(c.reference, c.number),
                                    issued->number);
  return "#" + std::to_string(i.id.value);
}

void apply(catalog& c, const entry& e) {
  for (const auto& f : e.facts) {
    if (const auto* unit = std::get_if<fact::credit_unit_created>(&f)) {
      auto next = c.with_credit_unit(unit->code, unit->exponent);
      ENSURE(next.has_value());
      c = std::move(*next);
    } else if (const auto* changed = std::get_if<fact::profile_changed>(&f)) {
      c.profile = changed->profile;
    } else if (const auto* replaced = std::get_if<fact::catalog_replaced>(&f)) {
      c.products = replaced->catalog;
    }
  }
}

std::optional<int128> settings::advance_limit(currency in) const {
  const auto found = std::ranges::find(*advance_limits, in, &money::currency);
  return found == advance_limits->end() ? std::nullopt : std::optional(found->minor);
}

} // namespace accrue
