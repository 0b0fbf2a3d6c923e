// The invoice's machine: its transition table, document dates, spreading of payments, numbers.
// What issuing and paying book is tested in issuing.test.cpp and payment.test.cpp.
#include "domain/invoicing/invoice.hpp"

#include "tests/domain/support.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>

using namespace accrue;
using namespace accrue::invoicing;
using accrue::testing::at;

namespace {

constexpr auto day_ns = 24LL * 3600 * ns_per_second;
const instant may = at("2026-05-01");
const issuance dates{1, may, at("2026-05-31")};

const std::vector<state> one_of_each_state = {
    draft_waiting_auto_approval{may},
    draft_manual_approval_needed{},
    issuing_charge_booking{},
    issuing_charge_booking_failed{},
    payment_pending{dates},
    payment_authorized{dates},
    overdue{dates},
    paid{dates},
    uncollectible{dates},
};

const std::vector<event> one_of_each_event = {
    approved{},
    time_passed{may},
    all_booked{dates},
    booking_failed{},
    retried{},
    payment_moved{},
    given_up{},
};

std::string transition_table() {
  std::string text;
  for (const auto& s : one_of_each_state)
    for (const auto& e : one_of_each_event)
      std::visit(
          [&]<class S, class E>(const S&, const E&) {
            if constexpr (legal<S, E>) {
              using row = decltype(on(std::declval<const S&>(), std::declval<const E&>()));
              text += testing::type_name<S>() + " + " + testing::type_name<E>() + " -> " +
                      testing::names_of(static_cast<const row*>(nullptr)) + "\n";
            }
          },
          s,
          e);
  return text;
}

/// An issued invoice with lines of these totals.
invoice with_lines(const std::vector<int128>& line_totals) {
  invoice i;
  i.state = payment_pending{dates};
  for (const auto t : line_totals) {
    line l;
    l.amount = l.total = t;
    i.lines.push_back(l);
  }
  return i;
}

/// "0:30 1:10": line and amount.
std::string text_of(const result<std::vector<share>>& shares) {
  if (!shares)
    return std::string(to_string(shares.error().code));
  std::string text;
  for (const auto& s : *shares)
    text += (text.empty() ? "" : " ") + std::to_string(s.line) + ":" + to_string(s.amount);
  return text;
}

std::string after(const state& s, const event& e) {
  const auto next = decide(s, e);
  return std::string(next ? to_string(*next) : to_string(next.error().code));
}

} // namespace

TEST_CASE("the transition table of the invoice is the one on file", "[invoice]") {
  CHECK(transition_table() == testing::file_text("tests/domain/invoicing/invoice.table.txt"));
}

TEST_CASE("an event without a row is not available", "[invoice]") {
  REQUIRE(one_of_each_state.size() == std::variant_size_v<state>);
  REQUIRE(one_of_each_event.size() == std::variant_size_v<event>);
  for (const auto& s : one_of_each_state)
    for (const auto& e : one_of_each_event) {
      const bool is_legal =
          std::visit([]<class S, class E>(const S&, const E&) { return legal<S, E>; }, s, e);
      INFO(to_string(s) << " + event " << e.index());
      CHECK((after(s, e) == "invoice_action_not_available") == !is_legal);
    }
}

TEST_CASE("names of states are those of the wire", "[invoice][D51]") {
  const std::vector<std::string_view> names = {
      "draft.waiting_auto_approval",
      "draft.manual_approval_needed",
      "issuing.charge_booking",
      "issuing.charge_booking_failed",
      "payment_processing.pending",
      "payment_processing.authorized",
      "overdue",
      "paid",
  };
  for (std::size_t i = 0; i < names.size(); ++i)
    CHECK(to_string(one_of_each_state[i]) == names[i]);
}

TEST_CASE("review ends at its instant, an approval ends it at once", "[invoice][D4]") {
  const draft_waiting_auto_approval review{may};
  CHECK(after(review, time_passed{plus_ns(may, -1)}) == "draft.waiting_auto_approval");
  CHECK(after(review, time_passed{may}) == "issuing.charge_booking");
  CHECK(after(review, approved{}) == "issuing.charge_booking");
}

TEST_CASE("our clock makes an invoice overdue when its due date has come", "[invoice][D25][D55]") {
  const payment_pending open{dates};
  CHECK(after(open, time_passed{plus_ns(dates.due_at, -1)}) == "payment_processing.pending");
  CHECK(after(open, time_passed{dates.due_at}) == "overdue");
}

TEST_CASE("an invoice is authorized when wholly so and paid when wholly settled",
          "[invoice][D46]") {
  for (const state& s : {state(payment_pending{dates}), state(overdue{dates})}) {
    CHECK(after(s, payment_moved{true, false}) == "payment_processing.authorized");
    CHECK(after(s, payment_moved{true, true}) == "paid");
  }
  CHECK(after(payment_pending{dates}, payment_moved{}) == "payment_processing.pending");
  CHECK(after(payment_authorized{dates}, payment_moved{true, false}) ==
        "payment_processing.authorized");
  CHECK(after(payment_authorized{dates}, payment_moved{true, true}) == "paid");
}

TEST_CASE("flat fees have no collection: a draft waits for approval at once", "[invoice][D45]") {
  profile p;
  p.draft_period_ns = 3 * day_ns;
  CHECK(first_state(p, may) == state(draft_waiting_auto_approval{at("2026-05-04")}));
  p.auto_advance = false;
  CHECK(first_state(p, may) == state(draft_manual_approval_needed{}));
}

TEST_CASE("due dates count from the end of the review, or from the issue", "[invoice]") {
  // invoicing.md 3.3.
  invoice i;
  i.created_at = may;
  i.due_after_ns = 10 * day_ns;
  i.draft_until = at("2026-05-04");
  const auto early = issue_at(i, 5, at("2026-05-02"));
  CHECK(early.number == 5);
  CHECK(early.issued_at == at("2026-05-02"));
  CHECK(early.due_at == at("2026-05-14"));
  i.draft_until.reset();
  CHECK(issue_at(i, 5, at("2026-05-02")).due_at == at("2026-05-12"));
}

TEST_CASE("an invoice issued late leaves the whole time to pay", "[invoice][D3]") {
  // A late wake-up: deadlines for others use now and are never earlier than asked.
  invoice i;
  i.created_at = may;
  i.due_after_ns = 10 * day_ns;
  i.draft_until = at("2026-05-04");
  CHECK(issue_at(i, 1, at("2026-05-20")).due_at == at("2026-05-30"));
  i.draft_until.reset();
  const auto odd = at("2026-05-04T10:00:00.7Z");
  CHECK(issue_at(i, 1, odd).due_at >= plus_ns(odd, 10 * day_ns));
}

TEST_CASE("a payment fills lines in line order", "[invoice][D46]") {
  auto i = with_lines({3000, 0, 5000});
  CHECK(text_of(authorize_shares(i, 4000)) == "0:3000 2:1000");
  CHECK(text_of(authorize_shares(i, 8000)) == "0:3000 2:5000");
  i.lines[0].authorized = 1000;
  CHECK(text_of(authorize_shares(i, 2500)) == "0:2000 2:500");
  CHECK(text_of(settle_shares(i, 1000)) == "0:1000");
  i.lines[0].authorized = 3000;
  i.lines[2].authorized = 1000;
  i.lines[0].settled = 2999;
  CHECK(text_of(settle_shares(i, 1001)) == "0:1 2:1000");
}

TEST_CASE("more than is open or authorized is refused", "[invoice][D12]") {
  auto i = with_lines({3000, 5000});
  CHECK(text_of(authorize_shares(i, 8001)) == "over_authorization");
  CHECK(text_of(settle_shares(i, 1)) == "over_settlement");
  i.lines[0].authorized = 3000;
  i.lines[1].authorized = 1000;
  i.lines[0].settled = 500;
  CHECK(text_of(authorize_shares(i, 4001)) == "over_authorization");
  CHECK(text_of(settle_shares(i, 3501)) == "over_settlement");
  CHECK(text_of(settle_shares(i, 3500)) == "0:2500 1:1000");
}

TEST_CASE("payments below one minor unit are refused", "[invoice]") {
  const auto i = with_lines({3000});
  for (const int128 amount : {0, -1, -3000}) {
    CHECK(text_of(authorize_shares(i, amount)) == "validation");
    CHECK(text_of(settle_shares(i, amount)) == "validation");
  }
}

TEST_CASE("totals are the sums of the lines", "[invoice]") {
  auto i = with_lines({3000, 5000});
  i.lines[0].amount = 4000;
  i.lines[0].credits = 1000;
  i.lines[1].authorized = 2000;
  i.lines[1].settled = 500;
  const auto t = i.totals();
  CHECK(t.amount == 9000);
  CHECK(t.credits == 1000);
  CHECK(t.total == 8000);
  CHECK(t.authorized == 2000);
  CHECK(t.settled == 500);
}

TEST_CASE("numbers have a prefix and six digits, more where needed", "[invoice][D66]") {
  CHECK(number_prefix("acme", customer_id(7)) == "ACME");
  CHECK(format_number("ACME", 12) == "ACME-000012");
  CHECK(format_number("ACME", 1234567) == "ACME-1234567");
}

TEST_CASE("two references of one namespace never share a prefix", "[invoice][D66]") {
  const std::vector<std::string> references = {"acme",
                                               "Acme",
                                               "ACME",
                                               "acme-7",
                                               "acme7",
                                               "a.c.m.e",
                                               "acme ",
                                               "\xc3\xa1"
                                               "cme",
                                               "acme-000001",
                                               "acme_",
                                               "-acme",
                                               "acme-c",
                                               "c",
                                               "7",
                                               "acme-8",
                                               "acme8"};
  std::set<std::string> prefixes;
  std::set<std::string> first_numbers;
  std::uint64_t number = 6;
  for (const auto& r : references) {
    const auto prefix = number_prefix(r, customer_id(++number));
    INFO(r << " -> " << prefix);
    CHECK(prefixes.insert(prefix).second);
    // Cancellations are counted beside them as PREFIX-C-000001.
    CHECK(first_numbers.insert(format_number(prefix, 1)).second);
    CHECK(first_numbers.insert(format_number(prefix + "-C", 1)).second);
  }
}
