#include <algorithm>
#include <cmath>

#include "controller/guard.h"
#include "controller/reducer.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {
constexpr double kLookAgainS = 10;       // between looks that ended in a no-op, at most
constexpr double kSearchTimeoutS = 600;  // a search that never answered is forgotten
constexpr double kCyclesBeforeProposal = 3;
}  // namespace

void Reducer::start_apply(Decision decision) {
  decision.status = DecisionStatus::intended;
  decision.before = state.last->settings;
  decision.measured_before = state.current_measure;
  Trial trial;
  trial.decision = decision;
  std::vector<Mark> marks;
  for (const auto& sample : state.recent) marks.push_back(mark_of(sample));
  trial.before = trial_baseline(marks, tree_bytes(*state.last), policy.objective);
  trial.candidate = std::exchange(state.candidate, std::nullopt);
  state.trial = std::move(trial);
  state.persistent.open_trial = decision;
  state.outstanding = OutstandingCall{decision.id, false, false, now()};
  state.advice.reset();
  state.last_noop_reason.clear();
  record(decision);
  effects.emplace_back(ApplyChanges{decision.id, decision.changes, policy.apply_deadline_s, false});
  move_to(Phase::applying);
}

void Reducer::consider() {
  if (!state.last || state.outstanding) return;
  if (!state.reapply.empty()) return consider_reapply();
  if (state.search_running) {
    if (now() - state.search_started_s < kSearchTimeoutS) return;
    state.search_running = false;
    noop("search", "a search did not answer in time");
  }
  if (state.candidate) return try_candidate();
  if (now() < state.next_search_s) return;
  state.next_search_s = now() + std::clamp(5 * policy.poll_interval_s, 0.5, kLookAgainS);
  const auto& measure = state.current_measure;
  const double cycles_needed = std::min<double>(kCyclesBeforeProposal, policy.trial_min_cycles);
  if (!saturated() && policy.objective != config::Objective::efficiency) {
    if (measure.seconds > 0)
      noop("headroom", "writes hardly stall (" + model::format_percent(measure.stall_share) +
                           " of the time): there is nothing to gain");
    return;
  }
  if (measure.l0_compactions < cycles_needed)
    return noop("measuring", "fewer than " + std::to_string(static_cast<int>(cycles_needed)) +
                                 " whole L0 compaction cycles were seen under these settings");
  if (!state.prediction_error_known && saturated())
    return noop("measuring", "the model has not been compared with this database yet");
  if (state.prediction_error_known && state.prediction_error > policy.trust_gate_error)
    return noop("trust", "the model is off by " + model::format_percent(state.prediction_error) +
                             ", above the gate of " +
                             model::format_percent(policy.trust_gate_error) + ": watching only");
  std::erase_if(state.failed, [&](const FailedCandidate& f) { return f.until_s <= now(); });
  SearchRequest request;
  request.seed = event.seed;
  request.snapshot = *state.last;
  request.calibration = state.persistent.calibration;
  request.policy = policy;
  request.cpu_cores = state.cpu_cores;
  request.probability_needed = policy.minimum_probability;
  request.failed = state.failed;
  request.foreign = state.foreign;
  state.search_running = true;
  state.search_started_s = now();
  state.next_search_s = now() + std::max(kLookAgainS, policy.cooldown_s / 10);
  effects.emplace_back(RequestSearch{std::move(request)});
}

void Reducer::on(const SearchFinished& finished) {
  if (!state.search_running) return;  // late or doubled
  state.search_running = false;
  if (std::exchange(state.discard_search, false)) return;
  if (state.phase != Phase::steady || !state.last) return;
  const SearchResult& result = finished.result;
  if (!result.error.empty()) return noop("search", result.error, result.considered);
  if (result.best.empty())
    return noop("best", "no allowed settings are predicted to be better", result.considered);
  if (!(result.objective_gain >= policy.minimum_gain))
    return noop("small_gain",
                "the best candidate promises " + model::format_percent(result.objective_gain) +
                    ", less than the minimum of " + model::format_percent(policy.minimum_gain),
                result.considered);
  if (!(result.probability_of_gain >= policy.minimum_probability))
    return noop("uncertain",
                "a gain of " + model::format_percent(policy.minimum_gain) + " is only " +
                    model::format_percent(result.probability_of_gain) + " likely",
                result.considered);
  for (const auto& failed : state.failed)
    if (failed.until_s > now() && near(result.best, failed.changes))
      return noop("failed_before", "this candidate was tried and reverted", result.considered);
  state.candidate = WaitingCandidate{result, now()};
  try_candidate();
}

void Reducer::try_candidate() {
  if (now() < state.candidate->not_before_s) return;
  const SearchResult& result = state.candidate->result;
  const auto verdict =
      check_changes(*state.last, result.best, policy, state.cpu_cores, state.foreign);
  if (verdict.gate == Gate::wait && now() - state.candidate->found_at_s < kCandidateWaitS) return;
  if (verdict.gate != Gate::open) {
    noop(verdict.reason, verdict.explanation + " (" + model::describe(result.best) + ")",
         result.considered);
    state.candidate.reset();
    return;
  }
  if (mode() == config::Mode::advise && state.advice &&
      state.advice->changes == result.best) {  // said already
    state.candidate.reset();
    return;
  }
  Decision decision = new_decision(DecisionKind::proposal);
  decision.reason = "gain";
  decision.changes = result.best;
  decision.predicted_before = result.current;
  decision.predicted_after = result.predicted;
  decision.predicted_settled = result.predicted_settled;
  decision.measured_before = state.current_measure;
  decision.considered = result.considered;
  decision.short_trial = policy.trial_min_cycles < config::Policy{}.trial_min_cycles;
  decision.explanation = model::describe(result.best) + ": predicted " +
                         model::format_rate(result.predicted.put_bytes_per_s) + " after " +
                         model::format_rate(result.current.put_bytes_per_s) + ", bound by " +
                         model::to_text(result.predicted.bound) + "; a gain of at least " +
                         model::format_percent(policy.minimum_gain) + " is " +
                         model::format_percent(result.probability_of_gain) + " likely";
  if (mode() == config::Mode::advise) {
    decision.status = DecisionStatus::advised;
    state.advice = decision;
    state.candidate.reset();
    state.last_noop_reason.clear();
    state.next_search_s = now() + std::max(kLookAgainS, policy.cooldown_s);
    record(decision);
    alert(Alert::Severity::info, "advice",
          "decision " + std::to_string(decision.id) + " advises " + decision.explanation);
    return;
  }
  start_apply(std::move(decision));
}

// Settings kept before a restart of the database, where the policy wants them back.
void Reducer::consider_reapply() {
  model::ChangeSet wanted;
  for (auto change : state.reapply) {
    const auto present = state.last->settings.get(change.family, change.knob);
    if (!present || *present == change.new_value) continue;
    change.old_value = *present;
    wanted.push_back(change);
  }
  if (wanted.empty() || mode() != config::Mode::tune) {
    state.reapply.clear();
    return;
  }
  const auto verdict = check_changes(*state.last, wanted, policy, state.cpu_cores, state.foreign);
  if (verdict.gate == Gate::wait) return noop(verdict.reason, verdict.explanation);
  Decision decision = new_decision(DecisionKind::reapply);
  decision.reason = "restart";
  decision.changes = wanted;
  decision.explanation = "kept before the database restarted: " + model::describe(wanted);
  state.reapply.clear();
  if (verdict.gate == Gate::closed) {
    end(decision, DecisionStatus::refused, verdict.explanation);
    return;
  }
  start_apply(std::move(decision));
}

}  // namespace lsmtuned::controller
