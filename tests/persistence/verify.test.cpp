// What `verify` says of a sound database, and that it notices everything that can be done to one.
#include "persistence/verify.hpp"

#include "tests/persistence/billing_history.hpp"

#include <catch2/catch_test_macros.hpp>

namespace accrue {
namespace {

using testing::billing_history;
using testing::first_customer;

verification verified(billing_history& h, const verify_options& options = {}) {
  auto done = verify(h.database(), options);
  if (!done)
    throw std::runtime_error(done.error().text);
  return std::move(*done);
}

/// "chain namespace 1, customer 65, sequence 3", …
std::vector<std::string> told(const verification& v) {
  std::vector<std::string> out;
  for (const auto& f : v.findings)
    out.push_back(std::string(to_string(f.what)) + " " + f.where);
  return out;
}

std::string all_of(const verification& v) {
  std::string out;
  for (const auto& f : v.findings)
    out += std::string(to_string(f.what)) + " " + f.where + ": " + f.text + "\n";
  return out;
}

/// Does this to a sound database and says what is found then.
std::vector<std::string> after(const std::string& sql) {
  billing_history h;
  fill(h);
  h.run(sql);
  const auto v = verified(h);
  UNSCOPED_INFO(all_of(v));
  return told(v);
}

bool has(const std::vector<std::string>& findings, const std::string& wanted) {
  return std::ranges::find(findings, wanted) != findings.end();
}

constexpr auto unit_8 = "namespace = 1 and customer = 65 and sequence = 8";
const std::string chain_8 = "chain namespace 1, customer 65, sequence 8";
const std::string ledger_8 = "ledger namespace 1, customer 65, sequence 8";

TEST_CASE("a sound database is proved, and everything in it counted", "[pg]") {
  billing_history h;
  fill(h);
  const auto v = verified(h);
  INFO(all_of(v));
  CHECK(v.clean());
  CHECK(v.customers == 3);
  CHECK(std::to_string(v.units) == h.value("select count(*) from journal"));
  CHECK(std::to_string(v.postings) == h.value("select count(*) from posting"));
  CHECK(v.batches == 5);
  CHECK(v.summary() == "3 customers, 25 units, " + std::to_string(v.transactions) +
                           " transactions, " + std::to_string(v.postings) +
                           " postings, 5 batches: all proved");
  // The history has all that can go wrong below.
  for (const auto* table :
       {"charge", "invoice", "credit_grant", "wakeup", "outbox", "snapshot", "statement_block"})
    CHECK(h.value(std::string("select count(*) > 0 from ") + table) == "t");
}

TEST_CASE("an empty database is proved", "[pg]") {
  billing_history h;
  CHECK(verified(h).summary() ==
        "0 customers, 0 units, 0 transactions, 0 postings, 0 batches: all proved");
}

TEST_CASE("the state that the journal leads to is shown to the caller", "[pg]") {
  billing_history h;
  fill(h);
  std::vector<customer_key> seen;
  verify_options options;
  options.on_customer = [&](const customer_key& k, const customer& c, const digest& tip) {
    seen.push_back(k);
    CHECK(c == h.customers().at(k).customer);
    CHECK(tip == h.customers().at(k).tip);
  };
  CHECK(verified(h, options).clean());
  CHECK(seen ==
        std::vector<customer_key>{
            {namespace_id(1), {}}, first_customer, testing::second_customer, testing::elsewhere});
}

TEST_CASE("any changed byte of any body is found", "[pg]") {
  billing_history h;
  fill(h);
  const auto size =
      std::stoi(h.value(std::string("select octet_length(body) from journal where ") + unit_8));
  for (int i = 0; i < size; ++i) {
    CAPTURE(i);
    h.run("begin");
    h.run("update journal set body = set_byte(body, " + std::to_string(i) + ", get_byte(body, " +
          std::to_string(i) + ") # 1) where " + unit_8);
    h.run("commit");
    CHECK(has(told(verified(h)), chain_8));
    h.run("update journal set body = set_byte(body, " + std::to_string(i) + ", get_byte(body, " +
          std::to_string(i) + ") # 1) where " + unit_8);
  }
  CHECK(verified(h).clean());
}

TEST_CASE("a changed amount breaks the chain and the ledger", "[pg]") {
  // Bytes 5 and 6 of a consume are the amount of its first posting.
  const auto findings = after(std::string("update journal set body = set_byte(body, 5,"
                                          " get_byte(body, 5) # 2) where ") +
                              unit_8);
  CHECK(has(findings, chain_8));
  CHECK(has(findings, ledger_8));
}

TEST_CASE("a changed instant, kind, key or content is found", "[pg]") {
  for (const auto* change : {"at = at + 1",
                             "kind = 3",
                             "key = gen_random_uuid()",
                             "content = gen_random_uuid()",
                             "hash = sha256(hash)"}) {
    CAPTURE(change);
    CHECK(has(after(std::string("update journal set ") + change + " where " + unit_8), chain_8));
  }
}

TEST_CASE("a removed unit in the middle is found", "[pg]") {
  const auto findings = after(std::string("delete from journal where ") + unit_8);
  CHECK(has(findings, "chain namespace 1, customer 65, sequence 9"));
  CHECK(has(findings, "batch lane 1, batch 2"));
}

const std::string last_unit =
    " from journal where namespace = 1 and customer = 65 order by sequence desc limit 1";

TEST_CASE("a removed last unit is found by its batch", "[pg]") {
  CHECK(has(after("delete from journal where namespace = 1 and customer = 65 and sequence ="
                  " (select sequence" +
                  last_unit + ")"),
            "batch lane 1, batch 3"));
}

TEST_CASE("a last batch removed with its units is found by the lane's row", "[pg]") {
  const auto findings = after("delete from journal where lane = 1 and batch = 3;"
                              " delete from batch where lane = 1 and number = 3");
  CHECK(has(findings, "batch lane 1, batch 3"));
}

TEST_CASE("units that swapped places are found", "[pg]") {
  const auto findings = after(
      "update journal set sequence = 1000 where namespace = 1 and customer = 65 and sequence = 6;"
      "update journal set sequence = 6 where namespace = 1 and customer = 65 and sequence = 7;"
      "update journal set sequence = 7 where namespace = 1 and customer = 65 and sequence = 1000");
  CHECK(has(findings, "chain namespace 1, customer 65, sequence 6"));
  CHECK(has(findings, "chain namespace 1, customer 65, sequence 7"));
}

TEST_CASE("units that went to another customer are found", "[pg]") {
  const auto findings =
      after("update journal set customer = 129 where namespace = 1 and customer = 65");
  CHECK(has(findings, "chain namespace 1, customer 129, sequence 1"));
  CHECK(has(findings, "owner namespace 1, customer 65"));
}

TEST_CASE("a forged unit with a right hash is found by its batch", "[pg]") {
  billing_history h;
  fill(h);
  auto before = h.customers().at(first_customer);
  h.decide(first_customer, testing::day(9), command::consume{"forged", decimal(1), "USD", "api"});
  // Written as a batch, then made to look as if an earlier batch had held it.
  h.commit(0);
  h.run(
      "update journal set lane = 1, batch = 3 where lane = 0 and batch = 3;"
      "delete from batch where lane = 0 and number = 3; update lane set batch = 2 where lane = 0");
  CHECK(has(told(verified(h)), "batch lane 1, batch 3"));
  h.run("update journal set batch = 99 where namespace = 1 and customer = 65 and sequence = " +
        std::to_string(before.customer.last.value + 1));
  CHECK(has(told(verified(h)), "batch lane 1, batch 99"));
}

TEST_CASE("a transaction that does not prove is found though all hashes are right", "[pg]") {
  billing_history h;
  fill(h);
  const auto& c = h.customers().at(first_customer).customer;
  entry e;
  e.number = sequence(c.last.value + 1);
  e.at = testing::day(9);
  e.kind = 2;
  e.transactions.push_back(ledger::transaction::restored(
      ledger::template_code::collect,
      ledger::direction::forward,
      e.at,
      {{sub_account_id(0), grant_id(1), {}, -5}, {sub_account_id(1), grant_id(1), {}, 4}}));
  catalog cat;
  h.add(first_customer, e, cat);
  h.commit(1);
  CHECK(told(verified(h)) == std::vector<std::string>{"ledger namespace 1, customer 65, sequence " +
                                                      std::to_string(e.number.value)});
}

TEST_CASE("balances after a unit that are not its own are found", "[pg]") {
  billing_history h;
  fill(h);
  auto e = h.customers().at(first_customer).entries.back();
  e.number = sequence(e.number.value + 1);
  e.opened.clear();
  e.transactions.clear();
  e.facts = {fact::consumed{"x", {840, 2}, 0, 0}};
  for (auto& b : e.after)
    b.settled += 1;
  catalog cat;
  h.add(first_customer, e, cat);
  h.commit(1);
  CHECK(has(told(verified(h)),
            "ledger namespace 1, customer 65, sequence " + std::to_string(e.number.value)));
}

TEST_CASE("a changed, missing or surplus row beside the journal is found", "[pg]") {
  struct row {
    const char* change;
    const char* customer;
  };
  const auto table = {
      row{"update customer set reference = 'x' where customer = 130", "namespace 1, customer 130"},
      row{"delete from customer where customer = 130", "namespace 1, customer 130"},
      row{"update credit_grant set amount = amount + 0.01 where number = 2",
          "namespace 1, customer 65"},
      row{"update credit_grant set priority = 11 where number = 2", "namespace 1, customer 65"},
      row{"delete from credit_grant where number = 3", "namespace 1, customer 65"},
      row{"insert into credit_grant select namespace, customer, 4, reference, currency, amount,"
          " priority, effective_at, sequence from credit_grant where number = 3",
          "namespace 1, customer 65"},
      row{"update charge set status = 'x' where reference = 'later'", "namespace 1, customer 65"},
      row{"update charge set body = body || '\\x00'::bytea where reference = 'bill'",
          "namespace 1, customer 130"},
      row{"delete from charge where reference = 'seat'", "namespace 1, customer 65"},
      row{"update invoice set total = 1 where customer = 130", "namespace 1, customer 130"},
      row{"update invoice set sequence = 1 where customer = 65", "namespace 1, customer 65"},
      row{"update wakeup set due = due + 1 where customer = 65", "namespace 1, customer 65"},
      row{"update wakeup set shard = 7 where customer = 65", "namespace 1, customer 65"},
      row{"delete from wakeup where customer = 130", "namespace 1, customer 130"},
      row{"insert into wakeup values (1, 1, 2, 65)", "namespace 2, customer 65"},
      row{"delete from outbox where customer = 130", "namespace 1, customer 130"},
      row{"update outbox set place = 5 where customer = 65", "namespace 1, customer 65"}};
  for (const auto& [change, customer] : table) {
    CAPTURE(change);
    const auto findings = after(change);
    CHECK(!findings.empty());
    CHECK(std::ranges::all_of(findings, [&](const std::string& f) {
      return f == std::string("projection ") + customer;
    }));
  }
}

TEST_CASE("that a message was delivered is no finding", "[pg]") {
  CHECK(after("update outbox set delivered_at = queued_at + 1").empty());
}

TEST_CASE("whole states and key filters are stored without an attempt to compress them", "[pg]") {
  billing_history h;
  const auto storage = h.database().execute("select string_agg(attstorage::text, '') from "
                                            "pg_attribute where attname = 'body' and attrelid in "
                                            "('snapshot'::regclass, 'key_segment'::regclass)");
  REQUIRE(storage);
  CHECK(storage->text(0, 0) == "ee"); // external
}

TEST_CASE("a snapshot that the journal does not lead to is found", "[pg]") {
  CHECK(after("update snapshot set body = set_byte(body, octet_length(body) - 1, 77) where "
              "customer = 65") ==
        std::vector<std::string>{"snapshot namespace 1, customer 65, sequence 9"});
  CHECK(after("update snapshot set body = '\\x01'::bytea where customer = 65") ==
        std::vector<std::string>{"snapshot namespace 1, customer 65, sequence 9"});
  CHECK(after("update snapshot set sequence = 5 where customer = 65") ==
        std::vector<std::string>{"snapshot namespace 1, customer 65, sequence 5"});
  CHECK(after("update snapshot set sequence = 500 where customer = 65") ==
        std::vector<std::string>{"snapshot namespace 1, customer 65"});
  CHECK(after("insert into snapshot select namespace, 999, sequence, body from snapshot where "
              "customer = 65") == std::vector<std::string>{"owner namespace 1, customer 999"});
}

TEST_CASE("a statement block that is not of its units is found", "[pg]") {
  const std::vector<std::string> there{"projection namespace 1, customer 65, statement block 9"};
  for (const auto* column : {"sums", "items"}) {
    const std::string x = column;
    CHECK(after("update statement_block set " + x + " = set_byte(" + x + ", octet_length(" + x +
                ") - 1, get_byte(" + x + ", octet_length(" + x + ") - 1) # 1)") == there);
    CHECK(after("update statement_block set " + x + " = '\\x'::bytea") == there);
  }
  CHECK(after("update statement_block set last_sequence = 8") ==
        std::vector<std::string>{"projection namespace 1, customer 65, statement block 8"});
  CHECK(after("update statement_block set last_sequence = 900") ==
        std::vector<std::string>{"projection namespace 1, customer 65, statement block 900"});
  CHECK(after("insert into statement_block select namespace, 999, 9, sums, items from "
              "statement_block") ==
        std::vector<std::string>{"projection namespace 1, customer 999, statement block 9"});
}

TEST_CASE("a statement block that is not there is no finding: it is made when it is asked for",
          "[pg]") {
  CHECK(after("delete from statement_block").empty());
}

TEST_CASE("a finished charge that a snapshot left out is no finding", "[pg]") {
  billing_history h;
  fill(h);
  auto c = h.customers().at(first_customer).customer;
  const auto finished = std::erase_if(
      c.charges, [](const charge& x) { return flat_fee::to_string(x.state) == "final"; });
  CHECK(finished > 0);
  std::ranges::reverse(c.charges);
  std::vector<std::byte> body;
  journal::encode(c, body);
  pg::parameters p;
  p.bytea(body).int8(static_cast<std::int64_t>(c.last.value));
  REQUIRE(h.database().query(
      "update snapshot set body = $1::bytea, sequence = $2::int8 where customer = 65", p));
  const auto v = verified(h);
  INFO(all_of(v));
  CHECK(v.clean());
}

TEST_CASE("a changed batch or lane row is found", "[pg]") {
  const std::string second = "batch lane 1, batch 2";
  const std::string third = "batch lane 1, batch 3";
  CHECK(has(after("update batch set rows = rows + 1 where lane = 1 and number = 2"), second));
  CHECK(has(after("update batch set epoch = 0 where lane = 1 and number = 2"), second));
  CHECK(has(after("update batch set hash = sha256(hash) where lane = 1 and number = 2"), third));
  CHECK(has(after("delete from batch where lane = 1 and number = 2"), second));
  CHECK(has(after("delete from batch where lane = 1 and number = 2"), third));
  CHECK(has(after("update lane set batch = batch + 1 where lane = 1"), "batch lane 1, batch 4"));
  CHECK(has(after("update lane set epoch = 0 where lane = 1"), third));
  CHECK(has(after("delete from lane where lane = 1"), third));
}

TEST_CASE("units that name another batch are found", "[pg]") {
  const auto findings = after(std::string("update journal set batch = 1 where ") + unit_8);
  CHECK(has(findings, "batch lane 1, batch 1"));
  CHECK(has(findings, "batch lane 1, batch 2"));
}

TEST_CASE("a namespace without a row and rows of nobody are found", "[pg]") {
  CHECK(after("delete from namespace where namespace = 2") ==
        std::vector<std::string>{"owner namespace 2, customer 65"});
  CHECK(after("insert into customer values (1, 999, 'ghost', 0)") ==
        std::vector<std::string>{"owner namespace 1, customer 999"});
  CHECK(after("insert into customer values (7, 1, 'ghost', 0)") ==
        std::vector<std::string>{"owner namespace 7, customer 1"});
}

TEST_CASE("one idempotency key on two units is found", "[pg]") {
  const auto findings =
      after("update journal set key = (select key from journal where namespace = 1"
            " and customer = 65 and sequence = 2) where namespace = 1 and"
            " customer = 65 and sequence = 5");
  CHECK(has(findings, "key namespace 1, customer 65, sequence 2"));
}

TEST_CASE("only the first findings are kept and all are counted", "[pg]") {
  billing_history h;
  fill(h);
  h.run("update journal set at = at + 1");
  verify_options options;
  options.findings_max = 3;
  const auto v = verified(h, options);
  CHECK(v.findings.size() == 3);
  CHECK(v.found >= 24);
  CHECK(v.summary().ends_with(std::to_string(v.found) + " findings"));
}

TEST_CASE("a database that does not answer is a failure, not a finding", "[pg]") {
  billing_history h;
  h.run("drop table outbox");
  const auto done = verify(h.database());
  REQUIRE_FALSE(done);
  CHECK(done.error().sqlstate == "42P01");
  CHECK(h.value("select 1") == "1");
}

} // namespace
} // namespace accrue
