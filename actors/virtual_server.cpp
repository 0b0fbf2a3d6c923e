// A server over CAF's test scheduler, which by itself runs first in, first out: `pick` chooses from its
// jobs instead.
#include "actors/virtual_server.hpp"

#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <chrono>

namespace accrue {

virtual_server::virtual_server(virtual_server_parts parts) : parts_(std::move(parts)) {
  settings_.set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(settings_);
  scheduler_ = &dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  writer_ = std::make_shared<ledger_writer_actor>();
  reply_sink& replies = *this;
  memory_lane_options lane;
  lane.now = parts_.now;
  lane.wake = [writer = writer_] {
    if (*writer)
      caf::anon_send(*writer, flush{});
  };
  lane.lease_ns = parts_.lease_ns;
  store_ = std::make_unique<memory_store>(
      *parts_.database, replies, engine::events_for(writer_), std::move(lane));
  engine_parts wired;
  wired.store = store_.get();
  wired.replies = this;
  wired.time = parts_.time;
  wired.routes = this;
  wired.limits = parts_.limits;
  wired.namespaces = {parts_.space};
  wired.failures = parts_.failures;
  wired.deliver = [this](std::span<const waiting_message> messages) {
    return alive_ ? parts_.deliver(messages) : 0;
  };
  wired.step = [this] { return alive_ && parts_.serve_lane(store_->the_lane()); };
  wired.stop_process = [this](const std::string& why) {
    if (alive_ && parts_.stop_process)
      parts_.stop_process(why);
  };
  auto made = engine::start(*system_, std::move(wired));
  ENSURE(made.has_value());
  engine_ = std::move(*made);
  *writer_ = engine_->context().writer;
}

virtual_server::~virtual_server() {
  alive_ = false;
  routes_.clear();
  engine_->stop();
  *writer_ = ledger_writer_actor{};
  while (scheduler_->has_job())
    scheduler_->run_once();
  engine_.reset();
  while (scheduler_->has_job())
    scheduler_->run_once();
  system_.reset();
}

bool virtual_server::has_job() const noexcept { return scheduler_->has_job(); }

bool virtual_server::step() {
  auto& jobs = scheduler_->jobs;
  if (jobs.empty())
    return false;
  if (parts_.pick && jobs.size() > 1)
    std::swap(jobs.front(), jobs[parts_.pick(jobs.size())]);
  scheduler_->run_once();
  return true;
}

void virtual_server::settle() {
  while (step()) {
  }
}

void virtual_server::advance_timers(std::int64_t ns) {
  scheduler_->advance_time(std::chrono::nanoseconds(ns));
}

void virtual_server::execute(const std::string& customer, std::shared_ptr<const envelope> e) {
  auto& c = engine_->context();
  if (command::goes_to_namespace(e->body, customer)) {
    caf::anon_send(c.namespaces.front().actor, accrue::execute{std::move(e)});
    return;
  }
  auto [it, fresh] = routes_.try_emplace(customer);
  if (it->second.to) {
    caf::anon_send(it->second.to, accrue::execute{std::move(e)});
    return;
  }
  it->second.pending.push_back(std::move(e));
  if (fresh)
    caf::anon_send(c.directory, activate{c.namespaces.front().of.number, customer});
}

void virtual_server::lift(const std::string& customer, std::function<void(result<sequence>)> done) {
  auto& c = engine_->context();
  caf::anon_send(c.directory,
                 accrue::lift{c.namespaces.front().of.number,
                              customer,
                              "virtual operator",
                              "virtual time",
                              std::move(done)});
}

void virtual_server::wake_lane() { caf::anon_send(*writer_, flush{}); }

void virtual_server::sweep() { caf::anon_send(engine_->context().directory, accrue::sweep{}); }

void virtual_server::deliver(reply_address to, std::string_view frame) {
  if (to.slot == no_session || !alive_)
    return;
  auto parsed = wire::parse_server_frame(frame.substr(wire::prefix_bytes));
  ENSURE(parsed.has_value());
  parts_.answered(to, std::move(std::get<wire::answer>(*parsed)));
}

void virtual_server::refuse(reply_address to,
                            std::uint64_t request,
                            std::uint32_t index,
                            const refusal& why) {
  if (to.slot == no_session)
    return;
  std::string frame;
  wire::print(frame, {request, index}, why);
  deliver(to, frame);
}

void virtual_server::opened(const activate& who, customer_actor to) {
  const auto it = routes_.find(who.reference);
  if (it == routes_.end())
    return;
  it->second.to = to;
  it->second.life = who.life;
  for (auto& e : it->second.pending)
    caf::anon_send(to, accrue::execute{std::move(e)});
  it->second.pending.clear();
}

void virtual_server::close(std::vector<activate> who, directory_actor answer_to) {
  if (who.empty())
    for (const auto& [reference, r] : routes_)
      if (r.to)
        who.push_back({engine_->context().namespaces.front().of.number, reference, r.life});
  routes_closed closed;
  for (const auto& w : who) {
    const auto it = routes_.find(w.reference);
    if (it == routes_.end() || !it->second.to || it->second.life != w.life)
      continue;
    routes_.erase(it);
    closed.customers.push_back(w);
  }
  caf::anon_send(answer_to, std::move(closed));
}

} // namespace accrue
