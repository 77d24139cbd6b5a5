#include "model/simulator/levels.h"

#include <algorithm>
#include <limits>

namespace lsmtuned::model::simulator {
namespace {

// With dynamic level bytes, scores above 1 are scaled so that levels being filled can be told from
// levels that are full.
constexpr double kDynamicScale = 10;

// Sums of doubles that return to nothing leave crumbs; a level without files is empty.
double without(double total, double part) {
  const double left = total - part;
  return left > 1e-6 * total ? left : 0;
}

}  // namespace

Levels::Levels(const Parameters& parameters)
    : parameters_(parameters), targets_(parameters.targets) {}

void Levels::remove(std::size_t level, double bytes) {
  bytes_[level] = without(bytes_[level], bytes);
}

void Levels::unmark_busy(std::size_t level, double bytes) {
  busy_[level] = without(busy_[level], bytes);
}

double Levels::total_bytes() const {
  double total = 0;
  for (std::size_t l = 0; l < parameters_.levels; ++l) total += bytes_[l];
  return total;
}

void Levels::settle() {
  if (parameters_.dynamic_level_bytes) set_dynamic_targets();
  estimate_pending();
}

void Levels::retarget() {
  targets_ = parameters_.targets;
  settle();
}

// CalculateBaseBytes, on this simulator's arrays.
void Levels::set_dynamic_targets() {
  const std::size_t levels = parameters_.levels;
  const double base = parameters_.level_base_bytes;
  const double ratio = parameters_.level_multiplier;
  double largest = 0;
  std::size_t first_filled = 0;
  for (std::size_t l = 1; l < levels; ++l) {
    if (bytes_[l] > 0 && first_filled == 0) first_filled = l;
    largest = std::max(largest, bytes_[l]);
  }
  targets_.fill(std::numeric_limits<double>::infinity());
  if (first_filled == 0) {
    base_level_stands_ = parameters_.base_level == levels - 1;
    return;
  }
  double size = largest;
  for (std::size_t l = levels - 2; l >= first_filled; --l) size /= ratio;
  std::size_t base_level = first_filled;
  if (size <= base / ratio) {
    size = base / ratio + 1;
  } else {
    while (base_level > 1 && size > base) {
      --base_level;
      size /= ratio;
    }
    size = std::min(size, base);
  }
  base_level_stands_ = base_level == parameters_.base_level;
  for (std::size_t l = base_level; l < levels; ++l) {
    if (l > base_level) size *= ratio;
    targets_[l] = std::max(size, base);
  }
}

void Levels::estimate_pending() {
  const bool l0_triggered =
      l0_files_ >= parameters_.l0_trigger || bytes_[0] >= parameters_.level_base_bytes;
  double pending = l0_triggered ? bytes_[0] : 0;
  double carried = pending;
  for (std::size_t l = parameters_.base_level; l + 1 < parameters_.levels; ++l) {
    double size = bytes_[l];
    if (l == parameters_.base_level && l0_triggered) pending += size;
    size += carried;
    carried = 0;
    if (size <= targets_[l]) continue;
    carried = size - targets_[l];
    const double next = bytes_[l + 1];
    if (next > 0) pending += carried * (next / size + 1);
  }
  pending_ = pending;
}

double Levels::l0_score() const {
  const Parameters& p = parameters_;
  const double free_bytes = std::max(0.0, bytes_[0] - busy_[0]);
  double score = l0_free_files_ / p.l0_trigger;
  if (!p.dynamic_level_bytes) return std::max(score, free_bytes / p.level_base_bytes);
  if (free_bytes >= p.level_base_bytes) score = std::max(score, 1.01);
  if (free_bytes > targets_[p.base_level]) {
    const double base_size = std::max(bytes_[p.base_level], targets_[p.base_level]);
    score = std::max(score, free_bytes / base_size);
  }
  return score > 1 ? score * kDynamicScale : score;
}

double Levels::level_score(std::size_t level, double incoming) const {
  const double free_bytes = std::max(0.0, bytes_[level] - busy_[level]);
  const double target = targets_[level];
  if (!parameters_.dynamic_level_bytes || free_bytes < target) return free_bytes / target;
  return free_bytes / (target + incoming) * kDynamicScale;
}

std::size_t Levels::scores(std::array<ScoredLevel, kMaxLevels>& out) const {
  std::size_t count = 0;
  double incoming = bytes_[0];  // bytes soon to come down, dynamic levels only
  for (std::size_t l = 0; l + 1 < parameters_.levels; ++l) {
    if (l > 0 && l < parameters_.base_level) continue;
    const double score = l == 0 ? l0_score() : level_score(l, incoming);
    if (l > 0 && bytes_[l] > targets_[l]) incoming += bytes_[l] - targets_[l];
    if (!(score >= 1)) continue;
    std::size_t at = count++;
    for (; at > 0 && out[at - 1].score < score; --at) out[at] = out[at - 1];
    out[at] = {score, l};
  }
  return count;
}

}  // namespace lsmtuned::model::simulator
