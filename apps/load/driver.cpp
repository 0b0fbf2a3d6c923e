// When a run begins, measures, stops and ends, and what is counted on the way.
// Bytes on a socket are link.cpp's.
#include "apps/load/driver.hpp"

#include "apps/load/link.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>

namespace accrue::load {

namespace {

/// How long a server may take for its first word, and for the answers that are due at the end.
constexpr std::chrono::seconds patience{10};
/// After a connection broke: what the others have already been told is still read.
constexpr std::chrono::milliseconds grace{500};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

} // namespace

driver::driver(const plan& p,
               const record* earlier,
               std::FILE* record_to,
               std::function<void(double, bool, const figures&)> progress)
    : plan_(p), earlier_(earlier), record_to_(record_to), progress_(std::move(progress)) {
  for (std::uint32_t number = 0; number < p.customers; ++number)
    customers_.push_back(p.customer(number));
}

driver::~driver() = default;

client::outcome<outcome> driver::run() {
  const auto where = client::parse_endpoint(plan_.server.server);
  if (!where)
    return tl::unexpected(client::connection_failure(plan_.server.server, where.error().text));
  for (std::uint32_t number = 0; number < plan_.connections; ++number) {
    links_.push_back(std::make_unique<link>(*this, number));
    if (auto done = links_.back()->connect(*where); !done)
      return tl::unexpected(std::move(done.error()));
  }
  end_.expires_after(patience);
  end_.async_wait([this](boost::system::error_code e) {
    if (!e && !running_)
      fail(client::connection_failure(plan_.server.server, "it does not answer in time"));
  });
  signals_.add(SIGINT);
  signals_.add(SIGTERM);
  signals_.async_wait([this](boost::system::error_code e, int) {
    if (!e)
      stop(ended::interrupted);
  });
  io_.run();
  if (failed_)
    return tl::unexpected(std::move(*failed_));
  return std::move(outcome_);
}

void driver::link_ready() {
  if (++ready_ == plan_.connections && !finished_ && !stopping_)
    start();
}

void driver::start() {
  running_ = true;
  started_ = interval_began_ = clock::now();
  const bool is_timed = !plan_.count && earlier_ == nullptr;
  if (!is_timed || plan_.warm_up.count() == 0) {
    start_measuring();
  } else {
    end_.expires_after(plan_.warm_up);
    end_.async_wait([this](boost::system::error_code e) {
      if (!e && !stopping_)
        start_measuring();
    });
  }
  second_.expires_at(started_);
  tick();
  for (auto& each : links_)
    each->go();
}

/// Each second from here: what it brought is told and begins anew.
void driver::tick() {
  second_.expires_at(second_.expiry() + std::chrono::seconds(1));
  second_.async_wait([this](boost::system::error_code e) {
    if (e || finished_)
      return;
    rotate();
    tick();
  });
}

void driver::rotate() {
  const auto now = clock::now();
  const auto seconds = [](clock::duration d) { return std::chrono::duration<double>(d).count(); };
  interval_.seconds = seconds(now - interval_began_);
  if (!stopping_ && interval_.seconds >= 0.5)
    progress_(seconds(now - started_), !measuring_, interval_);
  if (measuring_ && !stopping_) {
    auto& all = outcome_.measured;
    all.seconds += interval_.seconds;
    all.acknowledged += interval_.acknowledged;
    all.refused += interval_.refused;
    all.latency.add(interval_.latency);
  }
  interval_.acknowledged = interval_.refused = 0;
  interval_.latency.clear();
  interval_began_ = now;
  write_record();
}

void driver::start_measuring() {
  rotate();
  measuring_ = true;
  cpu_before_ = cpu_seconds();
  second_.expires_at(clock::now()); // whole seconds from here
  tick();
  if (plan_.count || earlier_ != nullptr)
    return;
  end_.expires_after(plan_.duration);
  end_.async_wait([this](boost::system::error_code e) {
    if (!e)
      stop(ended::duration);
  });
}

/// Nothing more is sent; what is in flight is waited for.
void driver::stop(load::ended why) {
  if (stopping_)
    return;
  outcome_.ended = why;
  if (!running_)
    return finish();
  rotate();
  stopping_ = true;
  if (measuring_)
    outcome_.cpu_seconds = cpu_seconds() - cpu_before_;
  end_.expires_after(why == ended::connection_lost ? clock::duration(grace)
                                                   : clock::duration(patience));
  end_.async_wait([this](boost::system::error_code e) {
    if (!e)
      finish();
  });
  link_idle();
}

/// A connection has nothing to wait for: perhaps none has.
void driver::link_idle() {
  if (finished_ || !running_)
    return;
  if (!std::ranges::all_of(links_, [](auto& l) { return !l->is_open() || l->is_idle(); }))
    return;
  if (!stopping_)
    stop(ended::count); // calls this again
  else
    finish();
}

void driver::lose(std::string what) {
  if (finished_)
    return;
  if (!running_)
    return fail(client::connection_failure(plan_.server.server, std::move(what)));
  if (outcome_.lost.empty())
    outcome_.lost = std::move(what);
  stop(ended::connection_lost);
  outcome_.ended = ended::connection_lost; // also when it was stopping already
  link_idle();
}

void driver::fail(client::failure why) {
  if (!failed_)
    failed_ = std::move(why);
  finish();
}

void driver::finish() {
  if (finished_)
    return;
  finished_ = true;
  stopping_ = true;
  for (auto& each : links_) {
    outcome_.unanswered += each->in_flight();
    each->close();
  }
  second_.cancel();
  end_.cancel();
  signals_.cancel();
  write_record();
}

void driver::write_record() {
  if (record_to_ == nullptr || recorded_.empty())
    return;
  std::fwrite(recorded_.data(), 1, recorded_.size(), record_to_);
  std::fflush(record_to_);
  recorded_.clear();
}

void driver::acknowledged(std::uint32_t connection,
                          std::uint64_t counter,
                          std::uint64_t sequence,
                          std::uint64_t latency_ns) {
  ++interval_.acknowledged;
  ++outcome_.acknowledged;
  interval_.latency.add(latency_ns);
  if (record_to_ != nullptr) {
    plan_.write_id(id_, connection, counter);
    recorded_ += customers_[plan_.customer_of(connection, counter)];
    recorded_ += ' ';
    recorded_ += id_;
    recorded_ += ' ';
    recorded_ += plan_.amount;
    recorded_ += ' ';
    recorded_ += std::to_string(sequence);
    recorded_ += '\n';
  }
  if (earlier_ != nullptr) {
    const auto before = earlier_->sequence_of(connection, counter);
    ++(before == 0          ? outcome_.unrecorded
       : before == sequence ? outcome_.equal
                            : outcome_.different);
  }
}

void driver::refused(errc code, std::string_view payload) {
  ++interval_.refused;
  auto& of_code = outcome_.by_code[static_cast<std::size_t>(code)];
  if (++of_code.count > 1)
    return;
  const auto frame = wire::parse_server_frame(payload);
  const auto* a = frame ? std::get_if<wire::answer>(&*frame) : nullptr;
  const auto* no = a == nullptr ? nullptr : std::get_if<wire::refused>(&a->body);
  if (no != nullptr)
    of_code.example = no->reason.subject + ": " + no->reason.text;
}

} // namespace accrue::load
