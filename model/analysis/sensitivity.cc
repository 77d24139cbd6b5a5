#include "model/analysis/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

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

Elasticity elasticity_of(const Axis& axis, const Problem& problem, const Probe& probe, double rate,
                         double step) {
  Elasticity out;
  out.name = axis.name;
  out.knob = axis.knob;
  out.value = axis.get(problem);
  out.up_value = stepped(axis, out.value, step);
  out.down_value = stepped(axis, out.value, 1 / step);
  const auto side = [&](double value) -> std::optional<double> {
    if (value == out.value) return std::nullopt;
    const auto moved = probe.rate({{&axis, value}});
    if (!moved) return std::nullopt;
    return std::log(*moved / rate);
  };
  out.up = side(out.up_value);
  out.down = side(out.down_value);
  const double above = out.up ? std::log(out.up_value / out.value) : 0;
  const double below = out.down ? std::log(out.value / out.down_value) : 0;
  if (above + below > 0)
    out.elasticity = (out.up.value_or(0) - out.down.value_or(0)) / (above + below);
  return out;
}

// The step that raises S more.
std::optional<double> better_side(const Elasticity& of) {
  if (!of.up && !of.down) return std::nullopt;
  if (!of.down) return of.up_value;
  if (!of.up) return of.down_value;
  return *of.up >= *of.down ? of.up_value : of.down_value;
}

double effect(const Elasticity& of) {
  return std::max(std::abs(of.up.value_or(0)), std::abs(of.down.value_or(0)));
}

std::vector<Interaction> interactions(const std::vector<Axis>& axes,
                                      std::vector<Elasticity> candidates, const Probe& probe,
                                      double rate, std::size_t most) {
  std::erase_if(candidates, [](const Elasticity& one) { return !one.knob || !better_side(one); });
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Elasticity& a, const Elasticity& b) { return effect(a) > effect(b); });
  if (candidates.size() > most) candidates.resize(most);
  const auto move_of = [&](const Elasticity& one) {
    const auto axis = std::find_if(axes.begin(), axes.end(),
                                   [&](const Axis& each) { return each.name == one.name; });
    return std::pair(&*axis, *better_side(one));
  };
  std::vector<Interaction> pairs;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    for (std::size_t j = i + 1; j < candidates.size(); ++j) {
      const auto a = move_of(candidates[i]);
      const auto b = move_of(candidates[j]);
      const auto alone_a = probe.rate({a});
      const auto alone_b = probe.rate({b});
      const auto both = probe.rate({a, b});
      if (!alone_a || !alone_b || !both) continue;
      pairs.push_back({candidates[i].name, candidates[j].name,
                       (*both - *alone_a - *alone_b + rate) / rate, std::log(*both / rate)});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const Interaction& a, const Interaction& b) {
    return std::abs(a.interaction) > std::abs(b.interaction);
  });
  return pairs;
}

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
  for (const Axis& axis : axes)
    out.ranked.push_back(elasticity_of(axis, problem, probe, rate, options.step));
  std::stable_sort(out.ranked.begin(), out.ranked.end(),
                   [](const Elasticity& a, const Elasticity& b) {
                     return std::abs(a.elasticity) > std::abs(b.elasticity);
                   });
  out.pairs = interactions(axes, out.ranked, probe, rate, options.pair_knobs);
  return out;
}

}  // namespace lsmtuned::model
