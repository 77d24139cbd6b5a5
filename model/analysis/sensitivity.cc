#include "model/analysis/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "model/analysis/influence.h"

namespace lsmtuned::model {
namespace {

// Something of a problem that can be moved.
struct Axis {
  std::string name;
  bool knob = false;
  bool whole = false;
  double minimum = 0;
  double maximum = 0;
  std::function<double(const Problem&)> get;
  std::function<void(Problem&, double)> set;
};

Axis knob_axis(const KnobInfo& about) {
  const Knob knob = about.knob;
  return {about.option,
          true,
          about.unit != KnobUnit::ratio,
          about.minimum,
          about.maximum,
          [knob](const Problem& p) { return p.settings.get_or(knob, info(knob).rocksdb_default); },
          [knob](Problem& p, double value) { p.settings.set(knob, value); }};
}

template <class Part>
Axis member_axis(const char* name, Part Problem::*part, double Part::*member, double most) {
  return {name,
          false,
          false,
          0,
          most,
          [=](const Problem& p) { return p.*part.*member; },
          [=](Problem& p, double value) { p.*part.*member = value; }};
}

std::vector<Axis> axes_of(const Problem& problem) {
  constexpr double kMost = 1e18;
  std::vector<Axis> axes;
  for (const KnobInfo& about : all_knobs()) {
    // A limiter that is not there cannot be moved.
    if (about.scope == KnobScope::limiter && !problem.settings.has(about.knob)) continue;
    axes.push_back(knob_axis(about));
  }
  for (Axis& axis : std::vector<Axis>{
           member_axis("device.write_bytes_per_s", &Problem::device, &DeviceSpec::write_bytes_per_s,
                       kMost),
           member_axis("device.read_bytes_per_s", &Problem::device, &DeviceSpec::read_bytes_per_s,
                       kMost),
           member_axis("workload.value_bytes", &Problem::workload, &Workload::value_bytes, 4e9),
           member_axis("workload.distinct_keys", &Problem::workload, &Workload::distinct_keys,
                       kMost),
           member_axis("calibration.cores", &Problem::constants, &TreeConstants::cores, 4096)})
    if (axis.get(problem) > 0) axes.push_back(std::move(axis));
  return axes;
}

double stepped(const Axis& axis, double value, double factor) {
  double next = value * factor;
  if (axis.whole) {
    next = std::round(next);
    if (next == value) next += factor > 1 ? 1 : -1;
  }
  return std::clamp(next, axis.minimum, axis.maximum);
}

class Probe {
 public:
  Probe(const Problem& problem, const ModelChoice& choice) : problem_(problem), choice_(choice) {}

  Result<SMax> present() const { return predict_s_max(problem_, choice_); }

  // S with these moves; absent where the settings are not valid or nothing is predicted.
  std::optional<double> rate(const std::vector<std::pair<const Axis*, double>>& moves) const {
    Problem moved = problem_;
    for (const auto& [axis, value] : moves) {
      axis->set(moved, value);
      // Per-record bytes follow the record; what was calibrated for another size would not fit.
      if (axis->name == "workload.value_bytes") scale_records(moved);
    }
    if (!moved.check().empty()) return std::nullopt;
    const auto predicted = predict_s_max(moved, choice_);
    if (!predicted || !(predicted->put_bytes_per_s > 0)) return std::nullopt;
    return predicted->put_bytes_per_s;
  }

 private:
  void scale_records(Problem& moved) const {
    const Workload& before = problem_.workload;
    const double ratio =
        (before.key_bytes + moved.workload.value_bytes) / (before.key_bytes + before.value_bytes);
    moved.constants.file_bytes_per_record *= ratio;
    moved.constants.memtable_bytes_per_record *= ratio;
  }

  const Problem& problem_;
  const ModelChoice& choice_;
};

}  // namespace

Result<Sensitivity> sensitivity(const Problem& problem, const SensitivityOptions& options) {
  const Probe probe(problem, options.choice);
  const auto present = probe.present();
  if (!present) return present.error();
  if (!(present->put_bytes_per_s > 0))
    return Error{"nothing is put at all under these settings, so nothing can be compared",
                 "lsmtunectl simulate shows what stops writes"};
  Sensitivity out;
  out.present = *present;
  const double rate = present->put_bytes_per_s;
  const std::vector<Axis> axes = axes_of(problem);
  std::vector<Movable> movables;
  for (const Axis& axis : axes) {
    const double value = axis.get(problem);
    movables.push_back(
        {value, stepped(axis, value, options.step), stepped(axis, value, 1 / options.step)});
  }
  const LogRatio ratio = [&](const Moves& moves) -> std::optional<double> {
    std::vector<std::pair<const Axis*, double>> moved;
    for (const auto& [index, value] : moves) moved.emplace_back(&axes[index], value);
    const auto there = probe.rate(moved);
    if (!there) return std::nullopt;
    return std::log(*there / rate);
  };
  std::vector<Influence> found = influences(movables, ratio);
  for (const Influence& one : found) {
    const Movable& of = movables[one.index];
    out.ranked.push_back({axes[one.index].name, axes[one.index].knob, of.value, one.up, one.down,
                          of.up, of.down, one.elasticity});
  }
  std::stable_sort(out.ranked.begin(), out.ranked.end(),
                   [](const Elasticity& a, const Elasticity& b) {
                     return std::abs(a.elasticity) > std::abs(b.elasticity);
                   });
  std::erase_if(found,
                [&](const Influence& one) { return !axes[one.index].knob || !one.better(); });
  std::stable_sort(found.begin(), found.end(),
                   [](const Influence& a, const Influence& b) { return a.effect() > b.effect(); });
  if (found.size() > options.pair_knobs) found.resize(options.pair_knobs);
  for (const JointInfluence& pair : joint_influences(movables, found, ratio))
    out.pairs.push_back(
        {axes[pair.first].name, axes[pair.second].name, pair.interaction, pair.together});
  return out;
}

}  // namespace lsmtuned::model
