// What clients ask for: random commands and queries, good and bad ones. Whether and when they are sent is in
// history.cpp.
#pragma once

#include "domain/commands.hpp"
#include "tests/histories/chronicle.hpp"

#include <map>
#include <string>
#include <vector>

namespace accrue::histories {

class script {
public:
  explicit script(dice& chance) : chance_(chance) {}

  /// A command for the customer; `n` makes its id unique.
  command::any command_at(const std::string& customer, instant now, std::size_t n);
  command::any query(const std::string& customer, instant now);
  /// One that is refused by what stands in it alone.
  command::any bad_command(const std::string& customer, instant now, std::size_t n);
  /// The same kind and id with other content.
  command::any other_content(command::any c);
  command::put_customer customer();

private:
  /// What a customer's commands were about, whether they were accepted or not.
  struct named {
    std::string id;
    std::string currency; ///< of payments, where it is a grant
    decimal amount = {};
  };
  struct known {
    std::vector<std::string> fees;
    std::vector<named> grants, spends, holds;
    std::vector<named> to_settle, to_release; ///< reservations, each once: it is one key (D6)
  };

  decimal amount(const std::string& currency, std::uint64_t below);
  command::grant_credit grant(known& k, instant now, const std::string& id);
  void price(command::grant_credit& g);
  command::create_charge fee(known& k, instant now, const std::string& id);
  command::any opening(known& k, instant now, const std::string& id);
  command::any consume(known& k, const std::string& id);
  command::any for_invoice();
  // script_credit.cpp
  command::any for_grant(known& k);
  command::any correction(known& k);
  command::any recognition(instant now);
  command::reserve reservation(known& k, const std::string& id);
  command::any for_reservation(known& k, const std::string& id);
  command::any bad_credit(known& k, instant now, const std::string& id);
  command::any credit_query(known& k, instant now);
  std::int64_t ttl();

  std::string currency();
  std::string feature();
  std::string invoice();

  dice& chance_;
  std::map<std::string, known> known_; ///< by customer
};

} // namespace accrue::histories
