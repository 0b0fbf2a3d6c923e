// Where the parts of a listing stand by their keys, so that checking one takes as long as it is.
#pragma once

#include "domain/catalog/plan.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace accrue::product {

/// "plans[3]".
inline std::string element(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

/// By key; of several, the first one. Ordered: whoever chooses the keys cannot make it slow.
template <class T>
using by_key = std::map<std::string_view, const T*>;

template <class T>
by_key<T> index_of(const std::vector<T>& all) {
  by_key<T> out;
  for (const auto& one : all)
    out.emplace(one.key, &one);
  return out;
}

template <class T>
const T* find(const by_key<T>& all, std::string_view key) {
  const auto at = all.find(key);
  return at == all.end() ? nullptr : at->second;
}

/// How often a plan may be billed. Source: invoicing.md 1.2.
inline const std::array<cadence, 7>& billing_cadences() {
  static const std::array<cadence, 7> all = [] {
    std::array<cadence, 7> made;
    std::ranges::transform(std::array{"P1W", "P2W", "P4W", "P1M", "P3M", "P6M", "P1Y"},
                           made.begin(),
                           [](const char* text) { return cadence::parse(text).value(); });
    return made;
  }();
  return all;
}

/// What plans ask of an add-on.
struct add_on_index {
  const add_on* what = nullptr;
  by_key<rate_card> cards;
  std::array<bool, 7> aligned{}; ///< all its cadences, with each of `billing_cadences`

  explicit add_on_index(const add_on& a) : what(&a), cards(index_of(a.rate_cards)) {
    for (std::size_t i = 0; i < aligned.size(); ++i)
      aligned[i] = std::ranges::all_of(a.rate_cards, [&](const rate_card& c) {
        return !c.cadence || c.cadence->aligned_with(billing_cadences()[i]);
      });
  }
};

/// Of a listing whose lists are not too long.
struct listing_index {
  by_key<meter> meters;
  by_key<feature> features;
  std::map<std::string_view, add_on_index> add_ons;

  explicit listing_index(const listing& l)
      : meters(index_of(l.meters)), features(index_of(l.features)) {
    for (const auto& a : l.add_ons)
      add_ons.emplace(a.key, add_on_index(a));
  }
};

} // namespace accrue::product
