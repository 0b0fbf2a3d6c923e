// One row a fact. See projections.hpp.
#include "persistence/projections.hpp"

#include "persistence/journal_codec.hpp"

namespace accrue {
namespace {

struct projector {
  unit_batch& batch;
  const customer_key& owner;
  const customer& after;
  const entry& e;
  const catalog& cat;
  std::uint8_t version;
  std::int16_t messages = 0;

  template <class T>
  extent encoded(const T& object) {
    std::vector<std::byte> bytes;
    journal::encode(object, bytes, version);
    return batch.keep(bytes);
  }

  void operator()(const fact::customer_changed& f) {
    batch.customers.push_back({owner, f.reference, f.created_at, e.number});
  }
  // The terms of a grant, which never change; how far it is paid stands in the customer.
  void operator()(const fact::grant_recorded& f) {
    const auto& g = f.grant;
    batch.grants.push_back({owner,
                            g.id.value,
                            g.reference,
                            std::string(cat.code(g.amount.currency)),
                            to_string(g.amount),
                            g.priority,
                            g.effective_at,
                            e.number});
  }
  void operator()(const fact::charge_changed& f) {
    const auto& t = f.charge.terms;
    batch.charges.push_back({owner,
                             t.id.value,
                             t.reference,
                             std::string(flat_fee::to_string(f.charge.state)),
                             std::string(cat.code(t.amount.currency)),
                             to_string(t.amount),
                             e.number,
                             encoded(f.charge)});
  }
  void operator()(const fact::invoice_changed& f) {
    const auto& i = f.invoice;
    batch.invoices.push_back({owner,
                              i.id.value,
                              invoice_name(after, i),
                              std::string(invoicing::to_string(i.state)),
                              std::string(cat.code(i.currency)),
                              to_string(money{i.totals().total, i.currency}),
                              e.number,
                              encoded(i)});
  }
  void operator()(const fact::message_queued& f) {
    batch.outbox.push_back({owner, e.number, messages++, f.topic, f.subject, e.at});
  }
  void operator()(const fact::consumed&) {}
  void operator()(const fact::grant_changed&) {}
  void operator()(const fact::spend_changed&) {}
  void operator()(const fact::given_back&) {}
  void operator()(const fact::recognized&) {}
  void operator()(const fact::recognition_planned&) {}
  void operator()(const fact::reserved&) {}
  void operator()(const fact::hold_extended&) {}
  void operator()(const fact::hold_ended&) {}
  void operator()(const fact::advance_opened&) {}
  void operator()(const fact::credit_unit_created&) {}
  void operator()(const fact::profile_changed&) {}
  void operator()(const fact::key_added&) {}
  void operator()(const fact::catalog_replaced&) {}
};

} // namespace

void project(unit_batch& batch,
             const customer_key& owner,
             const customer& after,
             const entry& e,
             const catalog& cat,
             const calendar& due,
             std::uint8_t version) {
  projector p{batch, owner, after, e, cat, version};
  for (const auto& f : e.facts)
    std::visit(p, f);
  if (due.after != due.before)
    batch.wakeups.push_back({owner, due.after, e.number});
}

} // namespace accrue
