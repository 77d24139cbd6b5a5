// What must hold after every step of the controller, whatever the database and the machine do
// (DESIGN.md, "What must always hold"). Shared by the controller's tests and by the campaign.
//
// Around a step: begin(state before), then end(state after, effects). Pure; plain values.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/step.h"

namespace lsmtuned::controller::testing {

class AlwaysChecks {
 public:
  // `real_search`: proposals come from the strategies, not from a test's hand.
  explicit AlwaysChecks(bool real_search = false) : real_search_(real_search) {}

  void begin(const State& before);
  // The rules that this step broke, in words.
  std::vector<std::string> end(const State& after, const std::vector<Effect>& effects);

  // A decision's record did not reach the disk. A revert that no trial's record covers does not
  // wait for it; an intent that is not on disk must not be sent.
  void record_failed(const Decision& decision);
  void recorded(const Decision& decision);

 private:
  void check_change(const State& after, const ApplyChanges& apply);
  void check_order(const State& after, const model::ChangeSet& back);
  void check_values(const State& after, const ApplyChanges& apply, const config::Policy& policy);
  void rule(bool holds, const char* words) {
    if (!holds) broken_.emplace_back(words);
  }

  bool real_search_;

  // Of the state before the step.
  config::Policy policy_;
  Phase phase_ = Phase::observing;
  std::uint64_t incarnation_ = 0;
  bool frozen_ = false;
  bool storm_ = false;
  bool call_out_ = false;

  std::set<std::uint64_t> intents_;  // on disk
  std::map<std::uint64_t, DecisionStatus> ended_;
  std::vector<std::string> broken_;
};

}  // namespace lsmtuned::controller::testing
