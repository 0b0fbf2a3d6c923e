// What all subcommands of `accrue` share: global options, exit codes, sending a command and showing
// its answer. The subcommands themselves are in the files that `add_...` is defined in.
#pragma once

#include "apps/accrue/client.hpp"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <string>

namespace CLI { // NOLINT(readability-identifier-naming): not ours
class App;
}

namespace accrue::cli {

inline constexpr int exit_done = 0;
inline constexpr int exit_refused = 1; ///< the server said no, or a check found something
inline constexpr int exit_usage = 2;
inline constexpr int exit_no_connection = 3; ///< nobody answers, or nothing could be read

/// The global options, and what the subcommand that was given wants to be run.
struct program {
  client::settings server;
  std::string key; ///< idempotency key of a command that changes something; empty: none given
  bool json = false;
  std::function<int()> action;
};

/// Sends one command and prints its answer; the exit code. `generated_id` is the id that the
/// command was given here: with it a person can repeat what had an unknown outcome. A command that
/// changes something and has neither id nor --key gets a new key.
[[nodiscard]] int run(const program& p, wire::call what, const std::string& generated_id = {});
[[nodiscard]] int run(const program& p,
                      std::string customer,
                      command::any what,
                      const std::string& generated_id = {});
/// Prints an answer.
void show(const program& p, const client::answer_body& answer, std::string_view customer);
/// Prints one JSON document on a line of its own.
void show(const nlohmann::json& document);
/// Says on one line of stderr why there is no answer; the exit code. `repeat` are the options that
/// make a repetition count as the same command, e.g. "--id 01..".
[[nodiscard]] int
report(const program& p, const client::failure& why, const std::string& repeat = {});

/// A new id: hexadecimal, in order of time to the millisecond, with 48 random bits.
[[nodiscard]] std::string new_id();

/// All customers of the namespace, by reference.
[[nodiscard]] client::outcome<wire::customers> list_customers(client::connection& server);

// Subcommands.
void add_customer(CLI::App& app, program& p); ///< customer, unit, profile
void add_credit(CLI::App& app, program& p);   ///< grant, consume, open, balance
void add_billing(CLI::App& app, program& p);  ///< charge, invoice, pay, run-due
/// grants, correct, recognize, reservation, transactions
void add_credit_history(CLI::App& app, program& p);
void add_import(CLI::App& app, program& p);  ///< import
void add_ledger(CLI::App& app, program& p);  ///< ledger
void add_console(CLI::App& app, program& p); ///< status, console, quarantine
void add_verify(CLI::App& app, program& p);  ///< verify

} // namespace accrue::cli
