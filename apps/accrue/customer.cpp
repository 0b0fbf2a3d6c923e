// Subcommands about whom is billed and how: customer, unit, profile.
// Their credit is in credit.cpp, their invoices in billing.cpp.
#include "apps/accrue/options.hpp"
#include "apps/accrue/program.hpp"

#include <memory>

namespace accrue::cli {

namespace {

struct customer_arguments {
  std::string id;
  command::put_customer put;
  std::vector<std::string> limits;
  bool no_limit = false;
  bool no_tax = false;
};

result<command::over_settlement> parse_over_settlement(std::string_view text) {
  using enum command::over_settlement;
  for (const auto each : {refuse, cap, advance})
    if (to_string(each) == text)
      return each;
  return accrue::refuse(errc::validation, "it is one of refuse, cap, advance.");
}

/// NAME=RATE
result<std::optional<rating::tax_rate>> parse_tax(const std::string& text) {
  const auto equals = text.rfind('=');
  if (equals == std::string::npos)
    return accrue::refuse(errc::validation, "write NAME=RATE, e.g. GST=0.1.");
  return decimal::parse(std::string_view(text).substr(equals + 1))
      .and_then(
          [&](const decimal& rate) { return rating::tax_rate::make(text.substr(0, equals), rate); })
      .map([](rating::tax_rate&& made) { return std::optional(std::move(made)); });
}

/// CUR=AMOUNT each.
std::map<std::string, decimal> parse_limits(const std::vector<std::string>& texts) {
  std::map<std::string, decimal> limits;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    const auto amount =
        equals == std::string::npos
            ? accrue::refuse(errc::validation, "write CURRENCY=AMOUNT, e.g. USD=100.")
            : decimal::parse(std::string_view(text).substr(equals + 1));
    if (!amount)
      throw CLI::ValidationError("--advance-limit", "'" + text + "': " + amount.error().text);
    limits.insert_or_assign(text.substr(0, equals), *amount);
  }
  return limits;
}

/// Options of `create` and `set`.
std::shared_ptr<customer_arguments> add_put_options(CLI::App& sub) {
  auto a = std::make_shared<customer_arguments>();
  sub.add_option("customer", a->id, "Reference of the customer")->required();
  sub.add_option_function<std::string>(
         "--currency",
         [a](const std::string& code) { a->put.currency = code; },
         "Default currency, e.g. USD")
      ->type_name("CODE");
  add_parsed(sub,
             "--over-settlement",
             a->put.over_settlement,
             parse_over_settlement,
             "When credit does not reach: refuse, cap or advance")
      ->type_name("POLICY");
  auto* limit =
      sub.add_option("--advance-limit", a->limits, "Most advance that may be open; may be repeated")
          ->type_name("CUR=AMOUNT")
          ->expected(1)
          ->take_all();
  auto* tax =
      add_parsed(sub, "--tax", a->put.tax, parse_tax, "On invoices from now on; GST=0.1 is 10 %")
          ->type_name("NAME=RATE");
  sub.add_flag("--no-tax", a->no_tax, "No tax any more")->excludes(tax);
  sub.add_flag("--no-advance-limit", a->no_limit, "Lifts all limits of advance")->excludes(limit);
  return a;
}

void take_flags(customer_arguments& a) {
  if (!a.limits.empty() || a.no_limit)
    a.put.advance_limit = parse_limits(a.limits);
  if (a.no_tax)
    a.put.tax.emplace();
}

int set_customer(const program& p, const customer_arguments& a) {
  auto server = client::connection::open(p.server);
  if (!server)
    return report(p, server.error());
  // The command would create a customer; a mistyped reference shall not.
  wire::call look;
  look.customer = a.id;
  look.body = command::any(command::get_customer{});
  if (const auto there = server->ask(look); !there)
    return report(p, there.error());
  return run(p, a.id, a.put);
}

int show_customers(const program& p) {
  auto server = client::connection::open(p.server);
  if (!server)
    return report(p, server.error());
  auto all = list_customers(*server);
  if (!all)
    return report(p, all.error());
  show(p, client::answer_body(wire::operator_reply(std::move(*all))), {});
  return exit_done;
}

void add_namespace(CLI::App& app, program& p) {
  auto* unit = app.add_subcommand("unit", "Credit units of the namespace")->require_subcommand(1);
  auto* create = unit->add_subcommand("create", "Defines a credit unit");
  auto u = std::make_shared<command::create_credit_unit>();
  create->add_option("code", u->code, "4 to 24 of A-Z 0-9 _ -")->required();
  create->add_option("exponent", u->exponent, "Digits after the point, 0 to 9")
      ->required()
      ->check(CLI::Range(0, 9));
  create->callback([&p, u] { p.action = [&p, u] { return run(p, {}, *u); }; });

  auto* profile = app.add_subcommand("profile", "Workflow of invoices")->require_subcommand(1);
  auto* set =
      profile->add_subcommand("set", "Changes what is given, for invoices made from now on");
  auto b = std::make_shared<command::put_billing_profile>();
  set->add_option_function<bool>(
         "--auto-advance",
         [b](const bool& yes) { b->auto_advance = yes; },
         "false: somebody has to approve each invoice")
      ->type_name("BOOL");
  const auto duration = [](const std::string& s) { return parse_duration(s); };
  add_parsed(*set, "--draft-period", b->draft_period_ns, duration, "Review time, e.g. P1D")
      ->type_name("DURATION");
  add_parsed(*set, "--due-after", b->due_after_ns, duration, "Time to pay, e.g. P30D")
      ->type_name("DURATION");
  set->add_option_function<std::string>(
         "--recognition",
         [b](const std::string& when) {
           using enum invoicing::recognition_policy;
           b->recognition = when == "on-collection" ? on_collection : at_period_end;
         },
         "When what credit paid for becomes earnings: of all value from now on")
      ->check(CLI::IsMember({"on-collection", "at-period-end"}));
  set->require_option(1, 0);
  set->callback([&p, b] { p.action = [&p, b] { return run(p, {}, *b); }; });
}

} // namespace

void add_customer(CLI::App& app, program& p) {
  auto* customer =
      app.add_subcommand("customer", "Customers: create, set, show, list")->require_subcommand(1);

  auto* create = customer->add_subcommand("create", "Creates a customer");
  auto made = add_put_options(*create);
  create->callback([&p, made] {
    take_flags(*made);
    p.action = [&p, made] { return run(p, made->id, made->put); };
  });

  auto* set = customer->add_subcommand("set", "Changes what is given of an existing customer");
  auto changed = add_put_options(*set);
  set->callback([&p, changed] {
    take_flags(*changed);
    p.action = [&p, changed] { return set_customer(p, *changed); };
  });

  auto* show = customer->add_subcommand("show", "Shows a customer");
  auto reference = std::make_shared<std::string>();
  show->add_option("customer", *reference, "Reference of the customer")->required();
  show->callback([&p, reference] {
    p.action = [&p, reference] { return run(p, *reference, command::get_customer{}); };
  });

  customer->add_subcommand("list", "Lists all customers with their sequences")->callback([&p] {
    p.action = [&p] { return show_customers(p); };
  });

  add_namespace(app, p);
}

} // namespace accrue::cli
