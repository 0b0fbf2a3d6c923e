// What works on prices without a server, as programs: rating vectors, prices, catalogs, quotes.
// The numbers themselves are the domain's tests.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

using nlohmann::json;

namespace {

struct outcome {
  int code;
  std::string out; ///< stdout, then stderr where it was asked for
};

outcome accrue_program(const std::string& arguments) {
  FILE* pipe = popen((std::string(ACCRUE_BIN_DIR) + "/accrue " + arguments).c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 4096> buffer{};
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    out.append(buffer.data(), n);
  return {WEXITSTATUS(pclose(pipe)), out};
}

/// A file with this content, gone again at the end.
class scratch_file {
public:
  explicit scratch_file(const std::string& content) { std::ofstream(path_) << content; }
  ~scratch_file() { std::filesystem::remove(path_); }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;

  [[nodiscard]] std::string path() const { return path_.string(); }

private:
  std::filesystem::path path_ = std::filesystem::temp_directory_path() /
                                ("accrue-rating-" + std::to_string(getpid()) + ".json");
};

/// The worked example of invoicing.md 5.4.
const std::string studio = R"({"schema_version": 1,
  "meters": [{"key": "hours", "aggregation": "sum", "unit": "hour"}],
  "features": [{"key": "droplet_hours", "meter": "hours"}],
  "add_ons": [{"key": "storage_50gb", "currency": "AUD", "rate_cards": [
    {"key": "storage", "type": "flat_fee", "cadence": "P1M",
     "price": {"type": "flat", "amount": "7.5", "payment_term": "in_arrears"}}]}],
  "plans": [{"key": "studio", "currency": "AUD", "add_ons": ["storage_50gb"], "phases": [
    {"key": "main", "rate_cards": [
      {"key": "base", "name": "Studio", "type": "flat_fee", "cadence": "P1M",
       "price": {"type": "flat", "amount": "50", "payment_term": "in_arrears"}},
      {"key": "droplet_hours", "name": "Droplet hours", "feature": "droplet_hours",
       "type": "usage_based", "cadence": "P1M", "included": "1488",
       "price": {"type": "unit", "amount": "0.01"}}]}]}]})";

std::string with(std::string text, const std::string& what, const std::string& instead) {
  return text.replace(text.find(what), what.size(), instead);
}

} // namespace

TEST_CASE("all rating vectors come out", "[rating]") {
  const auto o = accrue_program("rate " ACCRUE_SOURCE_DIR "/tests/vectors/rating.json");
  INFO(o.out);
  CHECK(o.code == 0);
  CHECK(o.out.ends_with("\n105 passed, 0 failed\n"));
}

TEST_CASE("a rating vector that does not come out says what differs", "[rating]") {
  const scratch_file file(R"({"schema_version": 1, "vectors": [
    {"id": "a", "kind": "currency_round", "currency": "USD", "amount": "1.235", "expected": "1.23"},
    {"id": "b", "kind": "currency_round", "currency": "USD", "amount": "1.235", "expected": "1.240"}]})");
  const auto o = accrue_program("rate " + file.path());
  CHECK(o.code == 1);
  CHECK(o.out == "FAIL a (currency_round): expected expected 1.23, got 1.24\nok b\n"
                 "1 passed, 1 failed\n");
  const scratch_file unknown(R"({"schema_version": 1, "vectors": [{"id": "a", "kind": "guess"}]})");
  const auto refused = accrue_program("rate " + unknown.path() + " 2>&1");
  CHECK(refused.code == 2);
  CHECK(refused.out.find("vectors[0].kind: unknown kind") != std::string::npos);
}

TEST_CASE("a price is shown at quantities of a range", "[rating]") {
  const auto o = accrue_program(
      R"(--json price '{"type": "unit", "amount": "0.125"}' --from 1 --to 2 --rows 3)");
  REQUIRE(o.code == 0);
  const auto points = json::parse(o.out)["points"];
  // 0.125, 0.1875 and 0.25, to the cent.
  CHECK(points[0]["total"] == "0.13");
  CHECK(points[1]["quantity"] == "1.5");
  CHECK(points[1]["total"] == "0.19");
  CHECK(points[2]["total"] == "0.25");
  CHECK(accrue_program(R"(price '{"type": "unit", "amount": "0"}')").code == 0); // a flat plot
  CHECK(accrue_program(R"(price '{"type": "unit", "amount": 0.1}' 2>&1)").out ==
        "accrue: amount: must be a decimal in quotes, like \"0.25\"\n");
}

TEST_CASE("a catalog comes out as it went in", "[catalog]") {
  const scratch_file file(studio);
  const auto first = accrue_program("--json catalog " + file.path());
  REQUIRE(first.code == 0);
  const scratch_file again(first.out);
  CHECK(accrue_program("--json catalog " + again.path()).out == first.out);
}

TEST_CASE("a fault in a catalog is told with its place", "[catalog]") {
  const auto fault = [](const std::string& text) {
    const scratch_file file(text);
    const auto o = accrue_program("catalog " + file.path() + " 2>&1");
    CHECK(o.code == 2);
    return o.out.substr(o.out.find(".json") + 5);
  };
  CHECK(fault(with(studio, R"("meter": "hours")", R"("meter": "none")")) ==
        ": features[0].meter: There is no meter 'none'.\n");
  CHECK(fault(with(studio, R"("0.01")", R"("-1")"))
            .starts_with(": plans[0].phases[0].rate_cards[1].price.amount: A price cannot be"));
  CHECK(fault(with(studio, R"("included")", R"("includes")")) ==
        ": plans[0].phases[0].rate_cards[1].includes: unknown field\n");
  CHECK(fault(with(studio, R"("schema_version": 1,)", "\n,")) == ":2: this is not JSON\n");
}

TEST_CASE("a quote is an invoice that is not there yet", "[catalog]") {
  const scratch_file file(studio);
  const auto o = accrue_program("--json quote " + file.path() +
                                " studio --add-on storage_50gb --usage droplet_hours=2160"
                                " --tax GST=0.1 --credit 20");
  REQUIRE(o.code == 0);
  const auto q = json::parse(o.out);
  CHECK(q["subtotal"] == "64.22");
  CHECK(q["tax"] == "6.42");
  CHECK(q["total"] == "70.64");
  CHECK(q["lines"][1]["name"] == "Addon: storage_50gb");
  CHECK(q["after_credits"]["total"] == "48.64"); // 44.22 and 4.42
  CHECK(accrue_program("quote " + file.path() + " none 2>/dev/null").code == 2);
}
