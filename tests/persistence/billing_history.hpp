// A small database as the engine would leave it: entries decided by the domain, their rows written with
// plain SQL. For tests that read what is stored; the engine's own way of writing is not under test.
#pragma once

#include "domain/decisions.hpp"
#include "persistence/journal_codec.hpp"
#include "persistence/projections.hpp"
#include "persistence/statement_codec.hpp"
#include "tests/domain/catalog/random_catalog.hpp"
#include "tests/support/temporary_database.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace accrue::testing {

/// 2026-01-01T00:00:00Z and some days.
inline instant day(int days) { return {(1'767'225'600LL + 86'400LL * days) * ns_per_second}; }

class billing_history {
public:
  struct life {
    accrue::customer customer;
    digest tip{};
    std::vector<entry> entries;
  };

  billing_history() {
    run("INSERT INTO lane VALUES (0, 1, 0, 'test', now()), (1, 1, 0, 'test', now())");
  }

  [[nodiscard]] pg::session& database() noexcept { return session_; }
  [[nodiscard]] const std::map<customer_key, life>& customers() const noexcept { return lives_; }

  void run(const std::string& sql) {
    if (auto done = session_.execute(sql); !done)
      throw std::runtime_error(sql + ": " + done.error().text);
  }
  /// The first column of the first row.
  std::string value(const std::string& sql) {
    const auto rows = session_.execute(sql);
    return !rows ? rows.error().text : rows->rows() == 0 ? "" : std::string(rows->text(0, 0));
  }

  void open_namespace(std::uint32_t number, const std::string& reference) {
    run("INSERT INTO namespace VALUES (" + std::to_string(number) + ", '" + reference + "')");
    catalogs_[namespace_id(number)].namespace_reference = reference;
    lives_[{namespace_id(number), {}}].customer.reference = reference;
  }

  /// Decides the command and keeps its rows for the next commit; what is refused fails the test.
  const entry& decide(const customer_key& who, instant now, const command::any& c) {
    auto& l = lives_[who];
    auto& cat = catalogs_[who.space];
    l.customer.number = who.customer;
    if (l.customer.reference.empty())
      l.customer.reference = "customer-" + std::to_string(who.customer.value);
    unit u(l.customer, cat, now, static_cast<std::uint8_t>(c.index()));
    auto done = work_out(u, c, who);
    if (!done)
      throw std::runtime_error(std::string(command::kind(c)) + ": " + done.error().text);
    return add(who, u.finish(), cat);
  }
  /// Any entry at all, decided or not.
  const entry& add(const customer_key& who, entry e, catalog& cat) {
    auto& l = lives_[who];
    std::vector<std::byte> body;
    journal::encode(e, body);
    journal_row row;
    row.owner = who;
    row.sequence = e.number;
    row.at = e.at;
    row.kind = e.kind;
    row.key = fingerprint_of(digest_of("key " + std::to_string(++keys_)));
    row.content = fingerprint_of(digest_of("content " + std::to_string(keys_)));
    row.hash = chain_row(l.tip, row, body);
    row.body = batch_.keep(body);
    batch_.journal.push_back(row);
    l.tip = row.hash;
    const auto due_before = next_due(l.customer);
    l.customer.apply(e);
    if (who.customer == customer_id{})
      apply(cat, e);
    project(batch_, who, l.customer, e, cat, {due_before, next_due(l.customer)});
    return l.entries.emplace_back(std::move(e));
  }
  void snapshot(const customer_key& who) {
    std::vector<std::byte> body;
    journal::encode(lives_[who].customer, body);
    batch_.snapshots.push_back({who, lives_[who].customer.last, 0, batch_.keep(body)});
  }
  /// A block of the units behind `after`.
  void statement_block(const customer_key& who, std::uint64_t after) {
    const auto& l = lives_[who];
    statement_writer made;
    for (const auto& e : l.entries)
      if (e.number.value > after)
        made.add(l.customer, e);
    std::vector<std::byte> sums;
    encode(made.block(), made.units(), sums);
    batch_.keep_block({who, l.customer.last, 0, l.customer.last, {}, {}}, sums, made.units());
  }

  /// Writes everything since the last commit as one batch of the lane.
  void commit(std::int16_t lane) {
    auto& tip = lanes_[lane];
    const auto number = ++tip.first;
    std::ranges::sort(batch_.journal, [](const journal_row& a, const journal_row& b) {
      return std::pair(a.owner, a.sequence) < std::pair(b.owner, b.sequence);
    });
    const auto count = static_cast<std::int32_t>(batch_.journal.size());
    tip.second = chain_batch(tip.second, lane, number, 1, count, digest_of_rows(batch_.journal));
    for (const auto& r : batch_.journal)
      insert_unit(r, lane, number);
    write("INSERT INTO batch VALUES ($1::int2, $2::int8, 1, $3::int4, $4::bytea)",
          start().int2(lane).int8(number).int4(count).bytea(tip.second));
    write("UPDATE lane SET batch = $2::int8 WHERE lane = $1::int2",
          start().int2(lane).int8(number));
    insert_projections();
    batch_.clear();
  }

private:
  result<void> work_out(unit& u, const command::any& c, const customer_key& who) {
    if (who.customer == customer_id{})
      return decide_for_namespace(u, c);
    if (is_simple(c))
      return decide_now(u, c);
    auto talk = accrue::decide(u, c);
    return drive(u, talk);
  }

  pg::parameters& start() { return parameters_.clear(); }
  pg::parameters& start(const customer_key& k) {
    return start()
        .int4(static_cast<std::int32_t>(k.space.value))
        .int8(static_cast<std::int64_t>(k.customer.value));
  }
  static std::int64_t at(sequence s) { return static_cast<std::int64_t>(s.value); }
  void write(const std::string& sql, const pg::parameters& with) {
    if (auto done = session_.query(sql, with); !done)
      throw std::runtime_error(sql + ": " + done.error().text);
  }

  void insert_unit(const journal_row& r, std::int16_t lane, std::int64_t number) {
    write("INSERT INTO journal (namespace, customer, sequence, at, batch, lane, kind, key, content,"
          " hash, body) VALUES ($1::int4, $2::int8, $3::int8, $4::int8, $5::int8, $6::int2,"
          " $7::int2, $8::uuid, $9::uuid, $10::bytea, $11::bytea)",
          start(r.owner)
              .int8(at(r.sequence))
              .int8(r.at.ns)
              .int8(number)
              .int2(lane)
              .int2(r.kind)
              .uuid(r.key)
              .uuid(r.content)
              .bytea(r.hash)
              .bytea(batch_.at(r.body)));
  }

  void insert_object(const std::string& table,
                     const std::string& title,
                     const std::string& amount,
                     const object_row& r) {
    write("INSERT INTO " + table + " (namespace, customer, number, " + title +
              ", status, currency, " + amount +
              ", sequence, body) VALUES ($1::int4, $2::int8, $3::int4, $4::text, $5::text,"
              " $6::text, $7::text::numeric, $8::int8, $9::bytea)"
              " ON CONFLICT (namespace, customer, number) DO UPDATE SET " +
              title + " = excluded." + title + ", status = excluded.status, " + amount +
              " = excluded." + amount + ", sequence = excluded.sequence, body = excluded.body",
          start(r.owner)
              .int4(static_cast<std::int32_t>(r.number))
              .text(r.reference)
              .text(r.status)
              .text(r.currency)
              .text(r.amount)
              .int8(at(r.sequence))
              .bytea(batch_.at(r.body)));
  }

  void insert_wakeup(const wakeup_row& r) {
    write("DELETE FROM wakeup WHERE namespace = $1::int4 AND customer = $2::int8", start(r.owner));
    if (r.due)
      write("INSERT INTO wakeup (namespace, customer, shard, due)"
            " VALUES ($1::int4, $2::int8, $3::int2, $4::int8)",
            start(r.owner)
                .int2(static_cast<std::int16_t>(shard_of(r.owner.customer)))
                .int8(r.due->ns));
  }

  void insert_projections() {
    for (const auto& r : batch_.customers)
      write("INSERT INTO customer (namespace, customer, reference, created_at)"
            " VALUES ($1::int4, $2::int8, $3::text, $4::int8) ON CONFLICT DO NOTHING",
            start(r.owner).text(r.reference).int8(r.created_at.ns));
    for (const auto& r : batch_.grants)
      write("INSERT INTO credit_grant VALUES ($1::int4, $2::int8, $3::int4, $4::text, $5::text,"
            " $6::text::numeric, $7::int4, $8::int8, $9::int8)",
            start(r.owner)
                .int4(static_cast<std::int32_t>(r.number))
                .text(r.reference)
                .text(r.currency)
                .text(r.amount)
                .int4(r.priority)
                .int8(r.effective_at.ns)
                .int8(at(r.sequence)));
    for (const auto& r : batch_.charges)
      insert_object("charge", "reference", "amount", r);
    for (const auto& r : batch_.invoices)
      insert_object("invoice", "name", "total", r);
    for (const auto& r : batch_.wakeups)
      insert_wakeup(r);
    for (const auto& r : batch_.outbox)
      write("INSERT INTO outbox (namespace, customer, shard, sequence, place, topic, subject, "
            "queued_at)"
            " VALUES ($1::int4, $2::int8, $3::int2, $4::int8, $5::int2, $6::text, $7::text, "
            "$8::int8)",
            start(r.owner)
                .int2(static_cast<std::int16_t>(shard_of(r.owner.customer)))
                .int8(at(r.sequence))
                .int2(r.place)
                .text(r.topic)
                .text(r.subject)
                .int8(r.queued_at.ns));
    for (const auto& r : batch_.snapshots)
      write("INSERT INTO snapshot VALUES ($1::int4, $2::int8, $3::int8, $4::bytea)"
            " ON CONFLICT (namespace, customer) DO UPDATE SET sequence = excluded.sequence,"
            " body = excluded.body",
            start(r.owner).int8(at(r.sequence)).bytea(batch_.at(r.body)));
    for (const auto& r : batch_.blocks)
      write("INSERT INTO statement_block VALUES ($1::int4, $2::int8, $3::int8, $4::bytea, "
            "$5::bytea)",
            start(r.owner).int8(at(r.through)).bytea(batch_.at(r.sums)).bytea(batch_.at(r.items)));
  }

  temporary_database there_{migrations()};
  pg::session session_ = there_.session();
  pg::parameters parameters_;
  std::map<namespace_id, catalog> catalogs_;
  std::map<customer_key, life> lives_;
  std::map<std::int16_t, std::pair<std::int64_t, digest>> lanes_;
  unit_batch batch_;
  int keys_ = 0;
};

inline constexpr customer_key first_customer{namespace_id(1), customer_id(65)};
inline constexpr customer_key second_customer{namespace_id(1), customer_id(130)};
inline constexpr customer_key elsewhere{namespace_id(2), customer_id(65)};

/// Grants, consumption beyond them, charges of each mode, a paid invoice, a draft, a credit unit, in
/// two namespaces, three customers, two lanes and several batches.
inline void fill(billing_history& h) {
  const auto dec = [](const char* text) { return *decimal::parse(text); };
  h.open_namespace(1, "acme");
  h.open_namespace(2, "other");
  const customer_key space{namespace_id(1), {}};
  h.decide(space, day(0), command::create_credit_unit{"TOKENS", 3});
  h.decide(space, day(0), command::put_billing_profile{std::nullopt, 0, std::nullopt});
  h.decide(space, day(0), command::put_catalog{testing::random_catalog(1).catalog()});
  h.commit(0);
  h.decide(
      first_customer, day(0), command::put_customer{"USD", command::over_settlement::advance, {}});
  h.decide(
      first_customer, day(0), command::grant_credit{"welcome", dec("100"), "USD", 100, {}, {}});
  h.decide(first_customer,
           day(1),
           command::grant_credit{"api", dec("50"), "USD", 10, {"tokens", "api"}, day(0)});
  h.decide(
      first_customer, day(1), command::grant_credit{"tokens", dec("9.125"), "TOKENS", 100, {}, {}});
  const auto vat = *rating::tax_rate::make("VAT", dec("0.19"));
  h.decide(second_customer,
           day(1),
           command::put_customer{"EUR", command::over_settlement::cap, {}, {vat}});
  h.commit(1);
  for (int i = 0; i < 5; ++i)
    h.decide(
        first_customer,
        {day(2).ns + i * 1'000'001LL},
        command::consume{"use-" + std::to_string(i), dec("12.34"), "USD", i % 2 == 0 ? "" : "api"});
  h.snapshot(first_customer);
  h.statement_block(first_customer, 0);
  h.decide(first_customer, day(3), command::consume{"tok", dec("0.001"), "TOKENS", ""});
  h.decide(elsewhere, day(3), command::put_customer{"USD", {}, {}});
  h.decide(elsewhere, day(3), command::open_credit{"old", dec("7"), "USD", {}, day(-30)});
  h.decide(elsewhere, day(3), command::open_advance{"debt", dec("3"), "USD", {}, day(-30)});
  h.commit(1);
  const auto charge =
      [&](const char* id, settlement_mode mode, const char* amount, int from, int to) {
        command::create_charge c;
        c.id = id;
        c.mode = mode;
        c.amount = dec(amount);
        c.currency = "USD";
        c.service_period = {day(from), day(to)};
        return c;
      };
  h.decide(
      first_customer, day(3), charge("seat", settlement_mode::credit_then_invoice, "200", 0, 4));
  h.decide(first_customer, day(3), charge("later", settlement_mode::credit_only, "20", 3, 30));
  h.decide(second_customer, day(3), charge("bill", settlement_mode::invoice_only, "11.10", 0, 4));
  h.decide(first_customer, day(5), command::run_due{});
  h.decide(second_customer, day(5), command::run_due{});
  h.commit(0);
  h.decide(first_customer, day(6), command::pay_invoice{"#1"});
  h.decide(first_customer, day(7), command::consume{"more", dec("500"), "USD", "api"});
  h.decide(first_customer, day(8), charge("zero", settlement_mode::credit_only, "0", 0, 9));
  h.snapshot(second_customer);
  h.commit(1);
}

} // namespace accrue::testing
