// Compares answers of the engine with those of the reference model. Where the specification leaves something
// to the engine, or the model has only sums, the answer is brought to what both can say.
#include "tests/histories/comparison.hpp"

#include <algorithm>
#include <map>

namespace accrue::histories {
namespace {

// Texts are for people.
void trim(reply::invoice_view& i) {
  for (auto& issue : i.issues)
    issue.text.clear();
}
void trim(reply::invoices& all) {
  for (auto& i : all.items)
    trim(i);
}

// Numbers of customers are the engine's to choose.
void trim(reply::customer_view& c) { c.number = {}; }

// Of a trial balance only sums of credit are modelled.
void trim(reply::accounts& all) {
  std::map<currency, std::pair<std::string, int128>> credit;
  for (const auto& a : all.items)
    if (a.address.account == ledger::account_type::fbo) {
      auto& sum = credit[a.address.route.currency];
      sum.first = a.code;
      sum.second += a.balance;
    }
  reply::accounts sums;
  for (const auto& [c, sum] : credit) {
    if (sum.second == 0)
      continue;
    reply::account_view v;
    v.address.account = ledger::account_type::fbo;
    v.address.route.currency = c;
    v.code = sum.first;
    v.balance = sum.second;
    sums.items.push_back(std::move(v));
  }
  all = std::move(sums);
}

// How payments stand in a grant after its void is not specified: what a refund released or paid back may be
// taken off there or not.
void trim(reply::grant_view& g) {
  if (!g.voided_at || g.funding != "external")
    return;
  g.payment.clear();
  g.internal_status.clear();
  g.authorized = g.settled = g.written_off = g.claim = g.refunded = 0;
}
void trim(reply::grants& all) {
  for (auto& g : all.items)
    trim(g);
}

// Whether the total of credits is before or after corrections is not specified.
void trim(reply::charge_view& c) {
  for (auto& r : c.runs)
    if (std::ranges::any_of(r.credits, [](int128 row) { return row < 0; }))
      r.credit_total = 0;
}

// A settlement may take more of the grant that it holds: one slice or two.
void trim(reply::consumed& u) {
  std::vector<reply::taken> merged;
  for (auto& s : u.slices)
    if (!merged.empty() && merged.back().grant == s.grant)
      merged.back().amount += s.amount;
    else
      merged.push_back(std::move(s));
  u.slices = std::move(merged);
}

// Sums in any order; how far the journal was read is the engine's.
void trim(reply::recognized& r) {
  std::erase_if(r.amounts, [](const auto& s) { return s.amount == 0; });
  std::ranges::sort(r.amounts, {}, &reply::recognized::sum::currency);
  r.through = {};
}

template <class Body>
void trim(Body& /*whole*/) {}

reply::receipt comparable(reply::receipt r) {
  std::ranges::sort(r.after, {}, &reply::balance::currency);
  std::visit([](auto& body) { trim(body); }, r.body);
  return r;
}

// Leaves of the balances only those that the other one has too.
void keep_common(reply::receipt& a, reply::receipt& b) {
  const auto drop = [](reply::receipt& from, const reply::receipt& other) {
    std::erase_if(from.after, [&](const reply::balance& x) {
      return std::ranges::find(other.after, x.currency, &reply::balance::currency) ==
             other.after.end();
    });
  };
  drop(a, b);
  drop(b, a);
}

bool agree(const command::any& asked, reply::receipt told, reply::receipt says) {
  told = comparable(std::move(told));
  says = comparable(std::move(says));
  // Whether a second void tells balances, and whether a void books a fiat amount that rounds to nothing.
  if (std::holds_alternative<command::void_grant>(asked))
    keep_common(told, says);
  // Of commands that found nothing to do.
  if (!std::holds_alternative<command::run_due>(asked))
    if (auto* mine = std::get_if<reply::ran_due>(&says.body),
        *theirs = std::get_if<reply::ran_due>(&told.body);
        mine != nullptr && theirs != nullptr)
      mine->steps = theirs->steps;
  // What is told of a reservation that is over is its name and how it ended.
  if (auto* mine = std::get_if<reply::reservation_view>(&says.body),
      *theirs = std::get_if<reply::reservation_view>(&told.body);
      std::holds_alternative<command::get_reservation>(asked) && mine != nullptr &&
      theirs != nullptr && mine->status != "held") {
    mine->currency = theirs->currency;
    mine->code = theirs->code;
  }
  return told == says;
}

std::string text_of(const reply::invoice_view& i) {
  std::string text = " " + i.name + " " + i.status + " " + to_string(i.amount) + " - " +
                     to_string(i.credits) + " = " + to_string(i.total) + ", authorized " +
                     to_string(i.authorized) + ", settled " + to_string(i.settled) + " (";
  for (const auto& l : i.lines)
    text += (text.ends_with('(') ? "" : ", ") + l.kind + " " + l.name + " " + to_string(l.total) +
            " from " + to_string(l.period.from) + " to " + to_string(l.period.to);
  return text + ")";
}
std::string text_of(const reply::invoices& all) {
  std::string text;
  for (const auto& i : all.items)
    text += text_of(i);
  return text;
}

std::string text_of(const reply::charge_view& c) {
  std::string text = " " + c.id + " " + c.detailed_status;
  for (const auto& r : c.runs) {
    text += " total " + to_string(r.total) + " credits " + to_string(r.credit_total) + " (";
    for (const auto row : r.credits)
      text += (text.ends_with('(') ? "" : ", ") + to_string(row);
    text += ")";
  }
  return text;
}

std::string text_of(const std::optional<instant>& t) { return t ? to_string(*t) : "never"; }

std::string text_of(const reply::grant_view& g) {
  std::string text = " " + g.id + " " + g.code + " " + to_string(g.amount) + " " + g.funding + " " +
                     g.status + "/" + g.internal_status + "/" + g.payment + " p" +
                     std::to_string(g.priority) + " from " + to_string(g.effective_at) + " to " +
                     text_of(g.expires_at) + ", voided " + text_of(g.voided_at) + ", price " +
                     to_string(g.fiat_amount) + " " + g.fiat_code + ", authorized " +
                     to_string(g.authorized) + ", settled " + to_string(g.settled);
  for (const auto& f : g.features)
    text += " [" + f + "]";
  return text;
}
std::string text_of(const reply::grants& all) {
  std::string text;
  for (const auto& g : all.items)
    text += text_of(g) + ";";
  return text;
}

std::string text_of(const reply::reservation_view& v) {
  std::string text =
      " " + v.id + " " + v.status + " " + to_string(v.held) + " until " + text_of(v.expires_at);
  for (const auto& s : v.slices)
    text += " " + s.grant + ":" + to_string(s.amount);
  return text;
}

std::string text_of(const reply::consumed& u) {
  std::string text = " booked " + to_string(u.booked) + " uncovered " + to_string(u.uncovered);
  for (const auto& s : u.slices)
    text += " " + s.grant + ":" + to_string(s.amount);
  return text;
}

std::string text_of(const reply::corrected& c) { return " " + c.id + " " + to_string(c.amount); }

std::string text_of(const reply::recognized& r) {
  std::string text;
  for (const auto& s : r.amounts)
    text += " " + s.code + " " + to_string(s.amount);
  return text;
}

std::string text_of(const reply::ran_due& d) { return " steps " + std::to_string(d.steps); }

std::string text_of(const reply::accounts& all) {
  std::string text;
  for (const auto& a : all.items)
    if (a.address.account == ledger::account_type::fbo)
      text += " " + a.code + " " + to_string(a.balance);
  return text;
}

template <class Body>
std::string text_of(const Body& /*rare*/) {
  return {};
}

std::string text_of_receipt(const reply::receipt& r) {
  auto text = "body " + std::to_string(r.body.index()) +
              std::visit([](const auto& body) { return text_of(body); }, r.body);
  auto balances = r.after;
  if (const auto* b = std::get_if<reply::balances>(&r.body))
    balances.insert(balances.end(), b->items.begin(), b->items.end());
  for (const auto& b : balances)
    text += ", " + b.code + " " + to_string(b.settled) + " live " + to_string(b.live) +
            " pending " + to_string(b.pending) + " reserved " + to_string(b.reserved);
  return text;
}

} // namespace

bool agree(const command::any& asked, const verdict& told, const verdict& says) {
  const auto* no = std::get_if<errc>(&told);
  const auto* expected = std::get_if<errc>(&says);
  if (no != nullptr && expected != nullptr) {
    // Whether what used nothing, or owes from the opening, is not found or has nothing to give back.
    const auto empty = [](errc code) {
      return code == errc::not_found || code == errc::insufficient_funds;
    };
    if (std::holds_alternative<command::correct_charge>(asked) && empty(*no) && empty(*expected))
      return true;
    return *no == *expected;
  }
  if (no != nullptr) { // who asks for a reservation that is over may be told that there is none
    const auto* over = std::get_if<reply::reservation_view>(&std::get<reply::receipt>(says).body);
    return std::holds_alternative<command::get_reservation>(asked) && *no == errc::not_found &&
           over != nullptr && over->status != "held";
  }
  return expected == nullptr &&
         agree(asked, std::get<reply::receipt>(told), std::get<reply::receipt>(says));
}

std::string text_of(const verdict& v) {
  if (const auto* no = std::get_if<errc>(&v))
    return std::string(to_string(*no));
  return text_of_receipt(std::get<reply::receipt>(v));
}

} // namespace accrue::histories
