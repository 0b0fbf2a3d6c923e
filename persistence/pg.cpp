// Errors, results and the blocking session of the PostgreSQL client. The connection that the engine
// uses is in pg_connection.cpp; no SQL of the product in either.
#include "persistence/pg.hpp"

#include "persistence/pg_libpq.hpp"

#include <charconv>
#include <map>
#include <optional>

namespace accrue::pg {
namespace {

std::string trimmed(const char* text) {
  std::string out = text != nullptr ? text : "";
  while (!out.empty() && (out.back() == '\n' || out.back() == ' '))
    out.pop_back();
  return out;
}

template <class Int>
Int integer_at(const PGresult* rows, int row, int column) noexcept {
  if (PQgetlength(rows, row, column) != static_cast<int>(sizeof(Int)))
    return 0;
  Int value;
  std::memcpy(&value, PQgetvalue(rows, row, column), sizeof value);
  return network_order(value);
}

} // namespace

// ------------------------------------------------------------------------------- connection

namespace {

/// Puts a backslash before each of these characters and before backslashes.
std::string escaped(std::string_view text, std::string_view specials) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || specials.find(c) != std::string_view::npos)
      out += '\\';
    out += c;
  }
  return out;
}

} // namespace

std::string with_settings(const std::string& conninfo,
                          std::span<const setting> defaults,
                          std::span<const setting> forced,
                          std::span<const setting> session) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
      PQconninfoParse(conninfo.c_str(), nullptr), &PQconninfoFree);
  if (!parsed)
    return conninfo;
  std::map<std::string, std::string> all;
  for (const auto& [name, value] : defaults)
    all[name] = value;
  for (const PQconninfoOption* it = parsed.get(); it->keyword != nullptr; ++it)
    if (it->val != nullptr)
      all[it->keyword] = it->val;
  for (const auto& [name, value] : forced)
    all[name] = value;
  for (const auto& [name, value] : session)
    all["options"].append(" -c ").append(name).append("=").append(escaped(value, " "));
  std::string out;
  for (const auto& [name, value] : all)
    out.append(out.empty() ? "" : " ")
        .append(name)
        .append("='")
        .append(escaped(value, "'"))
        .append("'");
  return out;
}

// ---------------------------------------------------------------------------------- errors

failure classify(std::string_view sqlstate) noexcept {
  const std::string_view group = sqlstate.substr(0, 2);
  if (sqlstate.empty() || group == "08")
    return failure::reconnect;
  if (sqlstate == "40001" || sqlstate == "40P01")
    return failure::retry;
  if (sqlstate == "40003")
    return failure::in_doubt;
  if (sqlstate == "57014" || sqlstate == "55P03")
    return failure::retry;
  // Shutdowns, an idle time-out, and a server that became read-only (a demoted primary).
  if (sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03" || sqlstate == "57P05" ||
      sqlstate == "25006")
    return failure::reconnect;
  if (group == "53" || group == "58")
    return failure::unavailable;
  // Data, constraints, a row twice in one upsert, a value too big, a trigger that says no (P0 is PL/pgSQL's
  // own, 45 the standard's "unhandled user-defined exception"). Not XX001 and XX002: a damaged file of the
  // database is nobody's unit.
  if (group == "22" || group == "23" || sqlstate == "21000" || sqlstate == "54000" ||
      group == "P0" || group == "45")
    return failure::poison;
  return failure::bug;
}

std::string_view to_string(failure kind) noexcept {
  switch (kind) {
  case failure::retry:
    return "retry";
  case failure::reconnect:
    return "reconnect";
  case failure::in_doubt:
    return "in_doubt";
  case failure::unavailable:
    return "unavailable";
  case failure::poison:
    return "poison";
  case failure::bug:
    return "bug";
  }
  return "bug";
}

error error_of(const PGconn* connection) {
  return {failure::reconnect,
          {},
          connection != nullptr ? trimmed(PQerrorMessage(connection)) : "out of memory"};
}

error error_of(const PGresult* rows) {
  const char* const state = PQresultErrorField(rows, PG_DIAG_SQLSTATE);
  const char* const severity = PQresultErrorField(rows, PG_DIAG_SEVERITY_NONLOCALIZED);
  const std::string_view weight = severity != nullptr ? severity : "";
  error out{failure::bug, state != nullptr ? state : "", trimmed(PQresultErrorMessage(rows))};
  out.kind = classify(out.sqlstate);
  // FATAL and PANIC end the connection, whatever the reason.
  if (weight == "FATAL" || weight == "PANIC")
    out.kind = failure::reconnect;
  return out;
}

// ---------------------------------------------------------------------------------- results

void result::clear::operator()(pg_result* rows) const noexcept { PQclear(rows); }
int result::rows() const noexcept { return PQntuples(rows_.get()); }
int result::columns() const noexcept { return PQnfields(rows_.get()); }
bool result::is_null(int row, int column) const noexcept {
  return PQgetisnull(rows_.get(), row, column) != 0;
}
std::int16_t result::i16(int row, int column) const noexcept {
  return integer_at<std::int16_t>(rows_.get(), row, column);
}
std::int32_t result::i32(int row, int column) const noexcept {
  return integer_at<std::int32_t>(rows_.get(), row, column);
}
std::int64_t result::i64(int row, int column) const noexcept {
  return integer_at<std::int64_t>(rows_.get(), row, column);
}
bool result::boolean(int row, int column) const noexcept {
  const auto value = bytes(row, column);
  return value.size() == 1 && value[0] == std::byte{1};
}
pg::uuid result::uuid(int row, int column) const noexcept {
  pg::uuid out{};
  const auto value = bytes(row, column);
  if (value.size() == out.size())
    std::memcpy(out.data(), value.data(), out.size());
  return out;
}
std::span<const std::byte> result::bytes(int row, int column) const noexcept {
  return std::as_bytes(std::span(text(row, column)));
}
std::string_view result::text(int row, int column) const noexcept {
  const char* value = PQgetvalue(rows_.get(), row, column);
  if (value == nullptr)
    return {};
  return {value, static_cast<std::size_t>(PQgetlength(rows_.get(), row, column))};
}
std::int64_t result::command_tuples() const noexcept {
  const std::string_view said = rows_ ? PQcmdTuples(rows_.get()) : "";
  std::int64_t count = 0;
  std::from_chars(said.data(), said.data() + said.size(), count);
  return count;
}

// ---------------------------------------------------------------------------------- session

namespace {

outcome<result> checked(PGconn* connection, PGresult* raw) {
  result rows(raw);
  const auto status = PQresultStatus(raw);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
    return rows;
  if (raw == nullptr || PQstatus(connection) == CONNECTION_BAD) {
    error why = raw != nullptr ? error_of(raw) : error_of(connection);
    why.kind = failure::reconnect;
    return tl::unexpected<error>(std::move(why));
  }
  return tl::unexpected<error>(error_of(raw));
}

} // namespace

void session::finish::operator()(pg_conn* connection) const noexcept { PQfinish(connection); }

outcome<session> session::open(const std::string& conninfo) {
  // A server that takes the connection and says nothing must not keep the caller for ever.
  const setting patience{"connect_timeout", "10"};
  session made(PQconnectdb(with_settings(conninfo, {&patience, 1}, {}, {}).c_str()));
  if (PQstatus(made.connection_.get()) != CONNECTION_OK)
    return tl::unexpected<error>(error_of(made.connection_.get()));
  PQsetNoticeProcessor(
      made.connection_.get(), [](void*, const char*) {}, nullptr);
  return made;
}

outcome<result> session::execute(const std::string& sql) {
  return checked(connection_.get(), PQexec(connection_.get(), sql.c_str()));
}

outcome<result> session::query(const std::string& sql, const parameters& arguments) {
  argument_lists lists;
  lists.take(arguments);
  return checked(connection_.get(),
                 PQexecParams(connection_.get(),
                              sql.c_str(),
                              arguments.count(),
                              nullptr,
                              lists.values.data(),
                              lists.lengths.data(),
                              lists.formats.data(),
                              1));
}

outcome<void> session::for_each_row(const std::string& sql,
                                    const parameters& arguments,
                                    const std::function<bool(const result&, int)>& visit) {
  const bool own = PQtransactionStatus(connection_.get()) == PQTRANS_IDLE;
  if (own) {
    if (auto begun = execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"); !begun)
      return tl::unexpected<error>(begun.error());
  }
  std::optional<error> failed;
  bool go_on = true;
  if (auto declared = query("DECLARE accrue_rows NO SCROLL CURSOR FOR " + sql, arguments);
      !declared)
    failed = declared.error();
  while (go_on && !failed) {
    const auto chunk = query("FETCH 5000 FROM accrue_rows");
    if (!chunk) {
      failed = chunk.error();
      break;
    }
    if (chunk->rows() == 0)
      break;
    for (int row = 0; go_on && row < chunk->rows(); ++row)
      go_on = visit(*chunk, row);
  }
  if (own) {
    execute(failed ? "ROLLBACK" : "COMMIT");
  } else if (!failed) {
    execute("CLOSE accrue_rows");
  }
  if (failed)
    return tl::unexpected<error>(std::move(*failed));
  return {};
}

outcome<std::int64_t> session::copy_in(const std::string& sql, std::span<const std::byte> data) {
  PGconn* const it = connection_.get();
  if (PQsendQuery(it, sql.c_str()) != 1)
    return tl::unexpected<error>(error_of(it));
  std::optional<error> failed;
  std::int64_t copied = 0;
  while (PGresult* raw = PQgetResult(it)) {
    result rows(raw);
    const auto status = PQresultStatus(raw);
    if (status == PGRES_COPY_IN) {
      // libpq takes an int; a bigger input goes in pieces.
      for (auto rest = data; !rest.empty();) {
        const auto piece = rest.first(std::min<std::size_t>(rest.size(), 1 << 24));
        rest = rest.subspan(piece.size());
        if (PQputCopyData(it,
                          reinterpret_cast<const char*>(piece.data()),
                          static_cast<int>(piece.size())) != 1)
          break;
      }
      PQputCopyEnd(it, nullptr);
    } else if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
      return tl::unexpected<error>(error{failure::bug, {}, "COPY .. TO is not offered here"});
    } else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      if (!failed)
        failed = error_of(raw);
      if (PQstatus(it) == CONNECTION_BAD)
        break;
    } else {
      copied = rows.command_tuples();
    }
  }
  if (failed)
    return tl::unexpected<error>(std::move(*failed));
  return copied;
}

} // namespace accrue::pg
