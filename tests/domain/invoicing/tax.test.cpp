// Tax on invoices: what it is on, when it is booked, how it is paid.
// The arithmetic of a rate is tested in rating/totals.test.cpp.
#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;

namespace {

/// "charge a 10.02", "tax GST 2.01"
lines texts(const reply::invoice_view& i) {
  lines out;
  for (const auto& l : i.lines)
    out.push_back(l.kind + " " + l.name + " " + to_string(money{l.total, i.currency}));
  return out;
}

/// A customer who pays 10 % GST, whose drafts somebody approves.
harness in_australia() {
  harness h;
  h.ok(taxed("GST", "0.1"));
  h.ok(manual_approval());
  return h;
}

reply::tax gst(int128 base, int128 amount) { return {"GST", dec("0.1"), base, amount}; }

} // namespace

TEST_CASE("tax is computed once on the whole invoice", "[tax][D1][D26]") {
  auto h = in_australia();
  h.ok(fee("a", "10.02"));
  h.ok(fee("b", "10.03"));
  h.ok(command::invoice_pending{});
  // 10 % of 20.05 is 2.005, away from zero 2.01; line by line it would be 1.00 and 1.00.
  const auto i = h.invoice("#1");
  CHECK(texts(i) == lines{"charge a 10.02", "charge b 10.03", "tax GST 2.01"});
  CHECK(i.taxes == std::vector{gst(2005, 201)});
  CHECK(i.amount == 2005);
  CHECK(i.total == 2206);
  CHECK(i.lines[2].period == i.lines[0].period);
}

TEST_CASE("what credit paid is not taxed again", "[tax][D53]") {
  auto h = in_australia();
  h.ok(credit("g", "30"));
  h.ok(fee("f", "100"));
  h.ok(command::invoice_pending{});
  // 100 less 30 is 70, of which 10 %.
  const auto i = h.invoice("#1");
  CHECK(i.taxes == std::vector{gst(7000, 700)});
  CHECK(i.credits == 3000);
  CHECK(i.total == 7700);
}

TEST_CASE("an invoice that credit pays whole has no tax and books nothing", "[tax][D22][D53]") {
  auto h = in_australia();
  h.ok(credit("g", "100"));
  h.ok(fee("f", "100"));
  h.ok(command::invoice_pending{});
  CHECK(h.invoice("#1").taxes.empty());
  h.ok(command::approve_invoice{"#1"});
  CHECK(h.booked().empty());
  CHECK(h.trial() == lines{"accrued USD @0 = 100.00", "wash USD @0 = -100.00"});
}

TEST_CASE("tax is booked to its own account, once, behind the lines", "[tax][D53]") {
  auto h = in_australia();
  h.ok(fee("f", "100"));
  h.ok(command::invoice_pending{});
  CHECK(h.trial().empty());
  h.now = at("2026-01-05");
  h.ok(command::approve_invoice{"#1"});
  CHECK(h.booked() ==
        lines{"receivable.invoice.accrue @2026-01-01T00:00:00Z: receivable.open USD @1 -100.00; "
              "accrued USD @1 100.00",
              "receivable.invoice.tax @2026-01-05T00:00:00Z: receivable.open USD @1 -10.00; "
              "tax_payable USD @1 10.00"});
  // Whose tax it is travels with it.
  const auto spent_by = h.journal.back().transactions[1].postings()[0].spend;
  CHECK(spent_by == ledger::spend_id::of(invoice_id(1)));
  CHECK(h.trial() == lines{"receivable.open USD @1 = -110.00",
                           "accrued USD @1 = 100.00",
                           "tax_payable USD @1 = 10.00"});
}

TEST_CASE("payments fill the lines in order, the tax last", "[tax][D46]") {
  auto h = in_australia();
  h.ok(fee("a", "60"));
  h.ok(fee("b", "40"));
  h.ok(command::invoice_pending{});
  h.ok(command::approve_invoice{"#1"});
  // 110 in all: the first 101 reach both lines and 1 of the tax.
  h.ok(command::authorize_payment{"#1", dec("101")});
  CHECK(h.charge("b").detailed_status == "active.awaiting_payment_settlement");
  h.ok(command::settle_payment{"#1", dec("101")});
  CHECK(h.charge("a").detailed_status == "final");
  CHECK(h.charge("b").detailed_status == "final");
  CHECK(h.invoice("#1").status == "payment_processing.pending");
  CHECK(h.refused(command::authorize_payment{"#1", dec("9.01")}) == errc::over_authorization);
  h.ok(command::pay_invoice{"#1"});
  CHECK(h.invoice("#1").status == "paid");
  CHECK(h.trial() ==
        lines{"accrued USD @1 = 100.00", "wash USD @1 = -110.00", "tax_payable USD @1 = 10.00"});
}

TEST_CASE("a line that cannot be booked leaves the tax for the retry", "[tax][D21][D53]") {
  auto h = in_australia();
  h.ok(fee("f", "100"));
  h.ok(command::invoice_pending{});
  h.failures.left["charge_booking"] = 1;
  h.ok(command::approve_invoice{"#1"});
  CHECK(h.invoice("#1").status == "issuing.charge_booking_failed");
  CHECK(h.trial().empty());
  h.ok(command::retry_invoice{"#1"});
  CHECK(h.invoice("#1").status == "payment_processing.pending");
  CHECK(h.trial() == lines{"receivable.open USD @1 = -110.00",
                           "accrued USD @1 = 100.00",
                           "tax_payable USD @1 = 10.00"});
}

TEST_CASE("an invoice keeps the tax that its customer had when it was drafted", "[tax][D26]") {
  auto h = in_australia();
  h.ok(fee("f", "100"));
  h.ok(command::invoice_pending{});
  command::put_customer no_tax;
  no_tax.tax.emplace();
  h.ok(no_tax);
  CHECK(h.invoice("#1").total == 11'000);
  h.ok(fee("g", "100"));
  h.ok(command::invoice_pending{});
  CHECK(h.invoice("#2").total == 10'000);
  CHECK(h.invoice("#2").taxes.empty());
}

TEST_CASE("a customer's tax is shown, kept, and taken away", "[tax]") {
  harness h;
  const auto shown = [&] {
    return std::get<reply::customer_view>(h.ok(command::get_customer{}).body);
  };
  CHECK(shown().tax_name.empty());
  h.ok(taxed("MwSt", "0.19"));
  h.ok(policy(command::over_settlement::cap)); // says nothing about tax
  CHECK(shown().tax_name == "MwSt");
  CHECK(shown().tax_rate == dec("0.19"));
  command::put_customer no_tax;
  no_tax.tax.emplace();
  h.ok(no_tax);
  CHECK(shown().tax_name.empty());
}
