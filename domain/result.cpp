// Names of the refusal codes, and the throw behind ENSURE.
// The order of the codes and their meaning stand in the header, their texts at each place of use.
#include "domain/result.hpp"

#include <exception>

namespace accrue {

std::string_view to_string(errc code) noexcept {
  switch (code) {
  case errc::validation:
    return "validation";
  case errc::overflow:
    return "overflow";
  case errc::unauthenticated:
    return "unauthenticated";
  case errc::forbidden:
    return "forbidden";
  case errc::not_owner:
    return "not_owner";
  case errc::overloaded:
    return "overloaded";
  case errc::storage_unavailable:
    return "storage_unavailable";
  case errc::deadline_exceeded:
    return "deadline_exceeded";
  case errc::quarantined:
    return "quarantined";
  case errc::unsupported_operation:
    return "unsupported_operation";
  case errc::not_found:
    return "not_found";
  case errc::idempotency_conflict:
    return "idempotency_conflict";
  case errc::conflict:
    return "conflict";
  case errc::illegal_transition:
    return "illegal_transition";
  case errc::insufficient_funds:
    return "insufficient_funds";
  case errc::over_authorization:
    return "over_authorization";
  case errc::over_settlement:
    return "over_settlement";
  case errc::not_externally_funded:
    return "not_externally_funded";
  case errc::period_closing:
    return "period_closing";
  case errc::period_closed:
    return "period_closed";
  case errc::period_invoiced:
    return "period_invoiced";
  case errc::period_adjusted:
    return "period_adjusted";
  case errc::period_not_ended:
    return "period_not_ended";
  case errc::invalid_period:
    return "invalid_period";
  case errc::invalid_range:
    return "invalid_range";
  case errc::invoice_paid:
    return "invoice_paid";
  case errc::invoice_create_no_lines:
    return "invoice_create_no_lines";
  case errc::invoice_lines_not_billable:
    return "invoice_lines_not_billable";
  case errc::invoice_action_not_available:
    return "invoice_action_not_available";
  case errc::invoice_cannot_advance:
    return "invoice_cannot_advance";
  case errc::internal:
    return "internal";
  }
  return "internal"; // a number that is no code can only be a defect of ours
}

std::string what_broke() {
  try {
    throw;
  } catch (const defect& d) {
    return d.what;
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of an unknown kind";
  }
}

void broken(const char* condition, const char* file, int line) {
  throw defect{std::string(file) + ":" + std::to_string(line) + ": broken invariant: " + condition};
}

} // namespace accrue
