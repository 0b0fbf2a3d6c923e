// One customer: decides its commands in strict order, replies once durable. A thin shell around
// domain/decisions and the recorder; the order of things is here, the rules are not.
#pragma once

#include "actors/recorder.hpp"
#include "domain/decisions.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <memory>
#include <span>
#include <vector>

namespace accrue {

/// One activation of a customer.
struct customer_life {
  std::uint32_t number = 0;
  /// Set: in quarantine. It writes nothing and answers from what is stored.
  std::shared_ptr<held_back> held;
  bool lifted = false; ///< the first one after a quarantine: tells the directory how loading went
};

class customer_state {
public:
  static inline const char* name = "customer";
  customer_state() = default;

  using pointer = customer_actor::stateful_pointer<customer_state>;

  void start(pointer self,
             engine_context& context,
             namespace_id space,
             std::string reference,
             customer_life life,
             std::shared_ptr<const catalog> cat);
  void receive(std::shared_ptr<const envelope> e);
  void loaded(const result<stored_customer>& stored);
  void row(const row_loaded& r);
  void read(const past_loaded& part);
  void numbered(customer_id number);
  void discarded(const unit_discarded& d);
  [[nodiscard]] sequence last_unit() const noexcept { return recorder_->value.last; }
  /// A message was dealt with: nobody's command is in the middle of being decided.
  void settled() noexcept;
  /// Ends this life. `fault`: the next one is in quarantine; none: it is a usual one.
  void stop(std::optional<quarantine_kind> fault, const std::string& why, sequence last_good);
  /// An invariant did not hold.
  void broken(const std::string& why) { stop(quarantine_kind::defect, why, recorder_->value.last); }
  void begin_anew();
  /// Whether the customer went; else it is busy.
  caf::result<bool> retire(bool over);
  [[nodiscard]] text_lines inspect() const;
  void use(std::shared_ptr<const catalog> cat) { catalog_ = std::move(cat); }

private:
  // The unit being decided: it waits for a charge, for a number or for a journal row.
  struct open_unit {
    std::shared_ptr<const envelope> command;
    std::shared_ptr<const catalog>
        terms; ///< the catalog it is decided with, whatever changes meanwhile
    command_prints prints;
    std::optional<unit> work;
    std::optional<conversation> talk;
    std::uint32_t number = 0;
    std::vector<sequence>
        to_ask; ///< units whose keys the journal has to tell, asked one after the other
  };
  struct repeat {
    sequence where;
    std::shared_ptr<const envelope> command;
  };
  struct inquiry;
  // A question about the past, or a command that has to know some of it.
  struct reading {
    std::uint32_t number = 0;
    std::shared_ptr<const envelope> command;
    command_prints prints;           ///< of a command; it is `current_` meanwhile
    std::vector<rows_wanted> wanted; ///< by a command; the last one is being read
    sequence last;                   ///< no unit behind it is looked at
    std::vector<entry> entries;
    std::shared_ptr<inquiry> about; ///< of a question
  };
  // What an idle customer has none of.
  struct backlog {
    std::vector<std::shared_ptr<const envelope>> waiting; ///< oldest first
    std::vector<repeat> repeats;
    std::vector<reading> readings;
    std::vector<std::pair<charge_id, charge_actor>> charges; ///< of the unit being decided
    std::string stopped_why;
    [[nodiscard]] bool nobody_waits() const noexcept {
      return waiting.empty() && repeats.empty() && readings.empty();
    }
  };
  enum class mode : std::uint8_t {
    loading,
    ready,
    unreadable, ///< in quarantine, and what is stored does not fit together
    stopped
  };

  [[nodiscard]] engine_context& context() const noexcept { return recorder_->context(); }
  [[nodiscard]] std::size_t waiting() const noexcept {
    return backlog_ ? backlog_->waiting.size() : 0;
  }
  [[nodiscard]] backlog& with_backlog() {
    if (!backlog_)
      backlog_ = std::make_unique<backlog>();
    return *backlog_;
  }
  [[nodiscard]] bool awake() const noexcept {
    return mode_ == mode::ready || mode_ == mode::unreadable;
  }
  void unfit(const std::string& why);
  void refuse_held(const envelope& e);
  void begin(std::shared_ptr<const envelope> e);
  void go_on();
  void decide(std::shared_ptr<const envelope> e, const command_prints& p);
  void decide_with(std::shared_ptr<const envelope> e,
                   const command_prints& p,
                   std::span<const entry> loaded);
  void converse();
  void carry(const to_charge& message);
  void tell_charge(const charge& to, flat_fee::event what);
  void charge_answered(std::uint32_t unit, charge_id id, charge_decision answer);
  void finish();
  void commit(const unit& u, const envelope& e, const command_prints& p, const catalog& cat);
  void
  tell_others(std::optional<instant> due_before, bool ticked, const std::vector<fact::any>& facts);
  void answer_again(sequence where, std::shared_ptr<const envelope> e);
  void load_row(sequence where, instant deadline);
  void tell_scheduler();
  void ask_past(std::shared_ptr<const envelope> e);
  [[nodiscard]] bool needs_past(const std::shared_ptr<const envelope>& e, const command_prints& p);
  void when_durable(const reading& r, std::function<void()> read);
  void read_units(const reading& r, rows_wanted next);
  [[nodiscard]] bool take_units(reading& r, std::vector<entry> units);
  [[nodiscard]] bool try_answer(reading& r);
  static void take_sums(inquiry& q, const std::vector<stored_sums>& sums);
  [[nodiscard]] result<void> close_gap(inquiry& q, const std::vector<entry>& units);
  [[nodiscard]] result<bool> take_part(reading& r, past_part& part, std::vector<entry> units);
  [[nodiscard]] std::optional<std::vector<entry>> decode(const past_part& part);
  void
  asked_row(std::unique_ptr<open_unit> asked, const stored_row* row, const result<entry>& unit);
  void repeat_answer(const envelope& command, const result<entry>& unit);
  [[nodiscard]] bool too_late(const envelope& e) const noexcept;
  charge_actor& charge_of(const charge& c);

  customer_actor::stateful_pointer<customer_state> self_ = nullptr;
  std::optional<recorder> recorder_;
  std::shared_ptr<held_back> held_; ///< see customer_life
  std::shared_ptr<const catalog> catalog_;
  mode mode_ = mode::loading;
  bool lifted_ = false;
  std::uint32_t units_opened_ = 0;
  std::unique_ptr<open_unit> current_;
  std::unique_ptr<backlog> backlog_;
  /// Whose caller is told when deciding it breaks. Set and gone within one message, so one of a thread will do.
  static thread_local std::shared_ptr<const envelope> deciding;
};

customer_actor::behavior_type customer_behavior(customer_state::pointer self,
                                                engine_context* context,
                                                namespace_id space,
                                                std::string reference,
                                                customer_life life,
                                                std::shared_ptr<const catalog> cat);

} // namespace accrue
