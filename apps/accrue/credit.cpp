// Subcommands about a customer's credit: grant, consume, open, balance.
// Where it all stands account by account is in ledger.cpp.
#include "apps/accrue/options.hpp"
#include "apps/accrue/program.hpp"

#include <memory>

namespace accrue::cli {

namespace {

/// A command with id, amount and currency, and whose it is.
template <class Command>
struct credit_arguments {
  std::string customer;
  Command what;
};

/// CUSTOMER AMOUNT CURRENCY --id ID; sends it when the subcommand is given.
template <class Command>
std::shared_ptr<credit_arguments<Command>> add_amount_command(CLI::App& sub, program& p) {
  auto a = std::make_shared<credit_arguments<Command>>();
  sub.add_option("customer", a->customer, "Reference of the customer")->required();
  add_amount(sub, "amount", a->what.amount, "How much, e.g. 12.34")->required();
  sub.add_option("currency", a->what.currency, "Currency or credit unit, e.g. USD")->required();
  sub.add_option("--id", a->what.id, "Unique per customer and kind; a new one where not given");
  sub.callback([&p, a] {
    p.action = [&p, a] {
      std::string generated;
      if (a->what.id.empty())
        a->what.id = generated = new_id();
      return run(p, a->customer, a->what, generated);
    };
  });
  return a;
}

template <class Command>
void add_features(CLI::App& sub, Command& into) {
  sub.add_option("--feature", into.features, "Only for this feature; may be repeated")
      ->type_name("KEY")
      ->expected(1)
      ->take_all();
}

template <class Command>
void add_opening(CLI::App& open, program& p, const std::string& name, const std::string& help) {
  auto* sub = open.add_subcommand(name, help);
  auto a = add_amount_command<Command>(*sub, p);
  add_features(*sub, a->what);
  add_date(*sub, "--at", a->what.at, "When it counts; default now");
  if constexpr (requires { a->what.expires_at; })
    add_date(*sub, "--expires-at", a->what.expires_at, "When what is left of it ends");
}

void add_balance(CLI::App& app, program& p) {
  struct arguments {
    std::string customer;
    command::get_balance what;
    bool unrestricted = false;
  };
  auto* sub = app.add_subcommand("balance", "Shows the balances of a customer");
  auto a = std::make_shared<arguments>();
  sub->add_option("customer", a->customer, "Reference of the customer")->required();
  sub->add_option_function<std::string>(
         "--currency",
         [a](const std::string& code) { a->what.currency = code; },
         "Only this currency")
      ->type_name("CODE");
  auto* feature = sub->add_option("--feature",
                                  a->what.filter.feature,
                                  "What this feature may use, unrestricted credit included")
                      ->type_name("KEY");
  sub->add_flag("--unrestricted", a->unrestricted, "Unrestricted credit only")->excludes(feature);
  add_date(*sub, "--as-of", a->what.as_of, "What was settled and pending at that time");
  sub->callback([&p, a] {
    auto& filter = a->what.filter;
    if (a->unrestricted)
      filter.view = command::feature_view::unrestricted;
    else if (!filter.feature.empty())
      filter.view = command::feature_view::feature;
    p.action = [&p, a] { return run(p, a->customer, a->what); };
  });
}

} // namespace

void add_credit(CLI::App& app, program& p) {
  auto* grant =
      app.add_subcommand("grant", "Grants credit, promotional or paid outside of invoices");
  auto g = add_amount_command<command::grant_credit>(*grant, p);
  grant->add_option("--priority", g->what.priority, "1 to 1000, lower is consumed first")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  add_features(*grant, g->what);
  add_date(*grant, "--effective-at", g->what.effective_at, "When it counts; default now");
  add_date(
      *grant, "--expires-at", g->what.expires_at, "When what is left of it ends; default never");
  auto* external = grant->add_flag_callback(
      "--external",
      [g] { g->what.funding = command::grant_funding::external; },
      "It is paid outside of invoices: grants authorize, grants settle");
  add_amount(*grant,
             "--cost-basis",
             g->what.cost_basis,
             "What one unit of external credit costs; default 1")
      ->needs(external);
  grant
      ->add_option_function<std::string>(
          "--fiat",
          [g](const std::string& code) { g->what.fiat_currency = code; },
          "What credit in a unit is paid in; default the customer's currency")
      ->type_name("CODE")
      ->needs(external);

  auto* consume = app.add_subcommand("consume", "Takes credit now");
  auto c = add_amount_command<command::consume>(*consume, p);
  consume->add_option("--feature", c->what.feature, "What it is used for")->type_name("KEY");

  auto* open = app.add_subcommand("open", "Opening balances of a migration")->require_subcommand(1);
  add_opening<command::open_credit>(*open, p, "credit", "Books credit the customer brings along");
  add_opening<command::open_advance>(*open, p, "advance", "Books what the customer already owes");

  add_balance(app, p);
}

} // namespace accrue::cli
