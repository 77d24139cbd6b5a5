#include "controller/transitions.h"

#include <array>

namespace lsmtuned::controller {
namespace {

constexpr std::array kTable = {
    Transition{Phase::observing, Phase::steady,
               "the observation period is over and the mode is advise or tune"},
    Transition{Phase::observing, Phase::reverting,
               "an operator's revert, or values of ours that no decision explains"},
    Transition{Phase::observing, Phase::frozen, "a freeze began"},
    Transition{Phase::observing, Phase::safe,
               "bad data, target lost, or the rollback storm is latched"},
    Transition{Phase::steady, Phase::applying,
               "a proposal passed every guard; its intent is recorded and the call sent"},
    Transition{Phase::steady, Phase::observing,
               "the mode became observe, or the database was restarted"},
    Transition{Phase::steady, Phase::reverting,
               "an operator's revert, values of ours that no decision explains, or writes that "
               "stall at less than was taken before a kept change"},
    Transition{Phase::steady, Phase::frozen, "a freeze began"},
    Transition{Phase::steady, Phase::safe, "bad data, or target lost"},
    Transition{Phase::applying, Phase::settling, "the call returned OK"},
    Transition{Phase::applying, Phase::steady,
               "nothing was sent: not recorded, writes stopped, or connection busy"},
    Transition{Phase::applying, Phase::cooldown, "the call failed and changed nothing"},
    Transition{Phase::applying, Phase::reverting,
               "the call failed part way, or the trial was called off while it ran"},
    Transition{Phase::applying, Phase::observing, "the database was restarted during the call"},
    Transition{Phase::applying, Phase::safe, "target lost during the call"},
    Transition{Phase::settling, Phase::verifying,
               "jobs older than the call have ended and a newer L0 compaction completed"},
    Transition{
        Phase::settling, Phase::cooldown,
        "settings that need no verdict took hold: applied again after a restart, or unverified "
        "by policy; or nothing of the trial is left"},
    Transition{Phase::settling, Phase::reverting,
               "the trial was called off: freeze, foreign change, bad data, operator, or it did "
               "not take hold"},
    Transition{Phase::settling, Phase::observing, "the database was restarted"},
    Transition{Phase::settling, Phase::safe, "target lost"},
    Transition{Phase::verifying, Phase::cooldown,
               "kept, or nothing of the trial is left to revert"},
    Transition{Phase::verifying, Phase::reverting, "worse, no gain, inconclusive, or called off"},
    Transition{Phase::verifying, Phase::observing, "the database was restarted"},
    Transition{Phase::verifying, Phase::safe, "target lost"},
    Transition{Phase::cooldown, Phase::steady, "the cooldown is over"},
    Transition{Phase::cooldown, Phase::observing,
               "the mode became observe, or the database was restarted"},
    Transition{Phase::cooldown, Phase::reverting,
               "an operator's revert, or values of ours that no decision explains"},
    Transition{Phase::cooldown, Phase::frozen, "a freeze began"},
    Transition{Phase::cooldown, Phase::safe, "bad data, or target lost"},
    Transition{Phase::reverting, Phase::cooldown, "the old values were read back"},
    Transition{Phase::reverting, Phase::observing,
               "the old values were read back while the mode is observe or the observation is not "
               "over; or the database was restarted"},
    Transition{Phase::reverting, Phase::frozen, "the old values were read back during a freeze"},
    Transition{
        Phase::reverting, Phase::safe,
        "the old values were read back, and the storm or bad data keeps us still; or target lost"},
    Transition{Phase::frozen, Phase::observing, "the freeze ended, or the database was restarted"},
    Transition{
        Phase::frozen, Phase::reverting,
        "an operator's revert, or values of ours that no decision explains: a revert never waits"},
    Transition{Phase::frozen, Phase::safe, "bad data, or target lost"},
    Transition{Phase::safe, Phase::observing,
               "good data returned, or an operator cleared the latch"},
    Transition{Phase::safe, Phase::frozen, "the same, during a freeze"},
    Transition{
        Phase::safe, Phase::reverting,
        "an operator's revert, or values of ours that no decision explains: a revert never waits"},
};

}  // namespace

std::span<const Transition> transitions() {
  return kTable;
}

bool allowed(Phase from, Phase to) {
  if (from == to) return true;
  for (const auto& row : kTable)
    if (row.from == from && row.to == to) return true;
  return false;
}

std::string transitions_markdown() {
  std::string text = "| from | to | when |\n|---|---|---|\n";
  for (const auto& row : kTable) {
    text +=
        std::string("| ") + to_text(row.from) + " | " + to_text(row.to) + " | " + row.why + " |\n";
  }
  return text;
}

}  // namespace lsmtuned::controller
