// The life of one connection. See gateway_session.hpp.
#include "actors/gateway_session.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <caf/send.hpp>

#include <array>

namespace accrue {

using boost::asio::ip::tcp;

gateway_session::gateway_session(gateway& owner, tcp::socket socket, reply_address me)
    : owner_(owner), socket_(std::move(socket)), me_(me),
      reader_(owner.options_.limits.frame_bytes_max) {
  boost::system::error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.set_option(boost::asio::socket_base::keep_alive(true), ignored);
}

void gateway_session::start() { read(); }

bool gateway_session::must_pause() const noexcept {
  return out_.size() + sending_.size() > owner_.options_.unsent_pause;
}

void gateway_session::read() {
  if (reading_ || closing_ || closed_ || must_pause())
    return;
  reading_ = true;
  const auto room = reader_.prepare();
  socket_.async_read_some(
      boost::asio::buffer(room.data(), room.size()),
      [me = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
        me->reading_ = false;
        if (error)
          return me->cut();
        if (me->closing_)
          return me->discard();
        me->take(count);
      });
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
  read();
}

bool gateway_session::frame(std::string_view payload) {
  partial_since_ = clock::time_point::max();
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
  if (in_flight_ >= owner_.options_.limits.in_flight_max)
    return refuse(request,
                  index,
                  {errc::overloaded, {}, "too many commands of this connection are in flight"});
  if (owner_.in_flight_ >= owner_.options_.in_flight_max)
    return refuse(request, index, {errc::overloaded, {}, "too many commands are in flight"});
  const auto count = [this] {
    ++in_flight_;
    ++owner_.in_flight_;
  };
  if (const auto* op = std::get_if<wire::operator_command>(&c.body)) {
    count();
    caf::anon_send(owner_.context_->console,
                   operator_request{me_, {request, index}, space_->of.number, *op});
    return;
  }
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
  if (command::is_for_namespace(body)) {
    count();
    caf::anon_send(space_->actor, execute{std::move(e)});
    return;
  }
  if (auto ok = check_reference(c.customer, "customer"); !ok)
    return refuse(request, index, ok.error());
  if (!owner_.forward(*space_, c.customer, std::move(e)))
    return refuse(request,
                  index,
                  {errc::overloaded, c.customer, "too many commands of this customer are waiting"});
  count();
}

void gateway_session::send() {
  if (closed_ || !sending_.empty())
    return;
  if (out_.size() > owner_.options_.unsent_max)
    return cut();
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
  boost::asio::async_write(
      socket_,
      boost::asio::buffer(sending_),
      [me = shared_from_this()](const boost::system::error_code& error, std::size_t) {
        me->sending_.clear();
        me->sending_since_ = clock::time_point::max();
        if (error)
          return me->cut();
        me->send();
        me->read();
      });
}

void gateway_session::say_goodbye(const refusal& why) {
  if (closing_ || closed_)
    return;
  wire::print_farewell(out_, why);
  closing_ = true;
  // What is in flight is not waited for: the client broke the protocol.
  owner_.in_flight_ -= in_flight_;
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
  if (partial_since_ != clock::time_point::max() && now - partial_since_ > o.frame_timeout)
    return say_goodbye({errc::validation, {}, "a frame was begun and not finished in time"});
}

} // namespace accrue
