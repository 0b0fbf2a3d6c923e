// A customer as a value: everything it knows, and how one journal entry changes it.
// What a command leads to is decided in unit.hpp and decisions.hpp.
#pragma once

#include "domain/catalog.hpp"
#include "domain/charges/flat_fee.hpp"
#include "domain/commands.hpp"
#include "domain/grant.hpp"
#include "domain/holds.hpp"
#include "domain/invoicing/invoice.hpp"
#include "domain/ledger/book.hpp"
#include "domain/rating/totals.hpp"
#include "domain/replies.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace accrue {

/// A charge: what was agreed and where it stands.
struct charge {
  flat_fee::terms terms;
  flat_fee::state state;
  /// By corrections: one row a route and correction, what was used last first.
  rare<std::vector<int128>> given_back = {};

  friend bool operator==(const charge&, const charge&) = default;
};

/// What the customer's owner can set.
struct settings {
  std::optional<currency> default_currency;
  command::over_settlement over_settlement = command::over_settlement::refuse;
  /// How much advance a currency may have at most, one each; unlimited where absent (D69).
  rare<std::vector<money>> advance_limits;
  std::optional<rating::tax_rate> tax; ///< none: no tax (D26)

  /// In minor units; nothing where it is unlimited.
  [[nodiscard]] std::optional<int128> advance_limit(currency in) const;

  friend bool operator==(const settings&, const settings&) = default;
};

namespace fact {

/// The customer was created or changed; carries all of it.
struct customer_changed {
  std::string reference;
  accrue::settings settings;
  instant created_at;
  friend bool operator==(const customer_changed&, const customer_changed&) = default;
};
struct grant_recorded {
  accrue::grant grant;
  friend bool operator==(const grant_recorded&, const grant_recorded&) = default;
};
/// Credit was taken by `consume`; the unit itself is the spend (D67).
struct consumed {
  std::string id;
  accrue::currency currency;
  int128 booked = 0;
  int128 uncovered = 0;
  friend bool operator==(const consumed&, const consumed&) = default;
};
/// A grant was paid, voided or covered something; carries all of it.
struct grant_changed {
  accrue::grant grant;
  friend bool operator==(const grant_changed&, const grant_changed&) = default;
};
/// What a spend used, as far as it is not plain: an advance, or something was given back or recognised.
struct spend_changed {
  ledger::realization realization;
  friend bool operator==(const spend_changed&, const spend_changed&) = default;
};
/// Credit was given back.
struct given_back {
  std::string reference; ///< of the charge, consume or reservation
  money amount;
  friend bool operator==(const given_back&, const given_back&) = default;
};
/// Accrued value became earnings; of consumes and reservations, that of all units up to here.
struct recognized {
  sequence through;
  std::vector<money> amounts; ///< one a currency
  friend bool operator==(const recognized&, const recognized&) = default;
};
/// When the customer recognises what it accrued: an hour since 1970, 0 for none (D47).
struct recognition_planned {
  std::uint32_t hour = 0;
  friend bool operator==(const recognition_planned&, const recognition_planned&) = default;
};
struct reserved {
  accrue::hold hold;
  friend bool operator==(const reserved&, const reserved&) = default;
};
/// Its end moved; carries all of it.
struct hold_extended {
  accrue::hold hold;
  friend bool operator==(const hold_extended&, const hold_extended&) = default;
};
/// A reservation is over. Settled: the unit itself is the spend, as of a consume.
struct hold_ended {
  std::string reference;
  hold_end how = hold_end::settled;
  accrue::currency currency;
  int128 booked = 0;
  int128 uncovered = 0;
  friend bool operator==(const hold_ended&, const hold_ended&) = default;
};
struct charge_changed {
  accrue::charge charge;
  friend bool operator==(const charge_changed&, const charge_changed&) = default;
};
struct invoice_changed {
  invoicing::invoice invoice;
  friend bool operator==(const invoice_changed&, const invoice_changed&) = default;
};
/// An opening debt; its number is its place among the customer's opening advances.
struct advance_opened {
  std::string id;
  money amount;
  friend bool operator==(const advance_opened&, const advance_opened&) = default;
};
/// Something has to leave the house (D27): delivered at least once, with this key.
struct message_queued {
  std::string topic;   ///< "invoice.issued"
  std::string subject; ///< the invoice's number
  friend bool operator==(const message_queued&, const message_queued&) = default;
};
// Of the namespace itself (customer 0, D65).
struct credit_unit_created {
  std::string code;
  std::uint8_t exponent = 0;
  friend bool operator==(const credit_unit_created&, const credit_unit_created&) = default;
};
struct profile_changed {
  invoicing::profile profile;
  friend bool operator==(const profile_changed&, const profile_changed&) = default;
};

/// The namespace's catalog of products was replaced; carries all of it.
struct catalog_replaced {
  product::catalog catalog;
  friend bool operator==(const catalog_replaced&, const catalog_replaced&) = default;
};

/// The unit answers to a second key: the client gave one beside the id, and the id counts too (D6).
struct key_added {
  std::array<std::byte, 16> key{}; ///< 128-bit fingerprint
  friend bool operator==(const key_added&, const key_added&) = default;
};

using any = std::variant<customer_changed,
                         grant_recorded,
                         consumed,
                         charge_changed,
                         invoice_changed,
                         advance_opened,
                         message_queued,
                         credit_unit_created,
                         profile_changed,
                         key_added,
                         catalog_replaced,
                         grant_changed,
                         spend_changed,
                         given_back,
                         recognized,
                         reserved,
                         hold_extended,
                         hold_ended,
                         recognition_planned>;

} // namespace fact

/// What one unit of work recorded: the content of a journal row. Replaying all entries of a customer
/// in order gives the customer (a property the tests hold).
struct entry {
  sequence number;
  instant at;
  std::uint8_t kind = 0; ///< index of the command in command::any
  std::vector<ledger::sub_account> opened;
  std::vector<ledger::transaction> transactions;
  std::vector<fact::any> facts;
  std::vector<reply::balance> after; ///< balances of the touched currencies right after the unit

  friend bool operator==(const entry&, const entry&) = default;
};

/// What few customers have.
struct customer_extras {
  accrue::holds holds;
  /// What spends used, by spend, as far as it is not plain; the parts of all others stand in their units and
  /// charges.
  std::vector<ledger::realization> realizations;
  /// Consumes and settlements up to this unit are recognised, except where a realization says so itself.
  sequence recognized_through;

  friend bool operator==(const customer_extras&, const customer_extras&) = default;
};

/// Everything one customer knows. Equal values behave equally from here on.
struct customer {
  customer_id number;
  std::string reference;
  accrue::settings settings;
  instant created_at;
  accrue::sequence last; ///< sequence of the last unit
  instant clock;         ///< the customer's time never runs backwards (D3)
  ledger::book book;
  rare<customer_extras> extras;
  std::vector<grant> grants;                ///< by number, from 1
  std::vector<charge> charges;              ///< that are not final, and final ones lately used
  std::vector<invoicing::invoice> invoices; ///< likewise
  bool exists = false;
  std::uint32_t charges_made = 0;
  std::uint32_t invoices_made = 0;
  std::uint32_t advances_opened = 0;
  std::uint32_t invoices_issued = 0; ///< the last final number (D66)
  std::uint32_t recognizes_at = 0;   ///< the hour since 1970 that is planned; 0: none

  [[nodiscard]] const grant* find_grant(std::string_view reference) const noexcept;
  /// A number that was never given is a defect.
  [[nodiscard]] const grant& grant_at(grant_id id) const;
  [[nodiscard]] const charge* find_charge(std::string_view reference) const noexcept;
  [[nodiscard]] const charge* find_charge(charge_id id) const noexcept;
  /// By number ("ACME-000012") or by ordinal ("#1").
  [[nodiscard]] const invoicing::invoice* find_invoice(std::string_view name) const noexcept;
  [[nodiscard]] const invoicing::invoice* find_invoice(invoice_id id) const noexcept;

  /// Takes one entry in: the next in sequence, else a defect. Used for a decided unit and for
  /// replay alike.
  void apply(const entry& e);

  friend bool operator==(const customer&, const customer&) = default;
};

/// The number of an invoice as people see it, "ACME-000012"; "#ordinal" for drafts.
[[nodiscard]] std::string invoice_name(const customer& c, const invoicing::invoice& i);

/// What the namespace journal's facts do to its catalog.
void apply(catalog& c, const entry& e);

} // namespace accrue
