// What the units of a step changed, as lines for people: state transitions and postings.
#pragma once

#include "domain/customer.hpp"
#include "persistence/memory_store.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace accrue::cli {

/// Follows the journals of all customers of one scenario.
class scenario_trace {
public:
  /// Lines about every unit that became durable since the last call. errc: internal for a journal
  /// that cannot be read.
  [[nodiscard]] result<std::vector<std::string>> follow(const memory_database& database);

private:
  struct seen {
    std::uint64_t last = 0;
    std::map<std::string, std::string> states; ///< of charges and invoices
    std::vector<ledger::sub_account> accounts;
    std::map<std::uint32_t, std::string> grants;
  };
  void tell(seen& s, const std::string& customer, const entry& e, std::vector<std::string>& out);

  std::map<customer_key, seen> customers_;
};

} // namespace accrue::cli
