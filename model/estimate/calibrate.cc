#include "model/estimate/calibrate.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace lsmtuned::model {
namespace {

constexpr double kLongestInterval = 3600;  // seconds; beyond it something was asleep
constexpr double kMemoryCompactions = 20;  // L0 jobs that the past counts for at most
constexpr double kPriorCompactions = 4;    // L0 jobs that a prior counts for
constexpr double kSaturatedStallShare = 0.2;
constexpr double kUnstalledShare = 0.01;
constexpr double kBusyShare = 0.85;
constexpr double kIdleShare = 0.7;
// A cgroup limits reads and writes apart, so they overlap; section 4's p for that is large.
constexpr double kSeparateLimitsExponent = 8;
constexpr double kReadToWritePrior = 2;
constexpr double kMostUtilisation = 1.05;
constexpr double kLeastUtilisation = 0.3;

double ratio_or(double numerator, double denominator, double otherwise) {
  return denominator > 0 ? numerator / denominator : otherwise;
}

double moved_towards(double from, double to, double gain) {
  return from + gain * (to - from);
}

// The part of `before` that new evidence of `weight` L0 jobs replaces.
double gain_of(double weight, double evidence, double prior) {
  const double past = std::min(evidence + prior, kMemoryCompactions);
  return weight / (weight + past);
}

bool shrank(const LevelStats& earlier, const LevelStats& later) {
  return later.write_bytes < earlier.write_bytes || later.read_bytes < earlier.read_bytes ||
         later.moved_bytes < earlier.moved_bytes ||
         later.compaction_seconds < earlier.compaction_seconds ||
         later.compaction_count < earlier.compaction_count || later.keys_in < earlier.keys_in;
}

double growth(double earlier, double later) {
  return std::max(0.0, later - earlier);
}

LevelStats level_delta(const LevelStats& earlier, const LevelStats& later) {
  LevelStats delta = later;
  delta.size_bytes = (earlier.size_bytes + later.size_bytes) / 2;  // a mean, not a counter
  delta.read_bytes = growth(earlier.read_bytes, later.read_bytes);
  delta.read_from_upper_bytes = growth(earlier.read_from_upper_bytes, later.read_from_upper_bytes);
  delta.read_from_this_bytes = growth(earlier.read_from_this_bytes, later.read_from_this_bytes);
  delta.write_bytes = growth(earlier.write_bytes, later.write_bytes);
  delta.moved_bytes = growth(earlier.moved_bytes, later.moved_bytes);
  delta.compaction_seconds = growth(earlier.compaction_seconds, later.compaction_seconds);
  delta.compaction_cpu_seconds =
      growth(earlier.compaction_cpu_seconds, later.compaction_cpu_seconds);
  delta.compaction_count = growth(earlier.compaction_count, later.compaction_count);
  delta.keys_in = growth(earlier.keys_in, later.keys_in);
  delta.keys_dropped = growth(earlier.keys_dropped, later.keys_dropped);
  return delta;
}

// What happened to the deciding family between two snapshots, level by level.
struct Deltas {
  const FamilySnapshot* now = nullptr;
  std::vector<LevelStats> levels;
  std::size_t base = 1;
  double user_bytes = 0;
  double keys = 0;
  double flush_bytes = 0;
  double wal_bytes = 0;
  double memtable_growth_bytes = 0;
  double flushes = 0;
  double base_jobs = 0;
  bool single_family = true;
};

std::size_t base_of(const FamilySnapshot& family) {
  const double base = family.base_level;
  if (!(base >= 1) || base >= static_cast<double>(family.levels.size())) return 1;
  return static_cast<std::size_t>(base);
}

// `earlier` may be null: everything since the database was opened.
bool deltas_between(const Snapshot* earlier, const Snapshot& later, Deltas& deltas) {
  deltas.now = worst_family(later);
  if (deltas.now == nullptr) return false;
  const FamilySnapshot* then =
      earlier == nullptr ? nullptr : find_family(*earlier, deltas.now->name);
  if (earlier != nullptr && then == nullptr) return false;
  deltas.single_family = later.families.size() == 1;
  deltas.base = base_of(*deltas.now);
  for (std::size_t i = 0; i < deltas.now->levels.size(); ++i) {
    const LevelStats& after = deltas.now->levels[i];
    LevelStats before;
    before.size_bytes = after.size_bytes;
    if (then != nullptr && i < then->levels.size()) before = then->levels[i];
    if (shrank(before, after)) return false;
    deltas.levels.push_back(level_delta(before, after));
  }
  const DatabaseCounters zero;
  const DatabaseCounters& from = earlier == nullptr ? zero : earlier->counters;
  const DatabaseCounters& to = later.counters;
  deltas.user_bytes = to.user_bytes - from.user_bytes;
  deltas.keys = to.keys_written - from.keys_written;
  deltas.flush_bytes = to.flush_write_bytes - from.flush_write_bytes;
  deltas.wal_bytes = to.wal_bytes - from.wal_bytes;
  deltas.flushes =
      static_cast<double>(later.state.flushes_completed) -
      (earlier == nullptr ? 0.0 : static_cast<double>(earlier->state.flushes_completed));
  for (const FamilySnapshot& family : later.families) {
    const FamilySnapshot* old = earlier == nullptr ? nullptr : find_family(*earlier, family.name);
    deltas.memtable_growth_bytes +=
        family.all_memtables_bytes - (old == nullptr ? 0.0 : old->all_memtables_bytes);
  }
  if (deltas.base < deltas.levels.size())
    deltas.base_jobs = deltas.levels[deltas.base].compaction_count;
  return true;
}

double grown_vector_entry(std::vector<double>& values, std::size_t index, double otherwise) {
  if (values.size() <= index) values.resize(index + 1, otherwise);
  return values[index];
}

void learn_flush(Calibration& next, const Deltas& deltas, double gain) {
  // What still sits in memtables was accepted but not flushed.
  const double flushed = deltas.user_bytes - deltas.memtable_growth_bytes * next.memtable_fill;
  if (deltas.flush_bytes > 0 && flushed > deltas.user_bytes / 2) {
    next.flush_bytes_per_user_byte = std::clamp(
        moved_towards(next.flush_bytes_per_user_byte, deltas.flush_bytes / flushed, gain), 0.01,
        4.0);
  }
  next.wal_bytes_per_user_byte = std::clamp(
      moved_towards(next.wal_bytes_per_user_byte, deltas.wal_bytes / deltas.user_bytes, gain), 0.0,
      4.0);
  if (deltas.keys > 0) {
    next.record_bytes = std::clamp(
        moved_towards(next.record_bytes, deltas.user_bytes / deltas.keys, gain), 1.0, 1e9);
  }
}

void learn_fill(Calibration& next, const Deltas& deltas, const KnobValues& settings, double gain) {
  const auto buffer = settings.get(Knob::write_buffer_size);
  if (!deltas.single_family || !buffer || *buffer <= 0 || deltas.flushes < 1) return;
  const double merged = std::max(1.0, deltas.now->facts.min_write_buffer_number_to_merge);
  const double fill =
      deltas.flush_bytes / deltas.flushes / (next.flush_bytes_per_user_byte * merged * *buffer);
  next.memtable_fill = std::clamp(moved_towards(next.memtable_fill, fill, gain), 0.3, 1.1);
}

// Compression of each level relative to L0, from the ratios RocksDB reports.
void learn_compression(Calibration& next, const Deltas& deltas) {
  if (deltas.levels.empty() || !(deltas.levels.front().compression_ratio > 0)) return;
  for (std::size_t level = deltas.base; level < deltas.levels.size(); ++level) {
    const LevelStats& stats = deltas.levels[level];
    if (!(stats.compression_ratio > 0) || !(stats.size_bytes > 0)) continue;
    const std::size_t index = level - deltas.base;
    const double relative = deltas.levels.front().compression_ratio / stats.compression_ratio;
    // Levels in between without data keep one: their neighbour above.
    grown_vector_entry(next.level_compression, index, 1.0);
    next.level_compression[index] = std::clamp(relative, 0.05, 20.0);
  }
}

// Distinct keys K, by inverting the merge of one L0 -> base job: n records over a level of m,
// all keys alike, leave K - (K - m) exp(-n/K) of n + m. The kept share grows with K.
double keys_from_merge(double n, double m, double kept) {
  double low = std::log(std::max(1.0, std::max(m, kept * (n + m))));
  double high = low + 30;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    const double keys = std::exp(middle);
    const double left = (keys - (keys - m) * std::exp(-n / keys)) / (n + m);
    (left < kept ? low : high) = middle;
  }
  return std::exp((low + high) / 2);
}

void learn_levels(Calibration& next, const Deltas& deltas, double gain, double gain_with_prior) {
  double batch_bytes = 0;
  for (std::size_t level = deltas.base; level < deltas.levels.size(); ++level) {
    const LevelStats& stats = deltas.levels[level];
    const std::size_t index = level - deltas.base;
    const double came = stats.read_from_upper_bytes;
    const double met = stats.read_from_this_bytes;
    const double jobs = stats.compaction_count;
    if (!(came > 0) || !(jobs > 0)) continue;
    if (index == 0) batch_bytes = came / jobs;

    // o_l: bytes met per byte that came, against what the sizes alone would say.
    const double upper =
        index == 0 ? batch_bytes
                   : deltas.levels[level - 1].size_bytes + (index == 1 ? batch_bytes / 2 : 0.0);
    if (stats.size_bytes > 0 && upper > 0) {
      const double overlap = met / came / (stats.size_bytes / upper);
      const double prior = grown_vector_entry(next.overlap, index,
                                              next.overlap.empty() ? 0.39 : next.overlap.back());
      next.overlap[index] = std::clamp(moved_towards(prior, overlap, gain_with_prior), 0.05, 1.5);
    }

    // nu_l. Kept only once seen, so that the prior for the deepest level stays in force until then.
    const double moved = stats.moved_bytes;
    if (moved > 0 || index < next.moved_share.size()) {
      const double share = moved / (moved + came);
      const bool fresh = index >= next.moved_share.size();
      const double prior = grown_vector_entry(next.moved_share, index, 0.0);
      next.moved_share[index] =
          std::clamp(fresh ? share : moved_towards(prior, share, gain), 0.0, 1.0);
    }

    if (stats.keys_in > 0) {
      const double incoming = stats.keys_in * came / (came + met);
      const double share = std::clamp(stats.keys_dropped / incoming, 0.0, 1.0);
      const bool fresh = index >= next.drop_share.size();
      const double prior = grown_vector_entry(next.drop_share, index, 0.0);
      next.drop_share[index] = fresh ? share : moved_towards(prior, share, gain);
      if (index == 0) {
        const double kept = 1 - stats.keys_dropped / stats.keys_in;
        if (kept < 0.999 && kept > 0) {
          const double keys =
              keys_from_merge(incoming / jobs, (stats.keys_in - incoming) / jobs, kept);
          next.distinct_keys =
              next.distinct_keys > 0
                  ? std::exp(moved_towards(std::log(next.distinct_keys), std::log(keys), gain))
                  : keys;
        } else if (kept >= 0.999) {
          next.distinct_keys = 0;  // inserts: nothing is replaced
        }
      }
    }
  }
}

// The two CPU constants are scaled together: one number an interval cannot tell them apart.
void learn_cpu(Calibration& next, const Deltas& deltas, double seconds, double gain) {
  double measured = 0;
  double expected = 0;
  for (std::size_t level = 1; level < deltas.levels.size(); ++level) {
    const LevelStats& stats = deltas.levels[level];
    measured += stats.compaction_cpu_seconds;
    expected += next.cpu_seconds_per_byte * stats.write_bytes +
                next.cpu_seconds_per_record * std::max(0.0, stats.keys_in - stats.keys_dropped);
  }
  if (!(measured > 0) || !(expected > 0)) return;
  const double scale = std::clamp(std::pow(measured / expected, gain), 0.1, 10.0);
  next.cpu_seconds_per_byte = std::clamp(next.cpu_seconds_per_byte * scale, 1e-12, 1e-6);
  next.cpu_seconds_per_record = std::clamp(next.cpu_seconds_per_record * scale, 1e-9, 1e-3);
  if (seconds > 0) next.background_cores = std::max(next.background_cores, measured / seconds);
}

void learn_job_speed(Calibration& next, const Deltas& deltas, double gain) {
  double input = 0;
  double busy = 0;
  for (std::size_t level = 1; level < deltas.levels.size(); ++level) {
    input += deltas.levels[level].read_bytes;
    busy += deltas.levels[level].compaction_seconds;
  }
  if (input > 0 && busy > 0) {
    const double speed = input / busy;
    next.job_bytes_per_second = next.job_bytes_per_second > 0
                                    ? moved_towards(next.job_bytes_per_second, speed, gain)
                                    : speed;
  }
  // RocksDB books flushes as L0's own work.
  const LevelStats& l0 = deltas.levels.front();
  if (l0.write_bytes > 0 && l0.compaction_seconds > 0) {
    const double speed = l0.write_bytes / l0.compaction_seconds;
    next.flush_bytes_per_second = next.flush_bytes_per_second > 0
                                      ? moved_towards(next.flush_bytes_per_second, speed, gain)
                                      : speed;
  }
}

StallCauses stall_causes(const Snapshot& snapshot) {
  StallCauses sum;
  for (const FamilySnapshot& family : snapshot.families) {
    sum.l0_slowdown += family.stalls.l0_slowdown;
    sum.l0_stop += family.stalls.l0_stop;
    sum.pending_slowdown += family.stalls.pending_slowdown;
    sum.pending_stop += family.stalls.pending_stop;
    sum.memtable_slowdown += family.stalls.memtable_slowdown;
    sum.memtable_stop += family.stalls.memtable_stop;
  }
  return sum;
}

// Whether compaction, not memory or the foreground, held writers back.
bool stalled_on_compaction(const Snapshot& earlier, const Snapshot& later) {
  const StallCauses before = stall_causes(earlier);
  const StallCauses after = stall_causes(later);
  const double compaction = after.l0_slowdown + after.l0_stop + after.pending_slowdown +
                            after.pending_stop - before.l0_slowdown - before.l0_stop -
                            before.pending_slowdown - before.pending_stop;
  const double memory = after.memtable_slowdown + after.memtable_stop - before.memtable_slowdown -
                        before.memtable_stop;
  return compaction > 0 && compaction >= memory;
}

double compaction_busy_share(const Deltas& deltas, double seconds) {
  double busy = 0;
  for (std::size_t level = 1; level < deltas.levels.size(); ++level) {
    busy += deltas.levels[level].compaction_seconds;
  }
  return seconds > 0 ? busy / seconds : 0;
}

// What the device carried, as the write bandwidth that section 4's bound would need for it.
double carried(double written, double read, double read_to_write, double p) {
  return std::pow(std::pow(written, p) + std::pow(read / read_to_write, p), 1 / p);
}

void learn_bandwidth(Calibration& next, const Snapshot& later, const Interval& interval,
                     bool saturated, double gain) {
  const double written = interval.write_amplification * interval.put_bytes_per_s;
  const double read = interval.read_amplification * interval.put_bytes_per_s;
  const double limit = later.device ? later.device->write_limit_bytes_per_s : 0;
  const double read_limit = later.device ? later.device->read_limit_bytes_per_s : 0;
  if (limit > 0) {
    const double read_to_write = read_limit > 0 ? read_limit / limit : kReadToWritePrior;
    double utilisation = next.write_bandwidth > 0 ? std::clamp(next.write_bandwidth / limit,
                                                               kLeastUtilisation, kMostUtilisation)
                                                  : 1.0;
    next.mix_exponent = kSeparateLimitsExponent;
    if (saturated) {
      const double seen =
          std::clamp(carried(written, read, read_to_write, next.mix_exponent) / limit,
                     kLeastUtilisation, kMostUtilisation);
      utilisation = moved_towards(utilisation, seen, gain);
    }
    next.write_bandwidth = utilisation * limit;
    next.read_bandwidth = utilisation * limit * read_to_write;
    return;
  }
  const double read_to_write = next.write_bandwidth > 0 && next.read_bandwidth > 0
                                   ? next.read_bandwidth / next.write_bandwidth
                                   : kReadToWritePrior;
  const double seen = carried(written, read, read_to_write, next.mix_exponent);
  if (!(seen > 0)) return;
  if (saturated) {
    next.write_bandwidth =
        next.write_bandwidth > 0 ? moved_towards(next.write_bandwidth, seen, gain) : seen;
  } else if (next.write_bandwidth > 0) {
    // Not at the limit, so only a lower bound: more than we believed possible still counts.
    next.write_bandwidth = std::max(next.write_bandwidth, seen);
  }
  if (next.write_bandwidth > 0) next.read_bandwidth = next.write_bandwidth * read_to_write;
}

void learn_foreground(Calibration& next, const Snapshot& earlier, const Snapshot& later,
                      const Interval& interval) {
  const bool free = interval.stall_share < kUnstalledShare && !earlier.state.write_stopped &&
                    !later.state.write_stopped && earlier.state.delayed_write_rate <= 0 &&
                    later.state.delayed_write_rate <= 0;
  if (free) {
    // Slow forgetting: an idle hour says little about what the foreground can do.
    next.foreground_bytes_per_second =
        std::max(interval.put_bytes_per_s, next.foreground_bytes_per_second * 0.98);
  } else if (next.foreground_bytes_per_second > 0) {
    // While stalled the foreground would have offered this much: the limit cannot be below it.
    const double offered = interval.put_bytes_per_s / std::max(0.05, 1 - interval.stall_share);
    next.foreground_bytes_per_second = std::max(next.foreground_bytes_per_second, offered);
  }
}

// The model's error at the present settings, over this very interval.
void learn_residual(Calibration& next, const Snapshot& earlier, const FamilySnapshot& family_then,
                    const Interval& interval, double gain) {
  ModelInput input;
  input.settings = earlier.settings;
  input.family = family_then;
  input.cpu_cores = next.background_cores;
  input.horizon_s = interval.seconds;
  input.l0_settled = true;
  Calibration plain = next;
  plain.log_residual = 0;
  const auto prediction = predict(input, plain);
  if (!prediction || !(prediction->put_bytes_per_s > 0) || !(interval.put_bytes_per_s > 0)) return;
  const double residual =
      std::clamp(std::log(interval.put_bytes_per_s / prediction->put_bytes_per_s), -1.5, 1.5);
  const double surprise = residual - next.log_residual;
  const double variance =
      moved_towards(next.relative_error * next.relative_error, surprise * surprise, gain);
  next.relative_error = std::clamp(std::sqrt(variance), 0.05, 0.5);
  next.log_residual = std::clamp(moved_towards(next.log_residual, residual, gain), -1.0, 1.0);
}

// The ratios that two snapshots show, whatever bound is active.
void learn_ratios(Calibration& next, const Deltas& deltas, const Settings& settings, double seconds,
                  double gain, double gain_with_prior) {
  learn_flush(next, deltas, gain);
  const auto family = settings.families.find(deltas.now->name);
  if (family != settings.families.end()) learn_fill(next, deltas, family->second, gain_with_prior);
  learn_compression(next, deltas);
  learn_levels(next, deltas, gain, gain_with_prior);
  learn_cpu(next, deltas, seconds, gain_with_prior);
}

bool went_backwards(const Snapshot& earlier, const Snapshot& later) {
  const DatabaseCounters& a = earlier.counters;
  const DatabaseCounters& b = later.counters;
  return later.database_uptime_s < earlier.database_uptime_s || b.user_bytes < a.user_bytes ||
         b.batch_bytes < a.batch_bytes || b.keys_written < a.keys_written ||
         b.wal_bytes < a.wal_bytes || b.flush_write_bytes < a.flush_write_bytes ||
         b.compaction_read_bytes < a.compaction_read_bytes ||
         b.compaction_write_bytes < a.compaction_write_bytes || b.stall_seconds < a.stall_seconds ||
         later.state.flushes_completed < earlier.state.flushes_completed ||
         later.state.l0_compactions_completed < earlier.state.l0_compactions_completed;
}

// L0 -> base jobs: the listener's count, or cfstats where no listener reports.
double l0_compactions_between(const Snapshot& earlier, const Snapshot& later) {
  if (later.state.l0_compactions_completed > 0) {
    return static_cast<double>(later.state.l0_compactions_completed -
                               earlier.state.l0_compactions_completed);
  }
  double jobs = 0;
  for (const FamilySnapshot& family : later.families) {
    const FamilySnapshot* then = find_family(earlier, family.name);
    const std::size_t base = base_of(family);
    if (base >= family.levels.size()) continue;
    const double before =
        then != nullptr && base < then->levels.size() ? then->levels[base].compaction_count : 0.0;
    jobs += growth(before, family.levels[base].compaction_count);
  }
  return jobs;
}

}  // namespace

Interval measure(const Snapshot& earlier, const Snapshot& later) {
  Interval interval;
  interval.seconds = later.time_s - earlier.time_s;
  if (earlier.incarnation != later.incarnation || !(interval.seconds > 0) ||
      !std::isfinite(interval.seconds) || went_backwards(earlier, later)) {
    return interval;
  }
  const DatabaseCounters& from = earlier.counters;
  const DatabaseCounters& to = later.counters;
  const double seconds = interval.seconds;
  const double user = to.user_bytes - from.user_bytes;
  const double written = to.wal_bytes - from.wal_bytes + to.flush_write_bytes -
                         from.flush_write_bytes + to.compaction_write_bytes -
                         from.compaction_write_bytes;
  const double read = to.compaction_read_bytes - from.compaction_read_bytes;
  interval.put_bytes_per_s = user / seconds;
  interval.put_ops_per_s = (to.keys_written - from.keys_written) / seconds;
  interval.stall_share = std::clamp((to.stall_seconds - from.stall_seconds) / seconds, 0.0, 1.0);
  interval.write_amplification = ratio_or(written, user, 0);
  interval.read_amplification = ratio_or(read, user, 0);
  interval.device_write_bytes_per_s = written / seconds;
  interval.device_read_bytes_per_s = read / seconds;
  if (earlier.device && later.device && !later.device->name.empty() &&
      earlier.device->name == later.device->name &&
      later.device->write_bytes >= earlier.device->write_bytes &&
      later.device->read_bytes >= earlier.device->read_bytes) {
    interval.device_write_bytes_per_s =
        (later.device->write_bytes - earlier.device->write_bytes) / seconds;
    interval.device_read_bytes_per_s =
        (later.device->read_bytes - earlier.device->read_bytes) / seconds;
    interval.device_busy_share =
        std::clamp((later.device->busy_seconds - earlier.device->busy_seconds) / seconds, 0.0, 1.0);
  }
  interval.flushes =
      static_cast<double>(later.state.flushes_completed - earlier.state.flushes_completed);
  interval.l0_compactions = l0_compactions_between(earlier, later);
  interval.valid = true;
  return interval;
}

Calibration calibrate(const Calibration& before, const Snapshot& earlier, const Snapshot& later) {
  const Interval interval = measure(earlier, later);
  if (!interval.valid || interval.seconds > kLongestInterval || interval.l0_compactions < 1 ||
      !(interval.put_bytes_per_s > 0) || !(earlier.settings == later.settings)) {
    return before;
  }
  Deltas deltas;
  if (!deltas_between(&earlier, later, deltas)) return before;
  const FamilySnapshot* family_then = find_family(earlier, deltas.now->name);
  if (family_then == nullptr) return before;

  Calibration next = before;
  const double gain = gain_of(interval.l0_compactions, before.evidence_l0_compactions, 0);
  const double gain_with_prior =
      gain_of(interval.l0_compactions, before.evidence_l0_compactions, kPriorCompactions);
  learn_ratios(next, deltas, later.settings, interval.seconds, gain, gain_with_prior);

  const bool held_back =
      interval.stall_share > kSaturatedStallShare && stalled_on_compaction(earlier, later);
  const bool saturated =
      held_back && (interval.device_busy_share > kBusyShare ||
                    compaction_busy_share(deltas, interval.seconds) > kBusyShare);
  learn_bandwidth(next, later, interval, saturated, gain);
  if (!held_back && interval.device_busy_share < kIdleShare) learn_job_speed(next, deltas, gain);
  learn_foreground(next, earlier, later, interval);
  if (held_back) learn_residual(next, earlier, *family_then, interval, gain_with_prior);

  next.evidence_seconds += interval.seconds;
  next.evidence_l0_compactions += interval.l0_compactions;
  return next;
}

Calibration prior_from(const Snapshot& first) {
  Calibration prior;
  Deltas since_open;
  if (deltas_between(nullptr, first, since_open)) {
    learn_compression(prior, since_open);
    // A database that has flushed and compacted since its open already shows its ratios.
    if (since_open.user_bytes > 0 && since_open.base_jobs >= 1) {
      learn_ratios(prior, since_open, first.settings, first.database_uptime_s, 1.0,
                   gain_of(since_open.base_jobs, 0, kPriorCompactions));
    }
  }
  if (first.device && first.device->write_limit_bytes_per_s > 0) {
    prior.write_bandwidth = first.device->write_limit_bytes_per_s;
    prior.read_bandwidth = first.device->read_limit_bytes_per_s > 0
                               ? first.device->read_limit_bytes_per_s
                               : kReadToWritePrior * prior.write_bandwidth;
    prior.mix_exponent = kSeparateLimitsExponent;
  }
  return prior;
}

}  // namespace lsmtuned::model
