// Who is in quarantine, in memory and in the store, and whose quarantine is being lifted. Used by the
// directory alone; ending and beginning lives is its business.
#pragma once

#include "actors/context.hpp"

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace accrue {

class quarantine_book {
public:
  /// A namespace and the reference of a customer in it; empty: the namespace itself.
  using name = std::pair<namespace_id, std::string>;

  /// `me`: told of what the store answers.
  quarantine_book(engine_context& context, directory_actor me)
      : context_(&context), me_(std::move(me)) {}

  /// What an earlier process left.
  void restore(std::vector<quarantine_row> stored);

  [[nodiscard]] std::shared_ptr<held_back> find(const name& who) const;
  [[nodiscard]] std::size_t size() const noexcept { return held_.size(); }
  /// Those of a namespace, longest first, at most `limit`.
  [[nodiscard]] quarantine_list list(const list_held& asked) const;

  /// Puts somebody in; who is in already stays as he is. It holds from now on in memory, and in the store
  /// as soon as that takes it.
  void add(const customer_stopped& s);

  /// Begins to lift. Answers the operator at once where there is nothing to lift.
  void lift(accrue::lift wish);
  /// The store answered. A quarantine that is lifted now: its life has to end, if there is one.
  [[nodiscard]] std::optional<name> stored(const quarantine_stored& s);
  /// Tries again what the store did not take.
  void store();

  /// Whether the next life is the one after a lift: it has to tell how it went.
  [[nodiscard]] bool lifted(const name& who) const { return lifted_.contains(who); }
  /// Tells the operator how it went.
  void recovered(const name& who, result<sequence> how);

private:
  struct entry {
    std::shared_ptr<held_back> held;
    bool stored = false;
    bool complained = false;            ///< the log has why it is not stored
    std::optional<accrue::lift> wish{}; ///< an operator's; waits until what is under way has ended
  };
  void remove(const name& who, entry& e);

  engine_context* context_;
  directory_actor me_;
  std::map<name, entry> held_;
  std::map<name, accrue::lift> lifted_; ///< not loaded again yet
  name tried_last_;
  bool storing_ = false; ///< one change of the store at a time keeps their order
};

} // namespace accrue
