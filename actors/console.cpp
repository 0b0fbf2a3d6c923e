// One line in, some lines out.
#include "actors/console.hpp"

#include <caf/send.hpp>

#include <sstream>

namespace accrue {

namespace {

// The lines that a customer answers.
std::optional<command::any> of_customer(const std::string& verb, const std::string& what) {
  if (verb == "balance")
    return command::get_balance{};
  if (verb == "grants")
    return command::list_grants{};
  if (verb == "transactions")
    return command::list_transactions{};
  if (verb == "ledger")
    return command::get_accounts{};
  if (verb == "invoices")
    return command::list_invoices{};
  if (verb == "run-due")
    return command::run_due{};
  if (verb == "recognize")
    return command::recognize{{}, command::recognizable::both};
  if (verb == "retry" && !what.empty())
    return command::retry_invoice{what};
  return std::nullopt;
}

} // namespace

void console_state::answer(const operator_request& r, const wire::operator_reply& reply) {
  std::string frame;
  wire::print(frame, r.to, reply);
  context->replies->deliver(r.from, frame);
}

void console_state::say(const operator_request& r, std::vector<std::string> lines) {
  answer(r, wire::console_text{std::move(lines)});
}

void console_state::ask(const operator_request& r) {
  if (const auto* l = std::get_if<wire::console_line>(&r.command))
    return line(r, l->line);
  if (std::holds_alternative<wire::get_status>(r.command))
    return status(r, false);
  if (const auto* i = std::get_if<wire::inspect>(&r.command))
    return inspect(r, i->customer);
  if (const auto* c = std::get_if<wire::list_customers>(&r.command))
    return customers(r, *c, false);
  if (const auto* q = std::get_if<wire::list_quarantine>(&r.command))
    return quarantine(r, q->limit, false);
  if (const auto* l = std::get_if<wire::lift_quarantine>(&r.command))
    return lift(r, *l, false);
}

void console_state::line(const operator_request& r, const std::string& text) {
  std::istringstream words(text);
  std::string verb, first, second;
  words >> verb >> first >> second;
  if (verb == "status")
    return status(r, true);
  if (verb == "inspect" && !first.empty())
    return inspect(r, first);
  if (verb == "customers")
    return customers(r, {first, wire::list_customers::limit_default}, true);
  if (verb == "stuck")
    return stuck(r);
  if (verb == "quarantine")
    return quarantine(r, wire::list_customers::limit_max, true);
  if (verb == "lift" && !first.empty()) {
    const auto at = text.find(first, text.find(verb) + verb.size()) + first.size();
    const auto reason = text.find_first_not_of(' ', at);
    return lift(r,
                {first == "--catalog" ? std::string() : first,
                 reason == std::string::npos ? std::string() : text.substr(reason)},
                true);
  }
  if (auto asked = of_customer(verb, second); asked && !first.empty())
    return carry(r, first, std::move(*asked));
  say(r,
      {"status                      the server at a glance",
       "customers [AFTER]           customers by reference",
       "inspect CUSTOMER            what one customer is doing",
       "stuck                       customers that were stopped, and why",
       "quarantine                  customers that may not write, and why",
       "lift CUSTOMER [REASON]      let one out of quarantine; --catalog: the namespace",
       "balance CUSTOMER            what is settled, live, pending and reserved",
       "grants CUSTOMER             its credit, and how it is paid",
       "transactions CUSTOMER       what happened to its credit last",
       "ledger CUSTOMER             its trial balance, with money",
       "invoices CUSTOMER           its invoices, and how far they are",
       "run-due CUSTOMER            do what is due",
       "recognize CUSTOMER          turn what it accrued into earnings",
       "retry CUSTOMER INVOICE      repeat the failed step of an invoice",
       "quit                        leave"});
}

void console_state::status(const operator_request& r, bool as_lines) {
  self->request(context->directory, caf::infinite, get_activity{})
      .then([this, r, as_lines](const activity& a) {
        self->request(context->writer, caf::infinite, get_status{})
            .then([this, r, as_lines, a](const text_lines& lanes) {
              wire::status s;
              const auto up = (context->time->now().ns - started.ns) / ns_per_second;
              s.entries.emplace_back("uptime_seconds", std::to_string(up));
              for (const auto& n : context->namespaces)
                s.entries.emplace_back("namespace", n.of.reference);
              s.entries.emplace_back("active_customers", std::to_string(a.active));
              s.entries.emplace_back("quarantined_customers", std::to_string(a.quarantined));
              s.entries.emplace_back("stopped_customers", std::to_string(a.stopped.size()));
              for (const auto& l : lanes.lines)
                s.entries.emplace_back("store", l);
              if (context->database_status)
                s.entries.emplace_back("database", context->database_status());
              if (!as_lines)
                return answer(r, s);
              std::vector<std::string> lines;
              for (const auto& [key, value] : s.entries)
                lines.emplace_back(key).append(": ").append(value);
              say(r, std::move(lines));
            });
      });
}

void console_state::inspect(const operator_request& r, const std::string& customer) {
  self->request(context->directory, caf::infinite, find_active{r.space, customer})
      .then([this, r, customer](const customer_found& found) {
        if (!found.actor)
          return say(r, {"customer " + customer + " is not active (or does not exist)"});
        self->request(found.actor, caf::infinite, accrue::inspect{})
            .then([this, r](const text_lines& t) { say(r, t.lines); },
                  [this, r, customer](const caf::error&) {
                    say(r, {"customer " + customer + " has just gone"});
                  });
      });
}

void console_state::customers(const operator_request& r,
                              const wire::list_customers& q,
                              bool as_lines) {
  const auto limit = std::min(q.limit, wire::list_customers::limit_max);
  context->store->list_customers(
      r.space,
      q.after,
      limit,
      [context = context, r, as_lines](result<std::vector<customer_line>> got) {
        std::string frame;
        if (!got) {
          wire::print(frame, r.to, got.error());
        } else if (as_lines) {
          wire::console_text t;
          for (const auto& c : *got)
            t.lines.push_back(c.reference + "  sequence " + std::to_string(c.last.value));
          if (t.lines.empty())
            t.lines.emplace_back("no customers");
          wire::print(frame, r.to, wire::operator_reply(std::move(t)));
        } else {
          wire::customers list;
          for (const auto& c : *got)
            list.items.push_back({c.reference, c.last});
          wire::print(frame, r.to, wire::operator_reply(std::move(list)));
        }
        context->replies->deliver(r.from, frame);
      });
}

void console_state::stuck(const operator_request& r) {
  self->request(context->directory, caf::infinite, get_activity{})
      .then([this, r](const activity& a) {
        std::vector<std::string> lines;
        for (const auto& s : a.stopped)
          lines.push_back("customer " + s.reference + " life " + std::to_string(s.life) + ": " +
                          s.why);
        if (lines.empty())
          lines.emplace_back("nothing is stuck");
        say(r, std::move(lines));
      });
}

void console_state::quarantine(const operator_request& r, std::uint32_t limit, bool as_lines) {
  self->request(context->directory, caf::infinite, list_held{r.space, limit})
      .then([this, r, as_lines](const quarantine_list& held) {
        if (!as_lines) {
          wire::quarantined list;
          for (const auto& h : held.items)
            list.items.push_back({h->what, h->refused.load(std::memory_order_relaxed)});
          list.total = held.total;
          return answer(r, list);
        }
        std::vector<std::string> lines;
        for (const auto& h : held.items)
          lines.push_back(
              (h->what.reference.empty() ? "the namespace itself" : h->what.reference) +
              "  since " + to_string(h->what.since) + "  " + std::string(to_string(h->what.kind)) +
              " after unit " + std::to_string(h->what.last_good.value) + "  refused " +
              std::to_string(h->refused.load(std::memory_order_relaxed)) + "  " + h->what.why);
        if (lines.empty())
          lines.emplace_back("nobody is in quarantine");
        say(r, std::move(lines));
      });
}

void console_state::lift(const operator_request& r, const wire::lift_quarantine& l, bool as_lines) {
  const auto done = [context = context, r, as_lines, whom = l.customer](result<sequence> at) {
    std::string frame;
    if (!at)
      wire::print(frame, r.to, at.error());
    else if (as_lines)
      wire::print(frame,
                  r.to,
                  wire::operator_reply(
                      wire::console_text{{(whom.empty() ? "the namespace" : whom) +
                                          " goes on at sequence " + std::to_string(at->value)}}));
    else
      wire::print(frame, r.to, wire::operator_reply(wire::quarantine_lifted{whom, *at}));
    context->replies->deliver(r.from, frame);
  };
  self->send(context->directory,
             accrue::lift{
                 r.space, l.customer, r.client.empty() ? "an operator" : r.client, l.reason, done});
}

// The customer answers the operator itself, as any client.
void console_state::carry(const operator_request& r,
                          const std::string& customer,
                          command::any what) {
  auto e = std::make_shared<envelope>();
  e->from = r.from;
  e->request = r.to.request_id;
  e->index = r.to.index;
  e->stamp = context->time->now();
  e->deadline = plus_ns(e->stamp, 30 * ns_per_second);
  if (!command::is_query(what))
    e->key = "console:" + std::to_string(e->stamp.ns);
  e->body = std::move(what);
  const auto gone = [this, r, customer] {
    say(r, {"customer " + customer + " has just gone; try again"});
  };
  self->request(context->directory, caf::infinite, find_active{r.space, customer, true})
      .then([this, gone, e](const customer_found& found) {
        if (!found.actor)
          return gone();
        // The operator must have an answer, and what has none would be in flight for ever.
        self->request(found.actor, caf::infinite, execute{e})
            .then([] {}, [gone](const caf::error&) { gone(); });
      });
}

console_actor::behavior_type console_behavior(console_state::pointer self,
                                              engine_context* context) {
  auto& s = self->state;
  s.self = self;
  s.context = context;
  s.started = context->time->now();
  return {[self](const operator_request& r) { self->state.ask(r); }};
}

} // namespace accrue
