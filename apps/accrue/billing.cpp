// Subcommands from a charge to its payment: charge, invoice, pay, run-due.
// What the states are called is the domain's.
#include "apps/accrue/options.hpp"
#include "apps/accrue/program.hpp"

#include <memory>

namespace accrue::cli {

namespace {

result<settlement_mode> parse_mode(std::string_view text) {
  using enum settlement_mode;
  for (const auto each : {credit_then_invoice, credit_only, invoice_only})
    if (accrue::to_string(each) == text)
      return each;
  return refuse(errc::validation, "it is one of credit_then_invoice, credit_only, invoice_only.");
}

result<payment_term> parse_term(std::string_view text) {
  using enum payment_term;
  for (const auto each : {in_advance, in_arrears})
    if (accrue::to_string(each) == text)
      return each;
  return refuse(errc::validation, "it is one of in_advance, in_arrears.");
}

struct charge_arguments {
  std::string customer;
  command::create_charge what;
  instant from;
  instant to;
  std::optional<instant> full_from;
  std::optional<instant> full_to;
};

period checked_period(const std::string& options, instant from, instant to) {
  auto made = make_period(from, to);
  if (!made)
    throw CLI::ValidationError(options, made.error().text);
  return *made;
}

void add_charge_create(CLI::App& charge, program& p) {
  auto* sub = charge.add_subcommand("create", "Charges a flat fee");
  auto a = std::make_shared<charge_arguments>();
  sub->add_option("customer", a->customer, "Reference of the customer")->required();
  add_amount(*sub, "amount", a->what.amount, "The fee, e.g. 100.00")->required();
  sub->add_option("currency", a->what.currency, "Currency or credit unit, e.g. USD")->required();
  sub->add_option("--id", a->what.id, "Unique per customer; a new one where not given");
  add_date(*sub, "--from", a->from, "First instant of the service period")->required();
  add_date(*sub, "--to", a->to, "First instant after it")->required();
  add_parsed(*sub,
             "--mode",
             a->what.mode,
             parse_mode,
             "credit_then_invoice (default), credit_only or invoice_only")
      ->type_name("MODE");
  add_parsed(*sub, "--term", a->what.term, parse_term, "in_arrears (default) or in_advance")
      ->type_name("TERM");
  add_date(*sub, "--invoice-at", a->what.invoice_at, "Default: the end of the service period");
  auto* full_from = add_date(*sub,
                             "--full-from",
                             a->full_from,
                             "Full service period, of which the fee is charged in proportion");
  auto* full_to = add_date(*sub, "--full-to", a->full_to, "Its end");
  full_from->needs(full_to);
  full_to->needs(full_from);
  sub->add_option("--feature", a->what.feature, "What it is charged for")->type_name("KEY");
  sub->callback([&p, a] {
    a->what.service_period = checked_period("--from --to", a->from, a->to);
    if (a->full_from && a->full_to)
      a->what.full_service_period =
          checked_period("--full-from --full-to", *a->full_from, *a->full_to);
    p.action = [&p, a] {
      std::string generated;
      if (a->what.id.empty())
        a->what.id = generated = new_id();
      return run(p, a->customer, a->what, generated);
    };
  });
}

template <class Command>
struct named_arguments {
  std::string customer;
  Command what;
};

/// CUSTOMER NAME, where `member` takes the name.
template <class Command>
std::shared_ptr<named_arguments<Command>> add_named(CLI::App& parent,
                                                    program& p,
                                                    const std::string& name,
                                                    std::string Command::*member,
                                                    const std::string& help) {
  auto* sub = parent.add_subcommand(name, help);
  auto a = std::make_shared<named_arguments<Command>>();
  sub->add_option("customer", a->customer, "Reference of the customer")->required();
  if constexpr (requires { a->what.charge; })
    sub->add_option("charge", a->what.*member, "Id of the charge")->required();
  else
    sub->add_option("invoice", a->what.*member, "Number, e.g. ACME-000001, or #1 for a draft")
        ->required();
  if constexpr (requires { a->what.amount; })
    add_amount(*sub, "--amount", a->what.amount, "Part of it; default: all");
  sub->callback([&p, a] { p.action = [&p, a] { return run(p, a->customer, a->what); }; });
  return a;
}

/// A command that needs nothing but its customer.
template <class Command>
std::shared_ptr<named_arguments<Command>>
add_plain(CLI::App& parent, program& p, const std::string& name, const std::string& help) {
  auto* sub = parent.add_subcommand(name, help);
  auto a = std::make_shared<named_arguments<Command>>();
  sub->add_option("customer", a->customer, "Reference of the customer")->required();
  sub->callback([&p, a] { p.action = [&p, a] { return run(p, a->customer, a->what); }; });
  return a;
}

void add_invoice(CLI::App& app, program& p) {
  auto* invoice = app.add_subcommand("invoice", "Invoices, from pending lines to issued ones")
                      ->require_subcommand(1);
  auto a = add_plain<command::invoice_pending>(
      *invoice, p, "pending", "Makes drafts of what can be billed");
  auto* pending = invoice->get_subcommand("pending");
  pending
      ->add_option_function<std::string>(
          "--currency",
          [a](const std::string& code) { a->what.currency = code; },
          "Only this currency")
      ->type_name("CODE");
  add_date(*pending, "--as-of", a->what.as_of, "What was billable then; default now");
  pending->add_option("--charge", a->what.charges, "Only this charge; may be repeated")
      ->type_name("ID")
      ->expected(1)
      ->take_all();

  add_named(*invoice, p, "show", &command::get_invoice::invoice, "Prints an invoice");
  add_plain<command::list_invoices>(*invoice, p, "list", "Lists the invoices of a customer");
  add_named(*invoice, p, "approve", &command::approve_invoice::invoice, "Approves a draft");
  add_named(*invoice,
            p,
            "advance",
            &command::advance_invoice::invoice,
            "Takes the next step whose time has come");
  add_named(*invoice,
            p,
            "retry",
            &command::retry_invoice::invoice,
            "Books again what failed while issuing");
}

} // namespace

void add_billing(CLI::App& app, program& p) {
  auto* charge =
      app.add_subcommand("charge", "Charges: create, show, advance")->require_subcommand(1);
  add_charge_create(*charge, p);
  add_named(*charge, p, "show", &command::get_charge::charge, "Shows a charge");
  add_named(*charge,
            p,
            "advance",
            &command::advance_charge::charge,
            "Realises a charge whose time has come");

  add_invoice(app, p);

  auto* pay = app.add_subcommand("pay", "Payments of an invoice")->require_subcommand(1);
  add_named(*pay, p, "authorize", &command::authorize_payment::invoice, "The payment is promised");
  add_named(*pay, p, "settle", &command::settle_payment::invoice, "The money is there");
  add_named(*pay, p, "paid", &command::pay_invoice::invoice, "Both at once, the whole invoice");

  add_named(*pay,
            p,
            "write-off",
            &command::write_off_invoice::invoice,
            "Nobody will pay what is open: the invoice is uncollectible");

  add_plain<command::run_due>(app, p, "run-due", "Does all that is due of a customer");
}

} // namespace accrue::cli
