// Properties of a customer's statement over random lives: balances of any instant, rows and their balances under
// every filter, and pages. What is expected is summed from the postings alone.
#include "tests/domain/credit_life.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace accrue;
using namespace accrue::testing;
using command::feature_filter;
using command::feature_view;
using command::row_type;
using ledger::account_type;

namespace {

using row = reply::transactions::row;
using rows = std::vector<row>;

const std::vector<feature_filter> views = {
    {}, only_unrestricted, for_feature("api"), for_feature("disk")};
const std::vector<std::string> codes = {"USD", "TOKEN"};

/// balances.md 1.5.
bool seen(const std::vector<std::string>& features, const feature_filter& view) {
  return view.view == feature_view::all || features.empty() ||
         (view.view == feature_view::feature && std::ranges::count(features, view.feature) > 0);
}

/// balances.md 1.2: credit and the receivable of unknown cost.
int128 settled(const credit_harness& h,
               const std::string& code,
               const feature_filter& view,
               instant as_of) {
  int128 total = 0;
  for (const auto& e : h.journal)
    for (const auto& t : e.transactions)
      for (const auto& p : t.postings()) {
        const auto& a = h.customer.book.at(p.account);
        const bool counts = a.account == account_type::fbo ||
                            (a.account == account_type::receivable && !a.route.cost_basis);
        if (counts && t.booked_at() <= as_of && h.catalog.code(a.route.currency) == code &&
            seen(a.route.features, view))
          total += p.amount;
      }
  return total;
}

/// A grant as it was recorded, and the advance that it covered then.
struct recorded {
  accrue::grant grant;
  std::string code;
  instant at;
  instant covered_at;
  int128 covered = 0;
  std::vector<std::pair<instant, int128>> covers; ///< taken, and given back

  [[nodiscard]] int128 covered_by(instant then) const {
    int128 total = 0;
    for (const auto& [when, amount] : covers)
      total += when <= then ? amount : 0;
    return total;
  }
  /// Covered before the grant is told of, at its effective time (balances.md 4.1).
  [[nodiscard]] bool early() const { return covered > 0 && covered_at < grant.effective_at; }
};
std::vector<recorded> grants_of(const credit_harness& h) {
  std::vector<recorded> all;
  for (const auto& e : h.journal)
    for (const auto& f : e.facts)
      if (const auto* g = std::get_if<fact::grant_recorded>(&f)) {
        recorded r{g->grant,
                   std::string(h.catalog.code(g->grant.amount.currency)),
                   e.at,
                   g->grant.effective_at,
                   0,
                   {}};
        for (const auto& later : h.journal)
          for (const auto& t : later.transactions)
            for (const auto& p : t.postings())
              if (t.code() == ledger::template_code::attribute_advance && p.source == g->grant.id)
                r.covers.emplace_back(later.at, -p.amount);
        for (const auto& t : e.transactions)
          for (const auto& p : t.postings())
            if (t.code() == ledger::template_code::attribute_advance &&
                !h.customer.book.at(p.account).route.cost_basis) {
              r.covered += p.amount;
              r.covered_at = t.booked_at();
            }
        all.push_back(std::move(r));
      }
  return all;
}

/// D33: what was recorded by then and is not on the ledger then.
int128 pending(const std::vector<recorded>& grants,
               const std::string& code,
               const feature_filter& view,
               instant as_of) {
  int128 total = 0;
  for (const auto& g : grants)
    if (g.code == code && seen(g.grant.features, view) && g.at <= as_of &&
        g.grant.effective_at > as_of)
      total += g.grant.amount.minor - g.covered_by(as_of);
  return total;
}

/// Questions to a customer's past in blocks of some units.
class past_of {
public:
  explicit past_of(const credit_harness& h)
      : h_(&h), all_(h.customer, h.journal, 1 + h.journal.size() % 7) {}

  [[nodiscard]] reply::transactions page(const command::list_transactions& q) const {
    return std::get<reply::transactions>(ask(q));
  }
  [[nodiscard]] reply::balance
  balance(const std::string& code, const feature_filter& view, instant as_of) const {
    command::get_balance q;
    q.currency = code;
    q.filter = view;
    q.as_of = as_of;
    return std::get<reply::balances>(ask(q)).items.at(0);
  }

private:
  [[nodiscard]] reply::body ask(const command::any& q) const {
    return all_.ask(q, h_->catalog, h_->now).value().body;
  }
  const credit_harness* h_;
  blocks_of_past all_;
};

/// Some instants at which something happened, the ones just before, and one far ahead.
std::vector<instant> instants_of(const credit_harness& h) {
  std::vector<instant> all = {ledger::never};
  for (const auto& e : h.journal) {
    all.push_back(e.at);
    for (const auto& t : e.transactions)
      all.push_back(t.booked_at());
  }
  std::ranges::sort(all);
  std::vector<instant> some;
  for (std::size_t i = 0; i < all.size(); i += 1 + all.size() / 8) {
    some.push_back(all[i]);
    some.push_back(plus_ns(all[i], -1));
  }
  return some;
}

/// All rows, by pages of this size from the newest on.
rows told(const past_of& s,
          command::list_transactions q,
          std::uint32_t limit = command::list_transactions::limit_max) {
  rows all;
  q.limit = limit;
  do {
    const auto page = s.page(q);
    RC_ASSERT(page.rows.size() <= limit);
    RC_ASSERT(page.previous.empty() == (q.after.empty() || page.rows.empty()));
    all.insert(all.end(), page.rows.begin(), page.rows.end());
    q.after = page.next;
    RC_ASSERT((page.next.empty() || page.next == page.rows.back().cursor));
  } while (!q.after.empty());
  return all;
}

/// All rows newer than a cursor, by pages from there on.
rows told_backwards(const past_of& s,
                    command::list_transactions q,
                    const std::string& from,
                    std::uint32_t limit) {
  rows all;
  q.limit = limit;
  q.before = from;
  do {
    const auto page = s.page(q);
    RC_ASSERT(page.rows.size() <= limit);
    all.insert(all.begin(), page.rows.begin(), page.rows.end());
    q.before = page.previous;
    RC_ASSERT((page.previous.empty() || page.previous == page.rows.front().cursor));
  } while (!q.before.empty());
  return all;
}

rows only(const rows& all, const std::function<bool(const row&)>& wanted) {
  rows some;
  std::ranges::copy_if(all, std::back_inserter(some), wanted);
  return some;
}

command::list_transactions in_view(const feature_filter& view) {
  command::list_transactions q;
  q.filter = view;
  return q;
}

} // namespace

TEST_CASE("balances of any instant are what was booked by then",
          "[property][statement][D32][D33]") {
  CHECK(over_credit_lives(100, 80, [](const credit_life& steps) {
    credit_story story(true);
    story.live(steps);
    auto& h = story.h;
    const past_of s(h);
    const auto grants = grants_of(h);
    for (const auto& code : codes)
      for (const auto& view : views) {
        for (const auto t : instants_of(h)) {
          const auto then = s.balance(code, view, t);
          RC_ASSERT(then.settled == settled(h, code, view, t));
          RC_ASSERT(then.pending == pending(grants, code, view, t));
        }
        const auto now = h.balance(code, view);
        RC_ASSERT(now.settled == settled(h, code, view, h.now));
        RC_ASSERT(now.pending == pending(grants, code, view, h.now));
      }
  }));
}

TEST_CASE("a question for a balance of the past is answered from the journal",
          "[property][statement][D32]") {
  CHECK(over_credit_lives(50, 60, [](const credit_life& steps) {
    credit_story story(true);
    story.live(steps);
    for (const auto& view : views)
      for (const auto t : instants_of(story.h)) {
        const auto b = story.h.balance_as_of(t, view);
        RC_ASSERT(b.historical);
        RC_ASSERT(b.settled == settled(story.h, "USD", view, t));
      }
  }));
}

TEST_CASE("sums of a history are the postings", "[property][history]") {
  CHECK(over_credit_lives(100, 80, [](const credit_life& steps) {
    credit_story story(true);
    story.live(steps);
    const auto& h = story.h;
    const history past(h.journal);
    for (const auto type : {account_type::fbo,
                            account_type::receivable,
                            account_type::accrued,
                            account_type::breakage,
                            account_type::brokerage,
                            account_type::earnings})
      for (const auto t : instants_of(h)) {
        int128 expected = 0;
        for (const auto& e : h.journal)
          for (const auto& tx : e.transactions)
            for (const auto& p : tx.postings()) {
              const auto& a = h.customer.book.at(p.account);
              if (a.account == type && a.route.currency == usd && tx.booked_at() <= t)
                expected += p.amount;
            }
        posting_filter wanted;
        wanted.account = type;
        wanted.currency = usd;
        wanted.as_of = t;
        RC_ASSERT(past.sum(wanted).value().minor == expected);
      }
  }));
}

TEST_CASE("a row's balance is the balance of its instant, in every view",
          "[property][statement][D35]") {
  // The newest row of an instant ends with what that instant ends with; where a grant for later covered advance
  // right then, that comes on top, and is told with the grant.
  CHECK(over_credit_lives(100, 80, [](const credit_life& steps) {
    credit_story story(false);
    story.live(steps);
    const auto& h = story.h;
    const past_of s(h);
    std::set<std::pair<std::string, instant>> covered_early;
    for (const auto& g : grants_of(h))
      if (g.early())
        covered_early.emplace(g.code, g.covered_at);
    for (const auto& view : views) {
      std::map<std::string, instant> latest;
      std::optional<statement_place> newer;
      for (const auto& r : told(s, in_view(view))) {
        RC_ASSERT(r.booked_at <= h.now);
        RC_ASSERT(r.before + r.amount == r.after);
        RC_ASSERT((r.type == "funded" || r.type == "adjusted") == (r.amount > 0));
        RC_ASSERT((r.type == "consumed" || r.type == "expired" || r.type == "voided") ==
                  (r.amount < 0));
        RC_ASSERT(!r.reference.empty());
        const auto place = parse_cursor(r.cursor).value();
        RC_ASSERT(place.booked_at == r.booked_at);
        RC_ASSERT(!newer || place < *newer);
        newer = place;
        const auto known = latest.find(r.code);
        const bool first = known == latest.end() || known->second != r.booked_at;
        latest.insert_or_assign(r.code, r.booked_at);
        if (first && !covered_early.contains({r.code, r.booked_at}))
          RC_ASSERT(r.after == settled(h, r.code, view, r.booked_at));
      }
    }
  }));
}

TEST_CASE("rows tell all that moved, and each begins where the one before it ended",
          "[property][statement][D35]") {
  CHECK(over_credit_lives(200, 80, [](const credit_life& steps) {
    credit_story story(false);
    story.live(steps);
    const auto& h = story.h;
    const past_of s(h);
    for (const auto& code : codes) {
      command::list_transactions q;
      q.currency = code;
      const auto all = told(s, q);
      int128 sum = 0;
      for (const auto& r : all)
        sum += r.amount;
      bool early = false;
      for (const auto& g : grants_of(h))
        if (g.code == code && g.early()) {
          early = true;
          sum += g.grant.effective_at > h.now ? g.covered : 0;
        }
      RC_ASSERT(sum == settled(h, code, {}, h.now));
      int128 expected = settled(h, code, {}, h.now);
      for (const auto& r : all) {
        RC_ASSERT(early || r.after == expected);
        expected = r.before;
      }
      RC_ASSERT(early || expected == 0);
    }
  }));
}

TEST_CASE("a filter leaves rows out and changes none", "[property][statement][D35]") {
  CHECK(over_credit_lives(100, 80, [](const credit_life& steps) {
    credit_story story(true);
    story.live(steps);
    const auto& h = story.h;
    const past_of s(h);
    const std::pair<row_type, std::string> types[] = {{row_type::funded, "funded"},
                                                      {row_type::consumed, "consumed"},
                                                      {row_type::adjusted, "adjusted"},
                                                      {row_type::expired, "expired"},
                                                      {row_type::voided, "voided"}};
    for (const auto& view : views) {
      const auto all = told(s, in_view(view));
      for (const auto& code : codes) {
        auto q = in_view(view);
        q.currency = code;
        RC_ASSERT(told(s, q) == only(all, [&](const row& r) { return r.code == code; }));
      }
      for (const auto& [type, name] : types) {
        auto q = in_view(view);
        q.type = type;
        const auto wanted = [&, &what = name](const row& r) { return r.type == what; };
        RC_ASSERT(told(s, q) == only(all, wanted));
      }
      for (const auto t : instants_of(h)) {
        auto q = in_view(view);
        q.as_of = std::min(t, h.now);
        const auto by_then = [&](const row& r) { return r.booked_at <= *q.as_of; };
        RC_ASSERT(told(s, q) == only(all, by_then));
      }
    }
  }));
}

TEST_CASE("pages of any size, forwards and backwards, make the whole",
          "[property][statement][D35]") {
  CHECK(over_credit_lives(80, 60, [](const credit_life& steps) {
    credit_story story(true);
    story.live(steps);
    const auto& h = story.h;
    const past_of s(h);
    for (const auto& view : views) {
      auto q = in_view(view);
      const auto all = told(s, q);
      for (const std::uint32_t limit : {1, 2, 3, 7, 20}) {
        RC_ASSERT(told(s, q, limit) == all);
        for (std::size_t i = 0; i < all.size(); i += 1 + all.size() / 3)
          RC_ASSERT(told_backwards(s, q, all[i].cursor, limit) ==
                    rows(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(i)));
      }
    }
  }));
}

TEST_CASE("questions for rows that make no sense are refused", "[statement][D35]") {
  credit_harness h;
  h.ok(credit("g", "1"));
  h.ok(credit("h", "1"));
  command::list_transactions q;
  q.limit = 1;
  const auto page = std::get<reply::transactions>(h.ok(q).body);
  REQUIRE(page.rows.size() == 1);
  CHECK(page.rows[0].reference == "h");
  REQUIRE_FALSE(page.next.empty());
  q.after = page.next;
  CHECK(std::get<reply::transactions>(h.ok(q).body).rows.at(0).reference == "g");
  q.before = page.next;
  CHECK(h.refused(q) == errc::validation);
  q.after.clear();
  q.before = "nonsense";
  CHECK(h.refused(q) == errc::validation);
  q.before.clear();
  for (const std::uint32_t limit : {0U, command::list_transactions::limit_max + 1}) {
    q.limit = limit;
    CHECK(h.refused(q) == errc::validation);
  }
  q.limit = 1;
  q.currency = "NOPE";
  CHECK(h.refused(q) == errc::validation);
}
