// Accepting, routing to customers, and replies on their way back. Sessions are in gateway_session.cpp.
#include "actors/gateway.hpp"

#include "actors/gateway_session.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace accrue {

using boost::asio::ip::tcp;

namespace {

/// What the kernel may keep for a connection, each way. Left to itself it would let a client that sends faster
/// than it is read pile up megabytes, and each command would wait there before it could be refused.
constexpr int kernel_buffer_bytes = 256 << 10;
/// How long sessions are read before what the store and the actors have to tell gets its turn.
constexpr auto read_slice = std::chrono::microseconds(250);
/// Until accepting is tried again where the process has no file or memory left for a connection.
constexpr auto accept_pause = std::chrono::milliseconds(100);
/// What the bytes posted by other threads may keep of their room.
constexpr std::size_t posted_kept_max = 1 << 20;

} // namespace

gateway::gateway(boost::asio::io_context& io, time_source& time, gateway_options options)
    : io_(io), time_(time), options_(std::move(options)), acceptor_(io), watch_(io),
      accept_pause_(io), drain_timer_(io), admission_(options_.admission) {}

gateway::~gateway() = default;

result<void> gateway::listen() {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(options_.address, error);
  if (error)
    return accrue::refuse(errc::validation, "this is no IP address to listen on", options_.address);
  const tcp::endpoint endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error)
    acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  // Connections inherit them; set later, the window offered at first would be too large.
  if (!error)
    acceptor_.set_option(boost::asio::socket_base::receive_buffer_size(kernel_buffer_bytes), error);
  if (!error)
    acceptor_.set_option(boost::asio::socket_base::send_buffer_size(kernel_buffer_bytes), error);
  if (!error)
    acceptor_.bind(endpoint, error);
  if (!error)
    acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error)
    return accrue::refuse(errc::conflict,
                          "cannot listen: " + error.message(),
                          options_.address + ":" + std::to_string(options_.port));
  return {};
}

std::uint16_t gateway::port() const { return acceptor_.local_endpoint().port(); }

void gateway::serve(engine_context& context) {
  context_ = &context;
  accept();
  watch();
}

void gateway::accept() {
  acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted || !acceptor_.is_open())
      return;
    if (!error) {
      accepted(std::move(socket));
      return accept();
    }
    if (error == boost::asio::error::connection_aborted)
      return accept();
    // No file or no memory for it: at once it would only fail again. Those who wait stay in the backlog.
    spdlog::warn("cannot accept a connection: {}", error.message());
    accept_pause_.expires_after(accept_pause);
    accept_pause_.async_wait([this](const boost::system::error_code& stopped) {
      if (!stopped && acceptor_.is_open())
        accept();
    });
  });
}

void gateway::accepted(tcp::socket socket) {
  if (live_ >= options_.connections_max + gateway_options::farewells_max)
    return; // closed with its socket
  std::uint32_t n = 0;
  if (free_.empty()) {
    n = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    n = free_.back();
    free_.pop_back();
  }
  const auto s = std::make_shared<gateway_session>(
      *this, std::move(socket), reply_address{n, slots_[n].generation});
  slots_[n].session = s;
  if (++live_ > options_.connections_max)
    s->say_goodbye({errc::overloaded, {}, "too many connections"});
  else
    s->start();
}

void gateway::watch() {
  watch_.expires_after(std::chrono::milliseconds(500));
  watch_.async_wait([this](const boost::system::error_code& error) {
    if (error)
      return;
    const auto now = clock::now();
    for (const auto& one : slots_)
      if (const auto s = one.session)
        s->watch(now);
    at(now);
    watch();
  });
}

// A refusal is worth something while it is early. Where the cores are all busy with what was let in, it would
// wait for them: with as many threads that work as cores, half of the time.
void gateway::at(clock::time_point now) {
  const bool before = admission_.shedding();
  admission_.at(now);
  if (admission_.shedding() == before)
    return;
  if (before)
    return precedence_.give_back();
  if (!precedence_.take() && !std::exchange(told_of_precedence_, true))
    spdlog::info(
        "more commands come than can be carried out; this process may not lower its nice value "
        "(LimitNICE=-10), so refusals wait for the work");
}

instant gateway::stamp() {
  last_stamp_ = std::max(last_stamp_, time_.now());
  context_->latest_stamp.store(last_stamp_.ns, std::memory_order_relaxed);
  return last_stamp_;
}

void gateway::readable(std::shared_ptr<gateway_session> who) {
  readable_.push_back(std::move(who));
  if (!std::exchange(reading_, true))
    boost::asio::post(io_, [this] { read_some(); });
}

// Sessions are read in turns, a buffer each, for a slice of time; then everything else that is ready goes
// first. So replies and commits never wait behind a flood of new commands, and no session behind another.
void gateway::read_some() {
  auto now = clock::now();
  const auto until = now + read_slice;
  at(now);
  while (!readable_.empty() && now < until) {
    const auto s = std::move(readable_.front());
    readable_.pop_front();
    s->take_turn();
    now = clock::now();
  }
  spare_memory();
  reading_ = !readable_.empty();
  if (reading_)
    boost::asio::post(io_, [this] { read_some(); });
}

gateway::route& gateway::route_to(routes& all, const std::string& customer) {
  auto& r = all[customer];
  if (free_accounts_.empty()) {
    r.account = static_cast<std::uint32_t>(accounts_.size());
    accounts_.emplace_back();
  } else {
    r.account = free_accounts_.back();
    free_accounts_.pop_back();
  }
  accounts_[r.account].routed = true;
  return r;
}

bool gateway::forward(engine_context::namespace_entry& space,
                      const std::string& customer,
                      std::shared_ptr<envelope> e) {
  auto& all = routes_[space.of.number.value];
  const auto it = all.find(customer);
  const bool fresh = it == all.end();
  if (!admission_.admits(fresh ? 0 : accounts_[it->second.account].in_flight) ||
      (!fresh && it->second.pending.size() >= context_->limits.customer_queue))
    return false;
  auto& r = fresh ? route_to(all, customer) : it->second;
  r.used = true;
  e->from.account = r.account;
  count(e->from);
  if (r.to) {
    caf::anon_send(r.to, execute{std::move(e)});
    return true;
  }
  r.pending.push_back(std::move(e));
  if (fresh)
    caf::anon_send(context_->directory, activate{space.of.number, customer});
  return true;
}

void gateway::count(reply_address from) {
  admission_.admitted();
  ++slots_[from.slot].in_flight;
  if (from.account != no_account)
    ++accounts_[from.account].in_flight;
}

// Also for a session that has gone: what the engine still works on is in flight.
void gateway::answered(reply_address to) {
  admission_.answered();
  if (--slots_[to.slot].in_flight == 0)
    release_slot(to.slot);
  if (to.account != no_account && accounts_[to.account].in_flight != 0 &&
      --accounts_[to.account].in_flight == 0)
    release_account(to.account);
}

void gateway::release_slot(std::uint32_t n) {
  auto& s = slots_[n];
  if (s.session || s.in_flight != 0)
    return;
  ++s.generation;
  free_.push_back(n);
}

void gateway::release_account(std::uint32_t n) {
  if (!accounts_[n].routed && accounts_[n].in_flight == 0)
    free_accounts_.push_back(n);
}

void gateway::opened(const activate& who, customer_actor to) {
  boost::asio::post(io_, [this, who, to = std::move(to)] {
    auto& all = routes_[who.space.value];
    const auto it = all.find(who.reference);
    if (it == all.end())
      return;
    it->second.to = to;
    it->second.life = who.life;
    for (auto& e : it->second.pending)
      caf::anon_send(to, execute{std::move(e)});
    it->second.pending = std::vector<std::shared_ptr<const envelope>>();
  });
}

void gateway::close(std::vector<activate> who, directory_actor answer_to) {
  boost::asio::post(io_, [this, who = std::move(who), answer_to = std::move(answer_to)] {
    if (!who.empty())
      return close_routes(who, answer_to);
    std::vector<activate> idle;
    for (auto& [space, all] : routes_)
      for (auto& [reference, r] : all)
        if (r.to && !std::exchange(r.used, false))
          idle.push_back({namespace_id(space), reference, r.life});
    if (!idle.empty())
      close_routes(idle, answer_to);
  });
}

// Commands that come from now on wait here until the directory has a life for the customer again.
void gateway::close_routes(const std::vector<activate>& who, const directory_actor& answer_to) {
  routes_closed closed;
  for (const auto& w : who) {
    auto& all = routes_[w.space.value];
    const auto it = all.find(w.reference);
    if (it == all.end() || !it->second.to || it->second.life != w.life)
      continue;
    accounts_[it->second.account].routed = false;
    release_account(it->second.account);
    all.erase(it);
    closed.customers.push_back(w);
  }
  caf::anon_send(answer_to, std::move(closed));
}

void gateway::append(reply_address to, std::string_view frame) {
  if (to.slot >= slots_.size() || slots_[to.slot].generation != to.generation ||
      slots_[to.slot].in_flight == 0)
    return;
  if (const auto& s = slots_[to.slot].session; s && s->answered()) {
    s->append(frame);
    mark_dirty(to.slot);
  }
  answered(to);
}

void gateway::mark_dirty(std::uint32_t n) {
  if (!std::exchange(slots_[n].dirty, true))
    dirty_.push_back(n);
  if (std::exchange(flushing_, true))
    return;
  boost::asio::post(io_, [this] { flush(); });
}

void gateway::flush() {
  flushing_ = false;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& p : posted_)
      append(p.to, std::string_view(posted_bytes_).substr(p.frame.offset, p.frame.size));
    posted_.clear();
    posted_bytes_.clear();
    if (posted_bytes_.capacity() > posted_kept_max)
      posted_bytes_ = std::string(); // an assignment of {} would keep the room
  }
  at(clock::now());
  flushing_ = false;
  auto now = std::move(dirty_);
  dirty_.clear();
  for (const auto n : now) {
    slots_[n].dirty = false;
    if (const auto s = slots_[n].session)
      s->send();
  }
  now.clear();
  if (dirty_.empty())
    dirty_ = std::move(now);
  spare_memory();
  if (draining_)
    check_drained();
}

void gateway::deliver(reply_address to, std::string_view frame) {
  if (to.slot == no_session)
    return;
  if (io_.get_executor().running_in_this_thread())
    return append(to, frame);
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back({to,
                       {static_cast<std::uint32_t>(posted_bytes_.size()),
                        static_cast<std::uint32_t>(frame.size())}});
    posted_bytes_.append(frame);
  }
  if (first)
    boost::asio::post(io_, [this] { flush(); });
}

void gateway::refuse(reply_address to,
                     std::uint64_t request,
                     std::uint32_t index,
                     const refusal& why) {
  if (to.slot == no_session)
    return;
  std::string frame;
  wire::print(frame, {request, index}, why);
  deliver(to, frame);
}

void gateway::gone(std::uint32_t n) {
  auto& s = slots_[n];
  if (!s.session)
    return;
  s.session.reset();
  --live_;
  release_slot(n);
  if (draining_)
    check_drained();
}

// Who holds the most is the one who neither reads nor finishes what it began.
void gateway::spare_memory() {
  while (held_bytes_ > options_.buffers_max) {
    const auto most = std::ranges::max_element(
        slots_, {}, [](const slot& one) { return one.session ? one.session->held_bytes() : 0; });
    const auto s = most->session;
    spdlog::warn("a connection is cut: it holds {} of {} bytes of all connections",
                 s->held_bytes(),
                 held_bytes_);
    s->cut();
  }
}

void gateway::drain(std::chrono::milliseconds patience,
                    std::function<void(std::size_t, std::size_t)> done) {
  boost::asio::post(io_, [this, patience, done = std::move(done)]() mutable {
    drained_ = std::move(done);
    draining_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    accept_pause_.cancel();
    for (const auto& one : slots_)
      if (const auto s = one.session)
        s->drain();
    drain_timer_.expires_after(patience);
    drain_timer_.async_wait([this](const boost::system::error_code& error) {
      if (error || !drained_)
        return;
      const auto finished = std::exchange(drained_, nullptr);
      const auto left = admission_.in_flight();
      const auto cut = live_;
      for (const auto& one : slots_)
        if (const auto s = one.session)
          s->cut();
      watch_.cancel();
      routes_.clear();
      finished(cut, left);
    });
    check_drained();
  });
}

void gateway::check_drained() {
  if (live_ != 0 || !drained_)
    return;
  drain_timer_.cancel();
  watch_.cancel();
  routes_.clear();
  auto finished = std::exchange(drained_, nullptr);
  finished(0, 0);
}

} // namespace accrue
