// What snapshots teach: the measuring window, the calibration, the present S_max and the model's
// error.
#include <algorithm>
#include <cmath>
#include <utility>

#include "controller/guard.h"
#include "controller/reducer.h"
#include "controller/simulated.h"
#include "model/analysis/every_model.h"
#include "model/estimate/interval.h"
#include "model/simulator/from_snapshot.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {

constexpr double kWindowS = 120;     // at least this long,
constexpr double kWindowCycles = 6;  // and this many L0 -> base cycles
constexpr std::size_t kWindowSnapshots = 600;
constexpr double kCyclesPerLesson = 2;   // calibration spans hold at least so many
constexpr double kErrorWeight = 0.3;     // of the newest, in the rolling model error
constexpr double kBiasWeight = 0.3;      // of the newest, in the bias
constexpr double kLargestBias = 0.4;     // ln; a model further off is wrong, not biased
constexpr double kHeldBackShare = 0.2;   // of time stalled: the rate is the database's own
constexpr double kPredictionAgeS = 300;  // for display only: recomputed at most this often,
                                         // and under other settings
constexpr double kPauseShare = 0.3;      // of the usual put rate: below, nothing ran
constexpr double kModelsAgeS = 300;      // every model is compared at most this often
constexpr std::uint32_t kMembers = 2;    // of the file layer's ensemble

double l0_count(const model::Snapshot& snapshot) {
  return static_cast<double>(snapshot.state.l0_compactions_completed);
}

void thin(std::deque<model::Snapshot>& recent) {
  // The window must reach back far enough...
  while (recent.size() > 2 && recent.back().time_s - recent[1].time_s >= kWindowS &&
         l0_count(recent.back()) - l0_count(recent[1]) >= kWindowCycles)
    recent.pop_front();
  // ... in a bounded number of samples; cycle ends are found to within two of them.
  if (recent.size() <= kWindowSnapshots) return;
  std::deque<model::Snapshot> kept;
  for (std::size_t i = 0; i < recent.size(); ++i)
    if (i % 2 == 0 || i + 1 == recent.size()) kept.push_back(std::move(recent[i]));
  recent = std::move(kept);
}

}  // namespace

bool Reducer::saturated() const {
  return state.current_measure.stall_share > kCalmStallShare ||
         (state.last && state.last->state.write_stopped);
}

void Reducer::forget_window() {
  state.recent.clear();
  state.calibration_from.reset();
  state.compared.reset();
  state.current_measure = {};
  state.predicted_at_s = -kPredictionAgeS;
}

// Writers that stall for a part of the time would write measured / (1 - share) if they did not:
// where that is less than S_max, it is what a right model expects to be taken.
void Reducer::learn_error(double measured, double predicted, double stall_share) {
  if (!(measured > 0) || !(predicted > 0)) return;
  const double demand = demand_bytes_per_s(measured, stall_share);
  const double error = std::abs(std::log(measured / std::min(predicted, demand)));
  if (!std::isfinite(error)) return;
  state.prediction_error =
      state.prediction_error_known
          ? state.prediction_error + kErrorWeight * (error - state.prediction_error)
          : error;
  state.prediction_error_known = true;
}

model::Prediction Reducer::unbiased(model::Prediction prediction) const {
  const double factor = std::exp(state.persistent.prediction_bias);
  prediction.put_bytes_per_s *= factor;
  prediction.low_bytes_per_s *= factor;
  prediction.high_bytes_per_s *= factor;
  return prediction;
}

// `after`: under load, as its verdict was found.
void Reducer::learn_from_trial(const Trial& trial, const WindowMeasure& after) {
  auto& calibration = state.persistent.calibration;
  const TrialBaseline& before = trial.before;
  const model::Prediction& predicted = trial.decision.predicted_after;
  // An unsaturated rate only bounds S_max from below.
  const bool saturated = after.stall_share > kCalmStallShare;
  if (!saturated && !(after.put_bytes_per_s > predicted.put_bytes_per_s)) return;
  learn_error(after.put_bytes_per_s, predicted.put_bytes_per_s, after.stall_share);
  if (!saturated) return;
  model::PredictiveInterval expected;
  expected.put_bytes_per_s = predicted.put_bytes_per_s;
  expected.low_bytes_per_s = predicted.low_bytes_per_s;
  expected.high_bytes_per_s = predicted.high_bytes_per_s;
  expected.structural_deviation = calibration.relative_error;
  model::record_outcome(calibration, expected, after.put_bytes_per_s, after.l0_compactions);
  const double predicted_before = trial.decision.predicted_before.put_bytes_per_s;
  if (before.stall_share > kCalmStallShare && before.rate.mean > 0 && after.put_bytes_per_s > 0 &&
      predicted_before > 0 && predicted.put_bytes_per_s > 0) {
    const double error = std::hypot(before.rate.standard_error / before.rate.mean,
                                    after.standard_error / after.put_bytes_per_s);
    model::record_gain(calibration, std::log(predicted.put_bytes_per_s / predicted_before),
                       std::log(after.put_bytes_per_s / before.rate.mean), error);
  }
}

void Reducer::refresh_predictions() {
  const auto* family = state.last ? model::worst_family(*state.last) : nullptr;
  if (family == nullptr || !state.persistent.calibrated) return;
  state.predicted_at_s = now();
  const auto over_trial =
      predict_present(*state.last, family->name, state.persistent.calibration, state.cpu_cores,
                      trial_run(horizons_of(policy), model::SimulationLayer::files, kMembers));
  const auto settled = predict_present(*state.last, family->name, state.persistent.calibration,
                                       state.cpu_cores, settled_run(horizons_of(policy)));
  state.current_prediction.reset();
  state.current_settled.reset();
  if (over_trial) state.current_prediction = unbiased(*over_trial);
  if (settled) state.current_settled = unbiased(*settled);
}

// For display only: how right each model is here, uncorrected for its bias. A few milliseconds of
// simulation, so not after every span.
void Reducer::compare_every_model(const model::Snapshot& from, const std::string& family,
                                  double seconds, double measured, double demand) {
  if (!(measured > 0)) return;
  if (!state.model_accuracy.empty() && now() - state.models_compared_at_s < kModelsAgeS) return;
  auto problem =
      model::problem_from(from, family, state.compared->calibration, seconds, state.cpu_cores);
  if (!problem || !problem->check().empty()) return;
  problem->workload.offered_bytes_per_s = std::isfinite(demand) ? demand : 0;
  state.models_compared_at_s = now();
  for (const model::ModelRate& rate : model::rates_by_every_model(*problem, kMembers)) {
    const auto seen =
        std::find_if(state.model_accuracy.begin(), state.model_accuracy.end(),
                     [&](const ModelAccuracy& one) { return one.model == rate.model; });
    ModelAccuracy& known = seen != state.model_accuracy.end()
                               ? *seen
                               : state.model_accuracy.emplace_back(ModelAccuracy{rate.model});
    const double accuracy = std::max(0.0, 1 - std::abs(rate.put_bytes_per_s / measured - 1));
    known.accuracy =
        known.spans == 0 ? accuracy : known.accuracy + kErrorWeight * (accuracy - known.accuracy);
    ++known.spans;
    known.predicted_bytes_per_s = rate.put_bytes_per_s;
    known.measured_bytes_per_s = measured;
  }
}

// What the span that ends here took, beside what was predicted at its start of the load that its
// writers offered: delays cost a paced writer more than one who makes up for them later. Without
// stalls the rate is the offered load, not the database's.
void Reducer::compare(const model::Snapshot& snapshot) {
  const model::Snapshot& from = state.compared->from;
  const auto span = model::measure(from, snapshot);
  const auto* worst = model::worst_family(snapshot);
  const auto* family = worst != nullptr ? model::find_family(from, worst->name) : nullptr;
  if (!span.valid || !(span.stall_share > kCalmStallShare) || family == nullptr ||
      !(from.settings == snapshot.settings))
    return;
  const SimulatedModel::Run run{model::SimulationLayer::files, kMembers, 0, span.seconds};
  const double demand = demand_bytes_per_s(span.put_bytes_per_s, span.stall_share);
  compare_every_model(from, family->name, span.seconds, span.put_bytes_per_s, demand);
  const auto expected = predict_present(from, family->name, state.compared->calibration,
                                        state.cpu_cores, run, std::isfinite(demand) ? demand : 0);
  if (!expected) return;
  const bool settled = span.seconds >= policy.trial_min_s;
  if (settled && !state.prediction_error_settled) state.prediction_error_known = false;
  state.prediction_error_settled = state.prediction_error_settled || settled;
  const double predicted = unbiased(*expected).put_bytes_per_s;
  learn_error(span.put_bytes_per_s, predicted, span.stall_share);
  if (span.stall_share < kHeldBackShare || !(predicted > 0) || !(span.put_bytes_per_s > 0)) return;
  double& bias = state.persistent.prediction_bias;
  bias = std::clamp(bias + kBiasWeight * std::log(span.put_bytes_per_s / predicted), -kLargestBias,
                    kLargestBias);
}

// What was predicted for the device of before says nothing about the model, what was searched for
// it is another question now, and a trial on both shows what the device did.
void Reducer::device_changed(model::DeviceChange change, double bandwidth_before) {
  state.calibration_from.reset();
  state.compared.reset();
  state.predicted_at_s = now() - kPredictionAgeS;
  forget_found();
  state.advice.reset();
  state.fruitless_searches = 0;
  state.next_search_s = std::min(state.next_search_s, now());
  state.rests_until_s = 0;
  state.family_rests.clear();
  note_device(change, bandwidth_before);
  if (state.trial && !unverified(policy) && state.trial->decision.kind != DecisionKind::reapply)
    state.trial->device_changed = true;
  end_trial_on_both_devices();
}

// One whose call is still out ends when that is back.
void Reducer::end_trial_on_both_devices() {
  if (state.trial && state.trial->device_changed &&
      (state.phase == Phase::settling || state.phase == Phase::verifying))
    revert_trial(DecisionStatus::inconclusive, "device",
                 "what the device can do changed during the trial", false);
}

// Operators want to know of a device that fell whether or not a change follows from it.
void Reducer::note_device(model::DeviceChange change, double bandwidth_before) {
  const bool fell = change == model::DeviceChange::fell;
  Decision decision = new_decision(DecisionKind::noop);
  decision.reason = fell ? "device_fell" : "device_recovered";
  decision.explanation =
      std::string("the device ") + (fell ? "fell" : "recovered") + ": believed to write at most " +
      model::format_rate(state.persistent.calibration.write_bandwidth) + " after " +
      model::format_rate(bandwidth_before) + "; what was found for the device of before is dropped";
  decision.measured_before = state.current_measure;
  judge_kpis(decision);
  ++state.noops;
  state.last_noop_reason.clear();
  alert(fell ? Alert::Severity::warning : Alert::Severity::info, decision.reason,
        decision.explanation);
  end(decision, DecisionStatus::noted, "");
}

// The machine stood still: a rate over the pause is not one of the database's. Where only samples
// were lost, writes went on and the counters are right.
void Reducer::skip_pause(const model::Snapshot& snapshot) {
  if (state.recent.empty()) return;
  const Mark last = mark_of(state.recent.back());
  const Mark mark = mark_of(snapshot);
  const double pause_s = mark.time_s - last.time_s;
  const double usual = pause_s * state.current_measure.put_bytes_per_s;
  if (pause_s <= longest_pause_s() || mark.user_bytes - last.user_bytes >= kPauseShare * usual)
    return;
  forget_window();
  state.device_watch.whole = false;
  if (!state.trial) return;
  state.trial->followed.reset();
  for (Mark& earlier : state.trial->marks) earlier.time_s += pause_s;
}

void Reducer::estimate(const model::Snapshot& snapshot) {
  auto& persistent = state.persistent;
  skip_pause(snapshot);
  const bool first = !persistent.calibrated;
  if (first) {
    persistent.calibration = model::prior_from(snapshot);
    persistent.calibrated = true;
  }
  if (!state.recent.empty()) model::watch(state.workload, state.recent.back(), snapshot);
  state.recent.push_back(snapshot);
  thin(state.recent);
  const std::vector<Mark> marks = marks_of(state.recent);
  state.current_measure = measure_marks(marks, false);
  const std::vector<Mark> loaded = under_load(marks, loaded_rate(marks));
  state.loaded_bytes_per_s = put_rate(loaded, false).mean;
  state.latest_bytes_per_s = latest_rate(loaded);
  if (state.recent.size() >= 2)
    add_latencies(state.current_measure, state.recent.front(), state.recent.back());

  const double bandwidth_before = persistent.calibration.write_bandwidth;
  if (const auto change = model::watch_device(state.device_watch, persistent.calibration, snapshot);
      change != model::DeviceChange::none)
    device_changed(change, bandwidth_before);

  // Spans across a change of settings teach nothing: the change shapes only a part of them.
  const bool steady_settings = state.phase != Phase::applying && state.phase != Phase::settling &&
                               state.phase != Phase::reverting;
  if (!steady_settings) {
    state.calibration_from.reset();
    state.compared.reset();
  } else if (!state.calibration_from) {
    state.calibration_from = snapshot;
  } else if (l0_count(snapshot) - l0_count(*state.calibration_from) >= kCyclesPerLesson) {
    // The first lesson only replaces priors: its error says nothing about the model. Nor does a
    // span much shorter than a trial say much, but it serves until there is a longer one.
    if (persistent.calibration.evidence_l0_compactions > 0) {
      if (!state.compared)
        state.compared = ComparedSpan{*state.calibration_from, persistent.calibration};
      const bool as_long_as_a_trial =
          snapshot.time_s - state.compared->from.time_s >= policy.trial_min_s;
      if (as_long_as_a_trial || !state.prediction_error_settled) compare(snapshot);
      if (as_long_as_a_trial) state.compared.reset();
    }
    auto lesson = model::learn(persistent.calibration, *state.calibration_from, snapshot);
    state.lessons.add(lesson);
    if (lesson.outcome == model::LessonOutcome::learned) model::end_of_lesson(state.device_watch);
    persistent.calibration = std::move(lesson.calibration);
    state.calibration_from = snapshot;
  }
  if (!state.current_prediction || now() - state.predicted_at_s >= kPredictionAgeS)
    refresh_predictions();
}

}  // namespace lsmtuned::controller
