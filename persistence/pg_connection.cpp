// The connection that the engine uses: libpq in pipeline mode, driven by Asio, never blocking.
// Errors, results and the blocking session are in pg.cpp.
#include "persistence/crash_point.hpp"
#include "persistence/pg.hpp"
#include "persistence/pg_libpq.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fcntl.h>

#include <deque>
#include <optional>

namespace accrue::pg {
namespace {
using clock = std::chrono::steady_clock;
} // namespace

/// The state behind a connection. Shared with the waits under way, so that a wait that ends after
/// the connection was destroyed finds something to look at; `generation_` tells it that it is
/// stale.
class connection::link : public std::enable_shared_from_this<link> {
public:
  explicit link(boost::asio::io_context& io) : io_(io), descriptor_(io), timer_(io) {}
  ~link() { disconnect(); }

  void open(const std::string& conninfo,
            std::vector<statement> statements,
            std::chrono::milliseconds timeout,
            opened done);
  void send(std::span<const call> calls, std::chrono::milliseconds timeout, answers done);
  void close(error why, bool tell_loss);
  /// The owner is gone: nobody is to be called any more.
  void abandon() {
    abandoned_ = true;
    pending_.clear();
    opening_ = {};
    on_lost_ = {};
    disconnect();
  }

  bool is_open() const noexcept { return state_ == state::open; }
  std::size_t in_flight() const noexcept { return is_open() ? pending_.size() : 0; }
  int backend_pid() const noexcept { return is_open() ? PQbackendPID(connection_) : 0; }
  void on_lost(lost told) { on_lost_ = std::move(told); }

private:
  enum class state : std::uint8_t { closed, connecting, preparing, open };
  using wait_type = boost::asio::posix::stream_descriptor::wait_type;

  struct operation {
    clock::time_point deadline;
    answers done;
    std::vector<result> results{};
    std::optional<error> failed{};
    int answered = 0;
  };

  template <class F>
  void post(F f) {
    boost::asio::post(io_, [self = shared_from_this(), f = std::move(f)]() mutable {
      if (!self->abandoned_)
        f();
    });
  }
  /// Calls a member when the socket is ready, unless the connection has changed meanwhile.
  void wait(wait_type what, void (link::*then)()) {
    descriptor_.async_wait(what,
                           [self = shared_from_this(), generation = generation_, then](
                               const boost::system::error_code&) {
                             if (generation == self->generation_)
                               (self.get()->*then)();
                           });
  }
  void lose(error why) { close(std::move(why), true); }
  void disconnect();
  [[nodiscard]] bool follow_socket();
  void poll_connect();
  void prepare();
  void opened_well();
  void on_readable();
  void on_writable();
  void flush();
  void drain();
  void take(result rows, const PGresult* raw);
  void complete_head();
  void watch(clock::time_point deadline);
  void on_timer();

  boost::asio::io_context& io_;
  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer timer_;
  PGconn* connection_ = nullptr;
  state state_ = state::closed;
  bool abandoned_ = false;
  bool writing_ = false;
  std::uint64_t generation_ = 0;
  clock::time_point armed_ = clock::time_point::max();
  clock::time_point open_deadline_{};
  std::vector<statement> statements_;
  opened opening_;
  lost on_lost_;
  std::deque<operation> pending_;
  argument_lists arguments_;
};

void connection::link::open(const std::string& conninfo,
                            std::vector<statement> statements,
                            std::chrono::milliseconds timeout,
                            opened done) {
  close({failure::reconnect, {}, "the connection was opened anew"}, false);
  statements_ = std::move(statements);
  opening_ = std::move(done);
  state_ = state::connecting;
  open_deadline_ = clock::now() + timeout;
  connection_ = PQconnectStart(conninfo.c_str());
  if (connection_ == nullptr || PQstatus(connection_) == CONNECTION_BAD)
    return lose(error_of(connection_));
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
  watch(open_deadline_);
  if (!follow_socket())
    return lose({failure::reconnect, {}, "no file descriptor is left"});
  wait(wait_type::wait_write, &link::poll_connect);
}

// libpq closes its socket by itself when it loses it, and opens others while it connects; the number may be
// another thread's file at once. So what is waited for is a duplicate, which is ours to close.
bool connection::link::follow_socket() {
  boost::system::error_code failed;
  descriptor_.close(failed);
  descriptor_.assign(::fcntl(PQsocket(connection_), F_DUPFD_CLOEXEC, 0), failed);
  return !failed;
}

void connection::link::poll_connect() {
  const auto next = PQconnectPoll(connection_);
  if (next == PGRES_POLLING_FAILED || next == PGRES_POLLING_ACTIVE)
    return lose(error_of(connection_));
  if (!follow_socket())
    return lose({failure::reconnect, {}, "no file descriptor is left"});
  if (next == PGRES_POLLING_OK)
    return prepare();
  wait(next == PGRES_POLLING_READING ? wait_type::wait_read : wait_type::wait_write,
       &link::poll_connect);
}

/// Sends all PREPAREs as one pipeline: one round trip.
void connection::link::prepare() {
  state_ = state::preparing;
  if (PQsetnonblocking(connection_, 1) != 0 || PQenterPipelineMode(connection_) != 1)
    return lose(error_of(connection_));
  wait(wait_type::wait_read, &link::on_readable);
  if (statements_.empty())
    return opened_well();
  pending_.push_back({open_deadline_, [this](outcome<std::vector<result>> answer) {
                        if (answer)
                          return opened_well();
                        lose(std::move(answer.error()));
                      }});
  for (const statement& it : statements_) {
    if (PQsendPrepare(connection_, it.name.c_str(), it.sql.c_str(), 0, nullptr) != 1)
      return lose(error_of(connection_));
  }
  if (PQpipelineSync(connection_) != 1)
    return lose(error_of(connection_));
  flush();
}

void connection::link::opened_well() {
  state_ = state::open;
  post([done = std::move(opening_)]() mutable { done({}); });
}

void connection::link::send(std::span<const call> calls,
                            std::chrono::milliseconds timeout,
                            answers done) {
  if (!is_open()) {
    error why{failure::reconnect, {}, "the connection is not open"};
    return post([done = std::move(done), why = std::move(why)]() mutable {
      done(tl::unexpected<error>(std::move(why)));
    });
  }
  const auto deadline = clock::now() + timeout;
  pending_.push_back({deadline, std::move(done)});
  pending_.back().results.reserve(calls.size());
  for (const call& it : calls) {
    if (&it != calls.data() && &it == calls.data() + calls.size() / 2)
      pass(crash_point::pipeline_half_sent, [this] { PQflush(connection_); });
    arguments_.take(*it.arguments);
    if (PQsendQueryPrepared(connection_,
                            it.name,
                            it.arguments->count(),
                            arguments_.values.data(),
                            arguments_.lengths.data(),
                            arguments_.formats.data(),
                            1) != 1)
      return lose(error_of(connection_));
  }
  if (PQpipelineSync(connection_) != 1)
    return lose(error_of(connection_));
  watch(deadline);
  flush();
}

/// Writes what the socket takes. The read wait goes on beside the write wait: else both sides
/// could fill their buffers and wait for each other.
void connection::link::flush() {
  const int left = PQflush(connection_);
  if (left < 0)
    return lose(error_of(connection_));
  if (left > 0 && !writing_) {
    writing_ = true;
    wait(wait_type::wait_write, &link::on_writable);
  }
}

void connection::link::on_writable() {
  writing_ = false;
  flush();
}

void connection::link::on_readable() {
  if (PQconsumeInput(connection_) != 1)
    return lose(error_of(connection_));
  const auto generation = generation_;
  drain();
  if (generation != generation_)
    return;
  // Reading may have made room for the server, and so for what we still have to write.
  if (writing_)
    flush();
  if (generation == generation_)
    wait(wait_type::wait_read, &link::on_readable);
}

/// Takes every answer that has arrived. After each statement libpq gives one null.
void connection::link::drain() {
  const auto generation = generation_;
  int nulls = 0;
  while (!pending_.empty() && PQisBusy(connection_) == 0) {
    PGresult* raw = PQgetResult(connection_);
    if (raw == nullptr) {
      if (PQstatus(connection_) == CONNECTION_BAD || ++nulls > 2)
        return lose(error_of(connection_));
      continue;
    }
    nulls = 0;
    take(result(raw), raw);
    if (generation != generation_)
      return; // a completion closed it, or it was lost
  }
  // Answers that nobody asked for (a notice, a parameter status) are read by this call.
  if (pending_.empty() && PQisBusy(connection_) == 0 && PQstatus(connection_) == CONNECTION_BAD)
    lose(error_of(connection_));
}

void connection::link::take(result rows, const PGresult* raw) {
  operation& head = pending_.front();
  const ExecStatusType status = PQresultStatus(raw);
  if (status == PGRES_PIPELINE_SYNC)
    return complete_head();
  const int index = head.answered++;
  if (status == PGRES_PIPELINE_ABORTED)
    return;
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
    head.results.push_back(std::move(rows));
    return;
  }
  error why = status == PGRES_FATAL_ERROR
                  ? error_of(raw)
                  : error{failure::bug, {}, "a statement that gives neither rows nor an error"};
  why.statement = index;
  if (why.kind == failure::reconnect || PQstatus(connection_) == CONNECTION_BAD)
    return lose(std::move(why));
  if (!head.failed)
    head.failed = std::move(why);
}

void connection::link::complete_head() {
  operation done = std::move(pending_.front());
  pending_.pop_front();
  if (done.failed)
    return done.done(tl::unexpected<error>(std::move(*done.failed)));
  done.done(std::move(done.results));
}

/// One timer for all deadlines. It is not cancelled when an answer arrives; it wakes up,
/// looks whether anything is overdue, and sleeps again: no timer work per batch.
void connection::link::watch(clock::time_point deadline) {
  if (deadline >= armed_)
    return;
  armed_ = deadline;
  timer_.expires_at(deadline);
  timer_.async_wait([self = shared_from_this(),
                     generation = generation_](const boost::system::error_code& cancelled) {
    if (!cancelled && generation == self->generation_)
      self->on_timer();
  });
}

void connection::link::on_timer() {
  armed_ = clock::time_point::max();
  auto next = state_ == state::connecting ? open_deadline_ : clock::time_point::max();
  for (const operation& it : pending_)
    next = std::min(next, it.deadline);
  if (next == clock::time_point::max())
    return;
  if (next > clock::now())
    return watch(next);
  lose({failure::reconnect, {}, "the database did not answer in time", -1, true});
}

/// Ends the connection and posts every completion that is due.
void connection::link::close(error why, bool tell_loss) {
  const bool was_open = is_open();
  disconnect();
  if (state_ == state::closed)
    return;
  const bool preparing = state_ == state::preparing;
  state_ = state::closed;
  auto due = std::exchange(pending_, {});
  if (preparing)
    due.clear(); // our own PREPAREs
  post([due = std::move(due),
        opening = std::move(opening_),
        why,
        told = was_open && tell_loss ? std::move(on_lost_) : lost{},
        self = shared_from_this()]() mutable {
    // One that had already failed was rolled back for sure, whatever came after.
    for (operation& it : due) {
      if (self->abandoned_)
        return;
      it.done(tl::unexpected<error>(it.failed ? *it.failed : why));
    }
    if (self->abandoned_)
      return;
    opening(tl::unexpected<error>(why));
    if (!self->abandoned_)
      told(std::move(why));
  });
}

void connection::link::disconnect() {
  ++generation_;
  writing_ = false;
  armed_ = clock::time_point::max();
  timer_.cancel();
  boost::system::error_code ignored;
  descriptor_.close(ignored);
  if (connection_ != nullptr)
    PQfinish(std::exchange(connection_, nullptr));
}

connection::connection(boost::asio::io_context& io) : link_(std::make_shared<link>(io)) {}
connection::~connection() {
  if (link_)
    link_->abandon();
}
connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&& other) noexcept {
  if (this != &other && link_)
    link_->abandon();
  link_ = std::move(other.link_);
  return *this;
}

void connection::async_open(const std::string& conninfo,
                            std::vector<statement> statements,
                            std::chrono::milliseconds timeout,
                            opened done) {
  link_->open(conninfo, std::move(statements), timeout, std::move(done));
}
void connection::async_pipeline(std::span<const call> calls,
                                std::chrono::milliseconds timeout,
                                answers done) {
  link_->send(calls, timeout, std::move(done));
}
void connection::async_query(const char* name,
                             const parameters& arguments,
                             std::chrono::milliseconds timeout,
                             answered done) {
  const call one{name, &arguments};
  link_->send(
      {&one, 1}, timeout, [done = std::move(done)](outcome<std::vector<result>> answer) mutable {
        if (answer)
          return done(std::move(answer->front()));
        done(tl::unexpected<error>(std::move(answer.error())));
      });
}
void connection::on_lost(lost told) { link_->on_lost(std::move(told)); }
bool connection::is_open() const noexcept { return link_->is_open(); }
std::size_t connection::in_flight() const noexcept { return link_->in_flight(); }
int connection::backend_pid() const noexcept { return link_->backend_pid(); }
void connection::close() {
  link_->close({failure::reconnect, {}, "the connection was closed"}, false);
}

} // namespace accrue::pg
