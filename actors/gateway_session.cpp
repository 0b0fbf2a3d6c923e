// The life of one connection. See gateway_session.hpp.
#include "actors/gateway_session.hpp"

#include <boost/asio/buffer.hpp>
#include <caf/send.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace accrue {

using boost::asio::ip::tcp;

namespace {

/// Read in one turn of a session, at most.
constexpr std::size_t turn_bytes = 64 << 10;
/// A buffer that grew beyond this for a burst of replies is given back when they are sent.
constexpr std::size_t kept_bytes = 64 << 10;
/// A connection on which nothing moves is probed after so many seconds, then every ten seconds; so a peer that
/// vanished is found.
constexpr int keepalive_idle_s = 60;
constexpr int keepalive_interval_s = 10;
constexpr int keepalive_probes = 3;

const refusal connection_full{
    errc::overloaded, {}, "too many commands of this connection are in flight"};
const refusal server_full{
    errc::overloaded, {}, "more commands are in flight than are answered in good time"};

// Fails only on a connection that has ended again, which its first read finds.
void find_dead_peers(tcp::socket& socket, std::chrono::milliseconds unacknowledged) {
  boost::system::error_code ignored;
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  const auto set = [&](int name, int value) {
    (void)::setsockopt(socket.native_handle(), IPPROTO_TCP, name, &value, sizeof value);
  };
  set(TCP_KEEPIDLE, keepalive_idle_s);
  set(TCP_KEEPINTVL, keepalive_interval_s);
  set(TCP_KEEPCNT, keepalive_probes);
  set(TCP_USER_TIMEOUT, static_cast<int>(unacknowledged.count()));
}

} // namespace

gateway_session::gateway_session(gateway& owner, tcp::socket socket, reply_address me)
    : owner_(owner), socket_(std::move(socket)), me_(me),
      reader_(owner.options_.limits.frame_bytes_max) {
  boost::system::error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  find_dead_peers(socket_, owner.options_.frame_timeout);
}

void gateway_session::start() { wait_readable(); }

bool gateway_session::must_pause() const noexcept {
  return unsent() > owner_.options_.unsent_pause;
}

void gateway_session::wait_readable() {
  if (reading_ || closing_ || closed_ || must_pause())
    return;
  reading_ = true;
  socket_.async_wait(tcp::socket::wait_read,
                     [me = shared_from_this()](const boost::system::error_code& error) {
                       if (error)
                         return me->cut();
                       me->owner_.readable(me);
                     });
}

void gateway_session::take_turn() {
  bool more = false;
  if (!closing_ && !closed_) {
    const auto room = reader_.prepare();
    const auto wanted = std::min(room.size(), turn_bytes);
    boost::system::error_code error;
    const auto count = socket_.read_some(boost::asio::buffer(room.data(), wanted), error);
    if (error && error != boost::asio::error::would_block)
      return cut();
    take(count);
    reader_.rest();
    tell_held();
    more = count == wanted;
  }
  reading_ = false;
  if (closing_)
    return discard();
  if (!more || closed_ || must_pause())
    return wait_readable();
  reading_ = true;
  owner_.readable(shared_from_this());
}

void gateway_session::tell_held() {
  const auto now = closed_ ? 0 : reader_.capacity() + out_.capacity() + sending_.capacity();
  owner_.held_bytes_ += now - held_;
  held_ = now;
}

void gateway_session::discard() {
  if (reading_ || closed_)
    return;
  reading_ = true;
  thread_local std::array<char, 16384> nowhere; // written by all, read by nobody
  socket_.async_read_some(
      boost::asio::buffer(nowhere),
      [me = shared_from_this()](const boost::system::error_code& error, std::size_t) {
        me->reading_ = false;
        if (error)
          return me->cut();
        me->discard();
      });
}

void gateway_session::take(std::size_t count) {
  if (closing_ || closed_)
    return;
  reader_.commit(count);
  stamp_ = owner_.stamp();
  for (;;) {
    const auto next = reader_.next();
    if (!next)
      return say_goodbye(next.error());
    if (!*next)
      break;
    if (!frame(**next))
      return;
  }
  if (reader_.pending_bytes() == 0)
    partial_since_ = clock::time_point::max();
  else if (partial_since_ == clock::time_point::max())
    partial_since_ = clock::now();
  send();
}

// Telling a client that there is no room must cost less than serving it, or a flood would take the time of
// those who are served.
bool gateway_session::refuse_unread(std::string_view payload) {
  const auto held = owner_.slots_[me_.slot].in_flight;
  const bool connection = held >= owner_.options_.limits.in_flight_max;
  if (space_ == nullptr || (!connection && owner_.admission_.admits_operator(held)))
    return false;
  const auto outline = wire::outline_request(payload, owner_.options_.limits.batch_max);
  if (!outline)
    return false;
  owner_.admission_.refused();
  for (std::uint32_t i = 0; i < outline->commands; ++i)
    refuse(outline->id, i, connection ? connection_full : server_full);
  return true;
}

bool gateway_session::frame(std::string_view payload) {
  partial_since_ = clock::time_point::max();
  if (refuse_unread(payload))
    return true;
  const auto parsed = wire::parse_client_frame(payload, owner_.options_.limits.batch_max);
  if (!parsed) {
    say_goodbye(parsed.error());
    return false;
  }
  if (const auto* h = std::get_if<wire::hello>(&*parsed))
    return greet(*h);
  if (space_ == nullptr) {
    say_goodbye({errc::unauthenticated,
                 {},
                 "say hello first: the first frame names version, namespace and client"});
    return false;
  }
  dispatch(std::get<wire::request>(*parsed));
  return true;
}

bool gateway_session::greet(const wire::hello& h) {
  if (space_ != nullptr) {
    say_goodbye({errc::validation, {}, "hello was said already"});
    return false;
  }
  space_ = owner_.context_->find_namespace(std::string_view(h.namespace_reference));
  if (space_ == nullptr) {
    say_goodbye({errc::not_found,
                 h.namespace_reference,
                 "this server does not hold such a namespace; start it with --space or in its "
                 "configuration"});
    return false;
  }
  client_name_ = h.client_name;
  wire::print(out_, wire::welcome{owner_.options_.server_name, owner_.options_.limits});
  return true;
}

void gateway_session::dispatch(const wire::request& r) {
  for (std::uint32_t i = 0; i < r.calls.size(); ++i) {
    const auto& c = r.calls[i];
    if (c)
      dispatch(r.id, i, *c);
    else
      refuse(r.id, i, c.error());
  }
}

void gateway_session::refuse(std::uint64_t request, std::uint32_t index, const refusal& why) {
  wire::print(out_, {request, index}, why);
}

void gateway_session::dispatch(std::uint64_t request, std::uint32_t index, const wire::call& c) {
  const auto held = owner_.slots_[me_.slot].in_flight;
  if (held >= owner_.options_.limits.in_flight_max)
    return refuse(request, index, connection_full);
  if (const auto* op = std::get_if<wire::operator_command>(&c.body)) {
    if (!owner_.admission_.admits_operator(held))
      return refuse(request, index, server_full);
    owner_.count(me_);
    ++in_flight_;
    caf::anon_send(owner_.context_->console,
                   operator_request{me_, {request, index}, space_->of.number, *op, client_name_});
    return;
  }
  const auto full = [&](const refusal& why) {
    owner_.admission_.refused();
    refuse(request, index, why);
  };
  if (!owner_.admission_.admits(held))
    return full(server_full);
  const auto& body = std::get<command::any>(c.body);
  auto e = std::make_shared<envelope>();
  e->from = me_;
  e->request = request;
  e->index = index;
  e->stamp = stamp_;
  e->deadline = plus_ns(stamp_,
                        c.deadline_ms ? std::int64_t{*c.deadline_ms} * 1'000'000
                                      : owner_.options_.deadline_ns);
  e->key = c.key;
  e->expected_sequence = c.expected_sequence;
  e->body = body;
  if (command::goes_to_namespace(body, c.customer)) {
    owner_.count(me_);
    ++in_flight_;
    caf::anon_send(space_->actor, execute{std::move(e)});
    return;
  }
  if (auto ok = check_reference(c.customer, "customer"); !ok)
    return refuse(request, index, ok.error());
  if (!owner_.forward(*space_, c.customer, std::move(e)))
    return full({errc::overloaded, c.customer, "too many commands of this customer are in flight"});
  ++in_flight_;
}

void gateway_session::send() {
  if (closed_)
    return;
  if (!sending_.empty())
    return unsent() > owner_.options_.unsent_max ? cut() : tell_held();
  if (out_.empty()) {
    if (!closing_ || in_flight_ != 0)
      return;
    if (!std::exchange(draining_, false))
      return finish();
    wire::print_farewell(
        out_,
        {errc::storage_unavailable,
         {},
         "the server stops; what has no answer was not taken: send it again with the same key"});
  }
  std::swap(sending_, out_);
  sending_since_ = clock::now();
  write();
}

void gateway_session::write() {
  while (sent_ < sending_.size()) {
    boost::system::error_code error;
    const auto count = socket_.write_some(
        boost::asio::buffer(sending_.data() + sent_, sending_.size() - sent_), error);
    if (error == boost::asio::error::would_block)
      break;
    if (error)
      return cut();
    sent_ += count;
    sending_since_ = clock::now();
  }
  if (sent_ < sending_.size()) {
    if (unsent() > owner_.options_.unsent_max)
      return cut();
    tell_held();
    socket_.async_wait(tcp::socket::wait_write,
                       [me = shared_from_this()](const boost::system::error_code& failed) {
                         if (failed)
                           return me->cut();
                         me->write();
                       });
    return;
  }
  sending_.clear();
  sent_ = 0;
  sending_since_ = clock::time_point::max();
  for (auto* buffer : {&sending_, &out_})
    if (buffer->empty() && buffer->capacity() > kept_bytes)
      *buffer = std::string(); // an assignment of {} would keep the room
  tell_held();
  if (!out_.empty() || closing_)
    send();
  wait_readable();
}

void gateway_session::say_goodbye(const refusal& why) {
  if (closing_ || closed_)
    return;
  wire::print_farewell(out_, why);
  closing_ = true;
  // What is in flight is not waited for: the client broke the protocol. It counts until it is answered.
  in_flight_ = 0;
  discard();
  send();
}

void gateway_session::drain() {
  if (closing_ || closed_)
    return;
  closing_ = true;
  draining_ = true;
  discard();
  send();
}

void gateway_session::finish() {
  if (finished_since_ != clock::time_point::max())
    return;
  finished_since_ = clock::now();
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void gateway_session::cut() {
  if (std::exchange(closed_, true))
    return;
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
  tell_held();
  owner_.gone(me_.slot);
}

void gateway_session::watch(clock::time_point now) {
  const auto& o = owner_.options_;
  if (closed_)
    return;
  if (finished_since_ != clock::time_point::max() && now - finished_since_ > o.linger)
    return cut();
  if (sending_since_ != clock::time_point::max() && now - sending_since_ > o.frame_timeout)
    return cut();
  if (closing_)
    return;
  if (space_ == nullptr && now - started_ > o.hello_timeout)
    return say_goodbye({errc::unauthenticated, {}, "no hello in time"});
  if (must_pause() && partial_since_ != clock::time_point::max())
    partial_since_ = now; // it is we who do not read on
  if (partial_since_ != clock::time_point::max() && now - partial_since_ > o.frame_timeout)
    return say_goodbye({errc::validation, {}, "a frame was begun and not finished in time"});
}

} // namespace accrue
