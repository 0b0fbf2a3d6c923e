// What clients ask for: random commands and queries, good and bad ones. Whether and when they are sent is in
// history.cpp.
#pragma once

#include "domain/commands.hpp"
#include "tests/histories/chronicle.hpp"

#include <string>
#include <vector>

namespace accrue::histories {

class script {
public:
  explicit script(dice& chance) : chance_(chance) {}

  /// A command; `n` makes its id unique.
  command::any command_at(instant now, std::size_t n);
  command::any query();
  /// One that is refused by what stands in it alone.
  command::any bad_command(instant now, std::size_t n);
  /// The same kind and id with other content.
  command::any other_content(command::any c);
  command::put_customer customer();

private:
  decimal amount(const std::string& currency, std::uint64_t below);
  command::grant_credit grant(instant now, const std::string& id);
  command::create_charge fee(instant now, const std::string& id);
  command::any for_invoice();
  std::string currency();
  std::string feature();
  std::string invoice();

  dice& chance_;
  std::vector<std::string> fees_;
};

} // namespace accrue::histories
