#include "bench/campaign/world.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "model/invariants.h"
#include "model/units.h"

namespace lsmtuned::campaign {
namespace {

using controller::DecisionKind;
using controller::Phase;
using model::Knob;

// Beyond what the policy allows one phase of a change: a call that hangs, a slow read-back.
constexpr double kStuckS = 300;
constexpr std::size_t kMostViolations = 5;

}  // namespace

void World::tell(const std::string& words) {
  if (story_ == nullptr) return;
  char time[32];
  std::snprintf(time, sizeof time, "%7.0f s  ", t_);
  *story_ << time << words << "\n";
}

std::string World::learned() const {
  if (!daemon_up_ || !state_.current_prediction) return "";
  std::string words =
      "; predicted " + model::format_rate(state_.current_prediction->put_bytes_per_s) +
      (state_.prediction_error_known ? ", error " + model::format_percent(state_.prediction_error)
                                     : ", error unknown") +
      ", device write " + model::format_rate(state_.persistent.calibration.write_bandwidth) +
      ", read " + model::format_rate(state_.persistent.calibration.read_bandwidth) + ", lessons:";
  for (std::size_t i = 0; i < model::kLessonOutcomes; ++i)
    if (const auto count = state_.lessons.by_outcome.at(i); count > 0)
      words += std::string(" ") + model::to_text(static_cast<model::LessonOutcome>(i)) + " " +
               std::to_string(count);
  return words;
}

// Once a simulated minute.
void World::status() {
  const auto& family = last_seen_.families.front();
  tell("accepted " + model::format_rate((accepted() - told_bytes_) / 60) + ", L0 " +
       std::to_string(static_cast<int>(family.levels[0].files)) + " files, " +
       std::to_string(static_cast<int>(family.immutable_memtables)) + " immutable, pending " +
       model::format_bytes(family.pending_compaction_bytes) + ", " +
       std::to_string(static_cast<int>(last_seen_.state.running_compactions)) +
       " compactions, oldest job " + model::format_duration(last_seen_.state.oldest_running_job_s) +
       (last_seen_.state.write_stopped ? ", stopped" : "") +
       (last_seen_.state.delayed_write_rate > 0
            ? ", delayed to " + model::format_rate(last_seen_.state.delayed_write_rate)
            : "") +
       learned());
  told_bytes_ = accepted();
}

void World::broken(const std::string& rule) {
  tell("VIOLATION: " + rule);
  if (out_.violations.size() >= kMostViolations) return;
  out_.violations.push_back("at " + std::to_string(static_cast<int>(t_)) + " s: " + rule);
}

void World::check_truth() {
  const model::Settings& settings = plant_->settings();
  const auto& family = settings.families.at(kFamily);
  const auto value = [&](Knob knob) { return family.get_or(knob, 0); };
  if (value(Knob::level0_file_num_compaction_trigger) >
          value(Knob::level0_slowdown_writes_trigger) ||
      value(Knob::level0_slowdown_writes_trigger) > value(Knob::level0_stop_writes_trigger))
    broken("L0 triggers in force are out of order");
  if (value(Knob::soft_pending_compaction_bytes_limit) >
      value(Knob::hard_pending_compaction_bytes_limit))
    broken("pending limits in force are out of order");
  if (value(Knob::max_write_buffer_number) < 2) broken("max_write_buffer_number below 2");
  if (value(Knob::write_buffer_size) < model::kMiB) broken("write_buffer_size below 1 MiB");
  if (!daemon_up_) return;

  const bool resting = state_.phase == Phase::observing || state_.phase == Phase::steady ||
                       state_.phase == Phase::cooldown;
  const bool seen = state_.last && state_.last->settings == settings && !state_.outstanding &&
                    !call_ && state_.safe_reason.empty();
  if (resting && seen && state_.persistent.incarnation == incarnation_) {
    const model::Settings explained =
        model::with_changes(state_.persistent.baseline, state_.persistent.kept);
    for (const auto& change : model::difference(explained, settings))
      if (ours_.count({change.family, change.knob}) != 0)
        broken(std::string("a value of ours that no kept decision explains: ") +
               model::describe({change}));
  }

  polls_in_phase_ = state_.phase == watched_phase_ ? polls_in_phase_ + 1 : 0;
  watched_phase_ = state_.phase;
  const double seconds = polls_in_phase_ * scenario_.policy.poll_interval_s;
  const bool changing = state_.phase == Phase::applying || state_.phase == Phase::settling ||
                        state_.phase == Phase::verifying || state_.phase == Phase::reverting;
  const double longest =
      std::max(scenario_.policy.settle_max_s, 2 * scenario_.policy.trial_max_s) + kStuckS;
  if (changing && seconds > longest) {
    broken(std::string("stuck in ") + controller::to_text(state_.phase));
    polls_in_phase_ = 0;
  }
}

void World::watch_answers() {
  const double l0 = l0_compactions();
  const double stalls = stalls_before_ + last_seen_.counters.stall_seconds;
  for (Watched& watched : watched_) {
    if (watched.answer.answered) continue;
    if (watched.l0_at == 0 && watched.calm_since == 0) {
      watched.l0_at = watched.calm_l0 = l0;
      watched.calm_since = t_;
      watched.noops_at = state_.noops;
      watched.stalls_seen = stalls;
    }
    Answer& answer = watched.answer;
    answer.cycles = l0 - watched.l0_at;
    answer.seconds = t_ - watched.at_s;
    if (answer.kind == ChangeKind::degradation && answer.noted_cycles < 0 &&
        fall_noted_at_s_ >= watched.fall_began_s)
      answer.noted_cycles = answer.cycles;
    answer.how = daemon_up_ ? controller::to_text(state_.phase) : "daemon away";
    const auto done = [&](std::string how) {
      answer.answered = true;
      answer.how = std::move(how);
      tell("answered after " + std::to_string(static_cast<int>(answer.cycles)) + " cycles, " +
           model::format_duration(answer.seconds) + ": " + answer.how);
    };
    if (stalls > watched.stalls_seen || plant_->write_stopped()) {  // a stall: calm begins anew
      watched.stalls_seen = stalls;
      watched.calm_l0 = l0;
      watched.calm_since = t_;
    }
    const bool calm = stalls == watched.stalls_seen && !plant_->write_stopped();
    if (answer.cycles < 1) {
      watched.noops_at = state_.noops;
      continue;
    }
    watched.noops_at = std::min(watched.noops_at, state_.noops);  // a daemon that restarted
    if (newest_ && newest_->kind != DecisionKind::noop) {
      done(std::string("decision ") + controller::to_text(newest_->status));
    } else if (state_.noops > watched.noops_at && !state_.last_noop_reason.empty() &&
               state_.last_noop_reason != "measuring") {
      done("no change: " + state_.last_noop_reason);
    } else if (calm && l0 - watched.calm_l0 >= 1) {
      done("writes within limits");
    }
  }
}

void World::watch(ChangeKind kind, double fall_began_s) {
  Watched watched;
  watched.fall_began_s = fall_began_s;
  watched.answer.kind = kind;
  watched.at_s = t_;
  watched_.push_back(watched);
}

}  // namespace lsmtuned::campaign
