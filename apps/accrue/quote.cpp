// `accrue quote`: the invoice that a plan would make for a usage; asked of the server, or computed from a
// catalog file without one. Both are the same function.
#include "apps/accrue/quote.hpp"

#include "apps/accrue/catalog_json.hpp"
#include "apps/accrue/options.hpp"
#include "domain/decisions.hpp"

#include <chrono>
#include <cstdio>
#include <memory>

namespace accrue::cli {

namespace {

struct quote_arguments {
  command::get_quote what;
  std::vector<std::string> usage; ///< KEY=DECIMAL
  std::optional<instant> from;
  std::optional<instant> to;
  std::optional<instant> full_from;
  std::optional<instant> full_to;
  std::string customer;
  std::string file; ///< of a catalog; empty: the server's
  std::string tax;  ///< NAME=DECIMAL
  std::optional<decimal> credit;
};

/// "name=0.1"
result<std::pair<std::string, decimal>> parse_pair(const std::string& text) {
  const auto at = text.rfind('=');
  if (at == std::string::npos || at == 0)
    return refuse(errc::validation, "'" + text + "': write NAME=DECIMAL.");
  return decimal::parse(std::string_view(text).substr(at + 1)).map([&](const decimal& value) {
    return std::pair(text.substr(0, at), value);
  });
}

/// The calendar month that it is now, UTC.
period this_month() {
  using namespace std::chrono;
  const year_month_day today(floor<days>(system_clock::now()));
  const auto first = today.year() / today.month() / 1;
  const auto at = [](sys_days d) { return instant{nanoseconds(d.time_since_epoch()).count()}; };
  return {at(sys_days(first)), at(sys_days(first + months(1)))};
}

result<command::get_quote> question(const quote_arguments& a) {
  auto q = a.what;
  for (const auto& text : a.usage) {
    auto pair = parse_pair(text);
    if (!pair)
      return tl::unexpected(pair.error());
    q.usage[pair->first] = pair->second;
  }
  q.service_period = this_month();
  if (a.from) {
    auto service = make_period(*a.from, *a.to);
    if (!service)
      return tl::unexpected(service.error());
    q.service_period = *service;
  }
  if (a.full_from) {
    auto full = make_period(*a.full_from, *a.full_to);
    if (!full)
      return tl::unexpected(full.error());
    q.full_service_period = *full;
  }
  return q;
}

/// Who pays, as told on the command line.
result<product::payer> payer_of(const quote_arguments& a, currency c) {
  product::payer p;
  if (!a.tax.empty()) {
    auto rate = parse_pair(a.tax).and_then(
        [](auto pair) { return rating::tax_rate::make(std::move(pair.first), pair.second); });
    if (!rate)
      return tl::unexpected(rate.error());
    p.tax = std::move(*rate);
  }
  if (a.credit) {
    const auto credit = exact_money(*a.credit, c);
    if (!credit || credit->minor < 0)
      return credit ? refuse(errc::validation, "Credit cannot be negative.")
                    : tl::unexpected(credit.error());
    p.credit = product::any_credit(credit->minor);
  }
  return p;
}

result<reply::quote_view> quote_from_file(const quote_arguments& a, const command::get_quote& q) {
  const auto all = read_catalog(a.file);
  if (!all)
    return tl::unexpected(all.error());
  const auto selection = selection_of(*all, q);
  if (!selection)
    return tl::unexpected(selection.error());
  const auto payer = payer_of(a, selection->plan.get().currency);
  if (!payer)
    return tl::unexpected(payer.error());
  return quote_of(*selection, q, *payer);
}

int refused(const refusal& no) {
  const auto about = no.subject.empty() || no.text.find(no.subject) != std::string::npos
                         ? std::string()
                         : no.subject + ": ";
  std::fprintf(stderr, "accrue: %s%s\n", about.c_str(), no.text.c_str());
  return exit_usage;
}

int show_quote(const program& p, const quote_arguments& a) {
  const auto q = question(a);
  if (!q)
    return refused(q.error());
  if (a.file.empty())
    return run(p, a.customer, *q);
  const auto quote = quote_from_file(a, *q);
  if (!quote)
    return refused(quote.error());
  show(p, client::answer_body(reply::receipt{{}, *quote, {}}), {});
  return exit_done;
}

void add_period(CLI::App& quote, quote_arguments& a) {
  auto* from = add_date(quote, "--from", a.from, "First day; without days, this month");
  auto* to = add_date(quote, "--to", a.to, "Day after the last")->needs(from);
  from->needs(to);
  auto* full_from =
      add_date(quote, "--full-from", a.full_from, "Of a shortened period: the full")->needs(from);
  auto* full_to =
      add_date(quote, "--full-to", a.full_to, "one, for which fees are meant")->needs(full_from);
  full_from->needs(full_to);
}

} // namespace

void add_quote(CLI::App& app, program& p) {
  auto* quote = app.add_subcommand("quote", "The invoice that a plan would make for a usage");
  auto a = std::make_shared<quote_arguments>();
  quote->add_option("PLAN", a->what.plan, "Key of the plan")->required();
  quote
      ->add_option("--plan-version",
                   a->what.version,
                   "Default: the one that is effective when the period begins, else the latest")
      ->check(CLI::PositiveNumber);
  quote->add_option("--phase", a->what.phase, "Key of the phase; default the first")
      ->type_name("KEY");
  quote->add_option("--add-on", a->what.add_ons, "Key of an add-on; once for each")
      ->type_name("KEY")
      ->expected(1)
      ->take_all();
  quote->add_option("--usage", a->usage, "Quantity by rate card; once for each")
      ->type_name("KEY=DECIMAL")
      ->expected(1)
      ->take_all();
  add_period(*quote, *a);
  auto* customer =
      quote->add_option("--customer", a->customer, "With the tax and the credit of a customer")
          ->type_name("REFERENCE");
  auto* file = quote->add_option("--catalog", a->file, "A catalog file; no server is asked")
                   ->type_name("FILE");
  file->excludes(customer);
  quote->add_option("--tax", a->tax, "With a file: tax; 0.1 is 10 %")
      ->type_name("NAME=DECIMAL")
      ->needs(file);
  add_parsed(
      *quote,
      "--credit",
      a->credit,
      [](const std::string& s) {
        return decimal::parse(s).map([](const decimal& d) { return std::optional(d); });
      },
      "With a file: credit that could be spent on it")
      ->type_name("DECIMAL")
      ->needs(file);
  quote->callback([a, &p] { p.action = [a, &p] { return show_quote(p, *a); }; });
}

} // namespace accrue::cli
