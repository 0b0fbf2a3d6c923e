// Sums and tax of invoices, and the rule that money is rounded in one place.
#include "domain/rating/totals.hpp"

#include "tests/domain/rating/rating.hpp"

#include <filesystem>
#include <regex>
#include <set>

using namespace accrue;
using namespace accrue::testing;

namespace {

const auto gst = rating::tax_rate::make("GST", dec("0.1")).value();

rating::totals of(int128 amount, int128 discounts = 0, int128 credits = 0) {
  rating::totals t;
  t.amount = amount;
  t.discounts = discounts;
  t.credits = credits;
  return t;
}

int128 tax_amount(const rating::totals& lines, const std::optional<rating::tax_rate>& rate) {
  const auto t = rating::tax_on(lines, rate, usd).value();
  return t ? t->amount : 0;
}

/// The code of a file: comments and texts left out.
std::string code_of(const std::string& path) {
  const auto text = file_text(path);
  static const std::regex words(R"re("([^"\\]|\\.)*"|//[^\n]*)re");
  return std::regex_replace(text, words, "");
}

} // namespace

TEST_CASE("totals are sums of lines", "[rating]") {
  rating::totals sum = of(3000, 1000);
  sum += of(500, 0, 200);
  sum.charges += 100;
  CHECK(sum.total() == 2400);
  CHECK(sum.net() == 2500);
  sum.taxes_exclusive = 7;
  sum.taxes_inclusive = 5;
  CHECK(sum.total() == 2407);
  CHECK(sum.taxes() == 12);
}

TEST_CASE("tax is computed once, on what is left of the whole invoice", "[rating][D26]") {
  // Source: invoicing.md 5.4: 64.22 with 10 % is 6.422.
  const auto t = rating::tax_on(of(6422), gst, usd).value();
  REQUIRE(t.has_value());
  CHECK(*t == rating::tax{gst, 6422, 642});
  CHECK(rating::with_tax(of(6422), t).total() == 7064);
  CHECK(tax_amount(of(6425), gst) == 643); // 6.425, half away from zero (D1)
  CHECK(tax_amount(of(6422), std::nullopt) == 0);
  CHECK(rating::with_tax(of(6422), std::nullopt) == of(6422));
  // Three lines of 0.05 would have a tax of 0.01 each.
  rating::totals lines = of(5);
  lines += of(5);
  lines += of(5);
  CHECK(tax_amount(lines, gst) == 2);
}

TEST_CASE("credit is not taxed again where it is spent", "[rating][D53]") {
  // 100 less a discount of 20 and credit of 30: 10 % of 50.
  CHECK(tax_amount(of(10000, 2000, 3000), gst) == 500);
  CHECK_FALSE(rating::tax_on(of(10000, 0, 10000), gst, usd).value().has_value());
  CHECK_FALSE(rating::tax_on(of(0), gst, usd).value().has_value());
  // The purchase of that credit is a line like any other.
  CHECK(tax_amount(of(3000), gst) == 300);
}

TEST_CASE("a tax rate is a named fraction", "[rating][D58]") {
  CHECK(rating::tax_rate::make("GST", dec("0")).has_value());
  CHECK(rating::tax_rate::make("GST", dec("1")).has_value());
  CHECK(rating::tax_rate::make("GST", dec("10")).error().subject == "tax_rate");
  CHECK(rating::tax_rate::make("GST", dec("-0.1")).error().subject == "tax_rate");
  CHECK(rating::tax_rate::make("", dec("0.1")).error().subject == "tax_name");
}

TEST_CASE("money is rounded in one function, and rating reaches it from one file", "[rating][D1]") {
  // Rates, quantities and amounts become whole minor units in money.cpp only. In rating/, amount.cpp
  // alone calls it. Who divides at all: money.cpp, and those whose numbers are no money (cadences, digits,
  // shards, hours); a rounding of one's own would need a division.
  const std::regex to_money(
      "rounded_product|rounded_money|multiply_ratio|divide_rounded|exact_money");
  const std::regex division(R"re([\w\])] [/%]=? [\w(])re");
  const auto root = std::filesystem::path(ACCRUE_SOURCE_DIR);
  std::set<std::string> rounding_functions;
  std::set<std::string> in_rating;
  std::set<std::string> dividing;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "domain")) {
    if (!entry.is_regular_file() || entry.path().extension() == ".md")
      continue;
    const auto file = std::filesystem::relative(entry.path(), root).string();
    const auto code = code_of(file);
    if (code.find("rounded_quotient(") != std::string::npos)
      rounding_functions.insert(file);
    if (std::regex_search(code, division))
      dividing.insert(file);
    if (file.starts_with("domain/rating/") && std::regex_search(code, to_money))
      in_rating.insert(file);
  }
  CHECK(rounding_functions == std::set<std::string>{"domain/money.cpp"});
  CHECK(in_rating == std::set<std::string>{"domain/rating/amount.cpp"});
  CHECK(dividing == std::set<std::string>{"domain/catalog/plan.cpp",
                                          "domain/decimal.cpp",
                                          "domain/ids.cpp",
                                          "domain/int128.cpp",
                                          "domain/money.cpp",
                                          "domain/recognition.cpp",
                                          "domain/time.cpp"});
}
