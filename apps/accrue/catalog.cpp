// `accrue catalog`: checks a catalog file, takes it to the server, brings the server's back as a file.
// How a file is read and written is in catalog_json.hpp.
#include "apps/accrue/catalog_json.hpp"
#include "apps/accrue/quote.hpp"
#include "apps/accrue/text.hpp"
#include "domain/decisions.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>
#include <memory>

namespace accrue::cli {

namespace {

int refused(const refusal& no) {
  std::fprintf(stderr, "accrue: %s\n", no.text.c_str());
  return exit_usage;
}

int check_file(const program& p, const std::string& file) {
  const auto all = read_catalog(file);
  if (!all)
    return refused(all.error());
  if (p.json)
    show(to_json(*all));
  else
    std::printf("%s: all holds\n", count_text(counts_of(*all)).c_str());
  return exit_done;
}

int import_file(const program& p, const std::string& file) {
  auto all = read_catalog(file);
  if (!all)
    return refused(all.error());
  return run(p, {}, command::put_catalog{std::move(*all)});
}

/// The server's catalog.
client::outcome<product::catalog> fetch(const program& p) {
  auto server = client::connection::open(p.server);
  if (!server)
    return tl::unexpected(server.error());
  wire::call ask;
  ask.body = command::any(command::get_catalog{});
  auto answer = server->ask(ask);
  if (!answer)
    return tl::unexpected(answer.error());
  auto* receipt = std::get_if<reply::receipt>(&*answer);
  auto* view = receipt == nullptr ? nullptr : std::get_if<reply::catalog_view>(&receipt->body);
  if (view == nullptr)
    return tl::unexpected(client::server_failure(
        {errc::internal, "get_catalog", "The server answered something else."}));
  return std::move(view->catalog);
}

int export_file(const program& p, const std::string& file) {
  const auto all = fetch(p);
  if (!all)
    return report(p, all.error());
  const auto document = to_json(*all);
  if (file.empty()) {
    show(document);
    return exit_done;
  }
  std::ofstream out(file, std::ios::binary);
  out << document.dump(2) << "\n";
  if (out.flush())
    return exit_done;
  std::fprintf(stderr, "accrue: %s: cannot be written\n", file.c_str());
  return exit_usage;
}

} // namespace

void add_catalog(CLI::App& app, program& p) {
  auto* catalog =
      app.add_subcommand("catalog", "What is sold: check, import, export")->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, auto action) {
    auto* sub = catalog->add_subcommand(name, help);
    auto file = std::make_shared<std::string>();
    auto* option = sub->add_option("FILE", *file, "Catalog file");
    sub->callback(
        [file, &p, action] { p.action = [file, &p, action] { return action(p, *file); }; });
    return option;
  };
  add("check", "Checks a catalog file without a server; with --json prints it in full", check_file)
      ->required();
  add("import", "Puts a catalog file in the place of the namespace's catalog", import_file)
      ->required();
  add("export", "Writes the namespace's catalog to a file; default stdout", export_file);
}

} // namespace accrue::cli
