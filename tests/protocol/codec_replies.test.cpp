// Answers from server to client: each survives the way, amounts to the last of their 128 bits, and
// clients are not disturbed by what a newer server adds.
#include "accrue/v1/frame.pb.h"
#include "protocol/fields.hpp"
#include "tests/protocol/frames.hpp"
#include "tests/protocol/samples.hpp"

#include <catch2/catch_test_macros.hpp>
#include <rapidcheck.h>

#include <functional>
#include <set>

using namespace accrue;
using namespace accrue::wire;

namespace {

const std::string unknown_field = "\xC0\x3E\x01";

std::string printed(const reply::receipt& r) {
  std::string out;
  print(out, {3, 4}, r);
  return out;
}

v1::Frame as_message(const std::string& bytes) {
  v1::Frame frame;
  REQUIRE(frame.ParseFromString(std::string(only_payload(bytes))));
  return frame;
}

result<server_frame> spoilt(const reply::body& body, const std::function<void(v1::Receipt&)>& how) {
  auto frame = as_message(printed({sequence(1), body, {}}));
  how(*frame.mutable_answer()->mutable_receipt());
  return parse_server_frame(frame.SerializeAsString());
}

} // namespace

TEST_CASE("the samples have each kind of reply") {
  std::set<std::size_t> kinds;
  for (const auto& body : samples::bodies())
    kinds.insert(body.index());
  CHECK(kinds.size() == std::variant_size_v<reply::body>);
  kinds.clear();
  for (const auto& r : samples::operator_replies())
    kinds.insert(r.index());
  CHECK(kinds.size() == std::variant_size_v<operator_reply>);
}

TEST_CASE("each receipt comes back from the wire as it was") {
  for (const auto& sent : samples::receipts()) {
    INFO("body " << sent.body.index());
    const auto got = read_answer(printed(sent));
    CHECK(got.to == answer_to{3, 4});
    CHECK(std::get<reply::receipt>(got.body) == sent);
  }
}

TEST_CASE("each reply to an operator comes back from the wire as it was") {
  for (const auto& sent : samples::operator_replies()) {
    std::string out;
    print(out, {1, 0}, sent);
    CHECK(std::get<operator_reply>(read_answer(out).body) == sent);
  }
}

TEST_CASE("printing leaves nothing of the answer before") {
  const auto all = samples::receipts();
  for (const auto& before : all)
    for (const auto& sent : all) {
      (void)printed(before);
      CHECK(std::get<reply::receipt>(read_answer(printed(sent)).body) == sent);
    }
}

TEST_CASE("answers are appended one behind the other") {
  const auto all = samples::receipts();
  std::string out;
  for (std::uint32_t i = 0; i < all.size(); ++i)
    print(out, {9, i}, all[i]);
  frame_reader reader;
  feed(reader, out);
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    const auto frame = reader.next();
    REQUIRE(frame);
    REQUIRE(*frame);
    const auto got = parse_server_frame(**frame);
    REQUIRE(got);
    CHECK(std::get<answer>(*got).to == answer_to{9, i});
  }
  CHECK(reader.pending_bytes() == 0);
}

TEST_CASE("amounts travel as decimal strings with all digits of their currency", "[D2]") {
  const auto frame = as_message(
      printed({sequence(1), reply::consumed{"c", samples::usd, "USD", 5, -1234, {}}, {}}));
  const auto& consumed = frame.answer().receipt().consumed();
  CHECK(consumed.booked() == "0.05");
  CHECK(consumed.uncovered() == "-12.34");
  CHECK(consumed.currency().code() == "USD");
  CHECK(consumed.currency().number() == 840);
  CHECK(consumed.currency().exponent() == 2);
}

TEST_CASE("any amount of any exponent comes back from its text") {
  CHECK(rc::check([] {
    const auto high = *rc::gen::arbitrary<std::int64_t>();
    const auto low = *rc::gen::arbitrary<std::uint64_t>();
    const auto shift = *rc::gen::inRange(0, 127);
    const auto exponent = static_cast<std::uint8_t>(*rc::gen::inRange(0, 10));
    const currency c{1000, exponent};
    const auto minor = (static_cast<int128>(high) << 64 | low) >> shift;
    const auto read = parse_amount(amount_text(minor, c), c);
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == minor);
  }));
  for (const auto edge : {samples::largest, samples::smallest, int128{0}, int128{-1}})
    for (const auto& c : {samples::jpy, samples::usd, samples::tokens})
      CHECK(parse_amount(amount_text(edge, c), c) == edge);
}

TEST_CASE("an amount that is none is refused") {
  for (const auto* const text : {"",
                                 "-",
                                 ".",
                                 "1",
                                 "1.2",
                                 "1.234",
                                 "1,20",
                                 " 1.20",
                                 "1.2-",
                                 ".20",
                                 "-.20",
                                 "1.-2",
                                 "--1.20",
                                 "+1.20",
                                 "1.20 ",
                                 "1701411834604692317316873037158841057.28",
                                 "-1701411834604692317316873037158841057.29"}) {
    INFO(text);
    CHECK_FALSE(parse_amount(text, samples::usd));
  }
}

TEST_CASE("a refusal arrives with its retry advice") {
  for (const auto& row : error_table()) {
    const refusal sent{row.code, "c-1", "Do something else."};
    std::string out;
    print(out, {1, 2}, sent);
    const auto got = read_answer(out);
    CHECK(got.to == answer_to{1, 2});
    CHECK(std::get<refused>(got.body) == refused{sent, row.retry});
  }
}

TEST_CASE("the waiting time of a refusal can be told anew") {
  std::string out;
  print(out, {1, 2}, refusal{errc::overloaded, {}, "Queue full."}, 7);
  CHECK(std::get<refused>(read_answer(out).body).retry == retry{retry_advice::later, 7});
}

TEST_CASE("the text of a refusal is UTF-8 whatever it quotes") {
  const std::vector<std::pair<std::string, std::string>> texts{
      {"Gr\xC3\xBC\xC3\x9F"
       "e",
       "Gr\xC3\xBC\xC3\x9F"
       "e"},
      {"cut \xC3", "cut ?"},
      {"\xFF\xFE", "??"},
      {"\xC0\xAF", "??"},
      {"\xE0\x80\x80", "???"},
      {"\xED\xA0\x80", "???"},
      {"\xF4\x90\x80\x80", "????"},
      {"\xF0\x9F\x98\x80\xE2\x82\xAC", "\xF0\x9F\x98\x80\xE2\x82\xAC"}};
  for (const auto& [given, wanted] : texts) {
    std::string out;
    print(out, {1, 0}, refusal{errc::validation, given, given});
    const auto got = std::get<refused>(read_answer(out).body).reason;
    CHECK(got.text == wanted);
    CHECK(got.subject == wanted);
  }
}

TEST_CASE("welcome and farewell come back from the wire as they were") {
  const welcome sent{"accrued 0.1", {1000, 10, 20}};
  std::string out;
  print(out, sent);
  auto got = parse_server_frame(only_payload(out));
  REQUIRE(got);
  CHECK(std::get<welcome>(*got) == sent);

  out.clear();
  const refusal why{errc::unauthenticated, "hello", "Say hello first."};
  print_farewell(out, why);
  got = parse_server_frame(only_payload(out));
  REQUIRE(got);
  CHECK(std::get<farewell>(*got).reason == refused{why, {}});
}

TEST_CASE("fields that only a newer server knows are nothing to a client") {
  for (const auto& sent : samples::receipts()) {
    auto frame = as_message(printed(sent));
    REQUIRE(frame.MergeFromString(unknown_field));
    REQUIRE(frame.mutable_answer()->MergeFromString(unknown_field));
    REQUIRE(frame.mutable_answer()->mutable_receipt()->MergeFromString(unknown_field));
    for (auto& balance : *frame.mutable_answer()->mutable_receipt()->mutable_after())
      REQUIRE(balance.MergeFromString(unknown_field));
    const auto got = parse_server_frame(frame.SerializeAsString());
    REQUIRE(got);
    CHECK(std::get<reply::receipt>(std::get<answer>(*got).body) == sent);
  }
}

TEST_CASE("an error code that only a newer server knows is internal to a client") {
  std::string out;
  print(out, {1, 0}, refusal{errc::conflict, "s", "t"});
  auto frame = as_message(out);
  auto& error = *frame.mutable_answer()->mutable_error();
  error.set_code(static_cast<v1::Error::Code>(500));
  error.set_retry(static_cast<v1::Error::Retry>(9));
  const auto got = parse_server_frame(frame.SerializeAsString());
  REQUIRE(got);
  CHECK(std::get<refused>(std::get<answer>(*got).body) == refused{{errc::internal, "s", "t"}, {}});
}

TEST_CASE("a reply that cannot be understood is an error, not a guess") {
  const auto all = samples::bodies();
  CHECK(spoilt(all[0], [](v1::Receipt& m) { m.clear_body(); }).error().code ==
        errc::unsupported_operation);
  CHECK(spoilt(all[0],
               [](v1::Receipt& m) {
                 m.mutable_customer()->set_over_settlement(static_cast<v1::OverSettlement>(9));
               })
            .error()
            .subject == "customer.over_settlement");
  CHECK(spoilt(reply::opened{"o", samples::usd, "USD", 5},
               [](v1::Receipt& m) { m.mutable_opened()->clear_currency(); })
            .error()
            .subject == "opened.currency");
  CHECK(spoilt(reply::opened{"o", samples::usd, "USD", 5},
               [](v1::Receipt& m) { m.mutable_opened()->mutable_currency()->set_exponent(200); })
            .error()
            .subject == "opened.currency");
  CHECK(spoilt(reply::opened{"o", samples::usd, "USD", 5},
               [](v1::Receipt& m) { m.mutable_opened()->set_amount("5"); })
            .error()
            .subject == "opened.amount");
}

TEST_CASE("frames of a client, of nobody and bytes that are none are refused from a server") {
  std::string out;
  print(out, hello{"shop", {}, {}});
  CHECK_FALSE(parse_server_frame(only_payload(out)));
  CHECK_FALSE(parse_server_frame(""));
  CHECK_FALSE(parse_server_frame("\x22\x7f garbage"));
}
