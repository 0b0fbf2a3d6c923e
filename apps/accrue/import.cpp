// `accrue import credits FILE`: the opening balances of a migration (D68), a customer a line. Each customer's are
// opened whole or not at all; a repeated import opens what is missing.
#include "apps/accrue/json_reader.hpp"
#include "apps/accrue/program.hpp"
#include "apps/accrue/text.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>
#include <memory>

namespace accrue::cli {

namespace {

/// So many customers at once; after each of them the count is shown.
constexpr std::size_t customers_at_once = 500;

/// What a line of the file brings.
struct opening {
  std::size_t line = 0;
  std::string customer;
  command::open_balances what;
};

template <class Opening>
Opening read_balance(const json_reader& from) {
  Opening o;
  o.id = from.text("id");
  o.amount = from.number("amount");
  o.currency = from.text("currency");
  for (const auto& key : from.list("features"))
    o.features.push_back(key.as_text());
  const auto date = [&](std::string_view name) -> std::optional<instant> {
    if (!from.has(name))
      return std::nullopt;
    const auto at = from.at(name);
    return at.accept(parse_date(at.as_text()));
  };
  o.at = date("at");
  if constexpr (requires { o.expires_at; }) {
    from.only({"id", "amount", "currency", "features", "at", "expires_at"});
    o.expires_at = date("expires_at");
  } else {
    from.only({"id", "amount", "currency", "features", "at"});
  }
  return o;
}

result<opening> read_line(const std::string& text, const std::string& place) {
  const auto document = parse_json(text, place);
  if (!document)
    return tl::unexpected(document.error());
  try {
    const json_reader line(*document, "");
    line.only({"customer", "id", "credits", "advances"});
    opening o;
    o.customer = line.text("customer");
    o.what.id = line.text_or("id", "opening");
    for (const auto& each : line.list("credits"))
      o.what.credits.push_back(read_balance<command::open_credit>(each));
    for (const auto& each : line.list("advances"))
      o.what.advances.push_back(read_balance<command::open_advance>(each));
    return o;
  } catch (const misplaced& wrong) {
    auto no = wrong.as_refusal();
    no.text = place + ": " + no.text;
    return tl::unexpected(std::move(no));
  }
}

/// All lines that hold something; a file with a bad line is not begun.
result<std::vector<opening>> read_file(const std::string& file) {
  std::ifstream in(file);
  if (!in)
    return refuse(errc::validation, file + ": cannot be read");
  std::vector<opening> all;
  std::string text;
  for (std::size_t number = 1; std::getline(in, text); ++number) {
    if (text.find_first_not_of(" \t\r") == std::string::npos)
      continue;
    auto read = read_line(text, file + ":" + std::to_string(number));
    if (!read)
      return tl::unexpected(read.error());
    read->line = number;
    all.push_back(std::move(*read));
  }
  return all;
}

/// Customers that are there stay as they are.
wire::call creation(const opening& o) {
  wire::call c;
  c.customer = o.customer;
  c.key = "import:" + o.what.id;
  c.body = command::any(command::put_customer{});
  return c;
}

wire::call opening_call(const opening& o) {
  wire::call c;
  c.customer = o.customer;
  c.body = command::any(o.what);
  return c;
}

int import_credits(const program& p, const std::string& file) {
  const auto all = read_file(file);
  if (!all) {
    std::fprintf(stderr, "accrue: %s\n", all.error().text.c_str());
    return exit_usage;
  }
  auto server = client::connection::open(p.server);
  if (!server)
    return report(p, server.error());
  std::size_t opened = 0;
  std::size_t refused = 0;
  for (std::size_t from = 0; from < all->size(); from += customers_at_once) {
    const auto to = std::min(from + customers_at_once, all->size());
    std::vector<wire::call> calls;
    for (auto n = from; n < to; ++n) {
      calls.push_back(creation((*all)[n]));
      calls.push_back(opening_call((*all)[n]));
    }
    const auto seen = [&](std::size_t index, client::answer_body& answer) {
      const auto* no = std::get_if<wire::refused>(&answer);
      if (index % 2 == 0 && no == nullptr)
        return;
      if (index % 2 == 1)
        ++(no == nullptr ? opened : refused);
      const auto& o = (*all)[from + index / 2];
      if (no != nullptr)
        std::fprintf(stderr,
                     "accrue: %s:%zu: %s: %s\n",
                     file.c_str(),
                     o.line,
                     o.customer.c_str(),
                     to_text(*no).c_str());
    };
    if (const auto done = server->ask_all(calls, seen); !done)
      return report(p, done.error());
    std::fprintf(stderr, "\r%zu of %zu customers", to, all->size());
  }
  std::fprintf(stderr, "\n");
  std::printf("%zu customers opened, %zu refused\n", opened, refused);
  return refused == 0 ? exit_done : exit_refused;
}

} // namespace

void add_import(CLI::App& app, program& p) {
  auto* import = app.add_subcommand("import", "Brings customers from an earlier system")
                     ->require_subcommand(1);
  auto* credits = import->add_subcommand(
      "credits", "Opens balances: a file with a JSON object a line, see docs/cli.md");
  auto file = std::make_shared<std::string>();
  credits->add_option("FILE", *file, "File of opening balances")->required();
  credits->callback([&p, file] { p.action = [&p, file] { return import_credits(p, *file); }; });
}

} // namespace accrue::cli
