// The tier of a volume price.
#include "domain/rating/tiers.hpp"

namespace accrue::rating {

result<std::size_t> volume_tier(const tiered_price& p, const measured& m) {
  for (std::size_t place = 0; place + 1 < p.tiers.size(); ++place) {
    const auto bound = m.scaled(*p.tiers[place].up_to);
    if (!bound)
      return tl::unexpected(bound.error());
    if (m.undivided.quantity <= *bound)
      return place;
  }
  return p.tiers.size() - 1; // the open-ended one
}

} // namespace accrue::rating
