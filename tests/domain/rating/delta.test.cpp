// The difference between two ratings of one period. The examples are those of charges.md 10.2.
#include "domain/rating/delta.hpp"

#include "tests/domain/rating/rating.hpp"

#include <rapidcheck.h>

using namespace accrue;
using namespace accrue::testing;

namespace {

/// Rates a growing, or shrinking, quantity of January again and again, billing each difference.
class runs {
public:
  explicit runs(rating::tariff t) : tariff_(std::move(t)) {}

  /// The lines of the next run; they are numbered from 1 on.
  lines bill(std::string_view quantity, const rating::options& o = {.ignore_minimum = true}) {
    const auto now = rating::rate(tariff_, january(quantity), o).value();
    const auto difference = rating::difference(now.lines, billed_).value();
    lines texts;
    for (const auto& d : difference) {
      auto text = text_of(d.line, usd);
      const auto plain = rating::child_reference(d.line);
      texts.push_back(text.replace(0, plain.size(), rating::child_reference(d)));
      billed_.push_back({d.line, billed_.size() + 1});
      total_ += d.line.total();
    }
    CHECK(total_ == now.totals.total());
    return texts;
  }

private:
  rating::tariff tariff_;
  std::vector<rating::billed_line> billed_;
  int128 total_ = 0;
};

} // namespace

TEST_CASE("a run of a unit price bills the difference", "[rating][D30]") {
  runs r(agreed(per_unit("10")));
  CHECK(r.bill("5") == lines{"unit-price-usage 5 x 10 = 50.00"});
  CHECK(r.bill("8") == lines{"unit-price-usage 3 x 10 = 30.00"});
  CHECK(r.bill("8").empty());
  CHECK(r.bill("5") == lines{"unit-price-usage -3 x 10 = -30.00"});
  CHECK(r.bill("0") == lines{"unit-price-usage#correction:detailed_line_id=1 -5 x 10 = -50.00"});
}

TEST_CASE("only cumulative amounts are rounded", "[rating][D1]") {
  runs r(agreed(per_unit("0.001")));
  CHECK(r.bill("333") == lines{"unit-price-usage 333 x 0.001 = 0.33"});
  CHECK(r.bill("666") == lines{"unit-price-usage 333 x 0.001 = 0.34"});
}

TEST_CASE("a volume price that moves to another tier is taken back and charged anew",
          "[rating][D30]") {
  runs r(agreed(volume({tier("15", "", "10"), tier("", "", "5")})));
  CHECK(r.bill("12") == lines{"volume-tiered-price 12 x 10 = 120.00"});
  CHECK(r.bill("14") == lines{"volume-tiered-price 2 x 10 = 20.00"});
  CHECK(r.bill("16") ==
        lines{"volume-tiered-price 16 x 5 = 80.00",
              "volume-tiered-price#correction:detailed_line_id=1 -14 x 10 = -140.00"});
  runs flat(agreed(volume({tier("5", "100", ""), tier("10", "150", ""), tier("", "", "1")})));
  CHECK(flat.bill("5") == lines{"volume-flat-price 1 x 100 = 100.00"});
  CHECK(flat.bill("7") ==
        lines{"volume-flat-price 1 x 150 = 150.00",
              "volume-flat-price#correction:detailed_line_id=1 -1 x 100 = -100.00"});
}

TEST_CASE("a graduated price bills each tier's difference", "[rating][D30]") {
  runs r(agreed(graduated({tier("5", "100", "1"), tier("10", "", "2"), tier("", "", "3")})));
  CHECK(r.bill("3") == lines{"graduated-tiered-1-price-usage 3 x 1 = 3.00",
                             "graduated-tiered-1-flat-price 1 x 100 = 100.00"});
  CHECK(r.bill("7") == lines{"graduated-tiered-1-price-usage 2 x 1 = 2.00",
                             "graduated-tiered-2-price-usage 2 x 2 = 4.00"});
  CHECK(r.bill("3") ==
        lines{"graduated-tiered-1-price-usage -2 x 1 = -2.00",
              "graduated-tiered-2-price-usage#correction:detailed_line_id=4 -2 x 2 = -4.00"});
}

TEST_CASE("a volume tier at the price of another one is no other price", "[rating]") {
  runs r(agreed(volume({tier("15", "", "10"), tier("20", "", "9"), tier("", "", "10")})));
  CHECK(r.bill("15") == lines{"volume-tiered-price 15 x 10 = 150.00"});
  CHECK(r.bill("21") == lines{"volume-tiered-price 6 x 10 = 60.00"});
}

TEST_CASE("packages and what is passed on", "[rating][D30]") {
  runs packages(agreed(made(rating::package_price{dec("15"), dec("10"), {}})));
  CHECK(packages.bill("1") == lines{"usage 1 x 15 = 15.00"});
  CHECK(packages.bill("10").empty());
  CHECK(packages.bill("11") == lines{"usage 1 x 15 = 15.00"});
  CHECK(packages.bill("9") == lines{"usage -1 x 15 = -15.00"});
  runs limited(agreed(made(rating::dynamic_price{dec("10"), between("", "100")})));
  CHECK(limited.bill("8") == lines{"usage 1 x 80 = 80.00"});
  CHECK(limited.bill("12") == lines{"usage 1 x 120 = 120.00 -20.00max",
                                    "usage#correction:detailed_line_id=1 -1 x 80 = -80.00"});
}

TEST_CASE("a minimum is billed by the final run", "[rating]") {
  runs r(agreed(made(rating::dynamic_price{dec("1"), between("100", "")})));
  CHECK(r.bill("10") == lines{"usage 1 x 10 = 10.00"});
  CHECK(r.bill("10", {}) == lines{"min-spend 1 x 90 = 90.00"});
}

TEST_CASE("discounts are taken back with what they were taken off", "[rating][D30]") {
  runs r(agreed(volume({tier("15", "", "10"), tier("", "", "5")}, between("", "100"))));
  CHECK(r.bill("15") == lines{"volume-tiered-price 15 x 10 = 150.00 -50.00max"});
  CHECK(r.bill("16") ==
        lines{"volume-tiered-price 16 x 5 = 80.00",
              "volume-tiered-price#correction:detailed_line_id=1 -15 x 10 = -150.00 --50.00max"});
}

TEST_CASE("runs always sum to one rating of the last quantity", "[rating][D30]") {
  // `runs` checks the sum after each one.
  CHECK(rc::check("whatever the quantities", [] {
    const auto modes = *rc::gen::element(rating::tier_mode::graduated, rating::tier_mode::volume);
    const auto p = tiered(modes,
                          {tier("10", "1.005", "0.333"),
                           tier("100", "", "0.1"),
                           tier("1000", "5", ""),
                           tier("", "", "0.0049")},
                          between("", "77.77"));
    runs r(agreed(p, percent_off("12.34")));
    for (const auto quantity : *rc::gen::container<std::vector<int>>(5, rc::gen::inRange(0, 3000)))
      (void)r.bill(std::to_string(quantity));
  }));
}
