// `accrue quote`: the invoice that a plan of a catalog file would make for a usage; `accrue catalog`:
// checks such a file. Both work without a server.
#include "apps/accrue/quote.hpp"

#include "apps/accrue/catalog_json.hpp"
#include "apps/accrue/options.hpp"
#include "apps/accrue/table.hpp"
#include "domain/catalog/quote.hpp"
#include "domain/rating/texts.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <memory>

namespace accrue::cli {

namespace {

using nlohmann::json;

struct quote_arguments {
  std::string file;
  std::string plan;
  std::uint32_t version = 0; ///< 0: the latest
  std::size_t phase = 1;
  std::vector<std::string> add_ons;
  std::vector<std::string> usage;
  instant from{};
  instant to{30LL * 86'400 * ns_per_second};
  instant full_from{};
  instant full_to{};
  std::string tax;
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

result<product::circumstances> circumstances_of(const quote_arguments& a) {
  product::circumstances c;
  auto service = make_period(a.from, a.to);
  if (!service)
    return tl::unexpected(service.error());
  c.service = c.full = *service;
  if (a.full_from != instant{} || a.full_to != instant{}) {
    auto full = make_period(a.full_from, a.full_to);
    if (!full)
      return tl::unexpected(full.error());
    c.full = *full;
  }
  for (const auto& text : a.usage) {
    auto pair = parse_pair(text);
    if (!pair)
      return tl::unexpected(pair.error());
    c.usage[pair->first] = pair->second;
  }
  return c;
}

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
    p.credit = credit->minor;
  }
  return p;
}

result<product::selection> selection_of(const product::catalog& all, const quote_arguments& a) {
  const auto* plan = a.version == 0 ? all.latest_plan(a.plan) : all.find_plan(a.plan, a.version);
  if (plan == nullptr)
    return refuse(errc::not_found, "There is no such plan, or not in this version.", a.plan);
  product::selection s{*plan, a.phase - 1, {}};
  for (const auto& key : a.add_ons) {
    const auto* add_on = all.find_add_on(key);
    if (add_on == nullptr)
      return refuse(errc::not_found, "There is no such add-on.", key);
    s.add_ons.emplace_back(*add_on);
  }
  return s;
}

json json_of(const product::quote& q, currency c) {
  const auto text = [&](int128 amount) { return to_string(money{amount, c}); };
  json lines = json::array();
  for (const auto& l : q.lines) {
    json detailed = json::array();
    for (const auto& d : l.rated.lines)
      detailed.push_back({{"name", rating::name_of(d, product::name_of(l))},
                          {"child_ref", rating::child_reference(d)},
                          {"quantity", d.quantity.to_string()},
                          {"per_unit_amount", d.per_unit.to_string()},
                          {"discounts", text(d.discounts())},
                          {"total", text(d.total())}});
    lines.push_back({{"kind", to_string(l.kind)},
                     {"name", product::name_of(l)},
                     {"amount", text(l.rated.totals.total())},
                     {"detailed", std::move(detailed)}});
  }
  if (q.tax)
    lines.push_back(
        {{"kind", "tax"}, {"name", q.tax->rate.name()}, {"amount", text(q.tax->amount)}});
  json out{{"currency", iso_code(c)},
           {"lines", std::move(lines)},
           {"subtotal", text(q.subtotal.total())},
           {"tax", text(q.tax ? q.tax->amount : 0)},
           {"total", text(q.total())}};
  if (q.after_credits)
    out["after_credits"] = {{"credits", text(q.after_credits->credits)},
                            {"tax", text(q.after_credits->tax)},
                            {"total", text(q.after_credits->total)}};
  return out;
}

std::string text_of(const product::quote& q, currency c) {
  const auto text = [&](int128 amount) { return to_string(money{amount, c}); };
  table t(
      {{"line"}, {"quantity", align::right}, {"price", align::right}, {"amount", align::right}});
  for (const auto& l : q.lines)
    for (const auto& d : l.rated.lines)
      t.row({rating::name_of(d, product::name_of(l)),
             d.quantity.to_string(),
             d.per_unit.to_string(),
             text(d.total())});
  if (q.tax)
    t.row({q.tax->rate.name(), "", q.tax->rate.fraction().to_string(), text(q.tax->amount)});
  t.rule();
  t.row({"Total " + std::string(iso_code(c)), "", "", text(q.total())});
  auto out = t.to_string();
  if (q.after_credits)
    out += "\n" + to_lines({{"Credit", text(q.after_credits->credits)},
                            {"Tax", text(q.after_credits->tax)},
                            {"To pay", text(q.after_credits->total)}});
  return out;
}

int refused(const refusal& no) {
  const auto about = no.subject.empty() || no.text.find(no.subject) != std::string::npos
                         ? std::string()
                         : no.subject + ": ";
  std::fprintf(stderr, "accrue: %s%s\n", about.c_str(), no.text.c_str());
  return exit_usage;
}

int show_quote(const program& p, const quote_arguments& a) {
  const auto all = read_catalog(a.file);
  if (!all)
    return refused(all.error());
  const auto selection = selection_of(*all, a);
  if (!selection)
    return refused(selection.error());
  const auto currency = selection->plan.get().currency;
  const auto circumstances = circumstances_of(a);
  if (!circumstances)
    return refused(circumstances.error());
  const auto payer = payer_of(a, currency);
  if (!payer)
    return refused(payer.error());
  const auto quote = product::quote_for(*selection, *circumstances, *payer);
  if (!quote)
    return refused(quote.error());
  if (p.json)
    show(json_of(*quote, currency));
  else
    std::fputs(text_of(*quote, currency).c_str(), stdout);
  return exit_done;
}

int show_catalog(const program& p, const std::string& file) {
  const auto all = read_catalog(file);
  if (!all)
    return refused(all.error());
  if (p.json) {
    show(to_json(*all));
    return exit_done;
  }
  const auto& l = all->all();
  std::printf("%zu meters, %zu features, %zu add-ons, %zu plans: all holds\n",
              l.meters.size(),
              l.features.size(),
              l.add_ons.size(),
              l.plans.size());
  return exit_done;
}

} // namespace

void add_quote(CLI::App& app, program& p) {
  auto* quote = app.add_subcommand(
      "quote", "The invoice that a plan would make for a usage, without a server");
  auto a = std::make_shared<quote_arguments>();
  quote->add_option("FILE", a->file, "Catalog file")->required();
  quote->add_option("PLAN", a->plan, "Key of the plan")->required();
  quote->add_option("--plan-version", a->version, "Version of the plan; default the latest")
      ->check(CLI::PositiveNumber);
  quote->add_option("--phase", a->phase, "Number of the phase")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  quote->add_option("--add-on", a->add_ons, "Key of an add-on; once for each")->type_name("KEY");
  quote->add_option("--usage", a->usage, "Quantity by rate card; once for each")
      ->type_name("KEY=DECIMAL");
  auto* from = add_date(*quote, "--from", a->from, "First day; without days a whole period");
  auto* to = add_date(*quote, "--to", a->to, "Day after the last")->needs(from);
  from->needs(to);
  auto* full_from =
      add_date(*quote, "--full-from", a->full_from, "Of a shortened period: the full")->needs(from);
  auto* full_to =
      add_date(*quote, "--full-to", a->full_to, "one, for which fees are meant")->needs(full_from);
  full_from->needs(full_to);
  quote->add_option("--tax", a->tax, "Tax of the customer; 0.1 is 10 %")->type_name("NAME=DECIMAL");
  add_parsed(
      *quote,
      "--credit",
      a->credit,
      [](const std::string& s) {
        return decimal::parse(s).map([](const decimal& d) { return std::optional(d); });
      },
      "Credit that the customer could spend on it")
      ->type_name("DECIMAL");
  quote->callback([a, &p] { p.action = [a, &p] { return show_quote(p, *a); }; });

  auto* catalog =
      app.add_subcommand("catalog", "Checks a catalog file; with --json prints it in full");
  auto file = std::make_shared<std::string>();
  catalog->add_option("FILE", *file, "Catalog file")->required();
  catalog->callback([file, &p] { p.action = [file, &p] { return show_catalog(p, *file); }; });
}

} // namespace accrue::cli
