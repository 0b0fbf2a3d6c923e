// The journal's bytes: what goes in comes out, what is stored stays readable, nothing else is taken.
#include "persistence/journal_codec.hpp"

#include "persistence/digest.hpp"
#include "persistence/journal_fields.hpp"
#include "tests/persistence/random_facts.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <set>

namespace accrue {
namespace {

using testing::random_facts;
using bytes = std::vector<std::byte>;

template <class T>
bytes encoded(const T& value) {
  bytes out;
  journal::encode(value, out);
  return out;
}

result<entry> decoded(const bytes& body, const entry& like) {
  return journal::decode(body, like.number, like.at, like.kind);
}

bytes from_hex(std::string_view text) {
  bytes out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return out;
}

std::string hex(const bytes& body) { return to_hex(body); }

/// Hexadecimal with a blank after each part of this many bytes.
std::string spaced(const bytes& body, std::initializer_list<std::size_t> parts) {
  auto out = hex(body);
  std::size_t at = 0;
  for (const auto part : parts) {
    at += 2 * part;
    if (at < out.size())
      out.insert(at++, " ");
  }
  return out;
}

/// A consume of 5.00 USD from one grant, as decided.
entry small_consume() {
  const auto spend = ledger::spend_id::of(sequence(900));
  entry e;
  e.number = sequence(900);
  e.at = {1'800'000'000'123'456'789};
  e.kind = 2;
  e.transactions.push_back(
      ledger::transaction::restored(ledger::template_code::collect,
                                    ledger::direction::forward,
                                    e.at,
                                    {{sub_account_id(0), grant_id(1), spend, -500},
                                     {sub_account_id(3), grant_id(1), spend, 500}}));
  e.facts.emplace_back(fact::consumed{"use-000001", {840, 2}, 500, 0});
  e.after.push_back({{840, 2}, "", 99'500, 99'500, 0, 0});
  return e;
}

TEST_CASE("an integer of every size comes back from its shortest form") {
  random_facts random(1);
  bytes out;
  byte_writer w(out);
  std::vector<uint128> values{0, 127, 128, uint128{1} << 126, ~uint128{0}};
  for (int i = 0; i < 10'000; ++i)
    values.push_back(zigzag(random.amount()));
  for (const auto v : values)
    w.varint(v);
  byte_reader r(out);
  CHECK(std::ranges::all_of(values, [&](uint128 v) { return r.varint() == v; }));
  CHECK((r.left() == 0 && !r.failed()));
  constexpr auto lowest = static_cast<int128>(uint128{1} << 127);
  for (const auto v : {int128{0}, int128{-1}, int128{1}, lowest, ~lowest})
    CHECK(unzigzag(zigzag(v)) == v);
}

TEST_CASE("an integer that is cut, too long or not in its shortest form is refused") {
  for (const auto* text : {"",
                           "80",
                           "8000",
                           "ff00",
                           "ffffffffffffffffffffffffffffffffffff04",
                           "ffffffffffffffffffffffffffffffffffff8301"}) {
    CAPTURE(text);
    const auto body = from_hex(text);
    byte_reader r(body);
    CHECK(r.varint() == 0);
    CHECK(r.failed());
    CHECK(r.left() == 0);
  }
}

TEST_CASE("every entry comes back as it was, all kinds of facts in it") {
  random_facts random(2);
  std::set<std::size_t> kinds;
  for (int i = 0; i < 5000; ++i) {
    const auto e = random.entry();
    for (const auto& f : e.facts)
      kinds.insert(f.index());
    const auto body = encoded(e);
    const auto back = decoded(body, e);
    REQUIRE(back);
    REQUIRE(*back == e);
    REQUIRE(encoded(*back) == body);
  }
  CHECK(kinds.size() == std::variant_size_v<fact::any>);
}

TEST_CASE("every charge, invoice and customer comes back as it was") {
  random_facts random(3);
  for (int i = 0; i < 3000; ++i) {
    const auto charge = random.charge();
    REQUIRE(journal::decode_charge(encoded(charge)) == charge);
    const auto invoice = random.invoice();
    REQUIRE(journal::decode_invoice(encoded(invoice)) == invoice);
    const auto customer = random.customer();
    const auto back = journal::decode_customer(encoded(customer), customer.number);
    REQUIRE(back);
    REQUIRE(*back == customer);
  }
}

TEST_CASE("codes of currencies are not stored") {
  auto e = small_consume();
  e.after[0].code = "USD";
  const auto back = decoded(encoded(e), e);
  REQUIRE(back);
  CHECK(back->after[0].code.empty());
  CHECK(back->after[0].currency.exponent() == 2);
}

TEST_CASE("a consume of one slice takes 21 bytes and its id") {
  const auto e = small_consume();
  const auto body = encoded(e);
  CHECK(body.size() == 21 + 10);
  CHECK(decoded(body, e) == e);
  // Version; head; head of the transaction; four integers a posting; balance; fact; its id.
  CHECK(spaced(body, {1, 1, 2, 5, 5, 5, 1, 1, 10}) ==
        "04 1a 1802 00e7070101 03e8070101 8369d8920c 0a 0a 7573652d303030303031");
}

TEST_CASE("a body cut at any byte is refused") {
  random_facts random(4);
  for (int i = 0; i < 300; ++i) {
    const auto e = random.entry();
    auto body = encoded(e);
    body.push_back(std::byte{0});
    REQUIRE_FALSE(decoded(body, e));
    for (body.pop_back(); !body.empty();) {
      body.pop_back();
      const auto back = decoded(body, e);
      REQUIRE_FALSE(back);
      REQUIRE(back.error().code == errc::internal);
    }
  }
}

TEST_CASE("objects and customers cut at any byte are refused") {
  random_facts random(5);
  for (int i = 0; i < 100; ++i) {
    for (auto body = encoded(random.charge()); !body.empty();) {
      body.pop_back();
      REQUIRE_FALSE(journal::decode_charge(body));
    }
    for (auto body = encoded(random.invoice()); !body.empty();) {
      body.pop_back();
      REQUIRE_FALSE(journal::decode_invoice(body));
    }
    for (auto body = encoded(random.customer()); !body.empty();) {
      body.pop_back();
      REQUIRE_FALSE(journal::decode_customer(body, customer_id(64)));
    }
  }
}

// Changes a few bytes, as a bad disk or an attacker would.
void damage(bytes& body, random_facts& random) {
  for (auto left = 1 + random.below(3); left > 0; --left)
    body[random.below(body.size())] = static_cast<std::byte>(random.below(256));
}

/// Of version 1 there is one form, too, and nobody writes it any more.
bool is_written_now(const bytes& body) { return body[0] == std::byte{journal::format_version}; }

TEST_CASE("damaged bytes are refused or are the one form of what they mean") {
  random_facts random(6);
  int taken = 0;
  for (int i = 0; i < 100'000; ++i) {
    const auto e = random.entry();
    auto body = encoded(e);
    damage(body, random);
    const auto back = decoded(body, e);
    taken += back ? 1 : 0;
    if (back && is_written_now(body))
      REQUIRE(hex(encoded(*back)) == hex(body));
  }
  CHECK(taken > 1000);
}

TEST_CASE("damaged objects and customers are refused or are the one form of what they mean") {
  random_facts random(7);
  for (int i = 0; i < 30'000; ++i) {
    auto charge = encoded(random.charge());
    damage(charge, random);
    if (const auto back = journal::decode_charge(charge); back && is_written_now(charge))
      REQUIRE(encoded(*back) == charge);
    auto invoice = encoded(random.invoice());
    damage(invoice, random);
    if (const auto back = journal::decode_invoice(invoice); back && is_written_now(invoice))
      REQUIRE(encoded(*back) == invoice);
    auto customer = encoded(random.customer());
    damage(customer, random);
    const auto back = journal::decode_customer(customer, customer_id(1));
    if (back && is_written_now(customer))
      REQUIRE(encoded(*back) == customer);
  }
}

TEST_CASE("random bytes are refused or read, never more than that") {
  random_facts random(8);
  int refused = 0;
  for (int i = 0; i < 200'000; ++i) {
    bytes body(random.below(64));
    for (auto& b : body)
      b = static_cast<std::byte>(random.below(random.coin() ? 256 : 12));
    if (!body.empty())
      body[0] = random.coin() ? std::byte{1} : std::byte{2};
    refused += journal::decode(body, sequence(5), {7}, 1) ? 0 : 1;
    refused += journal::decode_charge(body) ? 0 : 1;
    refused += journal::decode_invoice(body) ? 0 : 1;
    refused += journal::decode_customer(body, customer_id(3)) ? 0 : 1;
  }
  CHECK(refused > 700'000);
}

TEST_CASE("counts that promise more than follows allocate nothing") {
  const auto huge = std::string(12, 'f') + "7f";
  // As transactions, postings, sub-accounts, balances and facts.
  for (const auto& text : {"01f" + huge + "f",
                           "0110"
                           "18" +
                               huge,
                           "0101" + huge,
                           "0104" + huge,
                           "0100" + huge}) {
    CAPTURE(text);
    CHECK_FALSE(journal::decode(from_hex(text), sequence(1), {}, 1));
  }
}

TEST_CASE("an unknown version, template, account, fact or tax dimension is refused") {
  const std::string account = "0101"
                              "01"
                              "01"
                              "00"
                              "8069"
                              "00"
                              "00"
                              "00"
                              "64"
                              "00"
                              "00"
                              "00";
  REQUIRE(journal::decode(from_hex(account), sequence(1), {}, 1));
  for (const auto& text : {"00" + account.substr(2),
                           "05" + account.substr(2),
                           "0101"
                           "01"
                           "0a" +
                               account.substr(8),
                           "0101"
                           "01"
                           "01"
                           "03" +
                               account.substr(10),
                           account.substr(0, 22) + "01" + account.substr(24),
                           std::string("0118"
                                       "14"
                                       "00"
                                       "00"), // template 5
                           std::string("0108"
                                       "0c"
                                       "00000000"), // fact 12, which came with version 2
                           std::string("02080d00"), // fact 13, which came with version 3
                           std::string("04081500"), // fact 21
                           std::string("0106"
                                       "00"
                                       "00"
                                       "00")}) { // both forms of balances
    CAPTURE(text);
    CHECK_FALSE(journal::decode(from_hex(text), sequence(1), {}, 1));
  }
}

// A change here breaks every journal that was ever written.
TEST_CASE("stored numbers of choices never change") {
  using journal::number_of;
  CHECK(number_of(ledger::account_type::fbo) == 1);
  CHECK(number_of(ledger::account_type::receivable) == 2);
  CHECK(number_of(ledger::account_type::accrued) == 3);
  CHECK(number_of(ledger::account_type::wash) == 4);
  CHECK(number_of(ledger::account_type::earnings) == 5);
  CHECK(number_of(ledger::account_type::brokerage) == 6);
  CHECK(number_of(ledger::account_type::breakage) == 7);
  CHECK(number_of(ledger::account_type::write_off) == 8);
  CHECK(number_of(ledger::account_type::tax_payable) == 9);
  CHECK(number_of(ledger::stage::none) == 0);
  CHECK(number_of(ledger::stage::open) == 1);
  CHECK(number_of(ledger::stage::authorized) == 2);
  CHECK(number_of(ledger::direction::forward) == 0);
  CHECK(number_of(ledger::direction::correction) == 1);
  CHECK(number_of(funding::promotional) == 1);
  CHECK(number_of(funding::opening) == 2);
  CHECK(number_of(command::over_settlement::refuse) == 1);
  CHECK(number_of(command::over_settlement::cap) == 2);
  CHECK(number_of(command::over_settlement::advance) == 3);
  CHECK(number_of(settlement_mode::credit_then_invoice) == 1);
  CHECK(number_of(settlement_mode::credit_only) == 2);
  CHECK(number_of(settlement_mode::invoice_only) == 3);
  CHECK(number_of(payment_term::in_advance) == 1);
  CHECK(number_of(payment_term::in_arrears) == 2);
  using product::aggregation;
  CHECK(number_of(aggregation::sum) == 1);
  CHECK(number_of(aggregation::count) == 2);
  CHECK(number_of(aggregation::min) == 3);
  CHECK(number_of(aggregation::max) == 4);
  CHECK(number_of(aggregation::avg) == 5);
  CHECK(number_of(aggregation::unique_count) == 6);
  CHECK(number_of(aggregation::latest) == 7);
  CHECK(number_of(product::card_type::flat_fee) == 1);
  CHECK(number_of(product::card_type::usage_based) == 2);
  CHECK(number_of(rating::tier_mode::graduated) == 1);
  CHECK(number_of(rating::tier_mode::volume) == 2);
  CHECK(number_of(rating::unit_conversion::operation::multiply) == 1);
  CHECK(number_of(rating::unit_conversion::operation::divide) == 2);
  CHECK(number_of(rating::unit_conversion::rounding_mode::none) == 1);
  CHECK(number_of(rating::unit_conversion::rounding_mode::ceiling) == 2);
  CHECK(number_of(rating::unit_conversion::rounding_mode::floor) == 3);
  CHECK(number_of(rating::unit_conversion::rounding_mode::half_up) == 4);
}

TEST_CASE("stored numbers of states and facts never change") {
  using journal::tag_of;
  CHECK(tag_of<flat_fee::created> == 1);
  CHECK(tag_of<flat_fee::active> == 2);
  CHECK(tag_of<flat_fee::collecting_credit> == 3);
  CHECK(tag_of<flat_fee::waiting_for_collection> == 4);
  CHECK(tag_of<flat_fee::processing> == 5);
  CHECK(tag_of<flat_fee::awaiting_payment> == 6);
  CHECK(tag_of<flat_fee::finished> == 7);
  CHECK(tag_of<flat_fee::deleted> == 8);
  CHECK(tag_of<invoicing::draft_waiting_auto_approval> == 1);
  CHECK(tag_of<invoicing::draft_manual_approval_needed> == 2);
  CHECK(tag_of<invoicing::issuing_charge_booking> == 3);
  CHECK(tag_of<invoicing::issuing_charge_booking_failed> == 4);
  CHECK(tag_of<invoicing::payment_pending> == 5);
  CHECK(tag_of<invoicing::payment_authorized> == 6);
  CHECK(tag_of<invoicing::overdue> == 7);
  CHECK(tag_of<invoicing::paid> == 8);
  CHECK(tag_of<fact::customer_changed> == 1);
  CHECK(tag_of<fact::grant_recorded> == 2);
  CHECK(tag_of<fact::consumed> == 3);
  CHECK(tag_of<fact::charge_changed> == 4);
  CHECK(tag_of<fact::invoice_changed> == 5);
  CHECK(tag_of<fact::advance_opened> == 6);
  CHECK(tag_of<fact::message_queued> == 7);
  CHECK(tag_of<fact::credit_unit_created> == 8);
  CHECK(tag_of<fact::profile_changed> == 9);
  CHECK(journal::consumed_plainly == 10);
  CHECK(tag_of<fact::key_added> == 11);
  CHECK(tag_of<fact::catalog_replaced> == 12);
  CHECK(tag_of<rating::flat_price> == 1);
  CHECK(tag_of<rating::unit_price> == 2);
  CHECK(tag_of<rating::tiered_price> == 3);
  CHECK(tag_of<rating::package_price> == 4);
  CHECK(tag_of<rating::dynamic_price> == 5);
}

TEST_CASE("bytes of version 1 are read as they were meant") {
  // The entry of small_consume, and a charge that waits for its payment.
  CHECK(journal::decode(from_hex("011a180200e707010103e80701018369d8920c0a0a7573652d303030303031"),
                        sequence(900),
                        {1'800'000'000'123'456'789},
                        2) == small_consume());
  charge c;
  c.terms = {charge_id(7),
             "seat",
             settlement_mode::credit_then_invoice,
             payment_term::in_arrears,
             {10'000, {978, 2}},
             {{0}, {86'400 * ns_per_second}},
             {86'400 * ns_per_second},
             ""};
  c.state = flat_fee::awaiting_payment{
      {invoice_id(2), {{grant_id(1), sub_account_id(4), 4'000}}, 0, 6'000, 6'000, 0}};
  bytes body;
  journal::encode(c, body, 1);
  CHECK(spaced(body, {1, 1, 5, 1, 1, 2, 3, 1, 3, 3, 1, 1, 1, 1, 4, 1, 2, 2, 1}) ==
        "01 07 0473656174 01 02 a37a a09c01 01 818c15 818c15 00 06 02 01 0104c03e 00 e05d e05d 00");
  CHECK(journal::decode_charge(body) == c);
}

TEST_CASE("invoices, customers and their facts of version 1 have no tax") {
  invoicing::invoice i;
  i.id = invoice_id(2);
  i.currency = {840, 2};
  i.state = invoicing::draft_manual_approval_needed{};
  i.lines = {{charge_id(7), "seat", {{0}, {ns_per_second}}, 100, 40, 60, false, 0, 0}};
  i.revision = 1;
  bytes body;
  journal::encode(i, body, 1);
  // Version, id, currency, state; one line: charge, name, period, amounts, not booked; no issues, created,
  // no draft_until, due after, revision.
  CHECK(spaced(body, {1, 1, 2, 1, 1, 1, 5, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1}) ==
        "01 02 8369 02 01 07 0473656174 01 05 c801 50 78 00 00 00 00 01 00 00 01");
  CHECK(journal::decode_invoice(body) == i);
  // In version 2 a byte a line says that there is no tax, in version 4 another that nothing is written off.
  CHECK(encoded(i).size() == body.size() + 2);

  const auto put = journal::decode(from_hex("01080104"
                                            "61636d65"
                                            "00"
                                            "01"
                                            "00"
                                            "00"),
                                   sequence(1),
                                   {5},
                                   0);
  REQUIRE(put);
  const auto& changed = std::get<fact::customer_changed>(put->facts.at(0));
  CHECK(changed.reference == "acme");
  CHECK_FALSE(changed.settings.tax.has_value());
  CHECK(changed.created_at == instant{5});
}

TEST_CASE("a catalog is stored as it was made") {
  // One tiered price, whose open-ended tier was listed first; version 2 to the byte.
  auto tariff =
      rating::tariff::make(rating::price::make(rating::tiered_price{rating::tier_mode::volume,
                                                                    {{{}, decimal(9), {}},
                                                                     {decimal(5), {}, decimal(1)}},
                                                                    {}})
                               .value())
          .value();
  product::rate_card card;
  card.key = card.feature = "x";
  card.type = product::card_type::usage_based;
  card.tariff = std::move(tariff);
  card.cadence = product::cadence();
  product::listing l;
  l.meters = {{"x", product::aggregation::sum, ""}};
  l.features = {{"x", "x", false}};
  l.add_ons = {{"a", "", {840, 2}, false, {card}}};
  entry e;
  e.number = sequence(1);
  e.facts.emplace_back(fact::catalog_replaced{product::catalog::make(std::move(l)).value()});
  const auto body = encoded(e);
  CHECK(hex(body) == "04080c"
                     "01017801"
                     "00"         // a meter
                     "0101780178" // a feature
                     "00"
                     "0101610083690001" // an add-on: key, name, currency, not multiple, one card
                     "0178000178"       // key, name, feature
                     "02"               // by usage
                     "01"               // a tariff
                     "03"               // tiered
                     "02"               // volume
                     "02"               // two tiers: up to 5 at 1 each; else 9
                     "01000a"
                     "00"
                     "010002"
                     "00"
                     "010012"
                     "00"
                     "0000" // no commitments
                     "01"   // the second was listed first
                     "0000" // no discounts
                     "00"   // no conversion
                     "0103"
                     "50314d" // P1M
                     "0000"   // nothing included
                     "00");   // no plans
  CHECK(decoded(body, e) == e);
}

} // namespace
} // namespace accrue
