// Reads on their way: taken, sent, sent again on another connection, refused. See pg_reader.hpp.
#include "persistence/pg_reader.hpp"

#include <boost/asio/post.hpp>

namespace accrue {
namespace {

constexpr auto connect_timeout = std::chrono::seconds(5);
constexpr auto pause_between_tries = std::chrono::milliseconds(200);

tl::unexpected<refusal> away() {
  return refuse(errc::storage_unavailable, "the store is away; try again");
}

} // namespace

pg_reader::pg_reader(boost::asio::io_context& io, pg_reader_options options)
    : io_(io), options_(std::move(options)), connection_(io), pause_(io) {}

void pg_reader::start() { connect(); }

void pg_reader::stop() {
  mode_ = mode::stopped;
  pause_.cancel();
  connection_.close();
  for (auto& r : std::exchange(waiting_, {}))
    finish(r, away());
}

void pg_reader::connect() {
  connected_at_ = clock::now();
  unanswered_since_ = connected_at_;
  connection_.async_open(options_.conninfo,
                         options_.statements,
                         connect_timeout,
                         [this](const pg::outcome<void>& ok) { connected(ok); });
}

void pg_reader::connected(const pg::outcome<void>& ok) {
  if (mode_ == mode::stopped)
    return;
  unanswered_since_.reset();
  // One attempt may fail for reasons of its own, as a backend that is ended while it starts. Where that was
  // quick, who waits is given another.
  const bool again = !ok && !std::exchange(failed_before_, true) &&
                     clock::now() < connected_at_ + pause_between_tries;
  if (again)
    return connect_after_pause();
  if (ok) {
    failed_before_ = false;
    mode_ = mode::open;
    connection_.on_lost([this](const pg::error&) { lost(); });
    for (auto& r : std::exchange(waiting_, {}))
      send(std::move(r));
    return;
  }
  // Nobody waits for what may take long.
  mode_ = mode::away;
  for (auto& r : std::exchange(waiting_, {}))
    finish(r, away());
  connect_after_pause();
}

void pg_reader::connect_after_pause() {
  pause_.expires_after(pause_between_tries);
  pause_.async_wait([this](const boost::system::error_code& error) {
    if (!error)
      connect();
  });
}

// The next connection is tried at once, and what is read meanwhile waits for it; but not over and over
// where each one is lost as soon as it is made.
void pg_reader::lost() {
  if (mode_ != mode::open)
    return;
  mode_ = mode::connecting;
  pause_.expires_at(connected_at_ + pause_between_tries);
  pause_.async_wait([this](const boost::system::error_code& error) {
    if (!error)
      connect();
  });
}

void pg_reader::read(read_cause cause, statements what, answered done) {
  const bool counted = cause == read_cause::client;
  if (counted && counted_.fetch_add(1) >= options_.client_reads_max) {
    counted_.fetch_sub(1);
    boost::asio::post(io_, [done = std::move(done)] {
      done(refuse(errc::overloaded, "too many reads are under way; try again"));
    });
    return;
  }
  request r{std::move(what), std::move(done), clock::now() + options_.timeout, counted, false};
  boost::asio::post(io_, [this, r = std::move(r)]() mutable { take(std::move(r)); });
}

void pg_reader::take(request r) {
  const bool hangs = unanswered_since_ && clock::now() - *unanswered_since_ > options_.patience;
  if (mode_ == mode::away || mode_ == mode::stopped || hangs)
    return finish(r, away());
  if (mode_ == mode::connecting)
    waiting_.push_back(std::move(r));
  else
    send(std::move(r));
}

void pg_reader::send(request r) {
  // Rounded up: what times out is over its deadline, and not sent again.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(r.deadline - clock::now());
  if (left.count() <= 0)
    return finish(r, away());
  std::vector<pg::call> calls;
  for (const auto& [name, arguments] : r.what)
    calls.push_back({name, arguments.get()});
  if (sent_++ == 0)
    unanswered_since_ = clock::now();
  connection_.async_pipeline(
      calls, left, [this, r = std::move(r)](pg::outcome<std::vector<pg::result>> answer) mutable {
        --sent_;
        unanswered_since_.reset();
        if (sent_ != 0)
          unanswered_since_ = clock::now();
        if (answer)
          return finish(r, std::move(*answer));
        const auto& e = answer.error();
        const bool gone = e.kind == pg::failure::reconnect && mode_ != mode::stopped;
        if (gone)
          lost();
        if (!gone || r.again || clock::now() >= r.deadline)
          return finish(r, refuse(errc::storage_unavailable, e.text));
        r.again = true;
        take(std::move(r));
      });
}

void pg_reader::finish(request& r, result<std::vector<pg::result>> answer) {
  if (r.counted)
    counted_.fetch_sub(1);
  r.done(std::move(answer));
}

} // namespace accrue
