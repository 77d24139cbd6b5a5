#include "script.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "driver.h"

namespace lsmtuned::controller::testing {
namespace {

using Words = std::vector<std::string>;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what);
}

const std::string& word(const Words& words, std::size_t index) {
  if (index >= words.size()) fail("a word is missing at the end");
  return words[index];
}

model::Knob knob_named(const std::string& name) {
  const auto knob = model::knob_from_option(name);
  if (!knob) fail("unknown knob " + name);
  return *knob;
}

config::Mode mode_named(const std::string& name) {
  const auto mode = config::mode_from_text(name);
  if (!mode) fail("unknown mode " + name);
  return *mode;
}

Phase phase_named(const std::string& name) {
  for (int i = 0; i < kPhaseCount; ++i)
    if (name == to_text(static_cast<Phase>(i))) return static_cast<Phase>(i);
  fail("unknown phase " + name);
}

DecisionKind kind_named(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(DecisionKind::revert); ++i)
    if (name == to_text(static_cast<DecisionKind>(i))) return static_cast<DecisionKind>(i);
  fail("unknown decision kind " + name);
}

std::pair<std::string, std::string> assignment(const std::string& text) {
  const auto at = text.find('=');
  if (at == std::string::npos) fail("expected key=value, got " + text);
  return {text.substr(0, at), text.substr(at + 1)};
}

void set_policy(config::Policy& policy, const std::string& key, const std::string& value) {
  if (key == "mode")
    policy.mode = mode_named(value);
  else if (key == "reapply")
    policy.reapply_after_restart = value == "yes";
  else if (key == "on_exit")
    policy.on_exit = value == "keep" ? config::ExitPolicy::keep : config::ExitPolicy::revert;
  else if (key == "strategy")
    policy.strategy = value == "rules"   ? config::Strategy::rules
                      : value == "probe" ? config::Strategy::probe
                                         : config::Strategy::model;
  else if (key == "verify")
    policy.verify = value == "yes";
  else if (key == "freeze_window") {
    const auto dash = value.find('-');
    policy.freeze_windows = {{value.substr(0, dash), value.substr(dash + 1)}};
  } else {
    const double number = std::stod(value);
    if (key == "cooldown_s")
      policy.cooldown_s = number;
    else if (key == "observation_s")
      policy.observation_s = number;
    else if (key == "trust_gate_error")
      policy.trust_gate_error = number;
    else if (key == "minimum_gain")
      policy.minimum_gain = number;
    else if (key == "memory_budget")
      policy.memory_budget_bytes = number;
    else if (key == "reverts_per_hour_limit")
      policy.reverts_per_hour_limit = static_cast<int>(number);
    else if (key == "trial_min_cycles")
      policy.trial_min_cycles = static_cast<int>(number);
    else if (key == "trial_max_s")
      policy.trial_max_s = number;
    else if (key == "settle_max_s")
      policy.settle_max_s = number;
    else if (key == "failed_memory_s")
      policy.failed_memory_s = number;
    else
      fail("unknown policy key " + key);
  }
}

void set_plant(Plant& plant, const std::string& key, const std::string& value) {
  const double number = std::stod(value);
  if (key == "rate")
    plant.rate = number * 1024 * 1024;
  else if (key == "stall")
    plant.stall = number;
  else if (key == "cycle")
    plant.cycle_s = number;
  else if (key == "put")
    plant.put_bytes = number;
  else if (key == "reads")
    plant.reads_per_s = number;
  else if (key == "pending")
    plant.pending = number * 1024 * 1024;
  else if (key == "pending_growth")
    plant.pending_growth = number * 1024 * 1024;
  else if (key == "pending_drains")
    plant.pending_drains = number != 0;
  else if (key == "l0")
    plant.l0_files = number;
  else if (key == "immutables")
    plant.immutables = number;
  else if (key == "running")
    plant.running_compactions = number;
  else if (key == "device")
    plant.device_rate = number * 1024 * 1024;
  else if (key == "job_age")
    plant.job_age_s = number;
  else if (key == "delayed")
    plant.delayed = number != 0;
  else if (key == "stopped")
    plant.stopped = number != 0;
  else
    fail("unknown plant key " + key);
}

class Script {
 public:
  void run(const Words& words) {
    const std::string& verb = words.front();
    if (verb == "policy") {
      for (std::size_t i = 1; i < words.size(); ++i) {
        const auto [key, value] = assignment(words[i]);
        set_policy(policy_, key, value);
      }
      if (driver_) driver_->feed(PolicyChanged{policy_});
      return;
    }
    if (!driver_) driver_ = std::make_unique<Driver>(policy_);
    Driver& d = *driver_;
    if (verb == "plant" || verb == "tuned") {
      for (std::size_t i = 1; i < words.size(); ++i) {
        const auto [key, value] = assignment(words[i]);
        set_plant(verb == "plant" ? d.plant : d.tuned_plant, key, value);
      }
    } else if (verb == "candidate") {
      candidate(words);
    } else if (verb == "attach") {
      d.attach();
    } else if (verb == "lose") {
      d.lose();
    } else if (verb == "poll") {
      d.poll(std::stoi(word(words, 1)));
    } else if (verb == "wait") {
      d.wait(std::stoi(word(words, 1)));
    } else if (verb == "suspend") {
      d.now += std::stoi(word(words, 1));
      d.wall += std::stoi(word(words, 1));
    } else if (verb == "until") {
      if (!d.poll_until(phase_named(word(words, 1)), std::stoi(word(words, 2))))
        fail("phase is " + std::string(to_text(d.state.phase)) + ", not " + words[1]);
    } else if (verb == "bad_polls") {
      d.failing_polls = std::stoi(word(words, 1));
      d.poll(d.failing_polls);
    } else if (verb == "answer") {
      answer(word(words, 1));
    } else if (verb == "late") {
      if (word(words, 1) == "lands")
        d.land_call();
      else
        d.finish_call(word(words, 1) == "ok" ? ApplyStatus::ok : ApplyStatus::failed);
    } else if (verb == "records_fail") {
      d.failing_records = std::stoi(word(words, 1));
    } else if (verb == "foreign") {
      const auto knob = knob_named(word(words, 1));
      const bool family = model::info(knob).scope == model::KnobScope::family;
      d.settings.set(family ? "default" : "", knob, std::stod(word(words, 2)));
    } else if (verb == "command") {
      command(words);
    } else if (verb == "freeze_file") {
      d.freeze_file_present = word(words, 1) == "there";
    } else if (verb == "minute") {
      d.minute = std::stod(word(words, 1));
    } else if (verb == "restart") {
      if (word(words, 1) == "database") {
        d.restart_database(words.size() > 2 && words[2] == "persisted");
      } else {
        d.restart_daemon(words.size() > 2);
      }
    } else if (verb == "shutdown") {
      d.feed(Shutdown{});
    } else if (verb == "expect") {
      expect(words);
    } else {
      fail("unknown command " + verb);
    }
    if (!d.broken.empty()) fail("a rule was broken: " + d.broken.front());
  }

 private:
  void candidate(const Words& words) {
    if (word(words, 1) == "none") return driver_->candidate(model::Knob::write_buffer_size, 0);
    double gain = 0.3;
    double probability = 0.95;
    for (std::size_t i = 3; i < words.size(); ++i) {
      const auto [key, value] = assignment(words[i]);
      (key == "gain" ? gain : probability) = std::stod(value);
    }
    driver_->candidate(knob_named(words[1]), std::stod(word(words, 2)), gain, probability);
  }

  void answer(const std::string& text) {
    Answer answer;
    if (text == "failed" || text == "partial") answer.status = ApplyStatus::failed;
    if (text == "not_sent") answer.status = ApplyStatus::not_sent;
    if (text == "pending") answer.status = ApplyStatus::pending;
    answer.partial = text == "partial";
    answer.ineffective = text == "ineffective";
    driver_->answers.push_back(answer);
  }

  void command(const Words& words) {
    using Kind = OperatorCommand::Kind;
    const std::string& what = word(words, 1);
    if (what == "freeze")
      driver_->command(Kind::freeze);
    else if (what == "thaw")
      driver_->command(Kind::thaw);
    else if (what == "revert")
      driver_->command(Kind::revert);
    else if (what == "clear_safe")
      driver_->command(Kind::clear_safe);
    else if (what == "apply")
      driver_->command(Kind::apply, driver_->decision(DecisionKind::proposal).id);
    else if (what == "mode")
      driver_->command(Kind::set_mode, 0, mode_named(word(words, 2)));
    else if (what == "try")
      driver_->propose(knob_named(word(words, 2)), std::stod(word(words, 3)));
    else
      fail("unknown operator command " + what);
  }

  static void equal(const std::string& what, const std::string& wanted, const std::string& found) {
    if (wanted != found) fail(what + " is " + found + ", expected " + wanted);
  }

  // The words from the fourth on, in a sentence.
  static void holds(const std::string& what, const std::string& found, const Words& words) {
    std::string wanted;
    for (std::size_t i = 3; i < words.size(); ++i) wanted += (i > 3 ? " " : "") + words[i];
    if (found.find(wanted) == std::string::npos)
      fail(what + " is \"" + found + "\", expected \"" + wanted + "\" in it");
  }

  void expect(const Words& words) {
    Driver& d = *driver_;
    const std::string& what = word(words, 1);
    if (what == "phase") {
      equal("phase", word(words, 2), to_text(d.state.phase));
    } else if (what == "status") {
      equal("status", word(words, 3), to_text(d.decision(kind_named(word(words, 2))).status));
    } else if (what == "none") {
      if (const auto id = d.decision(kind_named(word(words, 2))).id; id != 0)
        fail("there is decision " + std::to_string(id) + " of that kind");
    } else if (what == "evidence") {
      holds("evidence", d.decision(kind_named(word(words, 2))).evidence, words);
    } else if (what == "waiting") {
      const auto& candidate = d.state.candidate;
      equal("waiting", word(words, 2), candidate ? "yes" : "no");
      if (candidate) holds("what it waits for", candidate->waits_for, words);
    } else if (what == "setting") {
      const auto knob = knob_named(word(words, 2));
      equal(words[2], model::to_option_text(knob, std::stod(word(words, 3))),
            model::to_option_text(knob, d.settings.get("default", knob).value_or(0)));
    } else if (what == "noop") {
      equal("last no-op", word(words, 2), d.decision(DecisionKind::noop).reason);
    } else if (what == "noted") {
      if (std::none_of(d.history.begin(), d.history.end(), [&](const auto& entry) {
            return entry.second.kind == DecisionKind::noop && entry.second.reason == word(words, 2);
          }))
        fail("nothing was noted for " + words[2]);
    } else if (what == "alert") {
      if (std::find(d.alerts.begin(), d.alerts.end(), word(words, 2)) == d.alerts.end())
        fail("there was no alert " + words[2]);
    } else if (what == "refused") {
      if (d.refusal.empty()) fail("the command was taken");
    } else if (what == "kept") {
      equal("kept", word(words, 2), std::to_string(d.state.persistent.kept.size()));
    } else if (what == "sent") {
      equal("changes sent", word(words, 2), std::to_string(d.sent(false)));
    } else if (what == "reverts") {
      equal("reverts sent", word(words, 2), std::to_string(d.sent(true)));
    } else {
      fail("unknown expectation " + what);
    }
  }

  config::Policy policy_ = Driver::base_policy();
  std::unique_ptr<Driver> driver_;
};

}  // namespace

std::string run_script(const std::string& path) {
  std::ifstream file(path);
  if (!file) return path + ": cannot be read";
  Script script;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    std::istringstream stream(line.substr(0, line.find('#')));
    Words words;
    for (std::string text; stream >> text;) words.push_back(text);
    if (words.empty()) continue;
    try {
      script.run(words);
    } catch (const std::exception& problem) {
      return path + ":" + std::to_string(number) + ": " + problem.what();
    }
  }
  return {};
}

}  // namespace lsmtuned::controller::testing
