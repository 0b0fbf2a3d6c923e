// Accepting, routing to customers, and replies on their way back. Sessions are in gateway_session.cpp.
#include "actors/gateway.hpp"

#include "actors/gateway_session.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

namespace accrue {

using boost::asio::ip::tcp;

gateway::gateway(boost::asio::io_context& io, time_source& time, gateway_options options)
    : io_(io), time_(time), options_(std::move(options)), acceptor_(io), watch_(io),
      drain_timer_(io) {}

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
      std::uint32_t n = 0;
      if (free_.empty()) {
        n = static_cast<std::uint32_t>(slots_.size());
        slots_.emplace_back();
      } else {
        n = free_.back();
        free_.pop_back();
      }
      auto& s = slots_[n];
      s.session = std::make_shared<gateway_session>(
          *this, std::move(socket), reply_address{n, s.generation});
      ++live_;
      if (live_ > options_.connections_max)
        s.session->say_goodbye({errc::overloaded, {}, "too many connections"});
      else
        s.session->start();
    }
    accept();
  });
}

void gateway::watch() {
  watch_.expires_after(std::chrono::milliseconds(500));
  watch_.async_wait([this](const boost::system::error_code& error) {
    if (error)
      return;
    const auto now = std::chrono::steady_clock::now();
    for (const auto& one : slots_)
      if (const auto s = one.session)
        s->watch(now);
    watch();
  });
}

instant gateway::stamp() {
  last_stamp_ = std::max(last_stamp_, time_.now());
  context_->latest_stamp.store(last_stamp_.ns, std::memory_order_relaxed);
  return last_stamp_;
}

bool gateway::forward(engine_context::namespace_entry& space,
                      const std::string& customer,
                      std::shared_ptr<const envelope> e) {
  auto [it, fresh] = routes_[space.of.number.value].try_emplace(customer);
  auto& r = it->second;
  r.used = true;
  if (r.to) {
    caf::anon_send(r.to, execute{std::move(e)});
    return true;
  }
  if (r.pending.size() >= context_->limits.customer_queue)
    return false;
  r.pending.push_back(std::move(e));
  if (fresh)
    caf::anon_send(context_->directory, activate{space.of.number, customer});
  return true;
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
    it->second.pending = {};
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
    all.erase(it);
    closed.customers.push_back(w);
  }
  caf::anon_send(answer_to, std::move(closed));
}

void gateway::append(reply_address to, std::string_view frame) {
  if (to.slot >= slots_.size() || slots_[to.slot].generation != to.generation ||
      !slots_[to.slot].session)
    return;
  auto& s = *slots_[to.slot].session;
  if (!s.answered())
    return;
  s.append(frame);
  --in_flight_;
  mark_dirty(to.slot);
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
  }
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
  in_flight_ -= s.session->in_flight();
  s.session.reset();
  ++s.generation;
  --live_;
  free_.push_back(n);
  if (draining_)
    check_drained();
}

void gateway::drain(std::chrono::milliseconds patience,
                    std::function<void(std::size_t, std::size_t)> done) {
  boost::asio::post(io_, [this, patience, done = std::move(done)]() mutable {
    drained_ = std::move(done);
    draining_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    for (const auto& one : slots_)
      if (const auto s = one.session)
        s->drain();
    drain_timer_.expires_after(patience);
    drain_timer_.async_wait([this](const boost::system::error_code& error) {
      if (error || !drained_)
        return;
      const auto finished = std::exchange(drained_, nullptr);
      const auto left = in_flight_;
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
