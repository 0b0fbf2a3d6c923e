// `ledger`: the trial balance of one customer, or of the whole namespace account by account.
// What the database says instead of the engine is verify.cpp's.
#include "apps/accrue/options.hpp"
#include "apps/accrue/program.hpp"
#include "apps/accrue/table.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <tuple>

namespace accrue::cli {

namespace {

using nlohmann::json;

wire::call accounts_of(const std::string& customer) {
  wire::call call;
  call.customer = customer;
  call.body = command::any(command::get_accounts{});
  return call;
}

const reply::accounts* accounts_in(const client::answer_body& answer) {
  const auto* receipt = std::get_if<reply::receipt>(&answer);
  return receipt == nullptr ? nullptr : std::get_if<reply::accounts>(&receipt->body);
}

/// Whether all sums are zero; a sum that is too large to add up is not.
bool balances(const result<std::vector<currency_sum>>& sums) {
  return sums && std::ranges::all_of(*sums, [](const auto& s) { return s.sum.is_zero(); });
}

json json_of(const result<std::vector<currency_sum>>& sums) {
  json items = json::array();
  if (sums)
    for (const auto& [code, sum] : *sums)
      items.push_back({{"currency", code}, {"sum", accrue::to_string(sum)}});
  return items;
}

int finish(bool balanced) {
  if (balanced)
    return exit_done;
  std::fputs("accrue: the ledger does not balance. Run `accrue verify`.\n", stderr);
  return exit_refused;
}

int ledger_of_one(const program& p, const std::string& customer) {
  auto server = client::connection::open(p.server);
  if (!server)
    return report(p, server.error());
  const auto answer = server->ask(accounts_of(customer));
  if (!answer)
    return report(p, answer.error());
  const auto* accounts = accounts_in(*answer);
  if (accounts == nullptr)
    return report(p, client::server_failure({errc::internal, customer, "Not a ledger."}));
  const auto sums = sums_per_currency(accounts->items);
  const auto money = sums_of_money(accounts->items);
  if (p.json) {
    json document = to_json(*answer);
    document["sums"] = json_of(sums);
    document["money_sums"] = json_of(money);
    show(document);
  } else {
    show(p, *answer, customer);
  }
  return finish(balances(sums) && balances(money));
}

/// One account of all customers, as far as its value is paid in one currency, or its price is not known.
struct account_total {
  reply::account_view sum; ///< its route has currency and stage only
  std::set<std::size_t> customers;
};

class namespace_ledger {
public:
  result<void> take(std::size_t customer, const reply::accounts& accounts) {
    for (const auto& a : accounts.items) {
      const auto& route = a.address.route;
      const std::string paid_in(a.money ? iso_code(a.money->currency) : "");
      auto& total = totals_[{a.code, a.address.account, route.stage, paid_in}];
      if (total.customers.empty()) {
        total.sum.code = a.code;
        total.sum.address = {a.address.account, {}};
        total.sum.address.route.currency = route.currency;
        total.sum.address.route.stage = route.stage;
        if (a.money)
          total.sum.money = {0, a.money->currency};
      }
      total.customers.insert(customer);
      auto sum = add({total.sum.balance, route.currency}, {a.balance, route.currency});
      if (!sum)
        return tl::unexpected(std::move(sum.error()));
      total.sum.balance = sum->minor;
      if (!a.money)
        continue;
      auto money = add(*total.sum.money, *a.money);
      if (!money)
        return tl::unexpected(std::move(money.error()));
      total.sum.money = *money;
    }
    return {};
  }

  [[nodiscard]] std::vector<reply::account_view> rows() const {
    std::vector<reply::account_view> all;
    for (const auto& [key, total] : totals_)
      all.push_back(total.sum);
    return all;
  }

  [[nodiscard]] std::string text() const {
    table t({{"Account"},
             {"Stage"},
             {"Currency"},
             {"Customers", align::right},
             {"Balance", align::right},
             {"Money", align::right}});
    for (const auto& [key, total] : totals_) {
      const auto& route = total.sum.address.route;
      t.row({std::string(ledger::to_string(total.sum.address.account)),
             std::string(to_string(route.stage)),
             total.sum.code,
             std::to_string(total.customers.size()),
             amount_text(total.sum.balance, route.currency),
             money_text(total.sum.money)});
    }
    t.rule();
    const auto flag = [](const money& sum) { return sum.is_zero() ? "" : "NOT ZERO"; };
    if (const auto all = sums_per_currency(rows()))
      for (const auto& [code, sum] : *all)
        t.row({"Sum", flag(sum), code, "", accrue::to_string(sum), ""});
    if (const auto all = sums_of_money(rows()))
      for (const auto& [code, sum] : *all)
        t.row({"Sum of money", flag(sum), "", "", "", money_text(sum)});
    return t.to_string();
  }

  [[nodiscard]] json document(std::size_t customers) const {
    json items = json::array();
    for (const auto& [key, total] : totals_) {
      const auto& route = total.sum.address.route;
      const auto& money = total.sum.money;
      items.push_back(
          {{"account", ledger::to_string(total.sum.address.account)},
           {"stage",
            route.stage == ledger::stage::none ? json(nullptr) : json(to_string(route.stage))},
           {"currency", total.sum.code},
           {"customers", total.customers.size()},
           {"balance", amount_text(total.sum.balance, route.currency)},
           {"money", money ? json(accrue::to_string(*money)) : json(nullptr)},
           {"money_currency", money ? json(iso_code(money->currency)) : json(nullptr)}});
    }
    return {{"customers", customers},
            {"accounts", std::move(items)},
            {"sums", json_of(sums_per_currency(rows()))},
            {"money_sums", json_of(sums_of_money(rows()))}};
  }

private:
  using account_key = std::tuple<std::string, ledger::account_type, ledger::stage, std::string>;
  std::map<account_key, account_total> totals_;
};

int ledger_of_all(const program& p) {
  auto server = client::connection::open(p.server);
  if (!server)
    return report(p, server.error());
  const auto customers = list_customers(*server);
  if (!customers)
    return report(p, customers.error());
  std::vector<wire::call> calls;
  for (const auto& item : customers->items)
    calls.push_back(accounts_of(item.reference));

  namespace_ledger all;
  std::optional<refusal> first_no;
  const auto done = server->ask_all(calls, [&](std::size_t i, client::answer_body& answer) {
    if (const auto* accounts = accounts_in(answer)) {
      if (auto taken = all.take(i, *accounts); !taken && !first_no)
        first_no = taken.error();
    } else if (const auto* no = std::get_if<wire::refused>(&answer); no != nullptr && !first_no) {
      first_no = no->reason;
    }
  });
  if (!done)
    return report(p, done.error());
  if (first_no)
    return report(p, client::server_failure(*first_no));
  if (p.json)
    show(all.document(calls.size()));
  else
    std::fputs((all.text() + "\n" + std::to_string(calls.size()) +
                (calls.size() == 1 ? " customer.\n" : " customers.\n"))
                   .c_str(),
               stdout);
  return finish(balances(sums_per_currency(all.rows())) && balances(sums_of_money(all.rows())));
}

} // namespace

void add_ledger(CLI::App& app, program& p) {
  struct arguments {
    std::string customer;
    bool all = false;
  };
  auto* sub = app.add_subcommand("ledger", "Trial balance: every sub-account and the sums");
  auto a = std::make_shared<arguments>();
  auto* customer = sub->add_option("customer", a->customer, "Reference of the customer");
  sub->add_flag("--all", a->all, "The whole namespace, account by account")->excludes(customer);
  sub->callback([&p, a] {
    if (!a->all && a->customer.empty())
      throw CLI::RequiredError("a customer, or --all,");
    p.action = [&p, a] { return a->all ? ledger_of_all(p) : ledger_of_one(p, a->customer); };
  });
}

} // namespace accrue::cli
