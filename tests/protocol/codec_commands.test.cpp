// Commands from client to server: each survives the way, and whatever is not well-formed is refused
// with the name of its field.
#include "accrue/v1/frame.pb.h"
#include "tests/protocol/frames.hpp"
#include "tests/protocol/samples.hpp"

#include <catch2/catch_test_macros.hpp>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <rapidcheck.h>

#include <functional>
#include <set>

using namespace accrue;
using namespace accrue::wire;

namespace {

std::string printed(const call& c) {
  std::string out;
  print(out, 7, c);
  return out;
}

v1::Frame as_message(const call& c) {
  v1::Frame frame;
  REQUIRE(frame.ParseFromString(std::string(only_payload(printed(c)))));
  return frame;
}

/// The refusal of a command that was spoilt on its way.
refusal refusal_of(const call& c, const std::function<void(v1::Command&)>& spoil) {
  auto frame = as_message(c);
  spoil(*frame.mutable_request()->mutable_commands(0));
  auto parsed = parse_client_frame(frame.SerializeAsString());
  REQUIRE(parsed);
  auto& calls = std::get<request>(*parsed).calls;
  REQUIRE(calls.size() == 1);
  REQUIRE_FALSE(calls[0]);
  return calls[0].error();
}

call of(command::any body) {
  const bool for_namespace = command::is_for_namespace(body);
  return {for_namespace ? "" : "acme", "k", {}, {}, std::move(body)};
}

const call consume_call = of(command::consume{"c", samples::number("1"), "USD", {}});

/// Bytes of a field that no version knows: number 1000, a varint.
const std::string unknown_field = "\xC0\x3E\x01";

} // namespace

TEST_CASE("the samples have each kind of command") {
  std::set<std::size_t> kinds;
  for (const auto& c : samples::commands())
    kinds.insert(c.index());
  CHECK(kinds.size() == std::variant_size_v<command::any>);
  kinds.clear();
  for (const auto& c : samples::operator_commands())
    kinds.insert(c.index());
  CHECK(kinds.size() == std::variant_size_v<operator_command>);
}

TEST_CASE("each command comes back from the wire as it was") {
  for (const auto& sent : samples::calls()) {
    const auto bytes = printed(sent);
    const auto got = read_request(bytes);
    CHECK(got.id == 7);
    REQUIRE(got.calls.size() == 1);
    INFO((got.calls[0] ? "" : got.calls[0].error().text));
    REQUIRE(got.calls[0]);
    CHECK(got.calls[0]->customer == sent.customer);
    CHECK(got.calls[0]->key == sent.key);
    CHECK(got.calls[0]->expected_sequence == sent.expected_sequence);
    CHECK(got.calls[0]->deadline_ms == sent.deadline_ms);
    CHECK(got.calls[0]->body.index() == sent.body.index());
    // Commands do not compare; printing loses nothing, as the tests of single kinds below show.
    CHECK(printed(*got.calls[0]) == bytes);
  }
}

TEST_CASE("the fields of a charge arrive in their places") {
  const auto calls = read_request(printed(of(samples::full_charge()))).calls;
  const auto got = std::get<command::create_charge>(std::get<command::any>(calls[0]->body));
  CHECK(got.id == "ch");
  CHECK(got.mode == settlement_mode::invoice_only);
  CHECK(got.amount == samples::number("80.25"));
  CHECK(got.currency == "USD");
  CHECK(got.service_period == samples::january);
  CHECK(got.full_service_period == period{{0}, samples::january.to});
  CHECK(got.invoice_at == samples::later);
  CHECK(got.term == payment_term::in_advance);
  CHECK(got.feature == "f");
}

TEST_CASE("absent parts take the domain's defaults") {
  auto frame = as_message(of(samples::charge()));
  auto& command = *frame.mutable_request()->mutable_commands(0);
  command.mutable_create_charge()->clear_mode();
  command.mutable_create_charge()->clear_term();
  command.clear_idempotency_key();
  auto parsed = parse_client_frame(frame.SerializeAsString());
  REQUIRE(parsed);
  const auto& got = std::get<request>(*parsed).calls[0];
  REQUIRE(got);
  CHECK(got->key.empty());
  const auto& charge = std::get<command::create_charge>(std::get<command::any>(got->body));
  CHECK(charge.mode == settlement_mode::credit_then_invoice);
  CHECK(charge.term == payment_term::in_arrears);
}

TEST_CASE("a batch keeps its order, and a bad command harms no other") {
  const auto all = samples::calls();
  std::string out;
  print(out, 1, all);
  v1::Frame frame;
  REQUIRE(frame.ParseFromString(std::string(only_payload(out))));
  frame.mutable_request()->mutable_commands(3)->mutable_grant_credit()->set_amount("1,5");
  auto parsed = parse_client_frame(frame.SerializeAsString());
  REQUIRE(parsed);
  const auto& calls = std::get<request>(*parsed).calls;
  REQUIRE(calls.size() == all.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    INFO(i);
    REQUIRE(calls[i].has_value() == (i != 3));
    CHECK((i == 3 || printed(*calls[i]) == printed(all[i])));
  }
  CHECK(calls[3].error().subject == "grant_credit.amount");
}

TEST_CASE("printing leaves nothing of the request before") {
  std::string warm;
  for (const auto& c : samples::calls())
    print(warm, 99, c);
  for (const auto& c : samples::calls()) {
    std::string first;
    print(first, 5, std::vector{consume_call, c, c});
    std::string second;
    print(second, 5, std::vector{consume_call, c, c});
    CHECK(first == second);
    CHECK(read_request(printed(c)).calls.size() == 1);
  }
}

TEST_CASE("a batch that is empty or above the limit is the connection's error") {
  v1::Frame frame;
  frame.mutable_request()->set_request_id(1);
  CHECK(parse_client_frame(frame.SerializeAsString()).error().subject == "request.commands");
  std::string out;
  print(out, 1, std::vector<call>(4, consume_call));
  CHECK(parse_client_frame(only_payload(out), 4));
  CHECK(parse_client_frame(only_payload(out), 3).error().code == errc::validation);
}

TEST_CASE("a field that no version knows is refused wherever it stands") {
  for (const auto& sent : samples::calls()) {
    const auto frame = as_message(sent);
    const auto& command = frame.request().commands(0);
    // Behind the command's own fields, and inside its body: the body is the last field printed.
    const auto outer =
        refusal_of(sent, [](v1::Command& m) { REQUIRE(m.MergeFromString(unknown_field)); });
    CHECK(outer.code == errc::validation);
    v1::Command inner = command;
    const auto body_tag = static_cast<std::uint32_t>(command.body_case()) << 3 | 2;
    std::string bytes = command.SerializeAsString();
    {
      google::protobuf::io::StringOutputStream stream(&bytes); // appends: bodies merge
      google::protobuf::io::CodedOutputStream coded(&stream);
      coded.WriteVarint32(body_tag);
      coded.WriteVarint32(static_cast<std::uint32_t>(unknown_field.size()));
      coded.WriteString(unknown_field);
    }
    const auto deep = refusal_of(sent, [&](v1::Command& m) { REQUIRE(m.ParseFromString(bytes)); });
    CHECK(deep.code == errc::validation);
    CHECK(deep.text.find("does not know") != std::string::npos);
  }
}

TEST_CASE("a field that no version knows is refused inside nested messages too") {
  const auto charge = of(samples::full_charge());
  const auto spoilt = [&](auto part) {
    return refusal_of(charge,
                      [&](v1::Command& m) {
                        REQUIRE(part(*m.mutable_create_charge())->MergeFromString(unknown_field));
                      })
        .subject;
  };
  using m = v1::CreateCharge;
  CHECK(spoilt([](m& c) { return c.mutable_service_period(); }) == "create_charge.service_period");
  CHECK(spoilt([](m& c) { return c.mutable_service_period()->mutable_from(); }) ==
        "create_charge.service_period");
  CHECK(spoilt([](m& c) { return c.mutable_full_service_period()->mutable_to(); }) ==
        "create_charge.full_service_period");
  CHECK(spoilt([](m& c) { return c.mutable_invoice_at(); }) == "create_charge.invoice_at");
  const auto limits = of(samples::commands()[1]);
  CHECK(refusal_of(limits, [](v1::Command& c) {
          auto& limit = *c.mutable_put_customer()->mutable_advance_limit()->mutable_limits(0);
          REQUIRE(limit.MergeFromString(unknown_field));
        }).subject == "put_customer.advance_limit");
  CHECK(refusal_of(of(command::get_balance{}), [](v1::Command& c) {
          REQUIRE(c.mutable_get_balance()->mutable_filter()->MergeFromString(unknown_field));
        }).subject == "get_balance.filter");
}

TEST_CASE("fields that no version knows around the commands are the connection's error") {
  auto frame = as_message(consume_call);
  CHECK(parse_client_frame(frame.SerializeAsString() + unknown_field).error().code ==
        errc::validation);
  REQUIRE(frame.mutable_request()->MergeFromString(unknown_field));
  CHECK(parse_client_frame(frame.SerializeAsString()).error().subject == "request");
}

TEST_CASE("a command that only a newer server knows is told so") {
  const auto no = refusal_of(consume_call, [](v1::Command& m) {
    m.clear_body();
    REQUIRE(m.MergeFromString(unknown_field));
  });
  CHECK(no.code == errc::unsupported_operation);
  CHECK(refusal_of(consume_call, [](v1::Command& m) { m.clear_body(); }).code == errc::validation);
}

TEST_CASE("an enum value that no version knows is refused", "[D62]") {
  constexpr int unknown = 77;
  const auto charge = of(samples::charge());
  CHECK(refusal_of(charge, [](v1::Command& m) {
          m.mutable_create_charge()->set_mode(static_cast<v1::SettlementMode>(unknown));
        }).subject == "create_charge.mode");
  CHECK(refusal_of(charge, [](v1::Command& m) {
          m.mutable_create_charge()->set_term(static_cast<v1::PaymentTerm>(unknown));
        }).subject == "create_charge.term");
  for (const auto value : {0, unknown})
    CHECK(refusal_of(of(command::put_customer{}), [&](v1::Command& m) {
            m.mutable_put_customer()->set_over_settlement(static_cast<v1::OverSettlement>(value));
          }).subject == "put_customer.over_settlement");
  CHECK(refusal_of(of(command::get_balance{}), [](v1::Command& m) {
          m.mutable_get_balance()->mutable_filter()->set_view(
              static_cast<v1::FeatureFilter::View>(unknown));
        }).subject == "get_balance.filter.view");
}

TEST_CASE("amounts are decimal strings and nothing looser", "[D2]") {
  for (const auto* const text : {"",
                                 "1,5",
                                 "1e3",
                                 "+1",
                                 " 1",
                                 "1.",
                                 ".5",
                                 "0x10",
                                 "NaN",
                                 "1.5.5",
                                 "999999999999999999999999999999999999999",
                                 "0.0000000000000000001",
                                 "\xC2\xBD"}) {
    INFO(text);
    const auto no =
        refusal_of(consume_call, [&](v1::Command& m) { m.mutable_consume()->set_amount(text); });
    CHECK(no.code == errc::validation);
    CHECK(no.subject == "consume.amount");
  }
}

TEST_CASE("missing and malformed parts are named") {
  struct row {
    command::any body;
    std::function<void(v1::Command&)> spoil;
    std::string subject;
    errc code = errc::validation;
  };
  using namespace command;
  const auto grant = samples::grant();
  const auto charge = samples::charge();
  const std::vector<row> rows{
      {grant, [](auto& m) { m.mutable_grant_credit()->clear_id(); }, "grant_credit.id"},
      {grant, [](auto& m) { m.mutable_grant_credit()->set_id("a\nb"); }, "grant_credit.id"},
      {grant,
       [](auto& m) { m.mutable_grant_credit()->set_id(std::string(129, 'x')); },
       "grant_credit.id"},
      {grant, [](auto& m) { m.mutable_grant_credit()->clear_currency(); }, "grant_credit.currency"},
      {grant,
       [](auto& m) { m.mutable_grant_credit()->set_currency("usd"); },
       "grant_credit.currency"},
      {grant,
       [](auto& m) { m.mutable_grant_credit()->set_currency(std::string(25, 'A')); },
       "grant_credit.currency"},
      {grant, [](auto& m) { m.mutable_grant_credit()->set_priority(0); }, "grant_credit.priority"},
      {grant,
       [](auto& m) { m.mutable_grant_credit()->set_priority(65536); },
       "grant_credit.priority"},
      {grant, [](auto& m) { m.mutable_grant_credit()->add_features(""); }, "grant_credit.features"},
      {grant,
       [](auto& m) {
         for (int i = 0; i < 101; ++i)
           m.mutable_grant_credit()->add_features("f");
       },
       "grant_credit.features"},
      {charge,
       [](auto& m) { m.mutable_create_charge()->clear_service_period(); },
       "create_charge.service_period"},
      {charge,
       [](auto& m) { m.mutable_create_charge()->mutable_service_period()->clear_to(); },
       "create_charge.service_period"},
      {charge,
       [](auto& m) {
         m.mutable_create_charge()->mutable_service_period()->mutable_to()->set_unix_ns(0);
       },
       "create_charge.service_period",
       errc::invalid_period},
      {charge,
       [](auto& m) { m.mutable_create_charge()->mutable_full_service_period(); },
       "create_charge.full_service_period"},
      {samples::commands()[1],
       [](auto& m) {
         auto& limits = *m.mutable_put_customer()->mutable_advance_limit();
         *limits.add_limits() = limits.limits(0);
       },
       "put_customer.advance_limit"},
      {authorize_payment{"#1", decimal(1)},
       [](auto& m) { m.mutable_authorize_payment()->set_amount(""); },
       "authorize_payment.amount"},
      {approve_invoice{"#1"},
       [](auto& m) { m.mutable_approve_invoice()->clear_invoice(); },
       "approve_invoice.invoice"},
      {create_credit_unit{"TOKENS", 9},
       [](auto& m) { m.mutable_create_credit_unit()->set_exponent(10); },
       "create_credit_unit.exponent"},
      {put_billing_profile{},
       [](auto& m) { m.mutable_put_billing_profile()->set_due_after_ns(-1); },
       "put_billing_profile.due_after_ns"},
      {get_balance{{}, {feature_view::feature, "f"}},
       [](auto& m) { m.mutable_get_balance()->mutable_filter()->clear_feature(); },
       "get_balance.filter.feature"},
      {get_balance{{}, {feature_view::feature, "f"}},
       [](auto& m) { m.mutable_get_balance()->mutable_filter()->clear_view(); },
       "get_balance.filter.feature"},
      {get_customer{}, [](auto& m) { m.clear_customer(); }, "get_customer.customer"},
      {get_customer{}, [](auto& m) { m.set_deadline_ms(0); }, "get_customer.deadline_ms"},
      {get_customer{}, [](auto& m) { m.set_idempotency_key(""); }, "get_customer.idempotency_key"},
      {put_billing_profile{},
       [](auto& m) { m.set_customer("acme"); },
       "put_billing_profile.customer"},
  };
  for (const auto& row : rows) {
    const auto no = refusal_of(of(row.body), row.spoil);
    CHECK(no.subject == row.subject);
    CHECK(no.code == row.code);
    CHECK(no.text.starts_with(row.subject + " "));
  }
}

TEST_CASE("operators' commands are for no customer and have their bounds") {
  const call list{{}, {}, {}, {}, list_customers{"a", 10}};
  CHECK(refusal_of(list, [](v1::Command& m) { m.set_customer("acme"); }).subject ==
        "list_customers.customer");
  CHECK(refusal_of(list, [](v1::Command& m) {
          m.mutable_list_customers()->set_limit(1001);
        }).subject == "list_customers.limit");
  const call held{{}, {}, {}, {}, list_quarantine{10}};
  CHECK(refusal_of(held, [](v1::Command& m) {
          m.mutable_list_quarantine()->set_limit(1001);
        }).subject == "list_quarantine.limit");
  const call lift{{}, {}, {}, {}, lift_quarantine{"acme", "why"}};
  CHECK(refusal_of(lift, [](v1::Command& m) {
          m.mutable_lift_quarantine()->set_customer(std::string(129, 'x'));
        }).subject == "lift_quarantine.customer");
  CHECK(refusal_of(lift, [](v1::Command& m) {
          m.mutable_lift_quarantine()->set_reason(std::string(1001, 'x'));
        }).subject == "lift_quarantine.reason");
  const call line{{}, {}, {}, {}, console_line{"x"}};
  CHECK(refusal_of(line, [](v1::Command& m) {
          m.mutable_console_line()->set_line(std::string(4097, 'x'));
        }).subject == "console_line.line");
}

TEST_CASE("any consume comes back from the wire as it was") {
  CHECK(rc::check([] {
    const auto coefficient = *rc::gen::arbitrary<std::int64_t>();
    const auto scale = *rc::gen::inRange(0, 19);
    const auto id = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange(' ', '~')));
    const auto amount = decimal::make(static_cast<int128>(coefficient) * 1'000'000'007, scale);
    RC_PRE(amount.has_value());
    RC_PRE(id.size() <= reference_bytes_max);
    const auto sequence_or_none = *rc::gen::maybe(rc::gen::arbitrary<std::uint64_t>());
    auto sent = of(command::consume{id, *amount, "USD", {}});
    if (sequence_or_none)
      sent.expected_sequence = sequence(*sequence_or_none);
    const auto got = read_request(printed(sent));
    RC_ASSERT(got.calls[0].has_value());
    const auto& read = std::get<command::consume>(std::get<command::any>(got.calls[0]->body));
    RC_ASSERT(read.id == id);
    RC_ASSERT(read.amount == *amount);
    RC_ASSERT(got.calls[0]->expected_sequence == sent.expected_sequence);
  }));
}

TEST_CASE("hello travels, and is strict about version and references") {
  const hello sent{"shop", "secret", "test"};
  std::string out;
  print(out, sent);
  const auto got = parse_client_frame(only_payload(out));
  REQUIRE(got);
  CHECK(std::get<hello>(*got) == sent);

  const auto spoilt = [&](const std::function<void(v1::Hello&)>& spoil) {
    v1::Frame frame;
    REQUIRE(frame.ParseFromString(std::string(only_payload(out))));
    spoil(*frame.mutable_hello());
    const auto parsed = parse_client_frame(frame.SerializeAsString());
    REQUIRE_FALSE(parsed);
    return parsed.error();
  };
  CHECK(spoilt([](auto& m) { m.set_protocol_version(2); }).code == errc::unsupported_operation);
  CHECK(spoilt([](auto& m) { m.clear_namespace_(); }).subject == "hello.namespace");
  CHECK(spoilt([](auto& m) { m.set_client_name("a\x1b[2J"); }).subject == "hello.client_name");
  CHECK(spoilt([](auto& m) { m.MergeFromString(unknown_field); }).subject == "hello");
}

TEST_CASE("frames of a server, of nobody and bytes that are none are refused from a client") {
  std::string out;
  print(out, welcome{"accrued", {}});
  CHECK(parse_client_frame(only_payload(out)).error().code == errc::validation);
  CHECK(parse_client_frame("").error().code == errc::validation);
  CHECK(parse_client_frame("\x1a\x7f garbage").error().code == errc::validation);
}

TEST_CASE("text that is not UTF-8 is refused") {
  auto bytes = as_message(of(command::get_charge{"ABCDEF"})).SerializeAsString();
  bytes.replace(bytes.find("ABCDEF"), 2, "\xFF\xFE");
  CHECK(parse_client_frame(bytes).error().code == errc::validation);
}
