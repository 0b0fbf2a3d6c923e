// Answers as a person likes to read them, and as JSON documents. Both are pure functions of what the
// server said; nothing is printed and nothing is asked here.
#pragma once

#include "apps/accrue/client.hpp"
#include "domain/replies.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace accrue::cli {

/// "2026-01-31" at midnight, "2026-01-31 12:30:00" otherwise; UTC.
[[nodiscard]] std::string short_date(instant t);
[[nodiscard]] std::string short_period(const period& p);
/// RFC 3339, or a date, which is its midnight UTC. errc: validation.
[[nodiscard]] result<instant> parse_date(std::string_view text);
/// "P30D", "PT1H30M"; "P0D" for nothing.
[[nodiscard]] std::string duration_text(std::int64_t ns);
/// All digits of the currency, no thousands separator: "1234.50".
[[nodiscard]] std::string amount_text(int128 minor, currency c);
/// "12.34 USD"; empty for nothing.
[[nodiscard]] std::string money_text(const std::optional<money>& m);
[[nodiscard]] std::string_view to_string(command::over_settlement o) noexcept;
[[nodiscard]] std::string_view to_string(ledger::stage s) noexcept;

/// One answer, ending with a newline. `customer` is whose it is, for headings; may be empty.
[[nodiscard]] std::string to_text(const client::answer_body& answer, std::string_view customer);
/// The trial balance with its sums per currency.
[[nodiscard]] std::string to_text(const reply::accounts& accounts);

/// One document: the sequence, the view under the name it has on the wire, the balances after it.
/// Amounts are decimal strings, instants RFC 3339.
[[nodiscard]] nlohmann::json to_json(const client::answer_body& answer);
[[nodiscard]] nlohmann::json to_json(const wire::refused& no);

/// "code: subject: sentence. Whether a retry helps."
[[nodiscard]] std::string to_text(const wire::refused& no);

/// "1 meter, 2 features, …"
[[nodiscard]] std::string count_text(const reply::catalog_stored& c);

/// What must be zero: the sum of all postings per currency. errc: overflow.
struct currency_sum {
  std::string code;
  money sum;
};
[[nodiscard]] result<std::vector<currency_sum>>
sums_per_currency(const std::vector<reply::account_view>& accounts);
/// Likewise: the sum of the money column per currency that is paid in.
[[nodiscard]] result<std::vector<currency_sum>>
sums_of_money(const std::vector<reply::account_view>& accounts);

} // namespace accrue::cli
