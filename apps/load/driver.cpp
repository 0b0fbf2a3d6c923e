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
/// An open loop looks this often for what is due. Setting a timer costs as much as sending a command does.
constexpr std::chrono::microseconds together{200};

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
    : plan_(p), earlier_(earlier), record_to_(record_to), progress_(std::move(progress)),
      arrivals_(p.rate.value_or(1) / p.batch, p.arrivals_are, p.seed) {
  for (std::uint32_t number = 0; number < p.customers; ++number)
    customers_.push_back(p.customer(number));
}

driver::~driver() = default;

std::uint64_t driver::span::ns() const noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count(), 0));
}

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
  started_ = second_began_ = clock::now();
  if (!is_timed() || plan_.warm_up.count() == 0) {
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
  if (is_open_loop()) {
    next_due_ = started_ + arrivals_.pause();
    return wait_until_due();
  }
  for (auto& each : links_)
    each->go();
}

void driver::wait_until_due() {
  due_.expires_at(std::max(next_due_, clock::now() + together));
  due_.async_wait([this](boost::system::error_code e) {
    if (e || stopping_)
      return;
    send_due();
    wait_until_due();
  });
}

/// Deals what is due by now to the connections in turn; what became due meanwhile goes with it.
void driver::send_due() {
  const auto now = clock::now();
  const auto first = next_link_;
  std::uint64_t requests = 0;
  for (; next_due_ <= now; next_due_ += arrivals_.pause(), ++requests) {
    links_[next_link_]->due(next_due_);
    next_link_ = (next_link_ + 1) % plan_.connections;
    if (auto* interval = interval_of(next_due_))
      interval->offered += plan_.batch;
  }
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(requests, plan_.connections); ++i)
    if (auto& each = links_[(first + i) % plan_.connections]; each->is_open())
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
  second_figures_.seconds = seconds(now - second_began_);
  if (!stopping_ && second_figures_.seconds >= 0.5)
    progress_(seconds(now - started_), !measuring_, second_figures_);
  second_figures_.acknowledged = second_figures_.refused = 0;
  second_figures_.latency.clear();
  second_began_ = now;
  write_record();
}

void driver::start_measuring() {
  rotate();
  measuring_ = true;
  cpu_before_ = cpu_seconds();
  measured_from_ = clock::now();
  second_.expires_at(measured_from_); // whole seconds from here
  tick();
  outcome_.intervals.resize(is_timed() ? plan_.intervals : 1);
  end_.expires_at(measured_from_);
  if (is_timed())
    end_interval();
}

/// Waits for the end of the interval that begins when the last one ended.
void driver::end_interval() {
  end_.expires_at(end_.expiry() + plan_.duration);
  end_.async_wait([this](boost::system::error_code e) {
    if (e || stopping_)
      return;
    const auto over = static_cast<std::size_t>((end_.expiry() - measured_from_) / plan_.duration);
    if (over == plan_.intervals)
      return stop(ended::duration);
    const double cpu = cpu_seconds();
    outcome_.intervals[over - 1].cpu_seconds = cpu - cpu_before_;
    cpu_before_ = cpu;
    end_interval();
  });
}

/// The interval that a moment falls into; null before, after and between the end and the last answer.
figures* driver::interval_of(clock::time_point when) noexcept {
  if (!measuring_ || when < measured_from_)
    return nullptr;
  const auto place =
      is_timed() ? static_cast<std::size_t>((when - measured_from_) / plan_.duration) : 0;
  return place < outcome_.intervals.size() ? &outcome_.intervals[place] : nullptr;
}

figures* driver::interval_of(const span& it) noexcept {
  if (is_open_loop())
    return interval_of(it.from);
  return stopping_ ? nullptr : interval_of(it.to);
}

/// Says how long each interval was; one that was cut short has less than its duration.
void driver::close_intervals(clock::time_point at) {
  auto begin = measured_from_;
  for (auto& interval : outcome_.intervals) {
    const auto end = is_timed() ? std::min(at, begin + plan_.duration) : at;
    interval.seconds = std::max(0.0, std::chrono::duration<double>(end - begin).count());
    if (interval.seconds > 0 && end == at) // the one it ended in
      interval.cpu_seconds = cpu_seconds() - cpu_before_;
    begin = end;
  }
}

/// Nothing more is sent; what is in flight is waited for.
void driver::stop(load::ended why) {
  if (stopping_)
    return;
  outcome_.ended = why;
  if (!running_)
    return finish();
  rotate();
  if (is_open_loop() && why == ended::duration)
    send_due(); // all that was due in the last interval
  stopping_ = true;
  const auto now = clock::now();
  close_intervals(why == ended::duration ? end_.expiry() : now);
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
  if (is_open_loop() && !stopping_)
    return; // idle until the next request is due
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
    outcome_.unsent += each->requests_unsent() * plan_.batch;
    each->close();
  }
  second_.cancel();
  end_.cancel();
  due_.cancel();
  signals_.cancel();
  write_record();
  for (const auto& interval : outcome_.intervals)
    outcome_.measured.add(interval);
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
                          const span& waited) {
  ++second_figures_.acknowledged;
  ++outcome_.acknowledged;
  second_figures_.latency.add(waited.ns());
  if (auto* interval = interval_of(waited)) {
    ++interval->acknowledged;
    interval->latency.add(waited.ns());
  }
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

void driver::refused(errc code, std::string_view payload, const span& waited) {
  ++second_figures_.refused;
  auto& of_code = outcome_.by_code[code];
  if (auto* interval = interval_of(waited)) {
    ++interval->refused;
    of_code.latency.add(waited.ns());
  }
  if (++of_code.count > 1)
    return;
  const auto frame = wire::parse_server_frame(payload);
  const auto* a = frame ? std::get_if<wire::answer>(&*frame) : nullptr;
  const auto* no = a == nullptr ? nullptr : std::get_if<wire::refused>(&a->body);
  if (no != nullptr)
    of_code.example = no->reason.subject + ": " + no->reason.text;
}

} // namespace accrue::load
