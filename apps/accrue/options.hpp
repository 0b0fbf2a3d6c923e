// Command line options with the domain's own types: a text that does not parse is a usage error,
// told before anything is sent.
#pragma once

#include "apps/accrue/text.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <utility>

namespace accrue::cli {

/// `parse` gives a result<...> that `into` takes.
template <class T, class Parse>
CLI::Option* add_parsed(
    CLI::App& app, const std::string& name, T& into, const Parse& parse, const std::string& help) {
  return app.add_option_function<std::string>(
      name,
      [name, &into, parse](const std::string& text) {
        auto value = parse(text);
        if (!value)
          throw CLI::ValidationError(name, "'" + text + "': " + value.error().text);
        into = std::move(*value);
      },
      help);
}

template <class T>
CLI::Option* add_amount(CLI::App& app, const std::string& name, T& into, const std::string& help) {
  return add_parsed(
             app, name, into, [](const std::string& s) { return decimal::parse(s); }, help)
      ->type_name("DECIMAL");
}

template <class T>
CLI::Option* add_date(CLI::App& app, const std::string& name, T& into, const std::string& help) {
  return add_parsed(
             app, name, into, [](const std::string& s) { return parse_date(s); }, help)
      ->type_name("DATE");
}

} // namespace accrue::cli
