#include "model/estimate/ratios.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "model/estimate/bounds.h"

namespace lsmtuned::model {
namespace {

double& grown_vector_entry(std::vector<double>& values, std::size_t index, double otherwise) {
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

// Variance of ln o_l as a mean with forgetting: each new value has the variance it is seen to have.
void learn_variance(Calibration& next, std::size_t level, double innovation, double gain) {
  double& variance =
      grown_vector_entry(next.uncertainty.overlap_variance, level, kPriorOverlapVariance);
  variance = (1 - gain) * (1 - gain) * variance + gain * gain * innovation * innovation;
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
      const double learned = std::clamp(moved_towards(prior, overlap, gain_with_prior), 0.05, 1.5);
      learn_variance(next, index, std::log(std::max(overlap, 0.05) / prior), gain_with_prior);
      next.overlap[index] = learned;
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

}  // namespace

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

void learn_ratios(Calibration& next, const Deltas& deltas, const Settings& settings, double gain,
                  double gain_with_prior) {
  learn_flush(next, deltas, gain);
  const auto family = settings.families.find(deltas.now->name);
  if (family != settings.families.end()) learn_fill(next, deltas, family->second, gain_with_prior);
  learn_compression(next, deltas);
  learn_levels(next, deltas, gain, gain_with_prior);
}

}  // namespace lsmtuned::model
