// The table of ledger templates and the flow rules. Data only; transaction.cpp applies it.
#include "domain/ledger/templates.hpp"

#include <algorithm>
#include <array>

namespace accrue::ledger {
namespace {

using enum account_type;
constexpr auto none = stage::none;
constexpr auto open = stage::open;
constexpr auto auth = stage::authorized;
constexpr auto unknown = worth::unknown;
constexpr auto known = worth::known;
constexpr auto iso = worth::iso;
constexpr auto in_unit = worth::credit_unit;

constexpr std::array issue_legs{leg{fbo, none, +1}, leg{receivable, open, -1}};
constexpr std::array authorize_legs{leg{receivable, open, +1}, leg{receivable, auth, -1}};
constexpr std::array settle_legs{leg{receivable, auth, +1}, leg{wash, none, -1}};
constexpr std::array attribute_legs{leg{receivable, open, +1, false, unknown},
                                    leg{receivable, open, -1, false, known}};
constexpr std::array collect_legs{leg{fbo, none, -1}, leg{accrued, none, +1}};
constexpr std::array collect_advance_legs{leg{fbo, none, -1, false, unknown},
                                          leg{accrued, none, +1, false, unknown}};
constexpr std::array translate_legs{leg{accrued, none, -1, false, unknown},
                                    leg{accrued, none, +1, false, known}};
constexpr std::array recognize_legs{leg{accrued, none, -1, false, known},
                                    leg{earnings, none, +1, false, known}};
constexpr std::array exchange_legs{leg{receivable, open, -1, false, iso},
                                   leg{brokerage, none, +1, false, iso},
                                   leg{receivable, open, +1, false, in_unit},
                                   leg{brokerage, none, -1, false, in_unit}};
constexpr std::array breakage_legs{leg{fbo, none, -1}, leg{breakage, none, +1}};
constexpr std::array release_legs{leg{fbo, none, +1}, leg{breakage, none, -1}};
// A step may be too small to stand for a minor unit of the credit, and a claim too small for one of fiat.
constexpr std::array purchase_legs{leg{receivable, open, +1, true, iso},
                                   leg{receivable, auth, -1, true, iso},
                                   leg{brokerage, none, -1, true, iso},
                                   leg{brokerage, none, +1, true, iso}};
constexpr std::array unit_purchase_legs{leg{receivable, open, +1, true, in_unit},
                                        leg{brokerage, none, -1, true, in_unit},
                                        leg{brokerage, none, +1, true, iso},
                                        leg{receivable, auth, -1, true, iso}};
constexpr std::array void_promotional_legs{leg{fbo, none, -1, false, worth::free},
                                           leg{wash, none, +1, false, worth::free}};
constexpr std::array void_unauthorized_legs{leg{fbo, none, -1}, leg{receivable, open, +1}};
constexpr std::array void_paid_legs{leg{fbo, none, -1, true, iso},
                                    leg{receivable, open, +1, true, iso},
                                    leg{brokerage, none, +1, true, iso},
                                    leg{brokerage, none, -1, true, iso}};
constexpr std::array void_paid_unit_legs{leg{fbo, none, -1, true, in_unit},
                                         leg{brokerage, none, +1, true, in_unit},
                                         leg{brokerage, none, -1, true, iso},
                                         leg{receivable, open, +1, true, iso}};
constexpr std::array refund_legs{leg{receivable, open, -1}, leg{wash, none, +1}};
constexpr std::array accrue_legs{leg{receivable, open, -1, false, worth::par},
                                 leg{accrued, none, +1, false, worth::par}};
constexpr std::array tax_legs{leg{receivable, open, -1, false, worth::par},
                              leg{tax_payable, none, +1, false, worth::par}};
constexpr std::array write_off_legs{leg{receivable, open, +1}, leg{write_off, none, -1}};
constexpr std::array write_off_purchase_legs{leg{receivable, open, +1, true, iso},
                                             leg{write_off, none, -1, false, iso},
                                             leg{brokerage, none, -1, true, iso},
                                             leg{brokerage, none, +1, true, iso}};
constexpr std::array write_off_unit_purchase_legs{leg{receivable, open, +1, true, in_unit},
                                                  leg{brokerage, none, -1, true, in_unit},
                                                  leg{brokerage, none, +1, false, iso},
                                                  leg{write_off, none, -1, false, iso}};
constexpr std::array opening_credit_legs{leg{fbo, none, +1}, leg{wash, none, -1}};
constexpr std::array opening_advance_legs{leg{receivable, open, -1, false, unknown},
                                          leg{accrued, none, +1, false, unknown}};

using enum template_code;
constexpr std::array table{
    ledger_template{issue, 1, "customer.receivable.issue", issue_legs, false, true},
    ledger_template{
        authorize, 1, "customer.receivable.payment.authorize", authorize_legs, false, false},
    ledger_template{settle, 1, "customer.receivable.payment.settle", settle_legs, false, false},
    ledger_template{
        attribute_advance, 1, "customer.receivable.advance.attribute", attribute_legs, true, true},
    ledger_template{collect, 1, "customer.fbo.collect", collect_legs, false, true},
    ledger_template{
        collect_advance, 1, "customer.fbo.advance.collect", collect_advance_legs, false, true},
    ledger_template{
        translate_accrued, 1, "customer.accrued.cost_basis.translate", translate_legs, true, true},
    ledger_template{
        recognize, 1, "customer.accrued.earnings.recognize", recognize_legs, false, true},
    ledger_template{
        exchange, 1, "customer.receivable.currency.exchange", exchange_legs, false, false},
    ledger_template{plan_breakage, 1, "customer.fbo.breakage.plan", breakage_legs, false, false},
    ledger_template{
        release_breakage, 1, "customer.fbo.breakage.release", release_legs, false, false},
    ledger_template{
        reopen_breakage, 1, "customer.fbo.breakage.reopen", breakage_legs, false, false},
    ledger_template{
        authorize_purchase, 1, "receivable.payment.authorize", purchase_legs, false, true},
    ledger_template{authorize_unit_purchase,
                    1,
                    "receivable.payment.authorize.unit",
                    unit_purchase_legs,
                    false,
                    true},
    ledger_template{
        void_promotional, 1, "credit.void.promotional", void_promotional_legs, false, false},
    ledger_template{void_unauthorized,
                    1,
                    "credit.void.purchased.unauthorized",
                    void_unauthorized_legs,
                    false,
                    false},
    ledger_template{void_paid, 1, "credit.void.purchased", void_paid_legs, false, false},
    ledger_template{
        void_paid_unit, 1, "credit.void.purchased.unit", void_paid_unit_legs, false, false},
    ledger_template{refund, 1, "receivable.refund", refund_legs, false, false},
    ledger_template{accrue_invoice, 1, "receivable.invoice.accrue", accrue_legs, false, true},
    ledger_template{invoice_tax, 1, "receivable.invoice.tax", tax_legs, false, true},
    ledger_template{write_off_receivable, 1, "receivable.write_off", write_off_legs, false, true},
    ledger_template{write_off_purchase,
                    1,
                    "receivable.write_off.purchase",
                    write_off_purchase_legs,
                    false,
                    true},
    ledger_template{opening_credit, 1, "opening.credit", opening_credit_legs, false, true},
    ledger_template{opening_advance, 1, "opening.advance", opening_advance_legs, false, false},
    ledger_template{write_off_unit_purchase,
                    1,
                    "receivable.write_off.unit",
                    write_off_unit_purchase_legs,
                    false,
                    true},
};

// Unordered pairs of account types that may stand on opposite sides of one transaction.
constexpr std::array<std::pair<account_type, account_type>, 15> facing{{
    {fbo, receivable},
    {fbo, accrued},
    {fbo, breakage},
    {fbo, brokerage},
    {fbo, wash},
    {receivable, receivable},
    {receivable, accrued},
    {receivable, wash},
    {receivable, brokerage},
    {receivable, tax_payable},
    {receivable, write_off},
    {accrued, accrued},
    {accrued, earnings},
    {brokerage, brokerage},
    {write_off, brokerage},
}};

} // namespace

std::span<const ledger_template> templates() noexcept { return table; }

const ledger_template* find_template(template_code code) noexcept {
  const auto it = std::ranges::lower_bound(table, code, {}, &ledger_template::code);
  return it != table.end() && it->code == code ? &*it : nullptr;
}

bool may_face(account_type a, account_type b) noexcept {
  return std::ranges::any_of(facing, [&](const auto& pair) {
    return (pair.first == a && pair.second == b) || (pair.first == b && pair.second == a);
  });
}

} // namespace accrue::ledger
