// A unit of work: everything one command changes, on top of a customer that does not know it yet.
// And the conversation with charges by which a unit is decided step by step.
#pragma once

#include "domain/customer.hpp"

#include <coroutine>
#include <exception>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace accrue {

/// Points at which the next passes fail on purpose; for simulations and tests only.
struct fail_points {
  std::map<std::string, std::uint32_t, std::less<>> left;

  /// Whether this pass of the point fails; counts it.
  [[nodiscard]] bool fails(std::string_view point);
  /// Meets a defect where this pass of the point fails.
  void pass(std::string_view point);
};

/// What is being decided, and what has been decided so far.
class unit {
public:
  /// `now` is the command's instant, never before the customer's clock (D3).
  unit(const customer& c,
       const catalog& cat,
       instant now,
       std::uint8_t kind,
       fail_points* failures = nullptr);

  [[nodiscard]] const customer& before() const noexcept { return *before_; }
  [[nodiscard]] const accrue::catalog& catalog() const noexcept { return *catalog_; }
  [[nodiscard]] instant now() const noexcept { return now_; }
  /// The sequence the unit will have.
  [[nodiscard]] sequence number() const noexcept { return sequence(before_->last.value + 1); }
  [[nodiscard]] bool fails(std::string_view point) { return failures_ && failures_->fails(point); }

  /// The book with this unit on top.
  ledger::book_overlay book;
  std::vector<fact::any> facts;

  // The customer's objects as this unit left them.
  [[nodiscard]] const charge* find_charge(charge_id id) const noexcept;
  [[nodiscard]] const invoicing::invoice* find_invoice(invoice_id id) const noexcept;
  /// All charges, the changed ones as changed.
  [[nodiscard]] std::vector<const charge*> charges() const;
  void put(charge c);
  void put(invoicing::invoice i);
  /// What a spend used, where it is not plain.
  [[nodiscard]] const ledger::realization* find_realization(ledger::spend_id spend) const noexcept;
  /// All of those, as changed.
  [[nodiscard]] std::vector<ledger::realization> realizations() const;
  void put(ledger::realization r);
  /// The reservation, unless its time has come.
  [[nodiscard]] const hold* find_hold(std::string_view reference) const noexcept;
  /// Units of the journal that the command needs, loaded before it is decided (see rows_needed).
  std::span<const entry> loaded;

  /// A grant, one of this unit's own included.
  [[nodiscard]] const grant& grant_at(grant_id id) const;
  void put(grant g);

  [[nodiscard]] charge_id next_charge() const noexcept;
  [[nodiscard]] invoice_id next_invoice() const noexcept;
  [[nodiscard]] grant_id next_grant() const noexcept;
  [[nodiscard]] std::uint64_t next_invoice_number() const noexcept;

  /// Undoes what came after: `auto mark = u; …; u = mark`. A unit is a value.
  unit(const unit&) = default;
  unit& operator=(const unit&) = default;

  /// The entry to journal, with the balances of every currency that was touched.
  [[nodiscard]] entry finish() const;

private:
  const customer* before_;
  const accrue::catalog* catalog_;
  instant now_;
  std::uint8_t kind_;
  fail_points* failures_;
};

/// A message to a charge: what happened to it.
struct to_charge {
  charge_id charge;
  flat_fee::event event;
};

/// A decision that talks with charges, written as straight-line code: it asks with
/// `co_await to_charge{…}` and goes on with what the charge decided; it may await another
/// conversation as a part of itself. Whoever drives it carries the messages: the customer actor over
/// the wire of actors, a test by calling flat_fee::decide.
class conversation {
public:
  struct promise_type;
  using handle = std::coroutine_handle<promise_type>;

  struct promise_type {
    promise_type* root = this; // the outermost: holds what is asked and answered
    handle parent;             // who awaits this one
    handle leaf;               // of the root: the one to resume
    std::optional<to_charge> asked;
    std::optional<result<flat_fee::decision>> answered;
    std::optional<result<void>> outcome;
    std::exception_ptr broken;

    conversation get_return_object() { return conversation(handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    void return_value(result<void> r) { outcome = std::move(r); }
    void unhandled_exception() { broken = std::current_exception(); }

    struct back_to_parent {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(handle finished) const noexcept {
        auto& p = finished.promise();
        p.root->leaf = p.parent;
        if (p.parent)
          return p.parent;
        return std::noop_coroutine();
      }
      void await_resume() const noexcept {}
    };
    back_to_parent final_suspend() noexcept { return {}; }

    struct charge_answer {
      promise_type* root;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<>) const noexcept {}
      result<flat_fee::decision> await_resume() const;
    };
    charge_answer await_transform(to_charge message) {
      root->asked = std::move(message);
      return {root};
    }

    struct part;
    part await_transform(conversation inner);
  };

  conversation(conversation&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  conversation& operator=(conversation&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~conversation() {
    if (handle_)
      handle_.destroy();
  }

  /// Runs until it asks a charge or ends. First call and after each `answer`.
  void resume();
  [[nodiscard]] bool done() const noexcept { return handle_.done(); }
  /// The message to carry; only while not done.
  [[nodiscard]] const to_charge& asked() const { return *handle_.promise().asked; }
  void answer(result<flat_fee::decision> d) { handle_.promise().answered = std::move(d); }
  /// How it ended; only when done.
  [[nodiscard]] const result<void>& outcome() const { return *handle_.promise().outcome; }

private:
  explicit conversation(handle h) noexcept : handle_(h) { h.promise().leaf = h; }
  handle handle_;
};

/// Awaiting a conversation inside another one: its outcome, or what broke it.
struct conversation::promise_type::part {
  conversation inner;
  promise_type* outer;

  bool await_ready() const noexcept { return false; }
  handle await_suspend(handle awaiting) {
    auto& p = inner.handle_.promise();
    p.root = outer->root;
    p.parent = awaiting;
    outer->root->leaf = inner.handle_;
    return inner.handle_;
  }
  result<void> await_resume() {
    if (auto thrown = inner.handle_.promise().broken)
      std::rethrow_exception(thrown);
    return std::move(*inner.handle_.promise().outcome);
  }
};

inline conversation::promise_type::part
conversation::promise_type::await_transform(conversation inner) {
  return {std::move(inner), this};
}

/// Answers a charge's need from the unit's book: collects credit, and advances the rest where the
/// charge wants the whole (credit_only, within the limit of D69). errc: insufficient_funds.
[[nodiscard]] result<flat_fee::credit_collected>
supply(unit& u, const flat_fee::terms& t, const flat_fee::collect_credit& need);

/// The need among a decision's effects, if the charge waits for one.
[[nodiscard]] const flat_fee::collect_credit* need_of(const flat_fee::decision& d) noexcept;

/// Whether a balance of this view looks at credit with these features. Source: balances.md 1.5.
[[nodiscard]] bool in_view(const std::vector<std::string>& features,
                           const command::feature_filter& filter) noexcept;

/// Balances of one currency as this unit left them. `filter`: balances.md 1.5.
[[nodiscard]] reply::balance
balance_of(const unit& u, currency c, const command::feature_filter& filter = {});

/// Carries a conversation by calling the charges' decisions directly: for tests, and wherever the
/// charges are values.
[[nodiscard]] result<void> drive(unit& u, conversation& talk);

} // namespace accrue
