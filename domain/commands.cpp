// Names and sorts of commands. What they do is decided in customer_decisions.cpp.
#include "domain/commands.hpp"

namespace accrue::command {

std::string_view kind(const any& c) noexcept {
  constexpr std::string_view names[] = {"put_customer",
                                        "grant_credit",
                                        "consume",
                                        "create_charge",
                                        "advance_charge",
                                        "invoice_pending",
                                        "approve_invoice",
                                        "advance_invoice",
                                        "retry_invoice",
                                        "authorize_payment",
                                        "settle_payment",
                                        "pay_invoice",
                                        "open_credit",
                                        "open_advance",
                                        "run_due",
                                        "create_credit_unit",
                                        "put_billing_profile",
                                        "get_customer",
                                        "get_balance",
                                        "get_charge",
                                        "get_invoice",
                                        "list_invoices",
                                        "get_accounts",
                                        "put_catalog",
                                        "get_catalog",
                                        "get_quote",
                                        "authorize_grant",
                                        "settle_grant",
                                        "void_grant",
                                        "correct_charge",
                                        "recognize",
                                        "reserve",
                                        "settle_reservation",
                                        "release_reservation",
                                        "extend_reservation",
                                        "get_grant",
                                        "list_grants",
                                        "get_reservation",
                                        "list_transactions",
                                        "open_balances",
                                        "refund_grant",
                                        "write_off_grant",
                                        "write_off_invoice"};
  static_assert(std::size(names) == std::variant_size_v<any>);
  return names[c.index()];
}

std::string_view given_id(const any& c) noexcept {
  return std::visit(
      [](const auto& v) -> std::string_view {
        if constexpr (requires { v.id; })
          return v.id;
        else
          return {};
      },
      c);
}

bool is_query(const any& c) noexcept {
  return std::visit(
      [](const auto& v) {
        using T = std::remove_cvref_t<decltype(v)>;
        return std::is_same_v<T, get_customer> || std::is_same_v<T, get_balance> ||
               std::is_same_v<T, get_charge> || std::is_same_v<T, get_invoice> ||
               std::is_same_v<T, list_invoices> || std::is_same_v<T, get_accounts> ||
               std::is_same_v<T, get_catalog> || std::is_same_v<T, get_quote> ||
               std::is_same_v<T, get_grant> || std::is_same_v<T, list_grants> ||
               std::is_same_v<T, get_reservation> || std::is_same_v<T, list_transactions>;
      },
      c);
}

bool is_for_namespace(const any& c) noexcept {
  return std::holds_alternative<create_credit_unit>(c) ||
         std::holds_alternative<put_billing_profile>(c) || std::holds_alternative<put_catalog>(c) ||
         std::holds_alternative<get_catalog>(c);
}

bool is_for_either(const any& c) noexcept { return std::holds_alternative<get_quote>(c); }

} // namespace accrue::command
