// Whether a catalog may take the place of another one: what counts already stays as it is.
#include "domain/catalog/listing_index.hpp"

#include <functional>
#include <limits>
#include <map>
#include <set>
#include <utility>

namespace accrue::product {

namespace {

/// The same version in both catalogs, of which the older one counts already. It may get an end from now
/// on, and further add-ons to choose from.
result<void>
check_version(const plan& before, const plan& after, instant now, const std::string& place) {
  const auto name = "Version " + std::to_string(before.version) + " of '" + before.key + "' ";
  auto as_it_was = after;
  as_it_was.effective_to = before.effective_to;
  const std::set<std::string_view> offered(after.add_ons.begin(), after.add_ons.end());
  if (std::ranges::all_of(before.add_ons, [&](const auto& key) { return offered.contains(key); }))
    as_it_was.add_ons = before.add_ons;
  if (as_it_was != before)
    return refuse(
        errc::conflict, name + "counts already; give the change a version of its own.", place);
  if (after.effective_to == before.effective_to)
    return {};
  if (before.status(now) == plan_status::archived ||
      (after.effective_to && *after.effective_to < now))
    return refuse(errc::conflict,
                  name + "cannot end at another instant of the past.",
                  place + ".effective_to");
  return {};
}

/// Parts of a listing that certain plans may not use, by their keys.
struct unusable {
  std::set<std::string_view> features;
  std::set<std::string_view> add_ons; ///< those with such a feature too

  void also_by_feature(const std::vector<add_on>& all) {
    for (const auto& a : all)
      if (std::ranges::any_of(a.rate_cards,
                              [&](const rate_card& c) { return features.contains(c.feature); }))
        add_ons.insert(a.key);
  }
};

/// The place of the first add-on, of those that count, which a plan may not offer; empty for none.
template <class Counts>
std::string first_add_on(const plan& p,
                         const unusable& not_these,
                         const std::string& place,
                         const Counts& counts) {
  for (std::size_t i = 0; i < p.add_ons.size(); ++i)
    if (not_these.add_ons.contains(p.add_ons[i]) && counts(p.add_ons[i]))
      return element(place + ".add_ons", i);
  return {};
}

/// The same of all that it uses.
template <class Counts>
std::string first_use(const plan& p,
                      const unusable& not_these,
                      const std::string& place,
                      const Counts& counts) {
  for (std::size_t i = 0; i < p.phases.size(); ++i)
    for (std::size_t j = 0; j < p.phases[i].rate_cards.size(); ++j)
      if (not_these.features.contains(p.phases[i].rate_cards[j].feature))
        return element(element(place + ".phases", i) + ".rate_cards", j) + ".feature";
  return first_add_on(p, not_these, place, counts);
}

/// What an effective plan stands on and `after` has otherwise: add-ons, features, how meters count. That a
/// feature is archived concerns only plans that are to come.
unusable changed(const listing_index& before, const listing_index& after, const listing& next) {
  const auto counts_as = [](const listing_index& l, const std::string& meter) {
    const auto* m = find(l.meters, meter);
    return m == nullptr ? std::optional<aggregation>() : m->aggregation;
  };
  unusable out;
  for (const auto& [key, was] : before.features) {
    const auto* is = find(after.features, key);
    if (is != nullptr &&
        (was->meter != is->meter || counts_as(before, was->meter) != counts_as(after, is->meter)))
      out.features.insert(is->key);
  }
  for (const auto& [key, was] : before.add_ons)
    if (const auto is = after.add_ons.find(key);
        is != after.add_ons.end() && *was.what != *is->second.what)
      out.add_ons.insert(is->first);
  out.also_by_feature(next.add_ons);
  return out;
}

unusable archived(const listing& next) {
  unusable out;
  for (const auto& f : next.features)
    if (f.archived)
      out.features.insert(f.key);
  out.also_by_feature(next.add_ons);
  return out;
}

using versions = std::map<std::pair<std::string_view, std::uint32_t>, const plan*>;

versions versions_of(const catalog& c) {
  versions out;
  for (const auto& p : c.all().plans)
    out.emplace(std::pair(std::string_view(p.key), p.version), &p);
  return out;
}

/// Null where there is no version of the plan.
const plan* latest_of(const versions& all, std::string_view key) {
  const auto behind = all.upper_bound({key, std::numeric_limits<std::uint32_t>::max()});
  return behind == all.begin() || std::prev(behind)->first.first != key ? nullptr
                                                                        : std::prev(behind)->second;
}

bool counts(const plan& p, instant now) {
  const auto status = p.status(now);
  return status == plan_status::active || status == plan_status::archived;
}

/// A version that counts does not vanish while it is active, or while its number could be given again.
result<void> check_removals(const versions& were, const versions& are, instant now) {
  auto counted = were;
  std::erase_if(counted, [&](const auto& v) { return !counts(*v.second, now); });
  for (const auto& [id, before] : counted) {
    if (are.contains(id))
      continue;
    const auto name = "Version " + std::to_string(before->version) + " of '" + before->key + "' ";
    if (before->status(now) == plan_status::active)
      return refuse(
          errc::conflict, name + "is active; end it with effective_to before it leaves.", "plans");
    if (latest_of(counted, before->key) == before)
      return refuse(
          errc::conflict,
          name + "is the latest that counted; it stays, so that its number is not given again.",
          "plans");
  }
  return {};
}

tl::unexpected<refusal> archived_use(std::string place) {
  return refuse(
      errc::validation, "What a plan is to offer has no archived features.", std::move(place));
}

/// What a version that counts offers already stays as it is; what it offers from now on is not archived.
result<void> check_foundations(const plan& before,
                               const plan& after,
                               instant now,
                               const unusable& changed,
                               const unusable& archived,
                               const std::string& place) {
  if (before.status(now) != plan_status::active)
    return {};
  const std::set<std::string_view> offered(before.add_ons.begin(), before.add_ons.end());
  const auto already = [&](const auto& key) { return offered.contains(key); };
  if (auto use = first_use(after, changed, place, already); !use.empty())
    return refuse(errc::conflict,
                  "What stands here changes, and a plan that is active uses it; give the change "
                  "another key.",
                  std::move(use));
  if (auto use = first_add_on(after, archived, place, std::not_fn(already)); !use.empty())
    return archived_use(std::move(use));
  return {};
}

} // namespace

result<void> check_succession(const catalog& now_valid, const catalog& next, instant now) {
  const auto were = versions_of(now_valid);
  if (auto fine = check_removals(were, versions_of(next), now); !fine)
    return fine;
  const auto otherwise =
      changed(listing_index(now_valid.all()), listing_index(next.all()), next.all());
  const auto gone = archived(next.all());
  for (std::size_t i = 0; i < next.all().plans.size(); ++i) {
    const auto& after = next.all().plans[i];
    const auto place = element("plans", i);
    const auto before = were.find({after.key, after.version});
    if (before != were.end() && counts(*before->second, now)) {
      if (auto fine = check_version(*before->second, after, now, place).and_then([&] {
            return check_foundations(*before->second, after, now, otherwise, gone, place);
          });
          !fine)
        return fine;
      continue;
    }
    if (const auto* latest = latest_of(were, after.key);
        before == were.end() && latest != nullptr && after.version < latest->version)
      return refuse(errc::conflict,
                    "Version " + std::to_string(latest->version) + " of '" + after.key +
                        "' is there already; a new one has a higher number.",
                    place + ".version");
    if (after.status(now) == plan_status::archived)
      continue;
    if (const auto use = first_use(after, gone, place, [](const auto&) { return true; });
        !use.empty())
      return archived_use(use);
  }
  return {};
}

} // namespace accrue::product
