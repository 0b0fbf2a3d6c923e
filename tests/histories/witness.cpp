// Online checks of answers; the replay through the model is in witness_replay.cpp.
#include "tests/histories/witness.hpp"

#include "domain/decisions.hpp"

namespace accrue::histories {

std::uint64_t witness::durable(const std::string& customer) const {
  for (const auto& [key, rows] : db_.customers)
    if (rows.reference == customer && !rows.journal.empty())
      return rows.journal.rbegin()->first;
  return 0;
}

std::string witness::name(const request& q) const {
  const std::string id(command::given_id(q.body));
  return "request " + std::to_string(q.id) + " (" + q.customer + " " +
         std::string(command::kind(q.body)) + (id.empty() ? "" : " " + id) + ")";
}

void witness::answered(const wire::answer& a, instant now) {
  ENSURE(a.to.request_id >= 1 && a.to.request_id <= requests.size());
  auto& q = requests[a.to.request_id - 1];
  if (q.lost)
    return; // its connection has gone
  if (std::exchange(q.answered, true))
    return log_.find(name(q) + " was answered twice");
  if (q.intent)
    --intents[*q.intent].in_flight;
  const auto last = durable(q.customer);
  if (const auto* r = std::get_if<reply::receipt>(&a.body))
    told(q, *r, last);
  else
    refused(q, std::get<wire::refused>(a.body).reason, last, now);
}

void witness::told(request& q, const reply::receipt& r, std::uint64_t last) {
  log_.tell(q.intent ? "receipt" : "read", {q.id, r.sequence.value}, [&] {
    return "    " + name(q) + ": sequence " + std::to_string(r.sequence.value);
  });
  if (r.sequence.value > last)
    log_.find(name(q) + " was told of unit " + std::to_string(r.sequence.value) + ", and only " +
              std::to_string(last) + " are durable");
  if (!q.intent) {
    if (r.sequence.value < q.durable_before)
      log_.find(name(q) + " reads unit " + std::to_string(r.sequence.value) + ", and unit " +
                std::to_string(q.durable_before) + " was durable before it was asked");
    observations_.push_back({&q, r.sequence.value, r.sequence.value, r});
    return;
  }
  auto& i = intents[*q.intent];
  i.settled = true;
  if (!i.acknowledged) {
    i.acknowledged = r;
    return;
  }
  log_.count("repeat answered alike");
  if (*i.acknowledged != r)
    log_.find(name(q) + " is told sequence " + std::to_string(r.sequence.value) +
              " and was told sequence " + std::to_string(i.acknowledged->sequence.value) +
              ", or another receipt of it, before");
}

void witness::refused(request& q, const refusal& why, std::uint64_t last, instant now) {
  const auto code = why.code;
  log_.tell(
      "refusal " + std::string(to_string(code)), {q.id, static_cast<std::uint64_t>(code)}, [&] {
        return "    " + name(q) + ": " + std::string(to_string(code)) + ": " + why.text;
      });
  const bool passing =
      code == errc::storage_unavailable || code == errc::not_owner || code == errc::overloaded;
  if (passing && !faults_expected && !(code == errc::overloaded && small_queue))
    log_.find(name(q) + " is refused as " + std::string(to_string(code)) +
              ", and nothing was made to fail");
  if (code == errc::deadline_exceeded && now < q.deadline)
    log_.find(name(q) + " is told to be late before its deadline");
  if (code == errc::internal)
    log_.find(name(q) + ": internal: " + why.text);
  if (passing || code == errc::deadline_exceeded || code == errc::internal) {
    if (q.intent)
      intents[*q.intent].unanswered();
    return;
  }
  const bool held = code == errc::quarantined;
  if (held && !at_fault_.contains(q.customer) && !(at_fault_.contains({}) && last == 0))
    log_.find(name(q) + " is told to be in quarantine, and nothing of it was at fault");
  if (q.intent) {
    auto& i = intents[*q.intent];
    i.settled = i.in_flight == 0 && !i.uncertain && !held;
    if (i.acknowledged)
      log_.find(name(q) + " is refused as " + std::string(to_string(code)) +
                " and had been acknowledged");
  }
  if (!q.customer.empty())
    observations_.push_back({&q, q.durable_before, last, code});
}

void witness::ended(std::uint32_t server) {
  for (auto& q : requests)
    if (q.server == server && !q.answered && !std::exchange(q.lost, true)) {
      log_.count("answer lost with its server");
      if (q.intent) {
        --intents[*q.intent].in_flight;
        intents[*q.intent].unanswered();
      }
    }
}

void witness::check_tickets() {
  for (const auto& q : requests)
    if (!q.answered && !q.lost)
      log_.find(name(q) + " was never answered");
}

// The default key is `kind:id`; a key of the client's own counts beside it (D6).
std::vector<std::string> witness::keys_of(const intent& i) {
  std::vector<std::string> keys;
  if (const auto id = command::given_id(i.body); !id.empty())
    keys.push_back(std::string(command::kind(i.body)) + ":" + std::string(id));
  if (!i.key.empty())
    keys.push_back(i.key);
  return keys;
}

} // namespace accrue::histories
