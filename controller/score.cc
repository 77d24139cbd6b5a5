#include "controller/score.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "controller/guard.h"
#include "controller/window.h"
#include "model/stall.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {
constexpr double kKnobCost = 0.003;
constexpr double kMemoryCost = 0.002;
constexpr double kBatchCost = 0.01;  // of an L0 batch e times as large, to smoothness
constexpr double kMostTransitionCost = 0.2;
constexpr double kRejectedValue = -16;
constexpr double kDegreesValue = -2;    // below anything allowed
constexpr double kViolationWeight = 3;  // against the objective: back inside comes first
constexpr double kSmoothnessMayCost = 0.05;
constexpr double kEfficiencyMayCost = 0.02;
constexpr std::size_t kAllowedRemembered = 3;
constexpr double kMostFilesMembers = 4;
constexpr double kLeastShare = 0.5;  // of the horizons, rather than fewer candidates
constexpr double kProbeShare = 0.1;  // of the horizons, to size the runs
constexpr double kFewestCycles = 8;  // of the present settings that a trial's horizon holds

double log_ratio(double to, double from) {
  return to > 0 && from > 0 ? std::log(to / from) : 0;
}
double throughput(const Scored& scored, const Scored& present) {
  return 0.5 * log_ratio(scored.trial.put_bytes_per_s, present.trial.put_bytes_per_s) +
         0.5 * log_ratio(scored.settled.put_bytes_per_s, present.settled.put_bytes_per_s);
}
std::string family_name(const SearchRequest& request) {
  const auto* family = family_of(request);
  return family != nullptr ? family->name : "";
}
}  // namespace

bool limited_by_degree(const Scored& scored) {
  const auto is = [&](const char* reason) { return scored.rejected.starts_with(reason); };
  return is("debt:") || is("cycle:") || is("device:");
}

Scorer::Scorer(const SearchRequest& request, const SearchEffort& effort)
    : request_(request),
      simulated_(request.snapshot, family_name(request), request.calibration, request.cpu_cores,
                 request.offered_bytes_per_s),
      effort_(effort),
      full_(horizons_of(request.policy)),
      horizons_(full_),
      files_horizons_(full_) {
  const auto* family = family_of(request);
  if (family == nullptr) {
    error_ = "the snapshot has no column family";
    return;
  }
  family_ = *family;
  inputs_ = model::invariant_inputs(request.snapshot);
  inputs_.cpu_cores = request.cpu_cores;
  inputs_.bounds = request.policy.bounds;
  inputs_.memory_budget_bytes = request.policy.memory_budget_bytes;
  present_.settings = request.snapshot.settings;
  predict(present_, layer_);
  error_ = present_.rejected;
  present_memory_ = model::memory_of(present_.settings, inputs_.memory);
  if (const auto found = present_.settings.families.find(family_.name);
      found != present_.settings.families.end())
    present_pending_ = model::estimate_pending_bytes(family_, found->second);
}

bool Scorer::measure_present() {
  Scored present;
  present.settings = request_.snapshot.settings;
  predict(present, layer_);
  if (!present.rejected.empty()) return false;
  present_ = std::move(present);
  return true;
}

Horizons Scorer::horizons_within(double work) const {
  const double end_s = full_.settle_s + full_.trial_s;
  const double all = totals_work_per_s_ * end_s;
  if (!(all > work)) return full_;
  const double needed = std::min(1.0, kFewestCycles * cycle_s(present_) / full_.trial_s);
  return full_.scaled(std::max(needed, work / all));
}

// A short run of the present settings says how many events a second there are.
void Scorer::size_run(ScoreLayer layer, double allowed) {
  const bool files = layer == ScoreLayer::files;
  const Horizons probe = full_.scaled(kProbeShare);
  const Horizons totals_horizons = std::exchange(horizons_, probe);
  files_horizons_ = probe;
  members_ = 1;
  Scored present;
  present.settings = request_.snapshot.settings;
  const double before = layer_work_;
  predict(present, layer_);
  const double full_work = (layer_work_ - before) / kProbeShare;
  const double needed =
      std::min(1.0, kFewestCycles * cycle_s(present.rejected.empty() ? present : present_) /
                        std::max(1.0, full_.trial_s));
  const double scale =
      std::clamp(allowed / std::max(1.0, full_work), std::max(needed, kLeastShare), 1.0);
  if (!files) {
    horizons_ = full_.scaled(scale);
    totals_work_per_s_ = full_work / (full_.settled_from_s + full_.settled_s);
    return;
  }
  horizons_ = totals_horizons;
  files_horizons_ = full_.scaled(scale);
  members_ = static_cast<std::uint32_t>(
      std::clamp(allowed / std::max(1.0, scale * full_work), 1.0, kMostFilesMembers));
}

bool Scorer::use(ScoreLayer layer, int candidates) {
  const ScoreLayer before = std::exchange(layer_, layer);
  const double before_work = std::exchange(layer_work_, 0);
  const double before_most = std::exchange(
      most_layer_work_, layer == ScoreLayer::files ? effort_.files_work : effort_.totals_work);
  size_run(layer, most_layer_work_ / (candidates + 2));
  if (!measure_present()) {
    layer_ = before;
    layer_work_ = before_work;
    most_layer_work_ = before_most;
    return false;
  }
  if (before == ScoreLayer::ledger) best_by_reason_.clear();
  best_allowed_.clear();
  return true;
}

void Scorer::simulate(Scored& scored) {
  double work = 0;
  const auto both =
      simulated_.predict_both(scored.settings, horizons_, {scored.trial, scored.settled}, &work);
  if (!both) {
    scored.rejected = "no prediction: " + both.error().text();
  } else {
    scored.settled = both->settled;
    if (layer_ != ScoreLayer::files) scored.trial = both->trial;
  }
  if (layer_ == ScoreLayer::files && both) {
    const auto run = trial_run(files_horizons_, model::SimulationLayer::files, members_);
    const auto trial = simulated_.predict(scored.settings, run, scored.trial, &work);
    if (trial) scored.trial = *trial;
    if (!trial) scored.rejected = "no prediction: " + trial.error().text();
  }
  layer_work_ += work;
  work_ += work;
}

void Scorer::predict(Scored& scored, ScoreLayer layer) {
  evaluations_ += 2;
  // A trial is judged after it has settled: what L0 takes in until then is no gain.
  model::ModelInput input{
      scored.settings, family_, request_.cpu_cores, true, request_.policy.trial_max_s, true};
  const auto trial = model::predict(input, request_.calibration);
  input.horizon_s = 0;
  const auto settled = model::predict(input, request_.calibration);
  if (!trial || !settled) {
    scored.rejected = "no prediction: " + (trial ? settled.error() : trial.error()).text();
    return;
  }
  scored.trial = *trial;
  scored.settled = *settled;
  if (layer != ScoreLayer::ledger) simulate(scored);
  if (!scored.rejected.empty()) return;
  if (!(scored.trial.put_bytes_per_s > 0) || !(scored.settled.put_bytes_per_s > 0) ||
      !std::isfinite(scored.trial.put_bytes_per_s) ||
      !std::isfinite(scored.settled.put_bytes_per_s))
    scored.rejected = "no prediction: the model gives no finite rate";
}

double Scorer::batch_bytes(const Scored& scored) const {
  const double buffer =
      scored.settings.get(family_.name, model::Knob::write_buffer_size).value_or(0);
  return std::max(1.0, scored.trial.l0_files) * buffer;
}

// Time in which one batch of L0 files comes in at the predicted rate.
double Scorer::cycle_s(const Scored& scored) const {
  return batch_bytes(scored) / std::max(1.0, scored.trial.put_bytes_per_s);
}

// A simulation says how large the tree and its debt will be by then, on both horizons; the ledger
// knows the settled state without growing debt only. A shorter horizon leaves less room to grow.
Scorer::Owed Scorer::owed(const Scored& scored) const {
  const double now = std::max(family_.pending_compaction_bytes, present_pending_);
  const double tree = tree_bytes(request_.snapshot);
  const auto at = [&](const model::Prediction& then, const model::Prediction& present,
                      double share_of_horizon, double tree_then) {
    const double growth = request_.policy.max_debt_growth_share * std::max(tree, tree_then);
    const double limit = std::max(now, present.pending_bytes) + share_of_horizon * growth;
    return Owed{then.pending_bytes, std::max(1.0, limit * (1 - effort_.margin))};
  };
  if (layer_ == ScoreLayer::ledger) return at(scored.trial, present_.trial, 1, 0);
  const auto& horizons = layer_ == ScoreLayer::files ? files_horizons_ : horizons_;
  const Owed trial =
      at(scored.trial, present_.trial, horizons.trial_s / full_.trial_s, scored.trial.space_bytes);
  const Owed settled = at(scored.settled, present_.settled, horizons_.settled_s / full_.settled_s,
                          scored.settled.space_bytes);
  return trial.bytes / trial.limit >= settled.bytes / settled.limit ? trial : settled;
}

double Scorer::most_cycle_s() const {
  const auto& policy = request_.policy;
  return std::max(policy.trial_max_s / (policy.trial_min_cycles + 1.0), cycle_s(present_));
}

// How far a candidate is beyond what can be bought back by degrees: it leads the optimiser home.
double Scorer::violation(const Scored& scored) const {
  const Owed debt = owed(scored);
  return std::max(0.0, log_ratio(debt.bytes, debt.limit)) +
         std::max(0.0, log_ratio(cycle_s(scored), most_cycle_s())) +
         std::max(0.0, log_ratio(device_share(scored), most_device_share()));
}

// 0: no limit.
double Scorer::most_device_share() const {
  const double most = request_.policy.max_device_share;
  return most > 0 ? std::max(most, device_share(present_)) : 0;
}

// Of the device's time at the settled rate, by the model's own device bound: 1 is all of it. 0
// where no bandwidth is known.
double Scorer::device_share(const Scored& scored) const {
  const auto& c = request_.calibration;
  const auto& p = scored.settled;
  const double exponent = std::clamp(c.mix_exponent, 1.0, 16.0);
  double sum = 0;
  if (c.write_bandwidth > 0)
    sum += std::pow(p.put_bytes_per_s * p.write_amplification / c.write_bandwidth, exponent);
  if (c.read_bandwidth > 0)
    sum += std::pow(p.put_bytes_per_s * p.read_amplification / c.read_bandwidth, exponent);
  return std::pow(sum, 1 / exponent);
}

// What no prediction is needed for.
std::string Scorer::settings_constraint(const Scored& scored) const {
  const auto verdict = check_settings(request_.snapshot, scored.changes, request_.policy,
                                      request_.cpu_cores, request_.foreign);
  if (verdict.gate != Gate::open) return verdict.reason + ": " + verdict.explanation;
  if (const auto stall = would_stall(request_.snapshot, scored.changes); !stall.empty())
    return "would stall: " + stall;
  for (const auto& failed : request_.failed)
    if (tried(scored.changes, failed.changes)) return "failed before: tried and reverted lately";
  return {};
}

std::string Scorer::constraint(const Scored& scored) const {
  if (auto refused = settings_constraint(scored); !refused.empty()) return refused;
  const auto& policy = request_.policy;
  if (policy.max_space_amplification > 0 && family_.live_data_bytes > 0) {
    const double most = policy.max_space_amplification * family_.live_data_bytes;
    if (scored.settled.space_bytes > std::max(most, present_.settled.space_bytes))
      return "space: " + model::format_bytes(scored.settled.space_bytes) + " on disk is above " +
             model::format_bytes(most);
  }
  if (most_device_share() > 0 && device_share(scored) > most_device_share())
    return "device: " + model::format_percent(device_share(scored)) +
           " of the device's time is above " + model::format_percent(policy.max_device_share);
  if (const Owed debt = owed(scored); debt.bytes > debt.limit)
    return "debt: " + model::format_bytes(debt.bytes) + " of pending compaction is above " +
           model::format_bytes(debt.limit);
  // What cannot be judged within a trial is not tried: a trial has to hold whole cycles.
  if (cycle_s(scored) > most_cycle_s())
    return "cycle: one L0 compaction cycle of " + model::format_duration(cycle_s(scored)) +
           " is too long for a trial of " + model::format_duration(policy.trial_max_s);
  const double rate = throughput(scored, present_);
  if (policy.objective == config::Objective::smoothness && rate < -kSmoothnessMayCost)
    return "rate: the put rate would fall by " + model::format_percent(-std::expm1(rate));
  if (policy.objective == config::Objective::efficiency && rate < -kEfficiencyMayCost)
    return "rate: the put rate would fall by " + model::format_percent(-std::expm1(rate));
  return {};
}

double Scorer::smoothness_of(const model::Prediction& candidate,
                             const model::Prediction& present) const {
  const double taken_now = 1 - std::clamp(request_.stall_share, 0.0, 1.0);
  const double taken =
      std::min(1.0, taken_now * candidate.put_bytes_per_s / present.put_bytes_per_s);
  return log_ratio(smoothness(1 - taken), smoothness(1 - taken_now));
}

Scored Scorer::score(const model::Settings& settings) {
  Scored scored;
  scored.settings = settings;
  scored.changes = model::difference(present_.settings, settings);
  if (scored.changes.empty()) return present_;
  // A simulation for what may not be proposed anyway would be wasted.
  const bool worth_it = layer_ != ScoreLayer::ledger && settings_constraint(scored).empty();
  predict(scored, worth_it ? layer_ : ScoreLayer::ledger);
  if (!scored.rejected.empty()) {
    scored.value = kRejectedValue;
    return scored;
  }
  const double rate = throughput(scored, present_);
  switch (request_.policy.objective) {
    case config::Objective::throughput:
      scored.objective = rate;
      break;
    case config::Objective::smoothness:
      scored.objective = 0.5 * smoothness_of(scored.trial, present_.trial) +
                         0.5 * smoothness_of(scored.settled, present_.settled) -
                         kBatchCost * log_ratio(batch_bytes(scored), batch_bytes(present_));
      break;
    case config::Objective::efficiency:
      scored.objective =
          -log_ratio(scored.settled.write_amplification, present_.settled.write_amplification);
      break;
  }
  double transition = 0;
  if (const auto found = settings.families.find(family_.name); found != settings.families.end()) {
    const double added = model::estimate_pending_bytes(family_, found->second) - present_pending_;
    const double written = present_.trial.put_bytes_per_s *
                           std::max(1.0, present_.trial.write_amplification) *
                           std::max(1.0, request_.policy.trial_max_s);
    transition = std::clamp(added / written, 0.0, kMostTransitionCost);
  }
  scored.value =
      scored.objective - transition - kKnobCost * static_cast<double>(scored.changes.size()) -
      kMemoryCost * log_ratio(model::memory_of(settings, inputs_.memory), present_memory_);
  scored.rejected = constraint(scored);
  remember(scored);
  if (scored.rejected.empty()) return scored;
  scored.value = limited_by_degree(scored) ? kDegreesValue + std::clamp(scored.value, -1.0, 1.0) -
                                                 kViolationWeight * std::min(violation(scored), 3.0)
                                           : kRejectedValue + std::min(scored.value, 2.0);
  return scored;
}

void Scorer::remember(const Scored& scored) {
  if (!scored.rejected.empty()) {
    const auto reason = scored.rejected.substr(0, scored.rejected.find(':'));
    const auto found = best_by_reason_.find(reason);
    if (found == best_by_reason_.end() || scored.value > found->second.value)
      best_by_reason_[reason] = scored;
    return;
  }
  for (const auto& known : best_allowed_)
    if (near(known.changes, scored.changes) && known.value >= scored.value) return;
  std::erase_if(best_allowed_,
                [&](const Scored& known) { return near(known.changes, scored.changes); });
  best_allowed_.push_back(scored);
  std::stable_sort(best_allowed_.begin(), best_allowed_.end(),
                   [](const Scored& a, const Scored& b) { return a.value > b.value; });
  if (best_allowed_.size() > kAllowedRemembered) best_allowed_.resize(kAllowedRemembered);
}

std::vector<Scored> Scorer::instructive() const {
  std::vector<Scored> result = best_allowed_;
  for (const auto& [reason, scored] : best_by_reason_) result.push_back(scored);
  std::stable_sort(result.begin(), result.end(),
                   [](const Scored& a, const Scored& b) { return a.objective > b.objective; });
  return result;
}

}  // namespace lsmtuned::controller
