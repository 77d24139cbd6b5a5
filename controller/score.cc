#include "controller/score.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "controller/guard.h"
#include "model/stall.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {
constexpr double kKnobCost = 0.003;
constexpr double kMemoryCost = 0.002;
constexpr double kMostTransitionCost = 0.2;
constexpr double kRejectedValue = -16;
constexpr double kDegreesValue = -2;    // below anything allowed
constexpr double kViolationWeight = 3;  // against the objective: back inside comes first
constexpr double kSmoothnessMayCost = 0.05;
constexpr double kEfficiencyMayCost = 0.02;
constexpr std::size_t kAllowedRemembered = 3;
constexpr std::uint32_t kFilesMembers = 8;

double log_ratio(double to, double from) {
  return to > 0 && from > 0 ? std::log(to / from) : 0;
}
double throughput(const Scored& scored, const Scored& present) {
  return 0.5 * log_ratio(scored.trial.put_bytes_per_s, present.trial.put_bytes_per_s) +
         0.5 * log_ratio(scored.settled.put_bytes_per_s, present.settled.put_bytes_per_s);
}
std::string worst_family_name(const model::Snapshot& snapshot) {
  const auto* worst = model::worst_family(snapshot);
  return worst != nullptr ? worst->name : "";
}
}  // namespace

Scorer::Scorer(const SearchRequest& request)
    : request_(request),
      simulated_(request.snapshot, worst_family_name(request.snapshot), request.calibration,
                 request.cpu_cores) {
  const auto* worst = model::worst_family(request.snapshot);
  if (worst == nullptr) {
    error_ = "the snapshot has no column family";
    return;
  }
  family_ = *worst;
  inputs_ = model::invariant_inputs(request.snapshot);
  inputs_.cpu_cores = request.cpu_cores;
  inputs_.bounds = request.policy.bounds;
  inputs_.memory_budget_bytes = request.policy.memory_budget_bytes;
  present_.settings = request.snapshot.settings;
  predict(present_);
  error_ = present_.rejected;
  present_memory_ = model::memory_of(present_.settings, inputs_.memory);
  if (const auto found = present_.settings.families.find(family_.name);
      found != present_.settings.families.end())
    present_pending_ = model::estimate_pending_bytes(family_, found->second);
}

bool Scorer::use(ScoreLayer layer) {
  const ScoreLayer before = std::exchange(layer_, layer);
  Scored present;
  present.settings = request_.snapshot.settings;
  predict(present);
  if (!present.rejected.empty()) {
    layer_ = before;
    return false;
  }
  present_ = std::move(present);
  if (before == ScoreLayer::ledger) best_by_reason_.clear();
  best_allowed_.clear();
  return true;
}

void Scorer::simulate(Scored& scored) {
  const bool files = layer_ == ScoreLayer::files;
  const auto layer = files ? model::SimulationLayer::files : model::SimulationLayer::totals;
  const auto run = trial_run(request_.policy, layer, files ? kFilesMembers : 1);
  const auto trial = simulated_.predict(scored.settings, run, scored.trial);
  const auto settled = simulated_.predict(scored.settings, settled_run(), scored.settled);
  if (!trial || !settled) {
    scored.rejected = "no prediction: " + (trial ? settled.error() : trial.error()).text();
    return;
  }
  scored.trial = *trial;
  scored.settled = *settled;
}

void Scorer::predict(Scored& scored) {
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
  if (layer_ != ScoreLayer::ledger) simulate(scored);
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

double Scorer::most_debt(const Scored& scored) const {
  const double now =
      std::max({family_.pending_compaction_bytes, present_pending_, present_.trial.pending_bytes});
  // A simulation says how large the tree will be by then; the ledger only knows it settled.
  double tree = tree_bytes(request_.snapshot);
  if (layer_ != ScoreLayer::ledger) tree = std::max(tree, scored.trial.space_bytes);
  return now + request_.policy.max_debt_growth_share * tree;
}

double Scorer::most_cycle_s() const {
  const auto& policy = request_.policy;
  return std::max(policy.trial_max_s / (policy.trial_min_cycles + 1.0), cycle_s(present_));
}

// How far a candidate is beyond what can be bought back by degrees: it leads the optimiser home.
double Scorer::violation(const Scored& scored) const {
  return std::max(0.0, log_ratio(scored.trial.pending_bytes, std::max(1.0, most_debt(scored)))) +
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

std::string Scorer::constraint(const Scored& scored) const {
  const auto verdict = check_settings(request_.snapshot, scored.changes, request_.policy,
                                      request_.cpu_cores, request_.foreign);
  if (verdict.gate != Gate::open) return verdict.reason + ": " + verdict.explanation;
  if (const auto stall = would_stall(request_.snapshot, scored.changes); !stall.empty())
    return "would stall: " + stall;
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
  if (scored.trial.pending_bytes > most_debt(scored))
    return "debt: " + model::format_bytes(scored.trial.pending_bytes) +
           " of pending compaction is above " + model::format_bytes(most_debt(scored));
  // What cannot be judged within a trial is not tried: a trial has to hold whole cycles.
  if (cycle_s(scored) > most_cycle_s())
    return "cycle: one L0 compaction cycle of " + model::format_duration(cycle_s(scored)) +
           " is too long for a trial of " + model::format_duration(policy.trial_max_s);
  const double rate = throughput(scored, present_);
  if (policy.objective == config::Objective::smoothness && rate < -kSmoothnessMayCost)
    return "rate: the put rate would fall by " + model::format_percent(-std::expm1(rate));
  if (policy.objective == config::Objective::efficiency && rate < -kEfficiencyMayCost)
    return "rate: the put rate would fall by " + model::format_percent(-std::expm1(rate));
  for (const auto& failed : request_.failed)
    if (tried(scored.changes, failed.changes)) return "failed before: tried and reverted lately";
  return {};
}

Scored Scorer::score(const model::Settings& settings) {
  Scored scored;
  scored.settings = settings;
  scored.changes = model::difference(present_.settings, settings);
  if (scored.changes.empty()) return present_;
  predict(scored);
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
      scored.objective = 0.5 * rate - 0.5 * log_ratio(batch_bytes(scored), batch_bytes(present_));
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
  const bool by_degrees = scored.rejected.starts_with("debt:") ||
                          scored.rejected.starts_with("cycle:") ||
                          scored.rejected.starts_with("device:");
  scored.value = by_degrees ? kDegreesValue + std::clamp(scored.value, -1.0, 1.0) -
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
