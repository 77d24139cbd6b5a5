#include "daemon/metrics.h"

#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "daemon/metric_families.h"
#include "model/ledger/ledger.h"

namespace lsmtuned::daemon {

namespace {

using prometheus::Histogram;
using prometheus::Labels;

// Bounds on the number of series a target can make.
constexpr std::size_t kFamiliesShown = 16;  // column families, by id
constexpr std::size_t kLevelsShown = 10;
constexpr std::size_t kReasonsShown = 24;  // further ones count as "other"
constexpr std::size_t kReasonLength = 32;

constexpr std::array<config::Mode, 3> kModes = {config::Mode::observe, config::Mode::advise,
                                                config::Mode::tune};

constexpr std::array<model::published::Phase, 3> kWorkloadPhases = {
    model::published::Phase::initial, model::published::Phase::middle,
    model::published::Phase::final};

constexpr std::array<model::WorkloadClass, 8> kWorkloadClasses = {
    model::WorkloadClass::unknown,         model::WorkloadClass::idle,
    model::WorkloadClass::sequential_load, model::WorkloadClass::random_load,
    model::WorkloadClass::overwrite,       model::WorkloadClass::update_with_reads,
    model::WorkloadClass::mixed,           model::WorkloadClass::read_mostly};

const Histogram::BucketBoundaries& poll_buckets() {
  static const Histogram::BucketBoundaries kBuckets = {0.001, 0.003, 0.01, 0.03, 0.1,
                                                       0.3,   1,     3,    10};
  return kBuckets;
}

// A reason is one word; anything else would make a label of unbounded values.
std::string word_of(const std::string& reason) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  const bool good = !reason.empty() && reason.size() <= kReasonLength &&
                    std::all_of(reason.begin(), reason.end(), plain);
  return good ? reason : std::string("other");
}

// What a target's counters must remember so that a record made twice counts once.
struct Memory {
  std::map<std::uint64_t, controller::DecisionStatus> recent;  // id -> status last counted
  std::set<std::uint64_t> reverted;
  std::set<std::string> reasons;
  std::optional<double> pressure_seconds;
  double pressure_time_s = 0;
};
constexpr std::size_t kRemembered = 64;

double finite(double value) {
  return std::isfinite(value) ? value : 0.0;
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

bool is_revert(const controller::Decision& decision) {
  using controller::DecisionKind;
  using controller::DecisionStatus;
  if (decision.status == DecisionStatus::reverted ||
      decision.status == DecisionStatus::inconclusive) {
    return true;
  }
  return decision.kind == DecisionKind::revert &&
         (decision.status == DecisionStatus::applied || decision.status == DecisionStatus::kept);
}

}  // namespace

struct Metrics::Impl : MetricFamilies {
  mutable std::mutex mutex;
  std::set<std::string> targets;
  std::map<std::string, Memory> memory;

  void seen(const std::string& target) {
    if (!targets.insert(target).second) return;
    for (auto* gauge : gauges()) {
      if (gauge != &phase && gauge != &workload_phase && gauge != &workload_class &&
          gauge != &raised && gauge != &beside_standard && gauge != &level_write_amp &&
          gauge != &level_read_amp && gauge != &mode && gauge != &setting && gauge != &l0_files &&
          gauge != &model_accuracy && gauge != &pending && gauge != &immutable &&
          gauge != &level_size) {
        gauge->at(target);
      }
    }
    for (auto* counter :
         {&reverts, &searches, &search_time, &search_evaluations, &lease_expirations}) {
      counter->at(target);
    }
    for (int i = 0; i < controller::kPhaseCount; ++i) {
      phase.at(target, {{"phase", controller::to_text(static_cast<controller::Phase>(i))}});
    }
    for (const auto p : kWorkloadPhases)
      workload_phase.at(target, {{"phase", model::published::to_text(p)}});
    for (const auto c : kWorkloadClasses) workload_class.at(target, {{"class", model::to_text(c)}});
    for (int i = 0; i < model::kWatched; ++i)
      raised.at(target, {{"figure", model::to_text(static_cast<model::Watched>(i))}});
    for (auto* by_level : {&level_write_amp, &level_read_amp})
      by_level->at(target, {{"level", "0"}});
    for (const auto m : kModes) mode.at(target, {{"mode", config::to_text(m)}});
    for (const char* result : {"ok", "failed"}) polls.at(target, {{"result", result}});
    poll_time.at(target, {}, poll_buckets());
    for (auto* by_family : {&l0_files, &pending, &immutable}) {
      by_family->at(target, {{"family", "default"}});
    }
    level_size.at(target, {{"level", "0"}});
  }

  void update_families(const std::string& db, const model::Snapshot& snapshot) {
    std::vector<const model::FamilySnapshot*> shown;
    for (const auto& family : snapshot.families) shown.push_back(&family);
    std::sort(shown.begin(), shown.end(), [](auto* a, auto* b) { return a->id < b->id; });
    const std::size_t hidden = shown.size() > kFamiliesShown ? shown.size() - kFamiliesShown : 0;
    families_hidden.at(db).Set(static_cast<double>(hidden));
    shown.resize(shown.size() - hidden);

    std::set<std::string> names = {""};
    std::vector<double> level_bytes;
    for (const auto* family : shown) {
      names.insert(family->name);
      const Labels labels = {{"family", family->name}};
      l0_files.at(db, labels).Set(family->levels.empty() ? 0 : finite(family->levels[0].files));
      pending.at(db, labels).Set(finite(family->pending_compaction_bytes));
      immutable.at(db, labels).Set(finite(family->immutable_memtables));
    }
    for (const auto& family : snapshot.families) {
      level_bytes.resize(
          std::max(level_bytes.size(), std::min(family.levels.size(), kLevelsShown)));
      for (std::size_t i = 0; i < level_bytes.size() && i < family.levels.size(); ++i) {
        level_bytes[i] += finite(family.levels[i].size_bytes);
      }
    }
    for (std::size_t i = 0; i < level_bytes.size(); ++i) {
      level_size.at(db, {{"level", std::to_string(i)}}).Set(level_bytes[i]);
    }

    std::set<std::pair<std::string, std::string>> in_force;
    const auto set_all = [&](const std::string& family, const model::KnobValues& values) {
      for (const auto& knob : model::all_knobs()) {
        const auto value = values.get(knob.knob);
        if (!value) continue;
        in_force.emplace(family, knob.option);
        setting.at(db, {{"family", family}, {"knob", knob.option}}).Set(finite(*value));
      }
    };
    set_all("", snapshot.settings.database);
    for (const auto& [name, values] : snapshot.settings.families) {
      if (names.count(name) != 0) set_all(name, values);
    }

    // What a dropped column family or a vanished knob left behind.
    setting.remove_if(db, [&](const Labels& labels) {
      return in_force.count({labels.at("family"), labels.at("knob")}) == 0;
    });
    for (auto* by_family : {&l0_files, &pending, &immutable}) {
      by_family->remove_if(
          db, [&](const Labels& labels) { return names.count(labels.at("family")) == 0; });
    }
  }

  void update_pressure(const std::string& db, const model::Snapshot& snapshot, Memory& memory_of) {
    if (!snapshot.device) {
      memory_of.pressure_seconds.reset();
      return;
    }
    const double now = snapshot.device->pressure_some_seconds;
    const double passed = snapshot.time_s - memory_of.pressure_time_s;
    if (memory_of.pressure_seconds && passed > 0) {
      const double share = (now - *memory_of.pressure_seconds) / passed;
      pressure.at(db).Set(std::clamp(finite(share), 0.0, 1.0));
    }
    memory_of.pressure_seconds = now;
    memory_of.pressure_time_s = snapshot.time_s;
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
  impl_->build.Set(1);
}
Metrics::~Metrics() = default;

void Metrics::target_seen(const std::string& target) {
  const std::lock_guard lock(impl_->mutex);
  impl_->seen(target);
}

void Metrics::target_removed(const std::string& target) {
  const std::lock_guard lock(impl_->mutex);
  for (auto* gauge : impl_->gauges()) gauge->remove(target);
  for (auto* counter : impl_->counters()) counter->remove(target);
  impl_->poll_time.remove(target);
  impl_->memory.erase(target);
  impl_->targets.erase(target);
}

void Metrics::update(const controller::State& state, const model::Snapshot& snapshot,
                     const model::Interval& interval) {
  const std::lock_guard lock(impl_->mutex);
  Impl& m = *impl_;
  const std::string& db = state.target;
  m.seen(db);
  m.attached.at(db).Set(state.attached ? 1 : 0);
  for (int i = 0; i < controller::kPhaseCount; ++i) {
    const auto phase = static_cast<controller::Phase>(i);
    m.phase.at(db, {{"phase", controller::to_text(phase)}}).Set(phase == state.phase ? 1 : 0);
  }
  const auto in_force = state.persistent.mode_override.value_or(state.policy.mode);
  for (const auto mode : kModes) {
    m.mode.at(db, {{"mode", config::to_text(mode)}}).Set(mode == in_force ? 1 : 0);
  }
  for (const auto c : kWorkloadClasses)
    m.workload_class.at(db, {{"class", model::to_text(c)}})
        .Set(c == state.workload.workload ? 1 : 0);
  const auto prediction = state.current_prediction.value_or(model::Prediction{});
  m.s_max.at(db).Set(finite(prediction.put_bytes_per_s));
  m.s_max_low.at(db).Set(finite(prediction.low_bytes_per_s));
  m.s_max_high.at(db).Set(finite(prediction.high_bytes_per_s));
  m.s_max_settled.at(db).Set(state.current_settled ? finite(state.current_settled->put_bytes_per_s)
                                                   : 0);
  m.worst_stall.at(db).Set(finite(state.current_measure.worst_stall_s));
  m.put_p99.at(db).Set(finite(state.current_measure.put_p99_s));
  m.error.at(db).Set(state.prediction_error_known ? finite(state.prediction_error) : 0);
  for (const controller::ModelAccuracy& known : state.model_accuracy)
    m.model_accuracy.at(db, {{"model", known.model}}).Set(finite(known.accuracy));
  const bool open =
      !state.prediction_error_known || (std::isfinite(state.prediction_error) &&
                                        state.prediction_error <= state.policy.trust_gate_error);
  m.gate.at(db).Set(open ? 1 : 0);

  if (interval.valid) {
    m.put_rate.at(db).Set(finite(interval.put_bytes_per_s));
    m.put_ops.at(db).Set(finite(interval.put_ops_per_s));
    m.stall.at(db).Set(finite(interval.stall_share));
    m.write_amp.at(db).Set(finite(interval.write_amplification));
    m.read_amp.at(db).Set(finite(interval.read_amplification));
    m.device_write.at(db).Set(finite(interval.device_write_bytes_per_s));
    m.device_read.at(db).Set(finite(interval.device_read_bytes_per_s));
    m.device_busy.at(db).Set(finite(interval.device_busy_share));
    m.utilisation.at(db).Set(finite(model::device_utilisation_v4(
        interval.put_bytes_per_s,
        interval.device_write_bytes_per_s + interval.device_read_bytes_per_s)));
  }
  m.write_stopped.at(db).Set(snapshot.state.write_stopped ? 1 : 0);
  m.delayed_rate.at(db).Set(finite(snapshot.state.delayed_write_rate));
  m.device_free.at(db).Set(snapshot.device ? finite(snapshot.device->free_bytes) : 0);
  m.update_pressure(db, snapshot, m.memory[db]);
  m.update_families(db, snapshot);
}

void Metrics::watched(const std::string& target, const TargetWatch& watch) {
  const std::lock_guard lock(impl_->mutex);
  Impl& m = *impl_;
  m.seen(target);
  for (const auto phase : kWorkloadPhases)
    m.workload_phase.at(target, {{"phase", model::published::to_text(phase)}})
        .Set(watch.workload_phase().phase == phase ? 1 : 0);
  const model::Course& course = watch.course();
  for (int i = 0; i < model::kWatched; ++i) {
    const auto what = static_cast<model::Watched>(i);
    const Labels labels = {{"figure", model::to_text(what)}};
    m.raised.at(target, labels).Set(model::raised(course, what) ? 1 : 0);
    const auto ratio = model::beside_standard(course, what);
    if (ratio)
      m.beside_standard.at(target, labels).Set(finite(*ratio));
    else
      m.beside_standard.remove_if(target, [&](const Labels& its) { return its == labels; });
  }
  const auto levels = model::amplification(course.levels);
  for (std::size_t i = 0; i < levels.size() && i < kLevelsShown; ++i) {
    const Labels labels = {{"level", std::to_string(i)}};
    m.level_write_amp.at(target, labels).Set(finite(levels[i].write));
    m.level_read_amp.at(target, labels).Set(finite(levels[i].read));
  }
}

void Metrics::decision(const controller::Decision& decision) {
  const std::lock_guard lock(impl_->mutex);
  Impl& m = *impl_;
  m.seen(decision.target);
  Memory& memory = m.memory[decision.target];
  const auto last = memory.recent.find(decision.id);
  if (last != memory.recent.end() && last->second == decision.status) return;
  memory.recent[decision.id] = decision.status;
  if (memory.recent.size() > kRemembered) memory.recent.erase(memory.recent.begin());

  std::string reason = word_of(decision.reason);
  if (memory.reasons.count(reason) == 0) {
    if (memory.reasons.size() < kReasonsShown) {
      memory.reasons.insert(reason);
    } else {
      reason = "other";
    }
  }
  m.decisions
      .at(decision.target, {{"outcome", controller::to_text(decision.status)}, {"reason", reason}})
      .Increment();
  if (is_revert(decision) && memory.reverted.insert(decision.id).second) {
    m.reverts.at(decision.target).Increment();
    if (memory.reverted.size() > kRemembered) memory.reverted.erase(memory.reverted.begin());
  }
}

void Metrics::poll(const std::string& target, double seconds, bool ok) {
  const std::lock_guard lock(impl_->mutex);
  impl_->seen(target);
  impl_->polls.at(target, {{"result", ok ? "ok" : "failed"}}).Increment();
  impl_->poll_time.at(target, {}, poll_buckets()).Observe(std::max(0.0, finite(seconds)));
}

void Metrics::search(const std::string& target, double seconds, int evaluations) {
  const std::lock_guard lock(impl_->mutex);
  impl_->seen(target);
  impl_->searches.at(target).Increment();
  impl_->search_time.at(target).Increment(std::max(0.0, finite(seconds)));
  impl_->search_evaluations.at(target).Increment(std::max(0, evaluations));
}

void Metrics::history_error() {
  impl_->history_errors.Increment();
}

void Metrics::lease_expired(const std::string& target) {
  const std::lock_guard lock(impl_->mutex);
  impl_->seen(target);
  impl_->lease_expirations.at(target).Increment();
}

std::string Metrics::text() const {
  const std::lock_guard lock(impl_->mutex);
  impl_->resident.Set(resident_bytes());
  impl_->cpu.Increment(std::max(0.0, cpu_seconds() - impl_->cpu.Value()));
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace lsmtuned::daemon
