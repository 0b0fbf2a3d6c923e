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

double cpu_us_per_command(const outcome& o) {
  const auto commands = o.measured.acknowledged + o.measured.refused;
  return commands == 0 ? 0 : o.cpu_seconds * 1e6 / static_cast<double>(commands);
}

errc code_at(std::size_t place) { return static_cast<errc>(place); }

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
  const auto& l = m.latency;
  std::string out =
      fmt::format("\n{} on {} connections x {} requests of {} in flight, {} customers, {:.2f} s\n"
                  "  {:.0f} commands/s\n"
                  "  latency in ms: p50 {:.3f}  p90 {:.3f}  p99 {:.3f}  p99.9 {:.3f}  max {:.3f}\n"
                  "  client CPU {:.2f} us a command\n"
                  "  acknowledged {} (warm-up included), without an answer {}\n",
                  to_string(p.kind),
                  p.connections,
                  p.in_flight,
                  p.batch,
                  p.customers,
                  m.seconds,
                  per_second(m),
                  ms(l.at(0.50)),
                  ms(l.at(0.90)),
                  ms(l.at(0.99)),
                  ms(l.at(0.999)),
                  ms(l.max()),
                  cpu_us_per_command(o),
                  o.acknowledged,
                  o.unanswered);
  for (std::size_t place = 0; place < o.by_code.size(); ++place)
    if (o.by_code[place].count != 0)
      out += fmt::format("  refused {} times: {}, e.g. {}\n",
                         o.by_code[place].count,
                         accrue::to_string(code_at(place)),
                         o.by_code[place].example);
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
  const auto& m = o.measured;
  const auto& l = m.latency;
  nlohmann::json refused = nlohmann::json::object();
  for (std::size_t place = 0; place < o.by_code.size(); ++place)
    if (o.by_code[place].count != 0)
      refused[std::string(accrue::to_string(code_at(place)))] = o.by_code[place].count;
  nlohmann::json document = {{"kind", to_string(p.kind)},
                             {"server", p.server.server},
                             {"namespace", p.server.namespace_reference},
                             {"connections", p.connections},
                             {"in_flight", p.in_flight},
                             {"batch", p.batch},
                             {"customers", p.customers},
                             {"ids", p.ids},
                             {"ids_from", p.ids_from},
                             {"seed", p.seed},
                             {"ended", to_string(o.ended)},
                             {"seconds", m.seconds},
                             {"commands", m.acknowledged},
                             {"commands_per_second", per_second(m)},
                             {"latency_ms",
                              {{"p50", ms(l.at(0.50))},
                               {"p90", ms(l.at(0.90))},
                               {"p99", ms(l.at(0.99))},
                               {"p99_9", ms(l.at(0.999))},
                               {"max", ms(l.max())}}},
                             {"client_cpu_us_per_command", cpu_us_per_command(o)},
                             {"acknowledged", o.acknowledged},
                             {"unanswered", o.unanswered},
                             {"refused", std::move(refused)}};
  if (resent)
    document["resent"] = {
        {"equal", o.equal}, {"different", o.different}, {"unrecorded", o.unrecorded}};
  return document;
}

} // namespace accrue::load
