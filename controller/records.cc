#include <algorithm>

#include "controller/kpi.h"
#include "controller/reducer.h"
#include "model/invariants.h"

namespace lsmtuned::controller {
namespace {
constexpr double kNoopRecordGapS = 10;   // reasons that flap are recorded at this pace at most
constexpr double kRecordRetryS = 30;     // after a failed write
constexpr double kHistoryBackOffS = 60;  // before the next proposal, after a failed write
constexpr std::size_t kFinalRecordsKept = 16;
}  // namespace

Decision Reducer::new_decision(DecisionKind kind) {
  Decision decision;
  decision.id = state.persistent.next_decision_id++;
  decision.target = state.target;
  decision.incarnation = state.persistent.incarnation;
  decision.kind = kind;
  decision.wall_time_s = event.wall_s;
  decision.initiator = "controller";
  decision.workload = model::to_text(state.workload.workload);
  if (state.last) decision.before = state.last->settings;
  return decision;
}

void Reducer::record(const Decision& decision) {
  effects.emplace_back(RecordDecision{decision});
  if (decision.ended_wall_time_s > 0) {
    std::erase_if(state.final_records, [&](const Decision& d) { return d.id == decision.id; });
    state.final_records.push_back(decision);
    if (state.final_records.size() > kFinalRecordsKept) state.final_records.pop_front();
  }
}

void Reducer::end(Decision& decision, DecisionStatus status, const std::string& evidence) {
  decision.status = status;
  if (!evidence.empty()) {
    if (!decision.evidence.empty()) decision.evidence += "; ";
    decision.evidence += evidence;
  }
  decision.ended_wall_time_s = event.wall_s;
  record(decision);
}

void Reducer::noop(const std::string& reason, const std::string& explanation,
                   std::vector<Considered> considered) {
  ++state.noops;
  if (reason == state.last_noop_reason || now() < state.next_noop_record_s) return;
  state.last_noop_reason = reason;
  state.next_noop_record_s = now() + kNoopRecordGapS;
  Decision decision = new_decision(DecisionKind::noop);
  decision.reason = reason;
  decision.explanation = explanation;
  decision.considered = std::move(considered);
  decision.measured_before = state.current_measure;
  if (state.current_prediction) decision.predicted_before = *state.current_prediction;
  judge_kpis(decision);
  end(decision, DecisionStatus::noted, "");
}

void Reducer::judge_kpis(Decision& decision) const {
  KpiInputs inputs;
  inputs.before = decision.measured_before;
  inputs.after = decision.measured_after;
  inputs.predicted = decision.predicted_after;
  inputs.changes = !decision.changes.empty();
  if (state.persistent.calibrated)
    inputs.write_bandwidth = state.persistent.calibration.write_bandwidth;
  if (state.last) {
    if (!(inputs.write_bandwidth > 0) && state.last->device)
      inputs.write_bandwidth = state.last->device->write_limit_bytes_per_s;
    const auto memory = model::invariant_inputs(*state.last).memory;
    const auto after = model::with_changes(decision.before, decision.changes);
    inputs.memory_growth_bytes =
        model::memory_of(after, memory) - model::memory_of(decision.before, memory);
  }
  decision.kpis = kpis_of(inputs);
}

void Reducer::alert(Alert::Severity severity, std::string code, std::string text) {
  effects.emplace_back(Alert{severity, std::move(code), std::move(text)});
}

// The effects behind the failed record of the same step were not carried out. An intent that is not
// on disk was therefore not sent; a restore does not wait for the disk and is sent now.
void Reducer::on(const RecordFailed& failed) {
  alert(
      Alert::Severity::critical, "history",
      "decision " + std::to_string(failed.decision_id) + " could not be recorded: " + failed.error);
  if (state.outstanding && state.outstanding->decision_id == failed.decision_id) {
    if (!state.outstanding->is_revert) {
      if (state.phase != Phase::applying || state.outstanding->pending || !state.trial) return;
      state.outstanding.reset();
      state.trial.reset();
      state.persistent.open_trial.reset();
      state.next_search_s = now() + kHistoryBackOffS;
      state.next_reapply_s = now() + kHistoryBackOffS;
      move_to(Phase::steady);
      ++state.noops;
      return;
    }
    if (state.revert && state.revert->awaits_record) {
      state.revert->awaits_record = false;
      send_revert();
      return;
    }
  }
  const auto lost = std::find_if(state.final_records.begin(), state.final_records.end(),
                                 [&](const Decision& d) { return d.id == failed.decision_id; });
  // Records behind the failed one were not written either. Writing one again does no harm.
  const auto from = lost != state.final_records.end() ? lost : state.final_records.begin();
  state.unrecorded.insert(state.unrecorded.end(), from, state.final_records.end());
  state.final_records.erase(from, state.final_records.end());
  state.next_record_retry_s = now() + kRecordRetryS;
}

void Reducer::retry_records() {
  if (state.unrecorded.empty() || now() < state.next_record_retry_s) return;
  state.next_record_retry_s = now() + kRecordRetryS;
  // No more at once than are remembered until they are known to be written.
  auto& waiting = state.unrecorded;
  const std::size_t now_many = std::min(waiting.size(), kFinalRecordsKept);
  const std::vector<Decision> again(waiting.begin(),
                                    waiting.begin() + static_cast<std::ptrdiff_t>(now_many));
  waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(now_many));
  for (const auto& decision : again) record(decision);
}

}  // namespace lsmtuned::controller
