// How values of the domain are laid out in the journal's bytes, each described once for writing and
// reading. Those of facts are in journal_facts.hpp, stored numbers in journal_numbers.hpp, whole entries and customers
// in journal_codec.cpp.
#pragma once

#include "domain/catalog/fields.hpp"
#include "domain/customer.hpp"
#include "persistence/journal_numbers.hpp"
#include "persistence/varint.hpp"

#include <array>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace accrue::journal {

/// A currency as one number; two bytes for those of ISO 4217. The exponent has four bits.
[[nodiscard]] constexpr std::uint64_t currency_code(currency c) noexcept {
  return std::uint64_t{c.number()} << 4 | static_cast<std::uint64_t>(c.exponent());
}
[[nodiscard]] constexpr currency currency_of(std::uint64_t code) noexcept {
  return {static_cast<std::uint32_t>(code >> 4), static_cast<std::uint8_t>(code & 15)};
}
/// Codes above this one belong to no currency.
inline constexpr std::uint64_t currency_code_max = std::uint64_t{0xffffffff} << 4 | 15;

template <class T, class U>
concept is = std::same_as<std::remove_const_t<T>, U>;

// --------------------------------------------------------------------------------- writing

/// Writes values field by field. Instants equal to `base`, and a currency equal to the one before,
/// take one byte.
class field_writer : public byte_writer {
public:
  explicit field_writer(std::vector<std::byte>& out,
                        std::optional<instant> base = {},
                        std::uint8_t version = format_version) noexcept
      : byte_writer(out), version_(version), base_(base) {}

  template <class... T>
  void operator()(const T&... values) {
    (value(values), ...);
  }
  /// Fields that there are from a version on.
  template <class... T>
  void since(std::uint8_t version, const T&... values) {
    if (version_ >= version)
      (*this)(values...);
  }
  [[nodiscard]] currency last_currency() const noexcept { return currency_of(last_currency_); }

private:
  template <class T>
  void value(const T& v) {
    if constexpr (std::is_enum_v<T>)
      varint(number_of(v));
    else if constexpr (std::unsigned_integral<T>)
      varint(v); // bool too
    else if constexpr (std::same_as<T, int128> || std::signed_integral<T>)
      varint(zigzag(v));
    else
      fields(*this, v);
  }
  void value(const ledger::spend_id& v) { varint(v.value()); }
  template <class T>
  void value(const rare<T>& v) {
    const bool there = !(*v == T{});
    value(there);
    if (there)
      value(*v);
  }
  void value(const std::string& v) {
    varint(v.size());
    bytes(v);
  }
  template <std::size_t Size>
  void value(const std::array<std::byte, Size>& v) {
    bytes({reinterpret_cast<const char*>(v.data()), Size});
  }
  void value(const decimal& v) {
    varint(static_cast<unsigned>(v.scale()));
    varint(zigzag(v.coefficient()));
  }
  void value(const product::cadence& v) { value(v.to_string()); }
  // 0: the base; else 1 + 2 × whole seconds, or 2 + 2 × nanoseconds where there is a fraction.
  void value(const instant& v) {
    if (v == base_)
      return varint(0);
    const bool whole = v.ns % ns_per_second == 0;
    varint((zigzag(whole ? v.ns / ns_per_second : v.ns) << 1) + (whole ? 1 : 2));
  }
  // 0: the one before; else 1 + code.
  void value(const currency& v) {
    const auto code = currency_code(v);
    varint(code == last_currency_ ? 0 : uint128{code} + 1);
    last_currency_ = code;
  }
  template <class Tag, class Rep>
  void value(const id<Tag, Rep>& v) {
    varint(v.value);
  }
  template <class T>
  void value(const std::optional<T>& v) {
    value(v.has_value());
    if (v)
      value(*v);
  }
  template <class T>
  void value(const std::vector<T>& v) {
    varint(v.size());
    for (const auto& x : v)
      value(x);
  }
  template <class... T>
  void value(const std::variant<T...>& v) {
    std::visit(
        [this]<class A>(const A& x) {
          varint(tag_of<A>);
          value(x);
        },
        v);
  }

  std::uint8_t version_;
  std::optional<instant> base_;
  std::uint64_t last_currency_ = 0;
};

// --------------------------------------------------------------------------------- reading

/// A value that is made, not filled in: `read_made` reads it.
template <class T>
concept made = !std::default_initializable<T>;

/// Reads what `field_writer` wrote with the same base. Any other bytes make it fail.
class field_reader : public byte_reader {
public:
  explicit field_reader(std::span<const std::byte> bytes, std::optional<instant> base = {}) noexcept
      : byte_reader(bytes), base_(base) {}

  /// Takes the first byte: in which version the rest is written.
  void read_version() {
    version_ = byte();
    if (!failed() && (version_ < format_version_first || version_ > format_version))
      fail("an unknown version of the format");
  }

  [[nodiscard]] std::uint8_t version() const noexcept { return version_; }
  /// Instants are written against this one from here on.
  void set_base(instant base) noexcept { base_ = base; }

  template <class... T>
  void operator()(T&... values) {
    (value(values), ...);
  }
  /// Fields that there are from a version on; where they are not, they stay as they are.
  template <class... T>
  void since(std::uint8_t version, T&... values) {
    if (version_ >= version)
      (*this)(values...);
  }
  [[nodiscard]] currency last_currency() const noexcept { return currency_of(last_currency_); }
  /// The alternative whose number was read already.
  template <class... T>
  void alternative(std::uint8_t tag, std::variant<T...>& v) {
    const auto read = [&]<class A>(std::type_identity<A>) {
      if (tag != tag_of<A> || version_ < since_version<A>)
        return false;
      value(v.template emplace<A>());
      return true;
    };
    if (!(read(std::type_identity<T>{}) || ...))
      fail("an unknown kind of value");
  }

private:
  template <class T>
  void value(T& v) {
    if constexpr (std::is_enum_v<T>) {
      if (const auto known = value_of<T>(varint()); known && !failed())
        v = *known;
      else
        fail("an unknown number of a choice");
    } else if constexpr (std::same_as<T, bool>) {
      const auto bit = varint();
      if (bit > 1)
        fail("a yes or no is neither");
      v = bit == 1;
    } else if constexpr (std::unsigned_integral<T>) {
      v = number<T>();
    } else if constexpr (std::same_as<T, int128>) {
      v = unzigzag(varint());
    } else if constexpr (std::signed_integral<T>) {
      narrow(unzigzag(varint()), v);
    } else {
      fields(*this, v);
    }
  }
  template <std::signed_integral T>
  void narrow(int128 wide, T& v) {
    v = static_cast<T>(wide);
    if (v != wide)
      fail("a number is too big");
  }
  void value(ledger::spend_id& v) { v = ledger::spend_id::stored(number<std::uint64_t>()); }
  template <class T>
  void value(rare<T>& v) {
    bool there = false;
    value(there);
    if (!there)
      return;
    value(v.edit());
    if (*v == T{})
      fail("something is not in its shortest form");
  }
  void value(std::string& v) { v = bytes(count(1)); }
  template <std::size_t Size>
  void value(std::array<std::byte, Size>& v) {
    for (auto& b : v)
      b = static_cast<std::byte>(byte());
  }
  void value(decimal& v) {
    const auto scale = varint();
    const auto coefficient = unzigzag(varint());
    const auto read = scale <= decimal::scale_max
                          ? decimal::make(coefficient, static_cast<int>(scale))
                          : result<decimal>(decimal());
    if (!read || read->coefficient() != coefficient || static_cast<uint128>(read->scale()) != scale)
      return fail("a decimal is not in its shortest form");
    v = *read;
  }
  void value(product::cadence& v) {
    std::string text;
    value(text);
    const auto read = product::cadence::parse(text);
    if (!read || read->to_string() != text)
      return fail("no cadence, or not in its shortest form");
    v = *read;
  }
  void value(instant& v) {
    const auto form = varint();
    if (form == 0) {
      if (!base_)
        fail("an instant without its base");
      v = base_.value_or(instant{});
      return;
    }
    const bool whole = (form & 1) == 1;
    std::int64_t count = 0;
    narrow(unzigzag((form - 1) >> 1), count);
    const auto ns = int128{count} * (whole ? ns_per_second : 1);
    narrow(ns, v.ns);
    if (!failed() && ((!whole && v.ns % ns_per_second == 0) || v == base_))
      fail("an instant is not in its shortest form");
  }
  void value(currency& v) {
    const auto form = varint();
    if (form > uint128{currency_code_max} + 1 || form == uint128{last_currency_} + 1)
      return fail("no currency, or not in its shortest form");
    if (form != 0)
      last_currency_ = static_cast<std::uint64_t>(form - 1);
    v = currency_of(last_currency_);
  }
  template <class Tag, class Rep>
  void value(id<Tag, Rep>& v) {
    v.value = number<Rep>();
  }
  template <class T>
  void value(std::optional<T>& v) {
    bool there = false;
    value(there);
    if (!there)
      return;
    if constexpr (made<T>)
      v = read_made(*this, std::type_identity<T>());
    else
      value(v.emplace());
  }
  template <class T>
  void value(std::vector<T>& v) {
    for (auto left_over = count(1); left_over > 0 && !failed(); --left_over)
      value(v.emplace_back());
  }
  template <class... T>
  void value(std::variant<T...>& v) {
    alternative(number<std::uint8_t>(), v);
  }

  std::uint8_t version_ = format_version;
  std::optional<instant> base_;
  std::uint64_t last_currency_ = 0;
};

// --------------------------------------------------------------------------- what has what
// The order of fields is the format. `F` is the writer or the reader.

/// A list that is stored like any other, where it is there or not.
template <class T>
void rarely(field_writer& f, const rare<T>& x) {
  f(*x);
}
template <class T>
void rarely(field_reader& f, rare<T>& x) {
  T read;
  f(read);
  if (!(read == T{}))
    x.edit() = std::move(read);
}

template <class F, is<money> T>
void fields(F& f, T& x) {
  f(x.currency, x.minor);
}
template <class F, is<period> T>
void fields(F& f, T& x) {
  f(x.from, x.to);
}
/// Written only, as all that is made: read_made, in journal_made.cpp, is how they are read.
template <class F>
void fields(F& f, const rating::tax_rate& x) {
  f(x.name(), x.fraction());
}
template <class F>
void fields(F& f, const rating::tax& x) {
  f(x.rate, x.base, x.amount);
}
[[nodiscard]] std::optional<rating::tax_rate> read_made(field_reader& r,
                                                        std::type_identity<rating::tax_rate>);
[[nodiscard]] std::optional<rating::tax> read_made(field_reader& r,
                                                   std::type_identity<rating::tax>);
[[nodiscard]] std::optional<rating::tariff> read_made(field_reader& r,
                                                      std::type_identity<rating::tariff>);

template <class F, is<settings> T>
void fields(F& f, T& x) {
  f(x.default_currency, x.over_settlement);
  rarely(f, x.advance_limits);
  f.since(2, x.tax);
}
template <class F, is<grant_details> T>
void fields(F& f, T& x) {
  f(x.expires_at, x.recorded_in, x.cost_basis, x.fiat);
  f(x.authorized, x.closed_face, x.settled);
  f(x.voided_at, x.voided_unauthorized, x.voided_paid, x.claimed, x.refunded);
  f.since(4, x.written_off);
}
template <class F, is<grant> T>
void fields(F& f, T& x) {
  f(x.id, x.reference, x.funding, x.amount, x.priority, x.features, x.effective_at);
  f.since(3, x.details);
}
template <class F, is<hold> T>
void fields(F& f, T& x) {
  f(x.reference, x.currency, x.feature, x.expires_at, x.slices);
}
template <class F, is<holds::end> T>
void fields(F& f, T& x) {
  f(x.reference, x.how);
}
template <class F, is<ledger::part> T>
void fields(F& f, T& x) {
  f(x.from, x.grant, x.account, x.amount, x.recognized, x.priced_at);
}
template <class F, is<ledger::realization> T>
void fields(F& f, T& x) {
  f(x.spend, x.reference, x.currency, x.booked_at, x.parts);
}
template <class F, is<ledger::scheduled> T>
void fields(F& f, T& x) {
  f(x.at, x.account, x.amount);
}
template <class F, is<ledger::slice> T>
void fields(F& f, T& x) {
  f(x.grant, x.account, x.amount);
}
template <class F, is<invoicing::profile> T>
void fields(F& f, T& x) {
  f(x.auto_advance, x.draft_period_ns, x.due_after_ns);
  f.since(4, x.recognition);
}

template <class F, is<flat_fee::run> T>
void fields(F& f, T& x) {
  f(x.invoice, x.credits, x.advanced, x.billed, x.authorized, x.settled);
}
template <class F, is<flat_fee::terms> T>
void fields(F& f, T& x) {
  f(x.id, x.reference, x.mode, x.term, x.amount, x.service_period, x.invoice_at, x.feature);
}
template <class F, is<charge> T>
void fields(F& f, T& x) {
  f(x.terms, x.state);
  f.since(3, x.given_back);
}
template <class F, is<flat_fee::created> T>
void fields(F&, T&) {}
template <class F, is<flat_fee::active> T>
void fields(F&, T&) {}
template <class F, is<flat_fee::collecting_credit> T>
void fields(F& f, T& x) {
  f(x.invoice);
}
template <class F, is<flat_fee::waiting_for_collection> T>
void fields(F& f, T& x) {
  f(x.run);
}
template <class F, is<flat_fee::processing> T>
void fields(F& f, T& x) {
  f(x.run);
}
template <class F, is<flat_fee::awaiting_payment> T>
void fields(F& f, T& x) {
  f(x.run);
}
template <class F, is<flat_fee::finished> T>
void fields(F& f, T& x) {
  f(x.run);
}
template <class F, is<flat_fee::deleted> T>
void fields(F&, T&) {}

template <class F, is<invoicing::line> T>
void fields(F& f, T& x) {
  f(x.charge, x.name, x.period, x.amount, x.credits, x.total, x.booked, x.authorized, x.settled);
  f.since(2, x.tax);
  f.since(4, x.written_off);
}
template <class F, is<invoicing::issue> T>
void fields(F& f, T& x) {
  f(x.critical, x.code, x.text);
}
template <class F, is<invoicing::issuance> T>
void fields(F& f, T& x) {
  f(x.number, x.issued_at, x.due_at);
}
template <class F, is<invoicing::invoice> T>
void fields(F& f, T& x) {
  f(x.id, x.currency, x.state, x.lines, x.issues, x.created_at, x.draft_until, x.due_after_ns);
  f(x.revision);
}
template <class F, is<invoicing::draft_waiting_auto_approval> T>
void fields(F& f, T& x) {
  f(x.until);
}
template <class F, is<invoicing::draft_manual_approval_needed> T>
void fields(F&, T&) {}
template <class F, is<invoicing::issuing_charge_booking> T>
void fields(F&, T&) {}
template <class F, is<invoicing::issuing_charge_booking_failed> T>
void fields(F&, T&) {}
template <class F, is<invoicing::payment_pending> T>
void fields(F& f, T& x) {
  f(x.issued);
}
template <class F, is<invoicing::payment_authorized> T>
void fields(F& f, T& x) {
  f(x.issued);
}
template <class F, is<invoicing::overdue> T>
void fields(F& f, T& x) {
  f(x.issued);
}
template <class F, is<invoicing::paid> T>
void fields(F& f, T& x) {
  f(x.issued);
}
template <class F, is<invoicing::uncollectible> T>
void fields(F& f, T& x) {
  f(x.issued);
}

} // namespace accrue::journal
