// Subcommands about grants that are there, about what usage gives back and earns, and about the past:
// grants, correct, recognize, transactions, reservation. Taking and granting credit is in credit.cpp.
#include "apps/accrue/options.hpp"
#include "apps/accrue/program.hpp"

#include <array>
#include <memory>

namespace accrue::cli {

namespace {

template <class Command>
struct arguments {
  std::string customer;
  Command what;
};

/// A subcommand for a customer; sends its command when it is given.
template <class Command>
std::pair<CLI::App*, std::shared_ptr<arguments<Command>>>
add(CLI::App& parent, program& p, const std::string& name, const std::string& help) {
  auto* sub = parent.add_subcommand(name, help);
  auto a = std::make_shared<arguments<Command>>();
  sub->add_option("customer", a->customer, "Reference of the customer")->required();
  sub->callback([&p, a] { p.action = [&p, a] { return run(p, a->customer, a->what); }; });
  return {sub, a};
}

/// One of these names, as the enum's value at its place.
template <class Enum, std::size_t Size>
void add_choice(CLI::App& sub,
                const std::string& name,
                Enum& into,
                const std::array<std::string_view, Size>& names,
                const std::string& help) {
  add_parsed(
      sub,
      name,
      into,
      [names](std::string_view text) -> result<Enum> {
        std::string all;
        for (std::size_t n = 0; n < Size; ++n) {
          if (names[n] == text)
            return static_cast<Enum>(n + 1);
          all += (n == 0 ? "" : ", ") + std::string(names[n]);
        }
        return refuse(errc::validation, "it is one of " + all + ".");
      },
      help)
      ->type_name("NAME");
}

void add_grants(CLI::App& app, program& p) {
  auto* grants = app.add_subcommand("grants", "Grants of credit: list, show, pay, void")
                     ->require_subcommand(1);
  auto [list, l] = add<command::list_grants>(*grants, p, "list", "Lists the grants of a customer");
  constexpr std::array<std::string_view, 4> states{"pending", "active", "expired", "voided"};
  add_choice(*list, "--status", l->what.status, states, "Only pending, active, expired or voided");

  auto [show, s] = add<command::get_grant>(*grants, p, "show", "Shows a grant and its payment");
  show->add_option("grant", s->what.grant, "Id of the grant")->required();

  auto [authorize, a] = add<command::authorize_grant>(
      *grants, p, "authorize", "The payment of an external grant is promised");
  authorize->add_option("grant", a->what.grant, "Id of the grant")->required();
  add_amount(*authorize, "--amount", a->what.amount, "Part of it; default: all that is open");

  auto [settle, t] = add<command::settle_grant>(*grants, p, "settle", "The money is there");
  settle->add_option("grant", t->what.grant, "Id of the grant")->required();
  add_amount(*settle, "--amount", t->what.amount, "Part of it; default: all that is authorised");

  auto [refund, r] =
      add<command::refund_grant>(*grants, p, "refund", "Pays back what a void left as a claim");
  refund->add_option("grant", r->what.grant, "Id of the grant")->required();
  add_amount(
      *refund, "--amount", r->what.amount, "Part of it; default: all of it that was settled");

  auto [write_off, w] = add<command::write_off_grant>(
      *grants, p, "write-off", "Nobody will pay what is open of an external grant");
  write_off->add_option("grant", w->what.grant, "Id of the grant")->required();

  auto [revoke, v] =
      add<command::void_grant>(*grants, p, "void", "Takes back what is left of a grant");
  revoke->add_option("grant", v->what.grant, "Id of the grant")->required();
  revoke->add_flag("--refund", v->what.refund, "Pays back what was settled for it");
}

void add_spends(CLI::App& app, program& p) {
  auto [correct, c] = add<command::correct_charge>(
      app, p, "correct", "Gives back credit that a charge, consume or reservation used");
  correct->add_option("charge", c->what.charge, "Id of what used it")->required();
  add_amount(*correct, "--amount", c->what.amount, "Part of it; default: all that remains");

  auto [recognize, r] =
      add<command::recognize>(app, p, "recognize", "Turns accrued value into earnings");
  add_date(*recognize, "--as-of", r->what.as_of, "What was accrued by then; default now");
  recognize->add_flag_callback(
      "--invoiced",
      [x = r] { x->what.what = command::recognizable::invoiced; },
      "What invoices billed, instead of what credit paid for");
}

void add_transactions(CLI::App& app, program& p) {
  auto [sub, a] = add<command::list_transactions>(
      app, p, "transactions", "Lists what happened to a customer's credit, newest first");
  sub->add_option_function<std::string>(
         "--currency",
         [x = a](const std::string& code) { x->what.currency = code; },
         "Only this currency")
      ->type_name("CODE");
  constexpr std::array<std::string_view, 5> types{
      "funded", "consumed", "adjusted", "expired", "voided"};
  add_choice(*sub, "--type", a->what.type, types, "Only rows of this type");
  auto* feature = sub->add_option_function<std::string>(
      "--feature",
      [x = a](const std::string& key) {
        x->what.filter = {command::feature_view::feature, key};
      },
      "What this feature may use, unrestricted credit included");
  feature->type_name("KEY");
  sub->add_flag_callback(
         "--unrestricted",
         [x = a] {
           x->what.filter = {command::feature_view::unrestricted, {}};
         },
         "Unrestricted credit only")
      ->excludes(feature);
  add_date(*sub, "--as-of", a->what.as_of, "As it looks at that time; default now");
  auto* after =
      sub->add_option("--after", a->what.after, "A cursor: older rows")->type_name("CURSOR");
  sub->add_option("--before", a->what.before, "A cursor: newer rows")
      ->type_name("CURSOR")
      ->excludes(after);
  sub->add_option("--limit", a->what.limit, "Rows of the page")
      ->capture_default_str()
      ->check(CLI::Range(1U, command::list_transactions::limit_max));
}

/// "90", "90s", "15m", "2h" to nanoseconds.
result<std::int64_t> parse_ttl(std::string_view text) {
  const auto wait = client::parse_wait(text);
  if (!wait)
    return refuse(errc::validation, "write it as 90s, 15m or 2h.");
  constexpr std::int64_t ns_per_ms = 1'000'000;
  return wait->count() * ns_per_ms;
}

void add_reservations(CLI::App& app, program& p) {
  auto* all = app.add_subcommand("reservation", "Holds credit for work whose cost is not known yet")
                  ->require_subcommand(1);
  auto [make, r] = add<command::reserve>(*all, p, "make", "Holds credit");
  add_amount(*make, "amount", r->what.amount, "How much, e.g. 12.34")->required();
  make->add_option("currency", r->what.currency, "Currency or credit unit, e.g. USD")->required();
  make->add_option("--id", r->what.id, "Unique per customer; a new one where not given");
  r->what.ttl_ns = 60 * ns_per_second;
  add_parsed(*make, "--ttl", r->what.ttl_ns, parse_ttl, "How long, 1s to 24h; default 60s")
      ->type_name("DURATION");
  make->add_option("--feature", r->what.feature, "What it is for")->type_name("KEY");
  make->add_flag("--up-to", r->what.up_to, "Holds what there is, where it is less");
  make->callback([&p, x = r] {
    p.action = [&p, x] {
      std::string generated;
      if (x->what.id.empty())
        x->what.id = generated = new_id();
      return run(p, x->customer, x->what, generated);
    };
  });

  auto [settle, s] = add<command::settle_reservation>(
      *all, p, "settle", "Takes what the work cost, frees the rest");
  settle->add_option("reservation", s->what.id, "Id of the reservation")->required();
  add_amount(*settle, "amount", s->what.amount, "What it cost; 0 takes nothing")->required();

  auto [release, l] = add<command::release_reservation>(*all, p, "release", "Frees all of it");
  release->add_option("reservation", l->what.id, "Id of the reservation")->required();

  auto [extend, e] =
      add<command::extend_reservation>(*all, p, "extend", "Holds it longer, from now on");
  extend->add_option("reservation", e->what.reservation, "Id of the reservation")->required();
  e->what.ttl_ns = 60 * ns_per_second;
  add_parsed(*extend, "--ttl", e->what.ttl_ns, parse_ttl, "How long, 1s to 24h; default 60s")
      ->type_name("DURATION");

  auto [show, g] = add<command::get_reservation>(*all, p, "show", "Shows a reservation");
  show->add_option("reservation", g->what.reservation, "Id of the reservation")->required();
}

} // namespace

void add_credit_history(CLI::App& app, program& p) {
  add_grants(app, p);
  add_spends(app, p);
  add_reservations(app, p);
  add_transactions(app, p);
}

} // namespace accrue::cli
