// Replays every customer's units and proves them again. Batches are in verify_batches.cpp, the tables
// beside the journal in verify_projections.cpp.
#include "persistence/verify.hpp"

#include "domain/decisions.hpp"
#include "persistence/journal_codec.hpp"
#include "persistence/projections.hpp"
#include "persistence/verify_parts.hpp"

#include <algorithm>
#include <optional>

namespace accrue {

std::string_view to_string(breach b) noexcept {
  switch (b) {
  case breach::chain:
    return "chain";
  case breach::body:
    return "body";
  case breach::ledger:
    return "ledger";
  case breach::batch:
    return "batch";
  case breach::key:
    return "key";
  case breach::projection:
    return "projection";
  case breach::snapshot:
    return "snapshot";
  case breach::owner:
    return "owner";
  }
  return "unknown";
}

std::string verification::summary() const {
  const auto count = [](std::uint64_t n, const char* what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : n != 1 && what[0] == 'b' ? "es" : "s");
  };
  return count(customers, "customer") + ", " + count(units, "unit") + ", " +
         count(transactions, "transaction") + ", " + count(postings, "posting") + ", " +
         count(batches, "batch") + ": " + (clean() ? "all proved" : count(found, "finding"));
}

namespace {

/// What the units of one customer led to so far.
struct replayed {
  customer_key owner;
  accrue::customer customer;
  digest tip{};
  sequence place;       ///< of the last row seen
  bool sound = true;    ///< up to here every unit is proved
  bool crossed = false; ///< some transaction moved value between cost bases
};

using verifying::place_of;

std::string place_of(const customer_key& owner, sequence unit) {
  return verifying::place_of(owner) + ", sequence " + std::to_string(unit.value);
}

// Finished objects may have left the engine's memory before a snapshot was taken.
template <class Object, class Number, class IsFinal>
void leave_out(std::vector<Object>& of,
               const std::vector<Object>& kept,
               Number number,
               IsFinal is_final) {
  std::erase_if(of, [&](const Object& x) {
    return is_final(x) && std::ranges::find(kept, number(x), number) == kept.end();
  });
}

bool is_state(accrue::customer stored, accrue::customer now) {
  const auto charge_number = [](const charge& c) { return c.terms.id; };
  const auto invoice_number = [](const invoicing::invoice& i) { return i.id; };
  leave_out(now.charges, stored.charges, charge_number, [](const charge& c) {
    return std::holds_alternative<flat_fee::finished>(c.state) ||
           std::holds_alternative<flat_fee::deleted>(c.state);
  });
  leave_out(now.invoices, stored.invoices, invoice_number, [](const invoicing::invoice& i) {
    return std::holds_alternative<invoicing::paid>(i.state);
  });
  for (auto* c : {&stored, &now}) {
    std::ranges::sort(c->charges, {}, charge_number);
    std::ranges::sort(c->invoices, {}, invoice_number);
  }
  return stored == now;
}

class journal_check {
public:
  journal_check(pg::session& db, const verify_options& options, verifying::report& findings)
      : options_(&options), findings_(&findings),
        rows_(db,
              "units",
              "SELECT namespace, customer, sequence, at, kind, key, content, hash, body"
              " FROM journal ORDER BY namespace, customer, sequence"),
        snapshots_(db,
                   "snapshots",
                   "SELECT namespace, customer, sequence, body"
                   " FROM snapshot ORDER BY namespace, customer"),
        projections_(db, findings), blocks_(db, findings) {
    verifying::row_cursor names(db, "namespaces", "SELECT namespace, reference FROM namespace");
    for (; !names.done(); names.next())
      namespaces_.emplace(names.i32(0), names.text(1));
  }

  void run() {
    while (!rows_.done())
      one_customer(rows_.owner());
    projections_.finish();
    blocks_.finish();
    for (; !snapshots_.done(); snapshots_.next())
      stray_snapshot();
  }

private:
  void one_customer(const customer_key& owner) {
    replayed r{owner, {}, {}, {}, true, false};
    r.customer.number = owner.customer;
    enter(r);
    projections_.pass(owner);
    blocks_.pass(owner);
    for (; !snapshots_.done() && snapshots_.owner() < owner; snapshots_.next())
      stray_snapshot();
    for (; rows_.is_of(owner); rows_.next())
      row(r);
    if (snapshots_.is_of(owner)) {
      if (r.sound)
        findings_->add(breach::snapshot,
                       place_of(owner),
                       "the snapshot is of sequence " + std::to_string(snapshots_.i64(2)) +
                           ", which the journal does not have");
      snapshots_.next();
    }
    findings_->counts().customers += owner.customer == customer_id{} ? 0 : 1;
    if (!r.sound) {
      blocks_.skip(owner);
      return projections_.skip(owner);
    }
    blocks_.finish(owner);
    balances(r);
    projections_.compare(owner);
    if (options_->on_customer)
      options_->on_customer(owner, r.customer, r.tip);
  }

  // A namespace's own units come before those of its customers.
  void enter(replayed& r) {
    const auto name = namespaces_.find(static_cast<std::int32_t>(r.owner.space.value));
    if (space_ != r.owner.space) {
      space_ = r.owner.space;
      catalog_ = {};
      if (name != namespaces_.end())
        catalog_.namespace_reference = name->second;
      else
        findings_->add(breach::owner, place_of(r.owner), "units of a namespace without a row");
    }
    if (r.owner.customer == customer_id{})
      r.customer.reference = catalog_.namespace_reference;
  }

  void stray_snapshot() {
    findings_->add(
        breach::owner, place_of(snapshots_.owner()), "the snapshot belongs to nobody with units");
  }

  // One row: its place and its hash whatever came before, the rest only on sound ground.
  void row(replayed& r) {
    ++findings_->counts().units;
    const auto unit = journal_row_here();
    const auto body = rows_.bytes(8);
    if (unit.sequence.value != r.place.value + 1) {
      findings_->add(breach::chain,
                     place_of(r.owner, unit.sequence),
                     "the units from " + std::to_string(r.place.value + 1) + " on are missing");
      r.sound = false;
    }
    if (chain_row(r.tip, unit, body) != unit.hash)
      findings_->add(breach::chain,
                     place_of(r.owner, unit.sequence),
                     "its hash is not that of its columns and the unit before");
    r.tip = unit.hash;
    r.place = unit.sequence;
    if (!r.sound)
      return;
    const auto kinds = static_cast<std::int16_t>(std::variant_size_v<command::any>);
    auto e = journal::decode(body, unit.sequence, unit.at, static_cast<std::uint8_t>(unit.kind));
    if (unit.kind < 0 || unit.kind >= kinds)
      e = refuse(errc::internal, "no command has the kind " + std::to_string(unit.kind));
    if (!e) {
      r.sound = false;
      findings_->add(breach::body, place_of(r.owner, unit.sequence), e.error().text);
      return;
    }
    if (const auto wrong = take(r, *e, std::to_integer<std::uint8_t>(body.front()))) {
      r.sound = false;
      findings_->add(breach::ledger, place_of(r.owner, unit.sequence), *wrong);
      return;
    }
    if (snapshots_.is_of(r.owner) &&
        static_cast<std::uint64_t>(snapshots_.i64(2)) == unit.sequence.value) {
      snapshot(r);
      snapshots_.next();
    }
  }

  journal_row journal_row_here() const {
    journal_row unit;
    unit.owner = rows_.owner();
    unit.sequence = sequence(static_cast<std::uint64_t>(rows_.i64(2)));
    unit.at = {rows_.i64(3)};
    unit.kind = rows_.i16(4);
    unit.key = rows_.uuid(5);
    unit.content = rows_.uuid(6);
    unit.hash = rows_.hash(7);
    return unit;
  }

  // Decides nothing: books the entry on top of the customer as the deciding unit did, so that every
  // check of the book is made again. What is wrong, if anything.
  std::optional<std::string> take(replayed& r, const entry& e, std::uint8_t version) {
    try {
      if (auto wrong = prove(r, e))
        return wrong;
      const auto due_before = next_due(r.customer);
      r.customer.apply(e);
      blocks_.unit(r.owner, r.customer, e);
      if (r.owner.customer == customer_id{})
        apply(catalog_, e);
      unit_rows_.clear();
      project(unit_rows_,
              r.owner,
              r.customer,
              e,
              catalog_,
              {due_before, next_due(r.customer)},
              version);
      projections_.expect(unit_rows_);
      return std::nullopt;
    } catch (const defect& broken) {
      return "it cannot follow: " + broken.what;
    }
  }

  // What a unit holds and lets go of stands in its facts.
  static void replay_holds(unit& again) {
    for (const auto& f : again.facts) {
      if (const auto* fresh = std::get_if<fact::reserved>(&f))
        again.book.hold(fresh->hold.slices, +1);
      if (const auto* over = std::get_if<fact::hold_ended>(&f))
        if (const auto* h = again.before().extras->holds.find(over->reference))
          again.book.hold(h->slices, -1);
    }
  }

  std::optional<std::string> prove(replayed& r, const entry& e) {
    unit again(r.customer, catalog_, e.at, e.kind);
    auto next = r.customer.book.sub_accounts().size();
    for (const auto& a : e.opened) {
      const auto number = again.book.resolve(a);
      if (!number)
        return "a sub-account cannot be: " + number.error().text;
      if (number->value != next++)
        return "sub-account " + std::to_string(number->value) + " is opened twice";
    }
    for (const auto& t : e.transactions) {
      const auto postings = t.postings();
      ++findings_->counts().transactions;
      findings_->counts().postings += postings.size();
      const auto booked = again.book.post(
          t.code(), t.direction(), t.booked_at(), {postings.begin(), postings.end()});
      if (!booked)
        return "a transaction does not prove: " + booked.error().text;
      r.crossed |= ledger::find_template(t.code())->crosses_cost_basis;
    }
    again.facts = e.facts;
    replay_holds(again);
    auto now = again.finish();
    for (auto& b : now.after)
      b.code.clear();
    if (now.at != e.at)
      return "it lies before the unit before it";
    if (now != e)
      return "the balances after it are not those of its postings";
    return std::nullopt;
  }

  void snapshot(const replayed& r) {
    const auto stored = journal::decode_customer(snapshots_.bytes(3), r.owner.customer);
    const auto where = place_of(r.owner, r.place);
    if (!stored)
      findings_->add(breach::snapshot, where, stored.error().text);
    else if (!is_state(*stored, r.customer))
      findings_->add(
          breach::snapshot, where, "the snapshot is not what the units up to it lead to");
  }

  // Every transaction balances, so all of them do; this is the check from the other end.
  void balances(const replayed& r) {
    const auto& book = r.customer.book;
    const auto sums_to_zero = [&](auto is_of) {
      int128 sum = 0;
      for (std::uint32_t i = 0; i < book.sub_accounts().size(); ++i)
        if (is_of(book.at(sub_account_id(i)).route)) {
          const auto next = checked_add(sum, book.balance(sub_account_id(i)));
          if (!next)
            return false;
          sum = *next;
        }
      return sum == 0;
    };
    for (const auto& a : book.sub_accounts()) {
      const auto& value = a.route;
      const bool balanced = sums_to_zero([&](const ledger::route& o) {
        return r.crossed ? o.currency == value.currency : same_value(o, value);
      });
      if (balanced)
        continue;
      findings_->add(breach::ledger,
                     place_of(r.owner),
                     "balances in currency " + std::to_string(value.currency.number()) +
                         " do not sum to zero");
      break;
    }
    for (const auto& s : book.sources())
      if (s.amount < 0)
        findings_->add(breach::ledger,
                       place_of(r.owner),
                       "more was taken from grant " + std::to_string(s.grant.value) +
                           " than it had");
  }

  const verify_options* options_;
  verifying::report* findings_;
  verifying::row_cursor rows_;
  verifying::row_cursor snapshots_;
  verifying::projection_check projections_;
  verifying::block_check blocks_;
  std::map<std::int32_t, std::string> namespaces_;
  std::optional<namespace_id> space_;
  accrue::catalog catalog_;
  unit_batch unit_rows_;
};

void check_keys(pg::session& db, verifying::report& findings) {
  verifying::row_cursor twice(db,
                              "keys",
                              "SELECT namespace, customer, min(sequence), count(*) FROM journal"
                              " GROUP BY namespace, customer, key HAVING count(*) > 1"
                              " ORDER BY namespace, customer, 3");
  for (; !twice.done(); twice.next())
    findings.add(breach::key,
                 place_of(twice.owner(), sequence(static_cast<std::uint64_t>(twice.i64(2)))),
                 std::to_string(twice.i64(3)) + " units have the idempotency key of this one");
}

} // namespace

pg::outcome<verification> verify(pg::session& database, const verify_options& options) {
  verification out;
  verifying::report findings(out, options.findings_max);
  if (auto begun = database.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"); !begun)
    return tl::unexpected<pg::error>(std::move(begun.error()));
  try {
    journal_check(database, options, findings).run();
    verifying::check_batches(database, findings);
    check_keys(database, findings);
  } catch (verifying::read_failed& failed) {
    (void)database.execute("ROLLBACK");
    return tl::unexpected<pg::error>(std::move(failed.why));
  }
  if (auto ended = database.execute("COMMIT"); !ended)
    return tl::unexpected<pg::error>(std::move(ended.error()));
  return out;
}

} // namespace accrue
