// What is sold, as people meet it: rating vectors, prices, catalogs, quotes and tax, with the real programs.
// The numbers themselves are the domain's tests.
#include "tests/support/server_process.hpp"
#include "tests/system/proof.hpp"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

using namespace accrue;
using namespace accrue::testing;
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
  std::filesystem::path path_ =
      std::filesystem::temp_directory_path() /
      ("accrue-rating-" + std::to_string(getpid()) + "-" + std::to_string(++made_) + ".json");
  static inline int made_ = 0;
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
  const auto first = accrue_program("--json catalog check " + file.path());
  REQUIRE(first.code == 0);
  const scratch_file again(first.out);
  CHECK(accrue_program("--json catalog check " + again.path()).out == first.out);
  CHECK(accrue_program("catalog check " + file.path()).out ==
        "1 meter, 1 feature, 1 add-on, 1 plan: all holds\n");
}

TEST_CASE("a fault in a catalog is told with its place", "[catalog]") {
  const auto fault = [](const std::string& text) {
    const scratch_file file(text);
    const auto o = accrue_program("catalog check " + file.path() + " 2>&1");
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
  const auto quote = "quote studio --add-on storage_50gb --usage droplet_hours=2160 --tax GST=0.1"
                     " --credit 20 --from 2026-04-01 --to 2026-05-01 --catalog " +
                     file.path();
  const auto o = accrue_program("--json " + quote);
  REQUIRE(o.code == 0);
  const auto q = json::parse(o.out)["quote"];
  CHECK(q["subtotal"] == "64.22");
  CHECK(q["taxes"][0]["amount"] == "6.42");
  CHECK(q["total"] == "70.64");
  CHECK(q["lines"][1]["name"] == "Addon: storage_50gb");
  CHECK(q["after_credits"]["total"] == "48.64"); // 44.22 and 4.42
  CHECK(accrue_program(quote).out == R"(Quote for studio version 1, 2026-04-01 - 2026-05-01

Line                            Quantity  Price  Amount
------------------------------  --------  -----  ------
Studio                                 1     50   50.00
Addon: storage_50gb                    1    7.5    7.50
Droplet hours: usage in period       672   0.01    6.72
GST 0.1 on 64.22                                   6.42
                                                 ------
Total AUD                                         70.64

Credit  20.00
Tax     4.42
To pay  48.64
)");
  CHECK(accrue_program("quote none --catalog " + file.path() + " 2>/dev/null").code == 2);
  CHECK(
      accrue_program("quote studio --phase none --catalog " + file.path() + " 2>/dev/null").code ==
      2);
}

namespace {

/// A server, and the command line that talks to it.
struct shop {
  server_directory directory;
  server_process server{directory.path()};

  [[nodiscard]] outcome operator()(const std::string& arguments) const {
    return accrue_program("--server 127.0.0.1:" + std::to_string(server.port()) + " " + arguments);
  }
  /// The answer, which must be a positive one.
  [[nodiscard]] json document(const std::string& arguments) const {
    const auto o = (*this)("--json " + arguments);
    INFO(arguments << ": " << o.out);
    REQUIRE(o.code == 0);
    return json::parse(o.out);
  }
};

const std::string april = " --from 2026-04-01 --to 2026-05-01";

} // namespace

TEST_CASE("a catalog is stored whole, survives a restart, and comes back as a file",
          "[pg][catalog]") {
  shop s;
  CHECK(s("catalog export").out.find("\"plans\": []") != std::string::npos);
  const scratch_file file(studio);
  const auto stored = s("catalog import " + file.path());
  CHECK(stored.out == "Catalog stored: 1 meter, 1 feature, 1 add-on, 1 plan.\n");
  const auto exported = s("catalog export").out;
  CHECK(json::parse(exported) ==
        json::parse(accrue_program("--json catalog check " + file.path()).out));

  CHECK(s.server.stop() == 0);
  s.server.restart();
  CHECK(s("catalog export").out == exported);
  s.server.kill();
  s.server.restart();
  CHECK(s("catalog export").out == exported);
  const scratch_file written("");
  CHECK(s("catalog export " + written.path()).code == 0);
  CHECK(s.document("catalog import " + written.path() +
                   " --key again")["catalog_stored"]["plans"] == 1);
  proven(s.server.conninfo());
}

TEST_CASE("a catalog with a fault, or against a plan that counts, changes nothing",
          "[pg][catalog]") {
  const shop s;
  const auto counting = with(studio,
                             R"("key": "studio",)",
                             R"("key": "studio", "effective_from": "2020-01-01T00:00:00Z",)");
  const scratch_file file(counting);
  REQUIRE(s("catalog import " + file.path()).code == 0);
  const auto before = s("catalog export").out;

  const scratch_file broken(with(counting, R"("1488")", R"("-1")"));
  CHECK(s("catalog import " + broken.path() + " 2>/dev/null").code == 2);
  const scratch_file dearer(with(counting, R"("amount": "50")", R"("amount": "60")"));
  const auto refused = s("catalog import " + dearer.path() + " 2>&1");
  CHECK(refused.code == 1);
  CHECK(
      refused.out.starts_with("accrue: conflict: plans[0]: Version 1 of 'studio' counts already;"));
  CHECK(s("catalog export").out == before);
}

TEST_CASE("an import with a key counts once", "[pg][catalog]") {
  const shop s;
  const scratch_file file(studio);
  const auto first = s.document("catalog import " + file.path() + " --key spring");
  CHECK(s.document("catalog import " + file.path() + " --key spring") == first);
  const scratch_file other(with(studio, R"("amount": "50")", R"("amount": "60")"));
  const auto refused = s("catalog import " + other.path() + " --key spring 2>&1");
  CHECK(refused.out.starts_with("accrue: idempotency_conflict: spring:"));
}

TEST_CASE("the server quotes as the file does, and a customer with tax and credit",
          "[pg][catalog][D44]") {
  const shop s;
  const scratch_file file(studio);
  REQUIRE(s("catalog import " + file.path()).code == 0);
  const auto quote = "quote studio --add-on storage_50gb --usage droplet_hours=2160" + april;
  const auto here =
      json::parse(accrue_program("--json " + quote + " --catalog " + file.path()).out);
  const auto there = s.document(quote);
  CHECK(there["quote"] == here["quote"]);
  CHECK(there["quote"]["after_credits"].is_null());
  CHECK(there["quote"]["total"] == "64.22");

  REQUIRE(s("customer create acme --currency AUD --tax GST=0.1").code == 0);
  REQUIRE(s("grant acme 20 AUD --id welcome").code == 0);
  const auto mine = s.document(quote + " --customer acme")["quote"];
  CHECK(mine["lines"] == here["quote"]["lines"]);
  CHECK(mine["total"] == "70.64");
  CHECK(mine["after_credits"] == json{{"credits", "20.00"}, {"tax", "4.42"}, {"total", "48.64"}});
  // Nothing was taken.
  CHECK(s.document("balance acme")["balances"][0]["settled"] == "20.00");
  CHECK(s("quote none 2>&1").out.starts_with("accrue: not_found: none:"));
  CHECK(s("quote studio --customer nobody 2>&1").out.starts_with("accrue: not_found: nobody:"));
}

TEST_CASE("an invoice with tax is the same after a restart, and proves", "[pg][tax][D26][D53]") {
  shop s;
  REQUIRE(s("profile set --auto-advance false").code == 0);
  REQUIRE(s("customer create acme --currency AUD --tax GST=0.1").code == 0);
  REQUIRE(s("grant acme 20 AUD --id welcome --effective-at 2024-01-01").code == 0);
  REQUIRE(s("charge create acme 64.22 AUD --id april --from 2024-04-01 --to 2024-05-01").code == 0);
  REQUIRE(s("run-due acme").code == 0);
  REQUIRE(s("invoice approve acme '#1'").code == 0);
  REQUIRE(s("pay authorize acme ACME-000001").code == 0);
  const auto shown = s.document("invoice show acme ACME-000001")["invoice"];
  CHECK(shown["taxes"] ==
        json::array({{{"name", "GST"}, {"rate", "0.1"}, {"base", "44.22"}, {"amount", "4.42"}}}));
  CHECK(shown["lines"][1]["kind"] == "tax");
  CHECK(shown["total"] == "48.64");
  CHECK(shown["authorized"] == "48.64");

  s.server.kill();
  s.server.restart();
  CHECK(s.document("invoice show acme ACME-000001")["invoice"] == shown);
  CHECK(s.document("customer show acme")["customer"]["tax"]["name"] == "GST");
  REQUIRE(s("pay settle acme ACME-000001").code == 0);
  const auto book = s("ledger acme").out;
  CHECK(book.find("tax_payable") != std::string::npos);
  REQUIRE(s("customer set acme --no-tax").code == 0);
  CHECK(s.document("customer show acme")["customer"]["tax"].is_null());
  const auto v = proven(s.server.conninfo());
  CHECK(v.transactions > 0);
}
