#include "model/ledger/demand.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/tree.h"

namespace lsmtuned::model {
namespace {

double value_of(const KnobValues& settings, Knob knob) {
  return settings.get_or(knob, info(knob).rocksdb_default);
}

// The last entry holds for all deeper levels; `otherwise` where there is none.
double entry(const std::vector<double>& values, std::size_t index, double otherwise) {
  if (values.empty()) return otherwise;
  return values[std::min(index, values.size() - 1)];
}

double compression(const Calibration& calibration, std::size_t level) {
  return std::max(entry(calibration.level_compression, level, 1.0), 1e-3);
}

// File bytes of one record at L0.
double record_file_bytes(const Calibration& calibration) {
  return std::max(calibration.record_bytes * calibration.flush_bytes_per_user_byte, 1e-3);
}

// File bytes of every distinct key once; 0 when the number of keys is unknown.
double distinct_bytes(const Calibration& calibration, std::size_t level) {
  return std::max(calibration.distinct_keys, 0.0) * record_file_bytes(calibration) *
         compression(calibration, level);
}

// q_l: share of records entering a level that replace one there.
double replaced_share(const Calibration& calibration, std::size_t level, double level_bytes) {
  const double all = distinct_bytes(calibration, level);
  if (all > 0) return std::min(1.0, level_bytes / all);
  if (level >= calibration.drop_share.size()) return 0;
  return std::clamp(calibration.drop_share[level], 0.0, 1.0);
}

// Share of a batch that is left when only the newest version of each key stays: n records over K
// uniform keys leave K(1 - exp(-n/K)).
double kept_share(const Calibration& calibration, double batch_bytes) {
  if (!(calibration.distinct_keys > 0)) return 1;
  const double ratio =
      batch_bytes / record_file_bytes(calibration) / calibration.distinct_keys;  // n/K
  if (ratio < 1e-6) return 1;
  return -std::expm1(-ratio) / ratio;
}

// nu_l: moved without rewriting. Measured, or section 3's prior for the deepest level.
double moved_share(const TreePlan& tree, const Calibration& calibration, std::size_t level,
                   double own, double upper, bool deepest) {
  if (level < calibration.moved_share.size()) {
    return std::clamp(calibration.moved_share[level], 0.0, 1.0);
  }
  if (!deepest || level == 0 || tree.levels < 2 || !(upper > 0)) return 0;
  return std::clamp((2.5 - own / upper) / 2, 0.0, 1.0);
}

struct LevelFlow {
  double mean_bytes = 0;
  double end_bytes = 0;
  double passed_on = 0;  // bytes leaving downwards over the horizon
};

// How a level moves from `present` towards `settled` while `entering` bytes arrive (after merging
// among themselves). With `all` > 0 distinct bytes, a share S/all of them replaces records already
// there, so a filling level follows all - (all - present) * exp(-entered / all); else a constant
// share `replaced` does. Bytes beyond the settled size are passed on.
LevelFlow flow_through(double present, double settled, double entering, double all, double replaced,
                       bool must_drain) {
  LevelFlow flow;
  if (present >= settled) {
    // The base level goes first by score; deeper ones drain no faster than they are fed.
    const double kept = 1 - (all > 0 ? std::min(1.0, settled / all) : replaced);
    const double excess = present - settled;
    const double drained = must_drain ? excess : std::min(excess, entering * kept);
    flow.end_bytes = present - drained;
    flow.mean_bytes = present - drained / 2;
    flow.passed_on = entering * kept + drained;
    return flow;
  }
  if (!(entering > 0)) {
    flow.end_bytes = flow.mean_bytes = present;
    return flow;
  }
  double until_full = std::numeric_limits<double>::infinity();  // bytes that must enter
  double filled_mean = 0;                                       // mean size while it fills
  double filled_end = 0;
  if (all > present) {
    if (all > settled) until_full = all * std::log((all - present) / (all - settled));
    const double share = std::min(entering, until_full) / all;
    const double gap = all - present;
    filled_end = all - gap * std::exp(-share);
    filled_mean = share > 1e-9 ? all + gap * std::expm1(-share) / share : present;
  } else {
    const double kept = all > 0 ? 0.0 : 1 - replaced;
    if (kept > 0) until_full = (settled - present) / kept;
    filled_end = present + std::min(entering, until_full) * kept;
    filled_mean = (present + filled_end) / 2;
  }
  const double filling = std::min(1.0, until_full / entering);  // share of the horizon
  flow.end_bytes = filling < 1 ? settled : filled_end;
  flow.mean_bytes = filled_mean * filling + settled * (1 - filling);
  if (filling < 1) {
    const double kept = 1 - (all > 0 ? std::min(1.0, settled / all) : replaced);
    flow.passed_on = (entering - until_full) * kept;
  }
  return flow;
}

// Settled sizes when L0 holds `growth` times its trigger: by score equality the base level then
// stands at `growth` times its target, deeper ones too where they compete for a single slot.
void settle_levels(const TreePlan& tree, double growth, bool bounded,
                   std::array<double, kMostLevels>& sizes, std::size_t& used) {
  double left = tree.data_bytes;
  used = 0;
  for (std::size_t level = 0; level < tree.levels; ++level) {
    const bool last = level + 1 == tree.levels;
    const double target = tree.target[level] * (level == 0 || tree.one_slot ? growth : 1.0);
    sizes[level] = last ? left : target;
    if (bounded) sizes[level] = std::min(sizes[level], left);
    left = std::max(0.0, left - sizes[level]);
    if (sizes[level] > 0 || level == 0) used = level + 1;
  }
}

// Files that arrive above the slowdown trigger during one L0 -> base job. Writers are delayed then:
// each file filled under delay lowers the rate by 0.8 twice (at the switch and at its flush).
// `admitted` is what the job's time would admit at the mean rate, in files.
double leaked_files(double admitted) {
  constexpr double kSlowing = 0.8 * 0.8;
  return std::log1p(std::max(0.0, admitted) * (1 / kSlowing - 1)) / -std::log(kSlowing);
}

// Files left waiting when a job ends vary from cycle to cycle: up to 1.4 times the mean were seen.
// The upper end counts, because the debt that RocksDB sees jumps when they pass the trigger.
constexpr double kWaitingSpread = 1.4;

// The most files that L0 holds: the slowdown trigger and the leak; two files below the stop trigger
// RocksDB slows writers by 0.6 a step, and hardly any pass.
double most_files(const TreePlan& tree, const Demand& demand) {
  return std::min(tree.slowdown + demand.leaked_files, std::max(tree.slowdown, tree.stop - 2));
}

// Walks the levels once for a given N*.
void walk(const TreePlan& tree, const Calibration& calibration, double user_bytes, double files,
          Demand& demand) {
  const bool transient = tree.horizon_s > 0;
  const double chi = calibration.flush_bytes_per_user_byte;
  const double batch = std::max(files * tree.flush_file_bytes, 1.0);
  const double kept = kept_share(calibration, batch);
  const double growth =
      tree.saturated ? std::max(1.0, most_files(tree, demand) / tree.calm_files) : 1.0;

  // File bytes that leave L0, per user byte. Over a horizon L0 gives away what it holds now and
  // keeps its mean at the end: half a batch, or, where new files fill L0 up to the slowdown trigger
  // while a job runs, that trigger less half a batch.
  double entering = chi;
  if (transient && !tree.l0_settled) {
    const double held = std::max(files / 2, tree.saturated ? tree.slowdown - files / 2 : 0.0);
    entering =
        std::max(0.0, chi * user_bytes + tree.l0_bytes - held * tree.flush_file_bytes) / user_bytes;
  }
  std::array<double, kMostLevels> settled{};
  std::size_t used = tree.levels;
  const bool bounded = !transient || calibration.distinct_keys > 0;
  settle_levels(tree, growth, bounded, settled, used);
  if (transient) used = tree.levels;

  demand.written = calibration.wal_bytes_per_user_byte + chi;
  demand.read = 0;
  demand.cpu_seconds = std::max(calibration.cpu_seconds_per_byte, 0.0) * chi;
  demand.levels = used;
  double upper_bytes = 0;
  for (std::size_t level = 0; level < used; ++level) {
    const bool base = level == 0;
    const bool deepest = level + 1 == used;
    const double fresh = base ? kept : 1.0;  // left of what enters after merging it with itself
    const double ratio =
        compression(calibration, level) / (base ? 1.0 : compression(calibration, level - 1));
    double own = transient ? tree.present[level] : settled[level];
    double leaving = 0;
    double drained_share = 1;
    if (transient) {
      const LevelFlow flow =
          flow_through(own, deepest ? std::numeric_limits<double>::max() : settled[level],
                       entering * fresh * ratio * user_bytes, distinct_bytes(calibration, level),
                       replaced_share(calibration, level, own), base);
      const double absorbed = std::max(0.0, flow.end_bytes - own);
      drained_share = flow.passed_on > 0 ? flow.passed_on / (flow.passed_on + absorbed) : 0.0;
      own = flow.mean_bytes;
      leaving = flow.passed_on / user_bytes;
      demand.level_bytes[level] = flow.end_bytes;
    } else {
      leaving = entering * fresh * (1 - replaced_share(calibration, level, own)) * ratio;
      demand.level_bytes[level] = own;
      // All data fits below the ceiling: nothing ever needs draining.
      if (own < tree.target[level] * growth) drained_share = 0;
    }
    const double replaced = replaced_share(calibration, level, own);
    const double overlap = std::max(entry(calibration.overlap, level, 0.5), 0.0) * own /
                           (base ? batch : std::max(upper_bytes, 1.0));
    const double rewritten =
        1 - moved_share(tree, calibration, level, own, base ? batch : upper_bytes, deepest);
    const double written = entering * rewritten * (overlap + fresh * (1 - replaced) * ratio);
    const double read = entering * rewritten * (1 + overlap);
    demand.written += written;
    demand.read += read;
    demand.cpu_seconds +=
        written * (std::max(calibration.cpu_seconds_per_byte, 0.0) +
                   std::max(calibration.cpu_seconds_per_record, 0.0) /
                       (record_file_bytes(calibration) * compression(calibration, level)));
    if (base) {
      demand.base_read = read;
      demand.base_drained_share = drained_share;
      demand.base_growth = batch * kept * (1 - replaced) * ratio;
      const double job_bytes = batch * (overlap + fresh * (1 - replaced) * ratio);
      demand.leaked_files = job_bytes;  // turned into files once the whole demand is known
    }
    entering = leaving;
    // The base level is picked from after a batch has come in: half of it stands there on average.
    upper_bytes = own + (base ? batch * ratio / 2 : 0.0);
  }
  demand.leaked_files = tree.saturated ? leaked_files(demand.leaked_files / demand.written /
                                                      std::max(tree.buffer_user_bytes, 1.0))
                                       : 0.0;
}

}  // namespace

TreePlan plan_tree(const ModelInput& input, const Calibration& calibration,
                   const KnobValues& family_settings, bool one_slot) {
  const FamilySnapshot& family = input.family;
  TreePlan tree;
  tree.one_slot = one_slot;
  tree.saturated = input.saturated;
  tree.horizon_s = std::max(0.0, input.horizon_s);
  tree.l0_settled = input.l0_settled;
  tree.buffer_user_bytes = std::max(calibration.memtable_fill, 1e-3) *
                           std::max(family.facts.min_write_buffer_number_to_merge, 1.0) *
                           value_of(family_settings, Knob::write_buffer_size);
  tree.flush_file_bytes =
      std::max(calibration.flush_bytes_per_user_byte, 1e-3) * tree.buffer_user_bytes;
  tree.trigger = std::max(1.0, value_of(family_settings, Knob::level0_file_num_compaction_trigger));
  tree.slowdown =
      std::max(tree.trigger, value_of(family_settings, Knob::level0_slowdown_writes_trigger));
  tree.stop = std::max(tree.slowdown, value_of(family_settings, Knob::level0_stop_writes_trigger));
  tree.calm_files = std::min(
      tree.trigger,
      std::ceil(value_of(family_settings, Knob::max_bytes_for_level_base) / tree.flush_file_bytes));
  tree.calm_files = std::max(1.0, tree.calm_files);

  std::vector<double> sizes = level_bytes_of(family);
  tree.l0_bytes = sizes.empty() ? 0 : sizes.front();
  double below = 0;
  for (std::size_t level = 1; level < sizes.size(); ++level) below += sizes[level];
  const double keys_bytes = distinct_bytes(calibration, 0);
  tree.data_bytes = keys_bytes > 0               ? keys_bytes
                    : family.live_data_bytes > 0 ? family.live_data_bytes
                                                 : std::max(below, tree.l0_bytes);

  if (tree.horizon_s <= 0 && family.facts.dynamic_level_bytes) {
    // Settled: all data stands at the last level, and targets are counted up from there.
    const auto levels = static_cast<std::size_t>(std::clamp(family.facts.num_levels, 2.0, 64.0));
    sizes.assign(levels, 0.0);
    sizes.back() = tree.data_bytes;
  }
  const LevelTargets targets = level_targets(sizes, family_settings, family.facts);
  const std::size_t base = targets.base_level;
  std::size_t deepest = base;
  for (std::size_t level = base; level < sizes.size(); ++level) {
    if (sizes[level] > 0) deepest = level;
  }
  if (tree.horizon_s <= 0) deepest = targets.bytes.size() - 1;
  tree.levels = std::clamp<std::size_t>(deepest - base + 1, 1, kMostLevels);
  for (std::size_t i = 0; i < tree.levels; ++i) {
    const std::size_t level = base + i;
    tree.target[i] = targets.bytes[level];
    tree.present[i] = level < sizes.size() ? sizes[level] : 0;
  }
  return tree;
}

namespace {

// Files that one L0 -> base job takes under saturation. While the base level stays below its
// ceiling, L0 has the higher score and a job starts as soon as the last one ended: of the files
// that the slowdown trigger allows, half are in the running job and half wait. At its ceiling the
// base level is drained first, and L0 fills up meanwhile.
double saturated_files(const TreePlan& tree, const Demand& demand) {
  const double most = most_files(tree, demand);
  const double waiting = std::min(most, tree.slowdown / 2 + demand.leaked_files);
  const double taken = waiting + (most - waiting) * demand.base_drained_share;
  return std::clamp(taken, std::min(tree.calm_files, most), most);
}

}  // namespace

Demand demand_at(const TreePlan& tree, const Calibration& calibration, double put_bytes_per_s) {
  Demand demand;
  const double user_bytes =
      tree.horizon_s > 0 ? std::max(put_bytes_per_s * tree.horizon_s, 1e-9) : 1.0;
  demand.l0_files = tree.saturated ? tree.slowdown : tree.calm_files;
  // N* and the amplification depend on each other; the leak is logarithmic, so this settles fast.
  const int rounds = tree.saturated ? 4 : 1;
  for (int round = 0; round < rounds; ++round) {
    if (round > 0) demand.l0_files = saturated_files(tree, demand);
    walk(tree, calibration, user_bytes, demand.l0_files, demand);
  }
  if (tree.saturated) {
    demand.waiting_files = std::max(demand.leaked_files,
                                    kWaitingSpread * (most_files(tree, demand) - demand.l0_files));
  }
  return demand;
}

}  // namespace lsmtuned::model
