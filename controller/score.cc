#include "controller/score.h"

#include <algorithm>
#include <cmath>

#include "controller/guard.h"
#include "model/stall.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {
constexpr double kKnobCost = 0.003;
constexpr double kMemoryCost = 0.002;
constexpr double kMostTransitionCost = 0.2;
constexpr double kRejectedValue = -10;
constexpr double kSmoothnessMayCost = 0.05;
constexpr double kEfficiencyMayCost = 0.02;
constexpr std::size_t kAllowedRemembered = 3;

double log_ratio(double to, double from) {
  return to > 0 && from > 0 ? std::log(to / from) : 0;
}
double throughput(const Scored& scored, const Scored& present) {
  return 0.5 * log_ratio(scored.trial.put_bytes_per_s, present.trial.put_bytes_per_s) +
         0.5 * log_ratio(scored.settled.put_bytes_per_s, present.settled.put_bytes_per_s);
}
}  // namespace

Scorer::Scorer(const SearchRequest& request) : request_(request) {
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
  if (policy.max_device_share > 0 &&
      device_share(scored) > std::max(policy.max_device_share, device_share(present_)))
    return "device: " + model::format_percent(device_share(scored)) +
           " of the device's time is above " + model::format_percent(policy.max_device_share);
  const double debt_now =
      std::max({family_.pending_compaction_bytes, present_pending_, present_.trial.pending_bytes});
  const double most_debt = debt_now + policy.max_debt_growth_share * tree_bytes(request_.snapshot);
  if (scored.trial.pending_bytes > most_debt)
    return "debt: " + model::format_bytes(scored.trial.pending_bytes) +
           " of pending compaction is above " + model::format_bytes(most_debt);
  // What cannot be judged within a trial is not tried: a trial has to hold whole cycles.
  const double most_cycle_s = policy.trial_max_s / (policy.trial_min_cycles + 1.0);
  if (cycle_s(scored) > std::max(most_cycle_s, cycle_s(present_)))
    return "cycle: one L0 compaction cycle of " + model::format_duration(cycle_s(scored)) +
           " is too long for a trial of " + model::format_duration(policy.trial_max_s);
  const double rate = throughput(scored, present_);
  if (policy.objective == config::Objective::smoothness && rate < -kSmoothnessMayCost)
    return "rate: the put rate would fall by " + model::format_percent(-std::expm1(rate));
  if (policy.objective == config::Objective::efficiency && rate < -kEfficiencyMayCost)
    return "rate: the put rate would fall by " + model::format_percent(-std::expm1(rate));
  for (const auto& failed : request_.failed)
    if (near(scored.changes, failed.changes)) return "failed before: tried and reverted lately";
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
  if (!scored.rejected.empty()) scored.value = kRejectedValue + std::min(scored.value, 5.0);
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
