#include "model/simulator/merge.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace lsmtuned::model::simulator {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr double kNarrowest = 1e-15;    // key space; narrower files are points
constexpr double kFullest = 1 - 1e-12;  // of the keys in a range: ln(1 - d) stays finite

double density_of(const TableFile& file) {
  return file.records / std::max(file.high - file.low, kNarrowest);
}

double next_of(std::span<const TableFile> files, std::size_t index, bool inside) {
  if (index >= files.size()) return kNever;
  return inside ? files[index].high : files[index].low;
}

}  // namespace

// The output side of one merge: the file being written and the grandparents it has passed.
class Merger::Output {
 public:
  Output(std::span<const TableFile> grandparents, const MergeLimits& limits,
         std::vector<TableFile>& files)
      : grandparents_(grandparents), limits_(limits), files_(files) {
    max_bytes_ = grandparents.empty() ? limits.target_bytes : 2 * limits.target_bytes;
    if (!limits.split) max_bytes_ = kNever;
  }

  double next_bound() const { return next_of(grandparents_, index_, inside_); }

  // Records spread over [low, high); the file is closed wherever it is full.
  void write(double low, double high, double density) {
    if (density <= 0) return;
    if (open_ && skipped_ > limits_.target_bytes / 8) close();
    skipped_ = 0;
    const double bytes_per_key_space = density * limits_.bytes_per_record;
    while (low < high) {
      if (!open_) start(low);
      const double room = (max_bytes_ - file_.bytes) / bytes_per_key_space;
      // Within rounding of the piece's end the file ends there, and no crumb is left over.
      const double until = room < (high - low) * (1 - 1e-9) ? low + room : high;
      file_.bytes += bytes_per_key_space * (until - low);
      file_.records += density * (until - low);
      file_.high = until;
      const bool stuck = until <= low;  // the room is below what a double can step
      low = until;
      if (file_.bytes >= max_bytes_ * (1 - 1e-9) || stuck) close();
      if (stuck) break;
    }
  }

  // The sweep stands at `at`: count the grandparent bounds there and close the file if they say so.
  void cross(double at) {
    int crossed = 0;
    while (index_ < grandparents_.size()) {
      if (!inside_) {
        if (grandparents_[index_].low > at) break;
        inside_ = true;
        overlapped_ += grandparents_[index_].bytes;
      } else {
        const TableFile& passed = grandparents_[index_];
        if (passed.high > at) break;
        if (open_ && passed.low >= file_.high) skipped_ += passed.bytes;
        inside_ = false;
        ++index_;
      }
      ++crossed;
    }
    if (crossed == 0 || !open_ || !limits_.split) return;
    crossed_ += crossed;
    const double share = 0.5 + std::min(0.05 * crossed_, 0.4);
    if (file_.bytes >= limits_.target_bytes * share ||
        overlapped_ + file_.bytes > limits_.max_compaction_bytes) {
      close();
    }
  }

  void close() {
    if (open_ && file_.records > 0) files_.push_back(file_);
    open_ = false;
  }

 private:
  void start(double low) {
    file_ = TableFile{};
    file_.low = low;
    file_.high = low;
    open_ = true;
    crossed_ = 0;
    overlapped_ = inside_ ? grandparents_[index_].bytes : 0;
  }

  std::span<const TableFile> grandparents_;
  const MergeLimits& limits_;
  std::vector<TableFile>& files_;
  double max_bytes_ = 0;
  std::size_t index_ = 0;
  bool inside_ = false;
  bool open_ = false;
  int crossed_ = 0;
  double overlapped_ = 0;
  double skipped_ = 0;  // bytes of grandparents inside the gap since the last record
  TableFile file_;
};

void Merger::list_bounds(std::span<const TableFile> upper, const MergeLimits& limits) {
  bounds_.clear();
  for (const TableFile& file : upper) {
    const double density = density_of(file);
    const double share = std::min(density * limits.inverse_distinct_keys, kFullest);
    const double log_absent = std::log1p(-share);
    const double high = std::max(file.high, file.low + kNarrowest);
    bounds_.push_back({file.low, density, log_absent, true});
    bounds_.push_back({high, density, log_absent, false});
  }
  std::sort(bounds_.begin(), bounds_.end(),
            [](const Bound& a, const Bound& b) { return a.at < b.at; });
}

void Merger::merge(std::span<const TableFile> upper, std::span<const TableFile> lower,
                   std::span<const TableFile> grandparents, const MergeLimits& limits,
                   std::vector<TableFile>& out) {
  list_bounds(upper, limits);
  Output output(grandparents, limits, out);
  const double inverse_keys = limits.inverse_distinct_keys;
  std::size_t upper_bound = 0;
  std::size_t lower_file = 0;
  bool in_lower = false;
  std::size_t covering = 0;
  double log_absent = 0;
  double added = 0;
  double upper_density = 0;
  double at = 0;
  for (bool first = true;; first = false) {
    const double next_upper = upper_bound < bounds_.size() ? bounds_[upper_bound].at : kNever;
    const double next_input = std::min(next_upper, next_of(lower, lower_file, in_lower));
    if (next_input == kNever) break;
    const double next = first ? next_input : std::min(next_input, output.next_bound());
    if (!first && next > at) {
      double density = upper_density;
      if (in_lower) {
        const double below = density_of(lower[lower_file]);
        density += below - density * std::min(1.0, below * inverse_keys);
      }
      output.write(at, next, density);
    }
    at = std::max(at, next);
    if (first) at = next;
    bool upper_changed = false;
    for (; upper_bound < bounds_.size() && bounds_[upper_bound].at <= at; ++upper_bound) {
      const Bound& bound = bounds_[upper_bound];
      covering += bound.start ? 1 : -1;
      log_absent += bound.start ? bound.log_absent : -bound.log_absent;
      added += bound.start ? bound.density : -bound.density;
      upper_changed = true;
    }
    if (upper_changed) {
      if (covering == 0) log_absent = added = 0;  // drops what rounding left
      upper_density = inverse_keys > 0 ? -std::expm1(log_absent) / inverse_keys : added;
    }
    while (lower_file < lower.size() && next_of(lower, lower_file, in_lower) <= at) {
      if (in_lower) ++lower_file;
      in_lower = !in_lower;
    }
    output.cross(at);
  }
  output.close();
}

}  // namespace lsmtuned::model::simulator
