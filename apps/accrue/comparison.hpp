// What the engine says of its customers against what the journal leads to, at equal sequences.
// The journal itself is proved by persistence/verify.hpp.
#pragma once

#include "apps/accrue/client.hpp"
#include "domain/customer.hpp"
#include "persistence/rows.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace accrue::cli {

/// Customers as their units lead to them: what the engine will be compared with.
class replayed_customers {
public:
  /// For verify_options::on_customer.
  void keep(const customer& c, instant now);

  struct state {
    customer_id number;
    sequence last;
    std::vector<reply::account_view> accounts;
    std::vector<reply::balance> balances;
  };
  /// Of that number, as references are unique in their namespace only; null where there is none.
  [[nodiscard]] const state* find(const std::string& reference, customer_id number) const noexcept;

private:
  std::multimap<std::string, state> by_reference_;
};

struct difference {
  std::string customer;
  std::string text;
};

struct comparison {
  std::uint64_t customers = 0; ///< asked about
  std::uint64_t agree = 0;     ///< at the same sequence, in everything
  std::uint64_t moved = 0;     ///< had new units meanwhile: nothing can be said
  std::uint64_t unproved = 0;  ///< their units do not prove, which the journal's findings tell
  std::uint64_t found = 0;
  std::vector<difference> differences; ///< the first of them
};

/// Asks about each of these customers. `journal_clean`: a customer that the journal does not know is a
/// difference then.
[[nodiscard]] client::outcome<comparison> compare(client::connection& engine,
                                                  const wire::customers& customers,
                                                  const replayed_customers& replayed,
                                                  bool journal_clean,
                                                  std::size_t differences_max);

} // namespace accrue::cli
