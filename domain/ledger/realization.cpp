// Covering, giving back and recognising parts of spends. See realization.hpp.
#include "domain/ledger/realization.hpp"

#include <algorithm>

namespace accrue::ledger {
namespace {

bool is_open_advance(const part& p) noexcept {
  const bool owed = p.from == part::origin::advance || p.from == part::origin::opening;
  return owed && p.grant == grant_id{} && p.amount > 0;
}

// Restricted credit covers only advance for a feature of its own; it never covers advance without one.
bool may_cover(const credit_terms& grant, const route& owed) {
  if (grant.features.empty())
    return true;
  return std::ranges::any_of(owed.features, [&](const std::string& f) {
    return std::ranges::binary_search(grant.features, f);
  });
}

sub_account priced_accrued(const credit_terms& c) {
  return same_value(account_type::accrued, credit_address(c).route);
}

sub_account par_accrued(currency c) {
  sub_account a{account_type::accrued, {}};
  a.route.currency = c;
  a.route.cost_basis = decimal{1};
  return a;
}

/// An amount to take out of one part.
struct taking {
  std::size_t part;
  int128 amount;
};

// Which parts give how much, in the order of D8 and D60.
std::vector<taking> plan(const realization& r, int128 amount) {
  std::vector<taking> all;
  std::vector<int128> left;
  for (const auto& p : r.parts)
    left.push_back(p.amount);
  const auto take = [&](std::size_t n, int128 most) {
    const auto x = std::min({left[n], most, amount});
    if (x <= 0)
      return;
    left[n] -= x;
    amount -= x;
    all.push_back({n, x});
  };
  const auto backwards = [&](auto&& wanted, auto&& most) {
    for (auto n = r.parts.size(); n-- > 0;)
      if (wanted(r.parts[n]))
        take(n, most(r.parts[n]));
  };
  const auto whole = [](const part& p) { return p.amount; };
  const auto is_covered = [](const part& p) {
    return p.from == part::origin::advance && p.grant != grant_id{};
  };
  backwards(is_covered, [](const part& p) { return p.recognized; });
  backwards(is_covered, whole);
  backwards([](const part& p) { return p.from == part::origin::advance && p.grant == grant_id{}; },
            whole);
  backwards([](const part& p) { return p.from == part::origin::credit; }, whole);
  return all;
}

// A recognised part leaves earnings before it leaves accrued.
std::optional<recognisable> unwinding(const book_overlay& book,
                                      const realization& r,
                                      const part& p,
                                      int128 amount,
                                      const grant_of& grants) {
  const auto back = std::min(amount, p.recognized);
  if (back <= 0)
    return std::nullopt;
  auto whole = p;
  whole.recognized = 0;
  auto found = unrecognised(book, r, whole, grants);
  ENSURE(found.has_value());
  found->amount = back;
  return found;
}

class giver {
public:
  giver(book_overlay& book, realization& r, const grant_of& grants, instant now)
      : book_(&book), r_(&r), grants_(&grants), asked_(now), now_(std::max(now, r.booked_at)) {}

  result<void> run(std::span<const taking> all) {
    for (const auto& t : all)
      if (auto ok = take(r_->parts[t.part], t.amount); !ok)
        return ok;
    if (auto ok = recognize(*book_, unwound_, direction::correction, now_); !ok)
      return ok;
    if (!collected_.empty())
      if (auto ok = book_->post(
              template_code::collect, direction::correction, now_, std::move(collected_));
          !ok)
        return ok;
    for (const auto& s : advanced_)
      if (auto ok = undo_advance(s); !ok)
        return ok;
    for (const auto& s : expiring_) {
      const auto until = (*grants_)(s.grant).life.until;
      if (auto ok = reopen_breakage(*book_, s, r_->spend, until > asked_ ? until : now_); !ok)
        return ok;
    }
    return {};
  }

private:
  struct undone {
    sub_account_id owed;
    grant_id covered_by;
    int128 amount;
  };

  result<void> take(part& p, int128 amount) {
    if (auto back = unwinding(*book_, *r_, p, amount, *grants_)) {
      p.recognized -= back->amount;
      merge(std::move(*back));
    }
    p.amount -= amount;
    if (p.from == part::origin::advance) {
      advanced_.push_back({p.account, p.grant, amount});
      return {};
    }
    const auto accrued =
        book_->resolve(same_value(account_type::accrued, book_->at(p.account).route));
    if (!accrued)
      return tl::unexpected(accrued.error());
    add_posting(collected_, {p.account, p.grant, r_->spend, amount});
    add_posting(collected_, {*accrued, p.grant, r_->spend, -amount});
    expires_again({p.grant, p.account, amount});
    return {};
  }

  void merge(recognisable one) {
    const auto same = std::ranges::find_if(unwound_, [&](const recognisable& x) {
      return x.accrued == one.accrued && x.source == one.source;
    });
    if (same == unwound_.end())
      unwound_.push_back(std::move(one));
    else
      same->amount += one.amount;
  }

  void expires_again(const slice& s) {
    if ((*grants_)(s.grant).life.until == never)
      return;
    const auto same = std::ranges::find_if(
        expiring_, [&](const slice& x) { return x.grant == s.grant && x.account == s.account; });
    if (same == expiring_.end())
      expiring_.push_back(s);
    else
      same->amount += s.amount;
  }

  // Covered: the cover is taken back first. Then what was issued and consumed at unknown price goes, and what
  // the cover had paid for is credit of its grant.
  result<void> undo_advance(const undone& a) {
    const auto by = a.covered_by;
    const auto grant = by == grant_id{} ? granted{} : (*grants_)(by);
    if (by != grant_id{})
      if (auto ok = attribute_advance(
              *book_, grant.terms, a.owed, r_->spend, a.amount, direction::correction, now_);
          !ok)
        return ok;
    const auto fbo = book_->resolve(advance_address(book_->at(a.owed).route));
    const auto accrued = book_->resolve(same_value(account_type::accrued, book_->at(a.owed).route));
    if (!fbo || !accrued)
      return tl::unexpected(fbo ? accrued.error() : fbo.error());
    if (auto ok =
            book_->post(template_code::collect_advance,
                        direction::correction,
                        now_,
                        {{*fbo, {}, r_->spend, a.amount}, {*accrued, {}, r_->spend, -a.amount}});
        !ok)
      return ok;
    if (auto ok =
            book_->post(template_code::issue,
                        direction::correction,
                        now_,
                        {{*fbo, {}, r_->spend, -a.amount}, {a.owed, {}, r_->spend, a.amount}});
        !ok)
      return ok;
    if (by == grant_id{})
      return {};
    auto again = grant.terms;
    again.amount.minor = a.amount;
    if (auto ok = issue_credit(*book_, again, std::max(now_, grant.life.from)); !ok)
      return ok;
    const auto credit = book_->resolve(credit_address(again));
    if (!credit)
      return tl::unexpected(credit.error());
    expires_again({by, *credit, a.amount});
    return {};
  }

  book_overlay* book_;
  realization* r_;
  const grant_of* grants_;
  instant asked_;
  instant now_; // never before the collection
  std::vector<recognisable> unwound_;
  std::vector<posting> collected_;
  std::vector<undone> advanced_;
  std::vector<slice> expiring_;
};

} // namespace

realization realized(const collection_terms& terms,
                     std::string reference,
                     const collected& got,
                     sub_account_id owed) {
  realization r{terms.spend, std::move(reference), terms.amount.currency, terms.booked_at, {}};
  for (const auto& s : got.slices)
    r.parts.push_back({part::origin::credit, s.grant, s.account, s.amount, 0, {}});
  if (got.advanced != 0)
    r.parts.push_back({part::origin::advance, {}, owed, got.advanced, 0, {}});
  return r;
}

result<std::vector<covered>> cover(book_overlay& book,
                                   const credit_terms& grant,
                                   int128 most,
                                   instant at,
                                   std::span<realization> open) {
  struct candidate {
    realization* of;
    std::size_t part;
  };
  std::vector<candidate> candidates;
  std::vector<int128> weights;
  int128 total = 0;
  for (auto& r : open) {
    if (r.currency != grant.amount.currency)
      continue;
    for (std::size_t n = 0; n < r.parts.size(); ++n)
      if (is_open_advance(r.parts[n]) && may_cover(grant, book.at(r.parts[n].account).route)) {
        candidates.push_back({&r, n});
        weights.push_back(r.parts[n].amount);
        total += r.parts[n].amount;
      }
  }
  std::vector<covered> done;
  if (total == 0 || most <= 0)
    return done;
  const auto shares = allocate(std::min(most, total), weights);
  if (!shares)
    return tl::unexpected(shares.error());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto x = (*shares)[i];
    if (x == 0)
      continue;
    auto& parts = candidates[i].of->parts;
    auto& owed = parts[candidates[i].part];
    const auto spend = candidates[i].of->spend;
    if (auto ok = attribute_advance(book, grant, owed.account, spend, x, direction::forward, at);
        !ok)
      return tl::unexpected(ok.error());
    done.push_back({spend, x});
    const part paid{owed.from, grant.grant, owed.account, x, 0, at};
    owed.amount -= x;
    if (owed.amount == 0)
      owed = paid;
    else
      parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(candidates[i].part), paid);
  }
  return done;
}

result<void> give_back(
    book_overlay& book, realization& r, const money& amount, const grant_of& grants, instant now) {
  const auto takings = plan(r, amount.minor);
  int128 found = 0;
  for (const auto& t : takings)
    found += t.amount;
  if (found < amount.minor)
    return refuse(errc::insufficient_funds,
                  "only " + to_string(money{found, amount.currency}) + " remains to be given back",
                  r.reference);
  return giver(book, r, grants, now).run(takings);
}

std::optional<recognisable> unrecognised(const book_overlay& book,
                                         const realization& r,
                                         const part& p,
                                         const grant_of& grants) {
  const auto left = p.amount - p.recognized;
  if (left <= 0)
    return std::nullopt;
  if (p.from == part::origin::invoiced)
    return recognisable{par_accrued(r.currency), {}, r.spend, left};
  if (p.grant == grant_id{})
    return std::nullopt;
  auto accrued = p.from == part::origin::credit
                     ? same_value(account_type::accrued, book.at(p.account).route)
                     : priced_accrued(grants(p.grant).terms);
  if (!accrued.route.cost_basis)
    return std::nullopt;
  return recognisable{std::move(accrued), p.grant, r.spend, left};
}

result<void>
recognize(book_overlay& book, std::span<const recognisable> all, direction dir, instant at) {
  std::vector<currency> currencies;
  for (const auto& x : all)
    if (std::ranges::find(currencies, x.accrued.route.currency) == currencies.end())
      currencies.push_back(x.accrued.route.currency);
  for (const auto c : currencies) {
    std::vector<posting> postings;
    for (const auto& x : all) {
      if (x.accrued.route.currency != c)
        continue;
      const auto from = book.resolve(x.accrued);
      if (!from)
        return tl::unexpected(from.error());
      auto earned = x.accrued;
      earned.account = account_type::earnings;
      const auto to = book.resolve(std::move(earned));
      if (!to)
        return tl::unexpected(to.error());
      const auto amount = dir == direction::forward ? x.amount : -x.amount;
      postings.push_back({*from, x.source, x.spend, -amount});
      postings.push_back({*to, x.source, x.spend, amount});
    }
    if (auto ok = book.post(template_code::recognize, dir, at, std::move(postings)); !ok)
      return ok;
  }
  return {};
}

} // namespace accrue::ledger
