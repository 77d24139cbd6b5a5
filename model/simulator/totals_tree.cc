#include "model/simulator/totals_tree.h"

#include <algorithm>
#include <cmath>

#include "model/simulator/read_blocks.h"
#include "model/simulator/turns.h"

namespace lsmtuned::model::simulator {
namespace {

// Files that close between half the target and twice it average somewhat below the target
// (merge.h); only trivial moves and job sizes see it.
constexpr double kFileFill = 0.85;
constexpr double kCrumb = 1e-6;  // records; sums of doubles that return to nothing leave less

// Records that remain of two sets spread over the same keys: inclusion and exclusion.
double merged(double a, double b, double inverse_keys) {
  return a + b - a * std::min(1.0, b * inverse_keys);
}

double turns_of(double bytes, double target_bytes) {
  const double files = std::max(1.0, bytes / (kFileFill * target_bytes));
  return files * turns_of_file(bytes / files) + kTurnsPerJobEnd;
}

}  // namespace

TotalsTree::TotalsTree(const Parameters& parameters, const TreeShape& shape, std::uint64_t)
    : parameters_(parameters), levels_(parameters), l0_(levels_), below_(parameters.levels) {
  for (std::size_t l = 0; l < shape.levels.size(); ++l) {
    const LevelShape& level = shape.levels[l];
    double bytes = level.bytes;
    double files = level.files;
    double records = level.bytes / parameters.tree_bytes_per_record[l];
    if (!level.ranges.empty()) {
      bytes = records = 0;
      files = static_cast<double>(level.ranges.size());
      for (const FileRange& range : level.ranges) {
        bytes += range.bytes;
        records +=
            range.records > 0 ? range.records : range.bytes / parameters.tree_bytes_per_record[l];
      }
    }
    if (bytes <= 0) continue;
    if (files <= 0) files = std::ceil(bytes / parameters.target_file_bytes);
    files = std::max(1.0, files);
    if (l == 0) {
      const TableFile even{0, 1, records / files, bytes / files};
      for (double i = 0; i < files; ++i) l0_.add_newest(even);
      continue;
    }
    below_[l].records = records;
    below_[l].files = files;
    levels_.add(l, bytes_of(l, records));
  }
  levels_.settle();
}

double TotalsTree::bytes_of(std::size_t level, double records) const {
  return records * parameters_.bytes_per_record[level];
}

void TotalsTree::add_flushed(double records) {
  TableFile file;
  file.records = records;
  file.bytes = bytes_of(0, records);
  l0_.add_newest(file);
  levels_.settle();
}

TotalsTree::Running& TotalsTree::begin(Job& job, std::size_t input_level,
                                       std::size_t output_level) {
  std::size_t slot = 0;
  while (slot < running_.size() && running_[slot].used) ++slot;
  if (slot == running_.size()) running_.emplace_back();
  running_[slot] = Running{};
  running_[slot].used = true;
  job = Job{};
  job.id = static_cast<std::uint32_t>(slot + 1);
  job.input_level = static_cast<std::uint32_t>(input_level);
  job.output_level = static_cast<std::uint32_t>(output_level);
  return running_[slot];
}

void TotalsTree::hold(std::size_t level, double records, double files, Job& job) {
  below_[level].busy_records += records;
  below_[level].busy_files += files;
  levels_.mark_busy(level, bytes_of(level, records));
  job.read_bytes += bytes_of(level, records);
  job.records += records;
  job.input_files += files;
}

void TotalsTree::release(std::size_t level, double records, double files) {
  Level& here = below_[level];
  here.busy_records = std::max(0.0, here.busy_records - records);
  here.busy_files = std::max(0.0, here.busy_files - files);
  here.records = std::max(0.0, here.records - records);
  here.files = std::max(0.0, here.files - files);
  if (here.records < kCrumb) here.records = here.files = 0;
  // Two jobs at once leave crumbs: a level that is busy for ever blocks L0 for ever.
  if (here.busy_records < kCrumb) here.busy_records = here.busy_files = 0;
  levels_.unmark_busy(level, bytes_of(level, records));
  levels_.remove(level, bytes_of(level, records));
}

// Records left of the picked L0 files.
double TotalsTree::merged_l0_density() const {
  double records = 0;
  for (const std::size_t i : picked_) {
    records = merged(records, l0_.files()[i].records, parameters_.inverse_distinct_keys);
  }
  return records;
}

bool TotalsTree::pick_base(Job& job) {
  effort_ += l0_.files().size();
  const std::size_t base = parameters_.base_level;
  const Level& below = below_[base];
  if (l0_.any_busy() || below.busy_records > 0) return false;
  l0_.pick_for_base(picked_);
  if (picked_.empty()) return false;
  Running& running = begin(job, 0, base);
  const bool moves = parameters_.order == KeyOrder::sequential && parameters_.distinct_keys <= 0;
  running.output_records = moves ? 0 : below.records;
  running.output_files = moves ? 0 : below.files;
  const double incoming = merged_l0_density();
  running.merged_records =
      merged(incoming, running.output_records, parameters_.inverse_distinct_keys);
  l0_.take(picked_, job);
  job.upper_bytes = job.read_bytes;
  const double l0_bytes = job.read_bytes;
  hold(base, running.output_records, running.output_files, job);
  if (moves) {
    job.kind = JobKind::trivial_move;
    return true;
  }
  job.kind = JobKind::l0_to_base;
  job.written_bytes = bytes_of(base, running.merged_records);
  job.turns = turns_of(job.written_bytes, parameters_.target_file_bytes);
  job.threads = std::clamp(std::floor(job.read_bytes / parameters_.target_file_bytes), 1.0,
                           parameters_.max_subcompactions);
  set_read_blocks(parameters_, l0_bytes, static_cast<double>(picked_.size()), job);
  return true;
}

bool TotalsTree::pick_intra_l0(Job& job) {
  effort_ += l0_.files().size();
  l0_.pick_intra(parameters_.l0_trigger, parameters_.max_compaction_bytes, picked_);
  if (picked_.empty()) return false;
  Running& running = begin(job, 0, 0);
  running.merged_records = merged_l0_density();
  l0_.take(picked_, job);
  job.upper_bytes = job.read_bytes;
  job.kind = JobKind::intra_l0;
  job.written_bytes = bytes_of(0, running.merged_records);
  job.turns = turns_of_file(job.written_bytes) + kTurnsPerJobEnd;
  set_read_blocks(parameters_, job.read_bytes, job.input_files, job);
  return true;
}

bool TotalsTree::pick_deeper(std::size_t level, Job& job) {
  Level& here = below_[level];
  const Level& next = below_[level + 1];
  const double free_files = here.files - here.busy_files;
  const double free_records = here.records - here.busy_records;
  if (free_files < 0.5 || free_records <= 0) return false;
  const double share = std::min(1.0, 1 / std::max(1.0, free_files));
  double records = free_records * share;
  double files = std::min(1.0, free_files);
  const bool same_compression =
      std::abs(parameters_.bytes_per_record[level] - parameters_.bytes_per_record[level + 1]) <
      1e-9 * parameters_.bytes_per_record[level];
  const bool disjoint = parameters_.order == KeyOrder::sequential && parameters_.distinct_keys <= 0;
  if (same_compression && (next.records <= 0 || disjoint)) {
    Running& running = begin(job, level, level + 1);
    running.input_records = running.merged_records = records;
    running.input_files = files;
    job.kind = JobKind::trivial_move;
    hold(level, records, files, job);
    return true;
  }
  // The same share of the next level's keys, times what least-overlap picking leaves of it.
  const double width = std::min(1.0, records / here.records);
  const double overlap = std::min(1.0, width * parameters_.overlap_share[level + 1]);
  const double below = overlap * next.records;
  if (below > next.records - next.busy_records) return false;
  Running& running = begin(job, level, level + 1);
  running.input_records = records;
  running.input_files = files;
  running.output_records = below;
  running.output_files = overlap * next.files;
  // The picked file has little overlap because it is narrow: its range is the overlapped one.
  const double range_keys = overlap * parameters_.distinct_keys;
  running.merged_records = merged(records, below, range_keys > 0 ? 1 / range_keys : 0);
  job.kind = JobKind::deeper;
  hold(level, records, files, job);
  job.upper_bytes = job.read_bytes;
  hold(level + 1, below, running.output_files, job);
  job.written_bytes = bytes_of(level + 1, running.merged_records);
  job.turns = turns_of(job.written_bytes, parameters_.target_file_bytes);
  set_read_blocks(parameters_, 0, 0, job);
  return true;
}

void TotalsTree::install(const Job& job) {
  Running& running = running_[job.id - 1];
  if (job.kind == JobKind::intra_l0) {
    TableFile file;
    file.records = running.merged_records;
    file.bytes = job.written_bytes;
    l0_.finish(job.id, &file);
  } else {
    if (job.input_level == 0) {
      l0_.finish(job.id, nullptr);
    } else {
      release(job.input_level, running.input_records, running.input_files);
    }
    release(job.output_level, running.output_records, running.output_files);
    Level& output = below_[job.output_level];
    const double bytes = bytes_of(job.output_level, running.merged_records);
    output.records += running.merged_records;
    output.files += job.kind == JobKind::trivial_move
                        ? job.input_files
                        : std::max(1.0, bytes / (kFileFill * parameters_.target_file_bytes));
    levels_.add(job.output_level, bytes);
  }
  running.used = false;
  levels_.settle();
}

double TotalsTree::records(std::size_t level) const {
  if (level > 0) return below_[level].records;
  double total = 0;
  for (const TableFile& file : l0_.files()) total += file.records;
  return total;
}

double TotalsTree::files(std::size_t level) const {
  return level == 0 ? static_cast<double>(l0_.files().size()) : std::round(below_[level].files);
}

TreeShape TotalsTree::shape() const {
  TreeShape shape;
  shape.levels.resize(parameters_.levels);
  shape.levels[0].files = files(0);
  for (const TableFile& file : l0_.files()) shape.levels[0].bytes += file.bytes;
  for (std::size_t l = 1; l < parameters_.levels; ++l) {
    shape.levels[l].bytes = bytes_of(l, below_[l].records);
    shape.levels[l].files = files(l);
  }
  return shape;
}

}  // namespace lsmtuned::model::simulator
