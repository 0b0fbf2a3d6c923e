// Whole customers as bytes: sub-accounts, the book, what few customers have. Entries are in journal_codec.cpp.
#include "persistence/journal_accounts.hpp"
#include "persistence/journal_codec.hpp"

namespace accrue::journal {
namespace {

using ledger::sub_account;

constexpr std::size_t sub_account_bytes_min = 9;

template <class Accounts>
void put_accounts(field_writer& w, const Accounts& accounts) {
  w.varint(accounts.size());
  for (const auto& a : accounts) {
    const auto& r = a.route;
    w.varint(number_of(a.account));
    w.varint(number_of(r.stage));
    w.varint(currency_code(r.currency));
    w.varint(r.cost_basis ? static_cast<unsigned>(r.cost_basis->scale()) + 1 : 0);
    w.varint(r.cost_basis ? zigzag(r.cost_basis->coefficient()) : 0);
    w.varint(r.cost_basis_currency ? uint128{currency_code(*r.cost_basis_currency)} + 1 : 0);
    w.varint(r.priority);
    w.byte(0); // reserved: which tax dimensions follow (D53)
    w.varint(r.features.size());
  }
  for (const auto& a : accounts)
    for (const auto& f : a.route.features)
      w.varint(f.size());
  for (const auto& a : accounts)
    for (const auto& f : a.route.features)
      w.bytes(f);
}

template <class Enum>
void read_choice(byte_reader& r, Enum& out) {
  if (const auto known = value_of<Enum>(r.varint()); known && !r.failed())
    out = *known;
  else
    r.fail("an unknown number of a choice");
}

currency read_currency(byte_reader& r, uint128 code) {
  if (code > currency_code_max)
    r.fail("no currency");
  return currency_of(static_cast<std::uint64_t>(code));
}

void read_cost(byte_reader& r, ledger::route& out) {
  const auto scale = r.varint();
  const auto coefficient = unzigzag(r.varint());
  if (scale > decimal::scale_max + 1 || (scale == 0 && coefficient != 0))
    return r.fail("no cost basis");
  if (scale != 0) {
    const auto made = decimal::make(coefficient, static_cast<int>(scale) - 1);
    if (!made || made->coefficient() != coefficient || made->scale() + 1 != static_cast<int>(scale))
      return r.fail("a cost basis is not in its shortest form");
    out.cost_basis = *made;
  }
  if (const auto code = r.varint(); code != 0)
    out.cost_basis_currency = read_currency(r, code - 1);
}

} // namespace

void write_accounts(field_writer& w, const std::vector<sub_account>& accounts) {
  put_accounts(w, accounts);
}
void write_accounts(field_writer& w, const ledger::address_list& accounts) {
  put_accounts(w, accounts);
}

std::vector<sub_account> read_accounts(byte_reader& r) {
  std::vector<sub_account> accounts(r.count(sub_account_bytes_min));
  std::size_t features = 0;
  for (auto& a : accounts) {
    read_choice(r, a.account);
    read_choice(r, a.route.stage);
    a.route.currency = read_currency(r, r.varint());
    read_cost(r, a.route);
    a.route.priority = r.number<std::uint16_t>();
    if (r.byte() != 0)
      r.fail("dimensions of a later version");
    const auto count = r.count(1);
    features += count;
    if (features > r.left())
      r.fail("a count is bigger than what follows");
    if (!r.failed())
      a.route.features.resize(count);
  }
  std::vector<std::size_t> lengths;
  for (const auto& a : accounts)
    for (std::size_t i = 0; i < a.route.features.size(); ++i)
      lengths.push_back(r.count(1));
  auto length = lengths.begin();
  for (auto& a : accounts)
    for (auto& f : a.route.features)
      f = r.bytes(*length++);
  return accounts;
}

tl::unexpected<refusal> unreadable(const byte_reader& r) {
  return refuse(errc::internal,
                std::string("stored bytes cannot be read: ") + r.reason() +
                    "; run `accrue verify` and restore the row from a backup");
}

void expect_end(byte_reader& r) {
  if (r.left() != 0)
    r.fail("there are bytes too many");
}

namespace {

void write_book(field_writer& w, const ledger::book& book) {
  write_accounts(w, book.sub_accounts());
  for (std::uint32_t i = 0; i < book.sub_accounts().size(); ++i)
    w(book.balance(sub_account_id(i)));
  w.varint(book.sources().size());
  for (const auto& s : book.sources())
    w(s.grant, s.account, s.available_from, s.expires_at, s.amount, s.held);
  w(std::vector<ledger::scheduled>(book.ahead().begin(), book.ahead().end()));
}

bool is_credit(const ledger::address_list& accounts, const ledger::credit_source& s) {
  return s.amount > 0 && s.held >= 0 && s.held <= s.amount && s.grant != grant_id{} &&
         s.account.value < accounts.size() &&
         accounts[s.account.value].account == ledger::account_type::fbo;
}

bool is_in_order(const ledger::scheduled* before, const ledger::scheduled& s) {
  return before == nullptr || std::pair(before->at, before->account) < std::pair(s.at, s.account);
}

void read_book(field_reader& r, ledger::book& book) {
  ledger::address_list accounts;
  for (auto& a : read_accounts(r))
    accounts.push_back(std::move(a));
  std::vector<int128> balances(accounts.size());
  for (auto& balance : balances)
    r(balance);
  std::vector<ledger::credit_source> sources;
  for (auto left = r.count(5); left > 0 && !r.failed(); --left) {
    ledger::credit_source s;
    r(s.grant, s.account, s.available_from, s.expires_at, s.amount);
    r.since(3, s.held);
    if (r.failed() || !is_credit(accounts, s))
      return r.fail("no credit");
    const auto& route = accounts[s.account.value].route;
    s.priority = route.priority;
    s.restricted = !route.features.empty();
    if (!sources.empty() && !collected_before(sources.back(), s))
      return r.fail("sources of credit are out of order");
    sources.push_back(s);
  }
  std::vector<ledger::scheduled> ahead;
  r.since(3, ahead);
  for (std::size_t i = 0; i < ahead.size(); ++i)
    if (ahead[i].account.value >= accounts.size() || ahead[i].amount == 0 ||
        !is_in_order(i == 0 ? nullptr : &ahead[i - 1], ahead[i]))
      return r.fail("what is booked ahead is out of order");
  if (!r.failed())
    book = ledger::book::restored(
        std::move(accounts), std::move(balances), std::move(sources), std::move(ahead));
}

void write_extras(field_writer& w, const customer_extras& x) {
  std::vector<hold> open;
  for (const auto* h : x.holds.all())
    open.push_back(*h);
  w(open, std::vector<holds::end>(x.holds.ends().begin(), x.holds.ends().end()));
  w(x.realizations, x.recognized_through);
}

void read_extras(field_reader& r, rare<customer_extras>& extras) {
  customer_extras x;
  std::vector<hold> open;
  std::vector<holds::end> ends;
  r(open, ends, x.realizations, x.recognized_through);
  for (std::size_t i = 0; i < open.size(); ++i) {
    if (i != 0 && open[i].reference <= open[i - 1].reference)
      return r.fail("reservations are out of order");
    x.holds.add(open[i]);
  }
  for (auto& e : ends)
    x.holds.restore_end(std::move(e));
  if (!(x == customer_extras{}))
    extras.edit() = std::move(x);
}

} // namespace

void encode(const customer& c, std::vector<std::byte>& out) {
  field_writer w(out, c.clock);
  w.byte(format_version);
  w.varint(zigzag(c.clock.ns));
  w(c.reference, c.exists, c.settings, c.created_at, c.last);
  write_book(w, c.book);
  w(c.grants, c.charges, c.invoices);
  w(c.charges_made, c.invoices_made, c.advances_opened, c.invoices_issued);
  w.since(4, c.recognizes_at);
  write_extras(w, *c.extras);
}

result<customer> decode_customer(std::span<const std::byte> bytes, customer_id number) {
  field_reader r(bytes);
  r.read_version();
  const auto clock = unzigzag(r.varint());
  customer c;
  c.number = number;
  c.clock.ns = static_cast<std::int64_t>(clock);
  if (c.clock.ns != clock)
    r.fail("an instant is out of range");
  r.set_base(c.clock);
  r(c.reference, c.exists, c.settings, c.created_at, c.last);
  read_book(r, c.book);
  r(c.grants, c.charges, c.invoices);
  r(c.charges_made, c.invoices_made, c.advances_opened, c.invoices_issued);
  r.since(4, c.recognizes_at);
  if (r.version() >= 3)
    read_extras(r, c.extras);
  expect_end(r);
  if (r.failed())
    return unreadable(r);
  return c;
}

} // namespace accrue::journal
