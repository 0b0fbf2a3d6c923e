// Progress lines, the summary and its JSON document.
// Nothing is counted here.
#include "apps/load/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace accrue::load {

namespace {

double ms(std::uint64_t ns) { return static_cast<double>(ns) * 1e-6; }

double per_second(const figures& f) {
  return f.seconds > 0 ? static_cast<double>(f.acknowledged) / f.seconds : 0;
}

double offered_per_second(const figures& f) {
  return f.seconds > 0 ? static_cast<double>(f.offered) / f.seconds : 0;
}

double cpu_us_per_command(const figures& f) {
  const auto commands = f.acknowledged + f.refused;
  return commands == 0 ? 0 : f.cpu_seconds * 1e6 / static_cast<double>(commands);
}

std::string line_of(const histogram& l) {
  return fmt::format("p50 {:.3f}  p90 {:.3f}  p99 {:.3f}  p99.9 {:.3f}  max {:.3f}",
                     ms(l.at(0.50)),
                     ms(l.at(0.90)),
                     ms(l.at(0.99)),
                     ms(l.at(0.999)),
                     ms(l.max()));
}

nlohmann::json json_of(const histogram& l) {
  return {{"p50", ms(l.at(0.50))},
          {"p90", ms(l.at(0.90))},
          {"p99", ms(l.at(0.99))},
          {"p99_9", ms(l.at(0.999))},
          {"max", ms(l.max())}};
}

nlohmann::json json_of(const figures& f, bool is_open_loop) {
  nlohmann::json document = {{"seconds", f.seconds},
                             {"commands", f.acknowledged},
                             {"commands_per_second", per_second(f)},
                             {"commands_refused", f.refused},
                             {"latency_ms", json_of(f.latency)},
                             {"client_cpu_us_per_command", cpu_us_per_command(f)}};
  if (is_open_loop) {
    document["commands_offered"] = f.offered;
    document["offered_per_second"] = offered_per_second(f);
  }
  return document;
}

} // namespace

std::string_view to_string(ended why) noexcept {
  switch (why) {
  case ended::duration:
    return "duration";
  case ended::count:
    return "count";
  case ended::interrupted:
    return "interrupted";
  case ended::connection_lost:
    return "connection lost";
  }
  return "";
}

std::string_view to_string(command_kind kind) noexcept {
  return kind == command_kind::consume ? "consume" : "balance";
}

std::string_view to_string(spacing how) noexcept {
  return how == spacing::even ? "even" : "poisson";
}

std::string progress_line(double elapsed, bool warming, const figures& f) {
  return fmt::format("{:5.0f} s  {:8.0f} commands/s  p50 {:8.3f} ms  p99 {:8.3f} ms  refused {}{}",
                     elapsed,
                     per_second(f),
                     ms(f.latency.at(0.50)),
                     ms(f.latency.at(0.99)),
                     f.refused,
                     warming ? "  (warm-up)" : "");
}

std::string summary(const plan& p, const outcome& o, bool resent) {
  const auto& m = o.measured;
  std::string out =
      fmt::format("\n{} on {} connections x {} requests of {} in flight, {} customers, {:.2f} s\n"
                  "  {:.0f} commands/s\n"
                  "  latency in ms: {}\n"
                  "  client CPU {:.2f} us a command\n"
                  "  acknowledged {} (warm-up included), without an answer {}\n",
                  to_string(p.kind),
                  p.connections,
                  p.in_flight,
                  p.batch,
                  p.customers,
                  m.seconds,
                  per_second(m),
                  line_of(m.latency),
                  cpu_us_per_command(m),
                  o.acknowledged,
                  o.unanswered);
  if (p.rate)
    out += fmt::format("  open loop: {:.0f} commands/s were due, {} were never sent\n",
                       offered_per_second(m),
                       o.unsent);
  for (const auto& [code, of_code] : o.by_code)
    out += fmt::format("  refused {} times: {}, e.g. {}; in ms: {}\n",
                       of_code.count,
                       accrue::to_string(code),
                       of_code.example,
                       line_of(of_code.latency));
  if (o.intervals.size() > 1)
    for (const auto& each : o.intervals)
      out += fmt::format("  {:.2f} s: {:.0f} commands/s, {}\n",
                         each.seconds,
                         per_second(each),
                         line_of(each.latency));
  if (resent)
    out += fmt::format("  sent again: {} answered as recorded, {} answered DIFFERENTLY, {} not in "
                       "the record\n",
                       o.equal,
                       o.different,
                       o.unrecorded);
  if (o.ended == ended::interrupted)
    out += "  interrupted\n";
  if (o.ended == ended::connection_lost)
    out += "  ended early, connection lost: " + o.lost + "\n";
  return out;
}

nlohmann::json to_json(const plan& p, const outcome& o, bool resent) {
  const bool is_open_loop = p.rate.has_value();
  nlohmann::json refused = nlohmann::json::object();
  nlohmann::json refused_ms = nlohmann::json::object();
  for (const auto& [code, of_code] : o.by_code) {
    refused[std::string(accrue::to_string(code))] = of_code.count;
    refused_ms[std::string(accrue::to_string(code))] = json_of(of_code.latency);
  }
  nlohmann::json document = json_of(o.measured, is_open_loop);
  document.update({{"kind", to_string(p.kind)},
                   {"server", p.server.server},
                   {"namespace", p.server.namespace_reference},
                   {"connections", p.connections},
                   {"in_flight", p.in_flight},
                   {"batch", p.batch},
                   {"customers", p.customers},
                   {"ids", p.ids},
                   {"ids_from", p.ids_from},
                   {"seed", p.seed},
                   {"loop", is_open_loop ? "open" : "closed"},
                   {"ended", to_string(o.ended)},
                   {"acknowledged", o.acknowledged},
                   {"unanswered", o.unanswered},
                   {"refused", std::move(refused)},
                   {"refused_latency_ms", std::move(refused_ms)}});
  if (is_open_loop) {
    document["rate"] = *p.rate;
    document["arrivals"] = to_string(p.arrivals_are);
    document["unsent"] = o.unsent;
  }
  auto& intervals = document["intervals"] = nlohmann::json::array();
  for (const auto& each : o.intervals)
    if (each.seconds > 0) // an interrupted run has some that never began
      intervals.push_back(json_of(each, is_open_loop));
  if (resent)
    document["resent"] = {
        {"equal", o.equal}, {"different", o.different}, {"unrecorded", o.unrecorded}};
  return document;
}

} // namespace accrue::load
