// Answers for people: tables with aligned columns, an invoice that looks like one.
// JSON is in json.cpp.
#include "apps/accrue/text.hpp"

#include "apps/accrue/catalog_json.hpp"
#include "apps/accrue/table.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace accrue::cli {

namespace {

std::string optional_date(const std::optional<instant>& t) { return t ? short_date(*t) : ""; }

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string of(std::string_view customer) {
  return customer.empty() ? "" : " of " + std::string(customer);
}

void add_rows(table& t, const std::vector<reply::balance>& balances) {
  for (const auto& b : balances)
    t.row({b.code,
           amount_text(b.settled, b.currency),
           b.historical ? "" : amount_text(b.live, b.currency),
           amount_text(b.pending, b.currency),
           b.historical ? "" : amount_text(b.reserved, b.currency)});
}

std::string balance_table(const std::vector<reply::balance>& balances) {
  table t({{"Currency"},
           {"Settled", align::right},
           {"Live", align::right},
           {"Pending", align::right},
           {"Reserved", align::right}});
  add_rows(t, balances);
  return t.to_string();
}

std::string text_of(const reply::customer_view& v, std::string_view) {
  return to_lines({{"Customer", v.reference},
                   {"Number", std::to_string(v.number.value)},
                   {"Currency", v.currency.empty() ? "none set" : v.currency},
                   {"Over settlement", std::string(to_string(v.over_settlement))},
                   {"Tax", v.tax_name.empty() ? "" : v.tax_name + " " + v.tax_rate.to_string()},
                   {"Created", short_date(v.created_at)}});
}

std::string text_of(const reply::grant_view& v, std::string_view customer) {
  const auto paid = [&](int128 fiat) {
    return v.fiat ? amount_text(fiat, *v.fiat) + " " + v.fiat_code : std::string();
  };
  const auto if_any = [&](int128 fiat) { return fiat == 0 ? std::string() : paid(fiat); };
  return to_lines({{"Granted", amount_text(v.amount, v.currency) + " " + v.code},
                   {"Customer", std::string(customer)},
                   {"Id", v.id},
                   {"Funding", v.funding},
                   {"Status", v.status},
                   {"Features", joined(v.features)},
                   {"Effective", short_date(v.effective_at)},
                   {"Expires", optional_date(v.expires_at)},
                   {"Voided", optional_date(v.voided_at)},
                   {"Price", paid(v.fiat_amount)},
                   {"Authorised", paid(v.authorized)},
                   {"Settled", paid(v.settled)},
                   {"Written off", if_any(v.written_off)},
                   {"To pay back", if_any(v.claim)},
                   {"Paid back", if_any(v.refunded)}});
}

std::string text_of(const reply::grants& v, std::string_view customer) {
  if (v.items.empty())
    return "No grants" + of(customer) + ".\n";
  table t({{"Grant"},
           {"Funding"},
           {"Status"},
           {"Payment"},
           {"Currency"},
           {"Amount", align::right},
           {"Priority", align::right},
           {"Features"},
           {"Effective"},
           {"Expires"}});
  for (const auto& g : v.items)
    t.row({g.id,
           g.funding,
           g.status,
           g.payment,
           g.code,
           amount_text(g.amount, g.currency),
           std::to_string(g.priority),
           joined(g.features),
           short_date(g.effective_at),
           optional_date(g.expires_at)});
  return t.to_string();
}

std::string text_of(const reply::reservation_view& v, std::string_view customer) {
  std::string out =
      to_lines({{"Reservation", v.id},
                {"Customer", std::string(customer)},
                {"Status", v.status},
                {"Held", v.code.empty() ? "" : amount_text(v.held, v.currency) + " " + v.code},
                {"Expires", v.expires_at ? accrue::to_string(*v.expires_at) : ""}});
  if (v.slices.empty())
    return out;
  table t({{"Held from"}, {"Amount", align::right}, {"Expires"}});
  for (const auto& s : v.slices)
    t.row({s.grant, amount_text(s.amount, v.currency), optional_date(s.expires_at)});
  return out + "\n" + t.to_string();
}

std::string text_of(const reply::corrected& v, std::string_view customer) {
  return to_lines({{"Given back", amount_text(v.amount, v.currency) + " " + v.code},
                   {"Customer", std::string(customer)},
                   {"Of", v.id}});
}

std::string text_of(const reply::recognized& v, std::string_view customer) {
  if (v.amounts.empty())
    return "Nothing was left to recognise" + of(customer) + ".\n";
  table t({{"Recognised"}, {"Amount", align::right}});
  for (const auto& a : v.amounts)
    t.row({a.code, amount_text(a.amount, a.currency)});
  return t.to_string();
}

std::string text_of(const reply::transactions& v, std::string_view customer) {
  if (v.rows.empty())
    return "No transactions" + of(customer) + ".\n";
  table t({{"Booked"},
           {"Type"},
           {"Of"},
           {"Currency"},
           {"Amount", align::right},
           {"Before", align::right},
           {"After", align::right},
           {""}});
  for (const auto& r : v.rows)
    t.row({short_date(r.booked_at),
           r.type,
           r.reference,
           r.code,
           amount_text(r.amount, r.currency),
           amount_text(r.before, r.currency),
           amount_text(r.after, r.currency),
           r.backdated ? "recorded " + short_date(r.recorded_at) : ""});
  auto out = t.to_string();
  if (!v.next.empty())
    out += "\nOlder rows: --after " + v.next + "\n";
  if (!v.previous.empty())
    out += "Newer rows: --before " + v.previous + "\n";
  return out;
}

std::string text_of(const reply::consumed& v, std::string_view customer) {
  std::string out = to_lines(
      {{"Consumed", amount_text(v.booked, v.currency) + " " + v.code},
       {"Uncovered", v.uncovered == 0 ? "" : amount_text(v.uncovered, v.currency) + " " + v.code},
       {"Customer", std::string(customer)},
       {"Id", v.id}});
  if (v.slices.empty())
    return out;
  table t({{"Taken from"}, {"Amount", align::right}});
  for (const auto& slice : v.slices)
    t.row({slice.grant, amount_text(slice.amount, v.currency)});
  return out + "\n" + t.to_string();
}

std::string text_of(const reply::charge_view& v, std::string_view customer) {
  std::string out = to_lines({{"Charge", v.id},
                              {"Customer", std::string(customer)},
                              {"Amount", amount_text(v.amount, v.currency) + " " + v.code},
                              {"Settlement", std::string(accrue::to_string(v.mode))},
                              {"Service period", short_period(v.service_period)},
                              {"Invoice at", short_date(v.invoice_at)},
                              {"Status", v.detailed_status.empty() ? v.status : v.detailed_status},
                              {"Next step at", optional_date(v.advance_after)}});
  if (v.runs.empty())
    return out;
  table t({{"Run", align::right},
           {"Amount", align::right},
           {"Credits", align::right},
           {"Total", align::right}});
  for (std::size_t i = 0; i < v.runs.size(); ++i)
    t.row({std::to_string(i + 1),
           amount_text(v.runs[i].amount, v.currency),
           amount_text(v.runs[i].credit_total, v.currency),
           amount_text(v.runs[i].total, v.currency)});
  return out + "\n" + t.to_string();
}

/// "GST 0.1 on 64.22"
std::string tax_text(const reply::tax& t, currency c) {
  return t.name + " " + t.rate.to_string() + " on " + amount_text(t.base, c);
}

std::string text_of(const reply::invoice_view& v, std::string_view customer) {
  std::string out = (v.number.empty() ? "Draft invoice " + v.name : "Invoice " + v.number) + "\n\n";
  out += to_lines({{"Customer", std::string(customer)},
                   {"Status", v.status},
                   {"Draft until", v.issued_at ? "" : optional_date(v.draft_until)},
                   {"Issued", optional_date(v.issued_at)},
                   {"Due", optional_date(v.due_at)},
                   {"Revision", v.revision > 1 ? std::to_string(v.revision) : ""}});
  table t({{"Line"},
           {"Period"},
           {"Amount", align::right},
           {"Credits", align::right},
           {"Total", align::right}});
  for (const auto& line : v.lines)
    if (line.kind != "tax")
      t.row({line.name,
             short_period(line.period),
             amount_text(line.amount, v.currency),
             amount_text(line.credits, v.currency),
             amount_text(line.total, v.currency)});
  for (const auto& tax : v.taxes)
    t.row({tax_text(tax, v.currency), "", "", "", amount_text(tax.amount, v.currency)});
  t.rule();
  t.row({"Total " + v.code,
         "",
         amount_text(v.amount, v.currency),
         amount_text(v.credits, v.currency),
         amount_text(v.total, v.currency)});
  if (!v.number.empty()) {
    t.row({"Authorised", "", "", "", amount_text(v.authorized, v.currency)});
    t.row({"Settled", "", "", "", amount_text(v.settled, v.currency)});
    if (v.written_off != 0)
      t.row({"Written off", "", "", "", amount_text(v.written_off, v.currency)});
    t.row({"To pay", "", "", "", amount_text(v.total - v.settled - v.written_off, v.currency)});
  }
  out += "\n" + t.to_string();
  if (!v.issues.empty())
    out += "\n";
  for (const auto& issue : v.issues)
    out += (issue.critical ? "Problem: " : "Note: ") + issue.text + " (" + issue.code + ")\n";
  return out;
}

std::string text_of(const reply::invoices& v, std::string_view customer) {
  if (v.items.empty())
    return "No invoices" + of(customer) + ".\n";
  table t({{"Invoice"},
           {"Status"},
           {"Issued"},
           {"Due"},
           {"Currency"},
           {"Amount", align::right},
           {"Credits", align::right},
           {"Total", align::right},
           {"Settled", align::right}});
  for (const auto& i : v.items)
    t.row({i.name,
           i.status,
           optional_date(i.issued_at),
           optional_date(i.due_at),
           i.code,
           amount_text(i.amount, i.currency),
           amount_text(i.credits, i.currency),
           amount_text(i.total, i.currency),
           amount_text(i.settled, i.currency)});
  return t.to_string();
}

std::string text_of(const reply::accounts& v, std::string_view) { return to_text(v); }

std::string text_of(const reply::balances& v, std::string_view customer) {
  return v.items.empty() ? "No balances" + of(customer) + ".\n" : balance_table(v.items);
}

std::string text_of(const reply::opened& v, std::string_view customer) {
  return to_lines({{"Opened", amount_text(v.amount, v.currency) + " " + v.code},
                   {"Customer", std::string(customer)},
                   {"Id", v.id}});
}

std::string text_of(const reply::ran_due& v, std::string_view customer) {
  return v.steps == 0 ? "Nothing was due" + of(customer) + ".\n"
                      : std::to_string(v.steps) + (v.steps == 1 ? " step" : " steps") + " done" +
                            of(customer) + ".\n";
}

std::string text_of(const reply::credit_unit_view& v, std::string_view) {
  return to_lines({{"Credit unit", v.code}, {"Exponent", std::to_string(v.exponent)}});
}

std::string text_of(const reply::billing_profile_view& v, std::string_view) {
  return to_lines({{"Auto advance", v.profile.auto_advance ? "yes" : "no"},
                   {"Draft period", duration_text(v.profile.draft_period_ns)},
                   {"Due after", duration_text(v.profile.due_after_ns)},
                   {"Recognition", std::string(to_string(v.profile.recognition))}});
}

std::string text_of(const reply::catalog_stored& v, std::string_view) {
  return "Catalog stored: " + count_text(v) + ".\n";
}

std::string text_of(const reply::catalog_view& v, std::string_view) {
  return to_json(v.catalog).dump(2) + "\n";
}

std::string text_of(const reply::quote_view& v, std::string_view customer) {
  const auto text = [&](int128 amount) { return amount_text(amount, v.currency); };
  auto out = "Quote for " + v.plan + " version " + std::to_string(v.version) + of(customer) + ", " +
             short_period(v.service_period) + "\n\n";
  table t(
      {{"Line"}, {"Quantity", align::right}, {"Price", align::right}, {"Amount", align::right}});
  for (const auto& line : v.lines)
    for (const auto& d : line.detailed)
      t.row({d.name, d.quantity.to_string(), d.per_unit.to_string(), text(d.amount - d.discounts)});
  for (const auto& tax : v.taxes)
    t.row({tax_text(tax, v.currency), "", "", text(tax.amount)});
  t.rule();
  t.row({"Total " + v.code, "", "", text(v.total)});
  out += t.to_string();
  if (const auto& left = v.after_credits)
    out += "\n" + to_lines({{"Credit", text(left->credits)},
                            {"Tax", text(left->tax)},
                            {"To pay", text(left->total)}});
  return out;
}

std::string text_of(const wire::console_text& v) {
  std::string out;
  for (const auto& line : v.lines)
    out += line + "\n";
  return out;
}

std::string text_of(const wire::status& v) { return to_lines(v.entries); }

std::string text_of(const wire::customers& v) {
  if (v.items.empty())
    return "No customers.\n";
  table t({{"Customer"}, {"Sequence", align::right}});
  for (const auto& item : v.items)
    t.row({item.reference, std::to_string(item.sequence.value)});
  return t.to_string();
}

std::string text_of(const wire::quarantined& v) {
  if (v.items.empty())
    return "Nobody is in quarantine.\n";
  table t({{"Customer"},
           {"Since"},
           {"Kind"},
           {"Last good unit", align::right},
           {"Refused", align::right},
           {"Why"}});
  for (const auto& [what, refused] : v.items)
    t.row({what.reference.empty() ? "(the namespace)" : what.reference,
           accrue::to_string(what.since),
           std::string(to_string(what.kind)),
           std::to_string(what.last_good.value),
           std::to_string(refused),
           what.why});
  auto out = t.to_string();
  if (v.total > v.items.size())
    out += std::to_string(v.total - v.items.size()) + " more.\n";
  return out;
}

std::string text_of(const wire::quarantine_lifted& v) {
  return (v.customer.empty() ? "The namespace" : v.customer) + " goes on at sequence " +
         std::to_string(v.sequence.value) + ".\n";
}

} // namespace

std::string to_text(const reply::accounts& accounts) {
  if (accounts.items.empty())
    return "Nothing is booked.\n";
  table t({{"Account"},
           {"Stage"},
           {"Currency"},
           {"Cost basis", align::right},
           {"Priority", align::right},
           {"Features"},
           {"Balance", align::right},
           {"Money", align::right}});
  auto items = accounts.items; // in the order of their opening
  std::ranges::stable_sort(items, {}, [](const reply::account_view& a) {
    const auto& route = a.address.route;
    return std::tuple(a.code, a.address.account, route.stage, route.cost_basis);
  });
  for (const auto& a : items) {
    const auto& route = a.address.route;
    std::string basis = route.cost_basis ? route.cost_basis->to_string() : "unknown";
    if (route.cost_basis_currency)
      basis += " " + std::string(iso_code(*route.cost_basis_currency));
    t.row({std::string(ledger::to_string(a.address.account)),
           std::string(to_string(route.stage)),
           a.code,
           basis,
           route.priority == 0 ? "" : std::to_string(route.priority),
           joined(route.features),
           amount_text(a.balance, route.currency),
           money_text(a.money)});
  }
  t.rule();
  const auto flag = [](const money& sum) { return sum.is_zero() ? "" : "NOT ZERO"; };
  const auto balances = sums_per_currency(accounts.items);
  const auto worth = sums_of_money(accounts.items);
  if (!balances || !worth) {
    t.row({"Sum", "", "", "", "", "too large to add", "", ""});
    return t.to_string();
  }
  for (const auto& [code, sum] : *balances)
    t.row({"Sum", "", code, "", "", flag(sum), accrue::to_string(sum), ""});
  for (const auto& [code, sum] : *worth)
    t.row({"Sum of money", "", "", "", "", flag(sum), "", money_text(sum)});
  return t.to_string();
}

std::string to_text(const client::answer_body& answer, std::string_view customer) {
  if (const auto* no = std::get_if<wire::refused>(&answer))
    return to_text(*no) + "\n";
  if (const auto* operators = std::get_if<wire::operator_reply>(&answer))
    return std::visit([](const auto& v) { return text_of(v); }, *operators);
  const auto& receipt = std::get<reply::receipt>(answer);
  std::string out = std::visit([&](const auto& v) { return text_of(v, customer); }, receipt.body);
  if (!receipt.after.empty())
    out += "\n" + balance_table(receipt.after);
  return out;
}

std::string to_text(const wire::refused& no) {
  std::string out(accrue::to_string(no.reason.code));
  if (!no.reason.subject.empty())
    out += ": " + no.reason.subject;
  out += ": " + no.reason.text;
  if (!out.ends_with('.'))
    out += '.';
  const std::string wait =
      no.retry.after_ms == 0 ? "" : " after " + std::to_string(no.retry.after_ms) + " ms";
  switch (no.retry.advice) {
  case wire::retry_advice::none:
    return out + " A retry cannot help.";
  case wire::retry_advice::same_key:
    return out + " Retry with the same id or key" + wait + ".";
  case wire::retry_advice::later:
    return out + " Nothing happened: retry" + wait + ".";
  }
  return out;
}

namespace {

/// Sums by code of what `part` gives of each row; where that is nothing, the row does not count.
template <class Part>
result<std::vector<currency_sum>> sums_of(const std::vector<reply::account_view>& rows, Part part) {
  std::map<std::string, money> by_code;
  for (const auto& row : rows) {
    const std::optional<currency_sum> p = part(row);
    if (!p)
      continue;
    auto& sum = by_code.try_emplace(p->code, money{0, p->sum.currency}).first->second;
    auto more = add(sum, p->sum);
    if (!more)
      return tl::unexpected(std::move(more.error()));
    sum = *more;
  }
  std::vector<currency_sum> sums;
  for (auto& [code, sum] : by_code)
    sums.push_back({code, sum});
  return sums;
}

} // namespace

result<std::vector<currency_sum>>
sums_per_currency(const std::vector<reply::account_view>& accounts) {
  return sums_of(accounts, [](const reply::account_view& a) {
    return std::optional(currency_sum{a.code, {a.balance, a.address.route.currency}});
  });
}

result<std::vector<currency_sum>> sums_of_money(const std::vector<reply::account_view>& accounts) {
  return sums_of(accounts, [](const reply::account_view& a) {
    return a.money ? std::optional(currency_sum{std::string(iso_code(a.money->currency)), *a.money})
                   : std::nullopt;
  });
}

} // namespace accrue::cli
