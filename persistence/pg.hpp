// The PostgreSQL client: errors by what the caller must do, binary results and parameters, a
// connection driven by Asio and a blocking session for tools. No table, SQL text or domain word
// lives here.
#pragma once

#include <tl/expected.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct pg_conn;
struct pg_result;
namespace boost::asio {
class io_context;
}

namespace accrue::pg {

// ---------------------------------------------------------------------------------- errors

/// What the caller must do about a failure.
enum class failure : std::uint8_t {
  retry,       ///< send the same batch again: deadlock, serialization, cancelled, lock timeout
  reconnect,   ///< the connection is gone; the caller decides whether a COMMIT was under way
  in_doubt,    ///< set by the caller that knows a COMMIT was under way; also SQLSTATE 40003
  unavailable, ///< the server cannot write or has no room now (53xxx, 58xxx): wait, then again
  poison,      ///< the data is at fault (22xxx, 23xxx, 21000, 54000, P0xxx, 45xxx): halve
  bug,         ///< the rest: a defect of ours or a wrong set-up
};

/// A failure of the database or of the way to it. `sqlstate` is empty when the server said nothing.
struct error {
  failure kind = failure::bug;
  std::string sqlstate;
  std::string text;
  int statement = -1; ///< index of the failed call in its pipeline; -1 where there is none
  bool late = false;  ///< no answer came in time: whoever is at it may be at it still
};

/// A value, or the failure.
template <class T>
using outcome = tl::expected<T, error>;

/// The kind of failure that a SQLSTATE means; an empty one is a lost socket.
[[nodiscard]] failure classify(std::string_view sqlstate) noexcept;
[[nodiscard]] std::string_view to_string(failure kind) noexcept;

// ---------------------------------------------------------------------------------- results

using uuid = std::array<std::byte, 16>;

/// Rows of one statement, binary unless the session's `execute` made them. Move-only.
/// Getters do not check types: the statement that was prepared fixes them. NULL reads as zero or
/// empty.
class result {
public:
  result() noexcept = default;
  explicit result(pg_result* owned) noexcept : rows_(owned) {}

  [[nodiscard]] int rows() const noexcept;
  [[nodiscard]] int columns() const noexcept;
  [[nodiscard]] bool is_null(int row, int column) const noexcept;
  [[nodiscard]] std::int16_t i16(int row, int column) const noexcept;
  [[nodiscard]] std::int32_t i32(int row, int column) const noexcept;
  [[nodiscard]] std::int64_t i64(int row, int column) const noexcept;
  [[nodiscard]] bool boolean(int row, int column) const noexcept;
  [[nodiscard]] pg::uuid uuid(int row, int column) const noexcept;
  /// Valid as long as this result.
  [[nodiscard]] std::span<const std::byte> bytes(int row, int column) const noexcept;
  /// Valid as long as this result.
  [[nodiscard]] std::string_view text(int row, int column) const noexcept;
  /// Rows inserted, updated, deleted or selected, as the server tells.
  [[nodiscard]] std::int64_t command_tuples() const noexcept;

private:
  struct clear {
    void operator()(pg_result* rows) const noexcept;
  };
  std::unique_ptr<pg_result, clear> rows_;
};

// ------------------------------------------------------------------------------- parameters

/// Network byte order of an integer.
template <class Int>
[[nodiscard]] constexpr Int network_order(Int value) noexcept {
  if constexpr (std::endian::native == std::endian::big || sizeof(Int) == 1) {
    return value;
  } else if constexpr (sizeof(Int) == 2) {
    return static_cast<Int>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
  } else if constexpr (sizeof(Int) == 4) {
    return static_cast<Int>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
  } else {
    return static_cast<Int>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
  }
}

/// Bytes that only grow; clearing keeps the memory, so that a warm buffer never allocates.
class buffer {
public:
  [[nodiscard]] std::byte* grow(std::size_t count) {
    if (capacity_ - size_ < count)
      enlarge(count);
    std::byte* at = bytes_.get() + size_;
    size_ += count;
    return at;
  }
  template <class Int>
  void put(Int value) {
    value = network_order(value);
    std::memcpy(grow(sizeof value), &value, sizeof value);
  }
  void put(std::span<const std::byte> value) {
    if (!value.empty())
      std::memcpy(grow(value.size()), value.data(), value.size());
  }
  template <class Int>
  void patch(std::size_t offset, Int value) noexcept {
    value = network_order(value);
    std::memcpy(bytes_.get() + offset, &value, sizeof value);
  }
  void clear() noexcept { size_ = 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] const std::byte* data() const noexcept { return bytes_.get(); }

private:
  void enlarge(std::size_t count) {
    const std::size_t wanted = std::max(size_ + count, std::max<std::size_t>(256, capacity_ * 2));
    auto bigger = std::make_unique<std::byte[]>(wanted);
    if (size_ != 0)
      std::memcpy(bigger.get(), bytes_.get(), size_);
    bytes_ = std::move(bigger);
    capacity_ = wanted;
  }
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// One column of rows for UNNEST: a one-dimensional binary array, appended to row by row.
/// The header is patched when the column is given to `parameters::array`.
class array_column {
public:
  [[nodiscard]] int size() const noexcept { return count_; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  /// Forgets the rows, keeps the memory.
  void clear() {
    bytes_.clear();
    count_ = 0;
    nulls_ = 0;
    begin();
  }
  void push_null() {
    bytes_.put(std::int32_t{-1});
    nulls_ = 1;
    ++count_;
  }
  /// Writes the header; the span is valid until the next push or clear.
  [[nodiscard]] std::span<const std::byte> seal() noexcept {
    bytes_.patch(4, nulls_);
    bytes_.patch(12, count_);
    return {bytes_.data(), bytes_.size()};
  }

protected:
  explicit array_column(std::int32_t element_oid) : element_oid_(element_oid) { begin(); }

  template <class Int>
  void push_number(Int value) {
    std::byte* at = bytes_.grow(4 + sizeof value);
    const auto length = network_order(static_cast<std::int32_t>(sizeof value));
    value = network_order(value);
    std::memcpy(at, &length, 4);
    std::memcpy(at + 4, &value, sizeof value);
    ++count_;
  }
  [[nodiscard]] std::byte* push_room(std::size_t length) {
    std::byte* at = bytes_.grow(4 + length);
    const auto announced = network_order(static_cast<std::int32_t>(length));
    std::memcpy(at, &announced, 4);
    ++count_;
    return at + 4;
  }

private:
  void begin() {
    for (const std::int32_t word : {1, 0, element_oid_, 0, 1})
      bytes_.put(word);
  }
  buffer bytes_;
  std::int32_t element_oid_;
  std::int32_t count_ = 0;
  std::int32_t nulls_ = 0;
};

/// int2[], int4[] and int8[].
template <class Int, std::int32_t ElementOid>
class integer_array : public array_column {
public:
  integer_array() : array_column(ElementOid) {}
  void push(Int value) { push_number(value); }
};
using int2_array = integer_array<std::int16_t, 21>;
using int4_array = integer_array<std::int32_t, 23>;
using int8_array = integer_array<std::int64_t, 20>;

/// uuid[].
class uuid_array : public array_column {
public:
  uuid_array() : array_column(2950) {}
  void push(std::span<const std::byte, 16> value) { std::memcpy(push_room(16), value.data(), 16); }
};

/// bytea[].
class bytea_array : public array_column {
public:
  bytea_array() : array_column(17) {}
  void push(std::span<const std::byte> value) {
    std::byte* at = push_room(value.size());
    if (!value.empty())
      std::memcpy(at, value.data(), value.size());
  }
  /// Room of `length` bytes to be written in place, before the next push.
  [[nodiscard]] std::span<std::byte> push_in_place(std::size_t length) {
    return {push_room(length), length};
  }
};

/// text[].
class text_array : public array_column {
public:
  text_array() : array_column(25) {}
  void push(std::string_view value) {
    std::byte* at = push_room(value.size());
    if (!value.empty())
      std::memcpy(at, value.data(), value.size());
  }
};

/// Binary parameters of one statement, in order. Scalars are copied into one reused buffer; array
/// columns are borrowed and must stay untouched until the statement was handed over (the call that
/// takes the parameters copies them before it returns). No allocation once warm.
class parameters {
public:
  parameters& clear() noexcept {
    scalars_.clear();
    slots_.clear();
    return *this;
  }
  parameters& int2(std::int16_t value) { return number(value); }
  parameters& int4(std::int32_t value) { return number(value); }
  parameters& int8(std::int64_t value) { return number(value); }
  parameters& boolean(bool value) { return number(static_cast<std::uint8_t>(value ? 1 : 0)); }
  parameters& bytea(std::span<const std::byte> value) {
    slots_.push_back({nullptr, scalars_.size(), static_cast<int>(value.size())});
    scalars_.put(value);
    return *this;
  }
  parameters& text(std::string_view value) { return bytea(std::as_bytes(std::span(value))); }
  parameters& uuid(std::span<const std::byte, 16> value) { return bytea(value); }
  parameters& null() {
    slots_.push_back({nullptr, 0, -1});
    return *this;
  }
  /// Borrows the column.
  parameters& array(array_column& column) {
    const auto sealed = column.seal();
    slots_.push_back({sealed.data(), 0, static_cast<int>(sealed.size())});
    return *this;
  }

  [[nodiscard]] int count() const noexcept { return static_cast<int>(slots_.size()); }
  /// Length in bytes; -1 for NULL.
  [[nodiscard]] int length(int index) const noexcept { return at(index).length; }
  /// Null for NULL, never null otherwise.
  [[nodiscard]] const char* value(int index) const noexcept {
    const slot& it = at(index);
    if (it.length < 0)
      return nullptr;
    if (it.length == 0)
      return "";
    return reinterpret_cast<const char*>(it.borrowed != nullptr ? it.borrowed
                                                                : scalars_.data() + it.offset);
  }

private:
  struct slot {
    const std::byte* borrowed;
    std::size_t offset;
    int length;
  };
  template <class Int>
  parameters& number(Int value) {
    slots_.push_back({nullptr, scalars_.size(), static_cast<int>(sizeof value)});
    scalars_.put(value);
    return *this;
  }
  [[nodiscard]] const slot& at(int index) const noexcept {
    return slots_[static_cast<std::size_t>(index)];
  }
  buffer scalars_;
  std::vector<slot> slots_;
};

// ------------------------------------------------------------------------------- connection

/// A move-only function object that is called at most once.
template <class... Args>
class completion {
public:
  completion() noexcept = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, completion> &&
           std::is_invocable_v<std::decay_t<F>&, Args...>) completion(F&& f)
      : held_(std::make_unique<holder<std::decay_t<F>>>(std::forward<F>(f))) {}
  explicit operator bool() const noexcept { return held_ != nullptr; }
  /// Calls and forgets what it held.
  void operator()(Args... args) {
    if (auto held = std::move(held_))
      held->call(std::move(args)...);
  }

private:
  struct callable {
    virtual ~callable() = default;
    virtual void call(Args... args) = 0;
  };
  template <class F>
  struct holder final : callable {
    explicit holder(F f) : f_(std::move(f)) {}
    void call(Args... args) override { f_(std::move(args)...); }
    F f_;
  };
  std::unique_ptr<callable> held_;
};

/// A name and its value.
struct setting {
  std::string name;
  std::string value;
};

/// The connection string with more in it: `defaults` are connection parameters that hold where the
/// string does not name them, `forced` ones hold anyhow, and `session` are server settings that go
/// behind the `options` it may have. One that libpq cannot read comes back as it is.
[[nodiscard]] std::string with_settings(const std::string& conninfo,
                                        std::span<const setting> defaults,
                                        std::span<const setting> forced,
                                        std::span<const setting> session);

/// A statement to prepare. Parameter types are taken from the casts in the text ($1::int8[]).
struct statement {
  std::string name;
  std::string sql;
};

/// One prepared statement with its parameters; both are only read during the call that takes them.
struct call {
  const char* name;
  const parameters* arguments;
};

using opened = completion<outcome<void>>;
using answered = completion<outcome<result>>;
using answers = completion<outcome<std::vector<result>>>;
using lost = completion<error>;

/// One connection in pipeline mode, driven by an io_context. Never blocks and never throws.
/// (Looking up a host name is the exception libpq makes: use socket directories or addresses.) Not
/// thread-safe: use it, and destroy it, on the one thread that runs the io_context.
///
/// A completion is called exactly once, from the io_context, never from within the call that
/// started it. Destroying the connection drops completions that are still due without calling them.
class connection {
public:
  explicit connection(boost::asio::io_context& io);
  ~connection();
  connection(connection&&) noexcept;
  connection& operator=(connection&&) noexcept;

  /// Connects and prepares all statements, or fails within the timeout. Session settings go into
  /// the conninfo (options='-c plan_cache_mode=force_generic_plan'). May be called again after a
  /// loss or `close`; a connection still open is closed first.
  void async_open(const std::string& conninfo,
                  std::vector<statement> statements,
                  std::chrono::milliseconds timeout,
                  opened done);

  /// Sends the calls and one sync: one implicit transaction, committed whole or not at all. The
  /// answer is one result per call, or the error of the first call that failed. Several pipelines
  /// may be under way; they run in the order sent, each in its own transaction. When the timeout
  /// passes the connection counts as lost: error `reconnect`, and whether the transaction landed is
  /// unknown. Its backend may even still be at work on it: ask with a statement that waits for a
  /// row lock the transaction holds.
  void async_pipeline(std::span<const call> calls, std::chrono::milliseconds timeout, answers done);

  /// A pipeline of one.
  void async_query(const char* name,
                   const parameters& arguments,
                   std::chrono::milliseconds timeout,
                   answered done);

  /// Called once when an open connection is lost, busy or idle, after the completions that were
  /// due; not called by `close`. Stays until it fires, across `async_open`.
  void on_lost(lost told);

  [[nodiscard]] bool is_open() const noexcept;
  /// Pipelines sent and not yet answered.
  [[nodiscard]] std::size_t in_flight() const noexcept;
  /// Process id of the server's backend; 0 when not open. For tests and status.
  [[nodiscard]] int backend_pid() const noexcept;

  /// Closes at once; what is in flight completes with `reconnect`.
  void close();

private:
  class link;
  std::shared_ptr<link> link_;
};

// ---------------------------------------------------------------------------------- session

/// A blocking connection for migrations, tests, offline tools and `verify`. Never used by the
/// engine's threads.
class session {
public:
  /// Gives up after 10 seconds, unless the connection string names a `connect_timeout`.
  [[nodiscard]] static outcome<session> open(const std::string& conninfo);

  /// Runs one or several statements without parameters; the last one's rows, as text.
  outcome<result> execute(const std::string& sql);

  /// Runs one statement; binary rows.
  outcome<result> query(const std::string& sql, const parameters& arguments = {});

  /// Streams a big SELECT through a cursor, a chunk in memory at a time, in a read-only repeatable
  /// read transaction of its own or in the caller's. The visitor gets binary rows and says whether
  /// to go on.
  outcome<void> for_each_row(const std::string& sql,
                             const parameters& arguments,
                             const std::function<bool(const result& rows, int row)>& visit);

  /// Runs `sql`, whose last statement is COPY .. FROM STDIN, with these bytes. Returns rows copied.
  outcome<std::int64_t> copy_in(const std::string& sql, std::span<const std::byte> data);

private:
  struct finish {
    void operator()(pg_conn* connection) const noexcept;
  };
  explicit session(pg_conn* owned) noexcept : connection_(owned) {}
  std::unique_ptr<pg_conn, finish> connection_;
};

} // namespace accrue::pg
