// Frames out and in. Bytes are read until the socket is empty, all frames of a read are taken, and
// what they make room for is sent with one write.
#include "apps/load/link.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <limits>

namespace accrue::load {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using error_code = boost::system::error_code;

driver::link::link(driver& owner, std::uint32_t number)
    : owner_(owner), number_(number), socket_(owner.io_), slots_(owner.plan_.in_flight),
      next_counter_(owner.plan_.ids_from), end_counter_(std::numeric_limits<std::uint64_t>::max()) {
  const plan& p = owner.plan_;
  for (std::size_t i = slots_.size(); i > 0; --i)
    free_.push_back(i - 1);
  if (p.count) { // dealt as evenly as it goes
    const std::uint64_t mine =
        *p.count / p.connections + (number < *p.count % p.connections ? 1 : 0);
    end_counter_ = p.ids_from + mine;
  } else if (owner.earlier_ != nullptr) { // and what may have been in flight after it
    end_counter_ = owner.earlier_->end_of(number) + std::uint64_t{p.in_flight} * p.batch;
  }
  for (std::uint32_t i = 0; i < p.batch; ++i) {
    auto& command = *frame_.mutable_request()->add_commands();
    if (p.kind == command_kind::consume) {
      command.mutable_consume()->set_amount(p.amount);
      command.mutable_consume()->set_currency(p.currency);
    } else {
      command.mutable_get_balance()->set_currency(p.currency);
    }
  }
}

client::outcome<void> driver::link::connect(const client::endpoint& where) {
  error_code failed;
  const auto found = tcp::resolver(owner_.io_).resolve(where.host, where.port, failed);
  if (!failed)
    asio::connect(socket_, found, failed);
  if (!failed)
    socket_.set_option(tcp::no_delay(true), failed);
  if (!failed)
    socket_.non_blocking(true, failed);
  if (failed)
    return tl::unexpected(client::connection_failure(owner_.plan_.server.server, failed.message()));
  const auto& server = owner_.plan_.server;
  wire::print(out_, wire::hello{server.namespace_reference, {}, server.client_name});
  flush();
  read();
  return {};
}

void driver::link::go() {
  fill(clock::now());
  flush();
  if (is_idle() && !owner_.is_open_loop())
    owner_.link_idle(); // there was nothing to send
}

void driver::link::close() {
  error_code ignored;
  socket_.close(ignored);
}

void driver::link::read() {
  const auto room = reader_.prepare();
  socket_.async_read_some(
      asio::buffer(room.data(), room.size()), [this](error_code e, std::size_t count) {
        if (!is_open())
          return;
        if (e)
          return lost(e == asio::error::eof ? "the server closed the connection" : e.message());
        const auto now = clock::now();
        reader_.commit(count);
        for (auto frame = reader_.next();; frame = reader_.next()) {
          if (!frame)
            return lost(frame.error().text);
          if (!*frame)
            break;
          on_frame(**frame, now);
          if (!is_open())
            return;
        }
        fill(now);
        flush();
        if (is_open())
          read();
        if (is_idle() && welcomed_)
          owner_.link_idle();
      });
}

void driver::link::on_frame(std::string_view payload, clock::time_point now) {
  if (const auto a = read_answer(payload))
    take(*a, payload, now);
  else
    on_other_frame(payload, now);
}

void driver::link::on_other_frame(std::string_view payload, clock::time_point now) {
  const auto frame = wire::parse_server_frame(payload);
  if (!frame)
    return lost(frame.error().text);
  if (const auto* bye = std::get_if<wire::farewell>(&*frame)) {
    if (!welcomed_)
      owner_.fail({client::failure::origin::server, bye->reason});
    return lost(std::string(accrue::to_string(bye->reason.reason.code)) + ": " +
                bye->reason.reason.text);
  }
  if (const auto* a = std::get_if<wire::answer>(&*frame)) {
    answer light{a->to.request_id, a->to.index, 0, std::nullopt};
    if (const auto* no = std::get_if<wire::refused>(&a->body))
      light.refused = no->reason.code;
    return take(light, payload, now);
  }
  const auto& limits = std::get<wire::welcome>(*frame).limits;
  const plan& p = owner_.plan_;
  if (std::uint64_t{p.in_flight} * p.batch > limits.in_flight_max || p.batch > limits.batch_max)
    return owner_.fail(client::server_failure(
        {errc::validation,
         "--in-flight, --batch",
         "The server takes " + std::to_string(limits.batch_max) + " commands a request and " +
             std::to_string(limits.in_flight_max) + " in flight."}));
  welcomed_ = true;
  owner_.link_ready();
}

void driver::link::take(const answer& a, std::string_view payload, clock::time_point now) {
  auto& s = slots_[a.request_id % slots_.size()];
  if (s.request_id != a.request_id || s.waiting == 0 || a.index >= owner_.plan_.batch)
    return lost("an answer to nothing that was asked");
  if (a.refused)
    owner_.refused(*a.refused, payload, {s.from, now});
  else
    owner_.acknowledged(number_, s.counter + a.index, a.sequence, {s.from, now});
  --commands_in_flight_;
  if (--s.waiting == 0)
    free_.push_back(a.request_id % slots_.size());
}

void driver::link::fill(clock::time_point now) {
  if (!owner_.running_ || owner_.stopping_)
    return;
  const bool is_open_loop = owner_.is_open_loop();
  while (!free_.empty() && next_counter_ < end_counter_ && !(is_open_loop && backlog_.empty())) {
    put_request(free_.back(), is_open_loop ? backlog_.front() : now);
    free_.pop_back();
    if (is_open_loop)
      backlog_.pop_front();
  }
}

void driver::link::put_request(std::size_t place, clock::time_point from) {
  const plan& p = owner_.plan_;
  auto& s = slots_[place];
  s.request_id = ++requests_ * slots_.size() + place;
  s.counter = next_counter_;
  s.waiting =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(p.batch, end_counter_ - next_counter_));
  s.from = from;
  auto& request = *frame_.mutable_request();
  request.set_request_id(s.request_id);
  while (static_cast<std::uint32_t>(request.commands_size()) > s.waiting) // the last one only
    request.mutable_commands()->RemoveLast();
  for (std::uint32_t i = 0; i < s.waiting; ++i, ++next_counter_) {
    auto& command = *request.mutable_commands(static_cast<int>(i));
    command.set_customer(owner_.customers_[p.customer_of(number_, next_counter_)]);
    if (p.kind == command_kind::consume)
      p.write_id(*command.mutable_consume()->mutable_id(), number_, next_counter_);
  }
  commands_in_flight_ += s.waiting;
  wire::append_frame(out_, frame_);
}

void driver::link::flush() {
  if (is_writing_ || out_.empty())
    return;
  error_code failed;
  const std::size_t count = socket_.write_some(asio::buffer(out_), failed);
  if (failed && failed != asio::error::would_block)
    return lost(failed.message());
  if (count == out_.size())
    return out_.clear();
  writing_.assign(out_, count);
  out_.clear();
  is_writing_ = true;
  asio::async_write(socket_, asio::buffer(writing_), [this](error_code e, std::size_t) {
    is_writing_ = false;
    if (!is_open())
      return;
    if (e)
      return lost(e.message());
    flush();
  });
}

void driver::link::lost(std::string what) {
  close();
  owner_.lose(std::move(what));
}

} // namespace accrue::load
