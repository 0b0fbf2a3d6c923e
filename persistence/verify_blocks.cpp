// Blocks of statements, made again from the units that they are about. See verify_parts.hpp.
#include "persistence/verify_parts.hpp"

#include <algorithm>

namespace accrue::verifying {

block_check::block_check(pg::session& database, report& findings)
    : findings_(&findings), rows_(database,
                                  "blocks",
                                  "SELECT namespace, customer, last_sequence, sums, items"
                                  " FROM statement_block ORDER BY namespace, customer, "
                                  "last_sequence",
                                  50) {}

void block_check::found(const char* text) {
  findings_->add(breach::projection,
                 place_of(rows_.owner()) + ", statement block " + std::to_string(rows_.i64(2)),
                 text);
  rows_.next();
}

void block_check::pass(const customer_key& next) {
  while (!rows_.done() && rows_.owner() < next)
    found("the journal has nothing of it");
  look_ahead(next);
}

void block_check::look_ahead(const customer_key& owner) {
  block_.reset();
  made_.clear();
  while (rows_.is_of(owner) && !block_) {
    auto block = decode_sums(rows_.bytes(3), sequence(static_cast<std::uint64_t>(rows_.i64(2))));
    if (block)
      block_ = std::move(*block);
    else
      found("its sums cannot be read");
  }
}

void block_check::unit(const customer_key& owner, const customer& after, const entry& e) {
  if (!block_ || e.number <= block_->block.after)
    return;
  made_.add(after, e);
  if (e.number != block_->block.through)
    return;
  if (made_.block() != block_->block)
    found("its sums are not those of its units");
  else if (!std::ranges::equal(made_.units(), rows_.bytes(4)) ||
           !decode_items(*block_, rows_.bytes(4)))
    found("its items are not those of its units");
  else
    rows_.next();
  look_ahead(owner);
}

void block_check::skip(const customer_key& owner) {
  while (rows_.is_of(owner))
    rows_.next();
}

void block_check::finish(const customer_key& owner) {
  while (rows_.is_of(owner))
    found("the journal does not have its units");
}

void block_check::finish() {
  while (!rows_.done())
    found("the journal has nothing of it");
}

} // namespace accrue::verifying
