#include "model/simulator/files_tree.h"

#include <algorithm>
#include <cmath>

#include "model/simulator/random.h"
#include "model/simulator/read_blocks.h"
#include "model/simulator/turns.h"

namespace lsmtuned::model::simulator {
namespace {

constexpr std::uint64_t kEffortToPlace = 32;
constexpr double kUnevenness = 0.5;  // of file widths where only bytes and files are known

}  // namespace

FilesTree::FilesTree(const Parameters& parameters, const TreeShape& shape, std::uint64_t seed)
    : parameters_(parameters), levels_(parameters), l0_(levels_), below_(parameters.levels) {
  std::uint64_t random = seed;
  for (std::size_t l = 0; l < shape.levels.size(); ++l) place(l, shape.levels[l], random);
  for (std::size_t l = 1; l < parameters.levels; ++l) refresh(l, 0, 1);
  double all = 0;
  for (std::size_t l = 0; l < parameters.levels; ++l) all += records(l);
  if (parameters.distinct_keys > 0) {
    records_per_key_space_ = parameters.distinct_keys;
  } else {
    records_per_key_space_ = all > 0 ? all : parameters.memtable_records;
    if (all > 0) sequential_at_ = 1;
  }
  levels_.settle();
}

void FilesTree::place(std::size_t level, const LevelShape& shape, std::uint64_t& random) {
  std::vector<TableFile> files;
  const double bytes_per_record = parameters_.tree_bytes_per_record[level];
  for (const FileRange& range : shape.ranges) {
    TableFile file;
    file.low = range.low;
    file.high = range.high;
    file.bytes = range.bytes;
    file.records = range.records > 0 ? range.records : range.bytes / bytes_per_record;
    if (file.bytes > 0) files.push_back(file);
  }
  if (shape.ranges.empty() && shape.bytes > 0) {
    const double wanted =
        shape.files > 0 ? shape.files : std::ceil(shape.bytes / parameters_.target_file_bytes);
    const double count = std::max(1.0, wanted);
    std::vector<double> bounds{0};
    while (static_cast<double>(bounds.size()) <= count) {
      bounds.push_back(bounds.back() + 1 + kUnevenness * (2 * next_uniform(random) - 1));
    }
    const double width = bounds.back();
    for (std::size_t i = 0; i + 1 < bounds.size(); ++i) {
      TableFile file;
      file.low = level == 0 ? 0 : bounds[i] / width;
      file.high = level == 0 ? 1 : bounds[i + 1] / width;
      file.bytes = shape.bytes * (bounds[i + 1] - bounds[i]) / width;
      file.records = file.bytes / bytes_per_record;
      files.push_back(file);
    }
  }
  if (level == 0) {  // given newest first
    std::for_each(files.rbegin(), files.rend(), [this](const TableFile& f) { l0_.add_newest(f); });
    return;
  }
  effort_ += kEffortToPlace * files.size();
  FileLevel& here = below_[level];
  here.replace({0, 0}, files);
  here.sort();
  levels_.add(level, here.bytes({0, files.size()}));
}

void FilesTree::add_flushed(double records) {
  const Parameters& p = parameters_;
  TableFile file;
  file.records = records;
  file.bytes = records * p.bytes_per_record[0];
  if (p.order == KeyOrder::sequential) {
    const double keys = p.distinct_keys;
    if (keys > 0 && sequential_at_ * keys + records > keys) sequential_at_ = 0;
    file.low = sequential_at_;
    file.high = sequential_at_ + records / records_per_key_space_;
    sequential_at_ = file.high;
  }
  l0_.add_newest(file);
  levels_.settle();
}

FilesTree::Running& FilesTree::begin(Job& job, std::size_t input_level, std::size_t output_level) {
  std::size_t slot = 0;
  while (slot < running_.size() && running_[slot].used) ++slot;
  if (slot == running_.size()) running_.emplace_back();
  Running& running = running_[slot];
  std::vector<TableFile> outputs = std::move(running.outputs);
  outputs.clear();
  running = Running{};
  running.outputs = std::move(outputs);
  running.used = true;
  running.output_level = output_level;
  ++running_count_;
  job = Job{};
  job.id = static_cast<std::uint32_t>(slot + 1);
  job.input_level = static_cast<std::uint32_t>(input_level);
  job.output_level = static_cast<std::uint32_t>(output_level);
  return running;
}

void FilesTree::hold(std::size_t level, FileSpan span, Job& job) {
  FileLevel& here = below_[level];
  here.mark(span, job.id);
  const double bytes = here.bytes(span);
  levels_.mark_busy(level, bytes);
  job.read_bytes += bytes;
  job.input_files += static_cast<double>(span.size());
  for (const TableFile& file : here.files(span)) job.records += file.records;
}

// The outputs of `upper` over the files of `lower` in the output level.
void FilesTree::merge_into(Running& running, std::span<const TableFile> upper, FileSpan lower,
                           Job& job) {
  const std::size_t output = running.output_level;
  const FileLevel& below = below_[output];
  std::span<const TableFile> grandparents;
  for (std::size_t l = output + 1; l < parameters_.levels && grandparents.empty(); ++l) {
    grandparents = below_[l].files(below_[l].overlapping(running.low, running.high));
  }
  MergeLimits limits;
  limits.target_bytes = parameters_.target_file_bytes;
  limits.max_compaction_bytes = parameters_.max_compaction_bytes;
  limits.bytes_per_record = parameters_.bytes_per_record[output];
  limits.inverse_distinct_keys = parameters_.inverse_distinct_keys;
  limits.split = output > 0;
  const auto lower_files = output > 0 ? below.files(lower) : std::span<const TableFile>();
  if (output == 0) grandparents = {};
  merger_.merge(upper, lower_files, grandparents, limits, running.outputs);
  effort_ += upper.size() + lower_files.size() + grandparents.size() + running.outputs.size();
  job.written_bytes = 0;
  job.turns = kTurnsPerJobEnd;
  for (const TableFile& file : running.outputs) {
    job.written_bytes += file.bytes;
    job.turns += turns_of_file(file.bytes);
  }
  double together = 0;
  if (job.input_level == 0) {
    for (const TableFile& file : upper) together += file.bytes;
  }
  set_read_blocks(parameters_, together, static_cast<double>(upper.size()), job);
}

bool FilesTree::pick_base(Job& job) {
  effort_ += l0_.files().size();
  if (l0_.any_busy()) return false;
  if (pick_l0_trivial_move(job)) return true;
  l0_.pick_for_base(picked_);
  if (picked_.empty()) return false;
  upper_.clear();
  for (const std::size_t i : picked_) upper_.push_back(l0_.files()[i]);
  double low = upper_.front().low;
  double high = upper_.front().high;
  for (const TableFile& file : upper_) {
    low = std::min(low, file.low);
    high = std::max(high, file.high);
  }
  const std::size_t base = parameters_.base_level;
  const FileSpan lower = below_[base].overlapping(low, high);
  if (below_[base].any_busy(lower) || output_taken(base, low, high)) return false;
  Running& running = begin(job, 0, base);
  l0_.take(picked_, job);
  job.upper_bytes = job.read_bytes;
  hold(base, lower, job);
  running.output_files = lower.size();
  running.low = low;
  running.high = high;
  if (!lower.empty()) {
    running.output_low = below_[base].files()[lower.first].low;
    running.low = std::min(low, running.output_low);
    running.high = std::max(high, below_[base].files()[lower.last - 1].high);
  }
  if (picked_.size() == 1 && lower.empty()) {
    job.kind = JobKind::trivial_move;
    running.outputs.assign(upper_.begin(), upper_.end());
    return true;
  }
  job.kind = JobKind::l0_to_base;
  merge_into(running, upper_, lower, job);
  job.threads = std::clamp(std::floor(job.read_bytes / parameters_.target_file_bytes), 1.0,
                           parameters_.max_subcompactions);
  return true;
}

// From the oldest file on, files that overlap neither each other nor the base level. RocksDB does
// not look while the base level is empty.
bool FilesTree::pick_l0_trivial_move(Job& job) {
  const FileLevel& base = below_[parameters_.base_level];
  if (base.files().empty() || l0_.files().empty()) return false;
  picked_.clear();
  double low = 0;
  double high = 0;
  for (const TableFile& file : l0_.files()) {
    if (!picked_.empty() && file.low < high && file.high > low) break;
    const double new_low = picked_.empty() ? file.low : std::min(low, file.low);
    const double new_high = picked_.empty() ? file.high : std::max(high, file.high);
    if (!base.overlapping(new_low, new_high).empty()) break;
    low = new_low;
    high = new_high;
    picked_.push_back(picked_.size());
  }
  if (picked_.empty() || output_taken(parameters_.base_level, low, high)) return false;
  Running& running = begin(job, 0, parameters_.base_level);
  for (const std::size_t i : picked_) running.outputs.push_back(l0_.files()[i]);
  std::sort(running.outputs.begin(), running.outputs.end(),
            [](const TableFile& a, const TableFile& b) { return a.low < b.low; });
  l0_.take(picked_, job);
  job.upper_bytes = job.read_bytes;
  running.low = low;
  running.high = high;
  job.kind = JobKind::trivial_move;
  return true;
}

bool FilesTree::pick_intra_l0(Job& job) {
  effort_ += l0_.files().size();
  l0_.pick_intra(parameters_.l0_trigger, parameters_.max_compaction_bytes, picked_);
  if (picked_.empty()) return false;
  upper_.clear();
  for (const std::size_t i : picked_) upper_.push_back(l0_.files()[i]);
  Running& running = begin(job, 0, 0);
  l0_.take(picked_, job);
  job.upper_bytes = job.read_bytes;
  job.kind = JobKind::intra_l0;
  merge_into(running, upper_, {}, job);
  return true;
}

bool FilesTree::output_taken(std::size_t output_level, double low, double high) const {
  if (running_count_ == 0) return false;
  return std::any_of(running_.begin(), running_.end(), [&](const Running& running) {
    return running.used && running.output_level == output_level && running.low < high &&
           running.high > low;
  });
}

bool FilesTree::pick_deeper(std::size_t level, Job& job) {
  const FileLevel& here = below_[level];
  FileLevel::Candidate candidate;
  for (std::size_t tries = 0; tries <= here.files().size(); ++tries) {
    effort_ += here.files().size();
    candidate = here.least_overlap(candidate);
    if (!candidate.found) return false;
    if (take_deeper(level, candidate.index, job)) return true;
  }
  return false;
}

bool FilesTree::take_deeper(std::size_t level, std::size_t index, Job& job) {
  const FileLevel& here = below_[level];
  const FileLevel& next = below_[level + 1];
  const TableFile& file = here.files()[index];
  if (output_taken(level + 1, file.low, file.high)) return false;
  FileSpan upper{index, index + 1};
  const FileSpan lower = next.overlapping(file.low, file.high);
  if (next.any_busy(lower)) return false;
  if (lower.empty()) {
    upper = extended_move(level, index);
    if (moves_trivially(level, upper)) {
      take_trivial_move(level, upper, job);
      return true;
    }
  } else {
    upper = widened(level, upper, lower);
  }
  double low = here.files()[upper.first].low;
  double high = here.files()[upper.last - 1].high;
  if (!lower.empty()) {
    low = std::min(low, next.files()[lower.first].low);
    high = std::max(high, next.files()[lower.last - 1].high);
  }
  if (output_taken(level + 1, low, high)) return false;
  Running& running = begin(job, level, level + 1);
  job.kind = JobKind::deeper;
  running.low = low;
  running.high = high;
  running.input_low = here.files()[upper.first].low;
  running.input_files = upper.size();
  running.output_files = lower.size();
  if (!lower.empty()) running.output_low = next.files()[lower.first].low;
  hold(level, upper, job);
  job.upper_bytes = job.read_bytes;
  hold(level + 1, lower, job);
  merge_into(running, here.files(upper), lower, job);
  return true;
}

// TryExtendNonL0TrivialMove: up to four neighbours, as long as nothing overlaps below.
FileSpan FilesTree::extended_move(std::size_t level, std::size_t index) const {
  constexpr std::size_t kMostMoved = 4;
  const std::vector<TableFile>& files = below_[level].files();
  FileSpan span{index, index + 1};
  double bytes = files[index].bytes;
  while (span.last < files.size() && span.size() < kMostMoved && !files[span.last].busy()) {
    const TableFile& more = files[span.last];
    bytes += more.bytes;
    if (bytes > parameters_.max_compaction_bytes) break;
    if (!below_[level + 1].overlapping(files[index].low, more.high).empty()) break;
    if (output_taken(level + 1, files[index].low, more.high)) break;
    ++span.last;
  }
  return span;
}

// IsTrivialMove: same compression, and no file that would be too much to merge further down.
bool FilesTree::moves_trivially(std::size_t level, FileSpan span) const {
  const auto& per_record = parameters_.bytes_per_record;
  if (std::abs(per_record[level] - per_record[level + 1]) > 1e-9 * per_record[level]) return false;
  if (level + 2 >= parameters_.levels) return true;
  const FileLevel& grandparents = below_[level + 2];
  for (const TableFile& file : below_[level].files(span)) {
    const double below = grandparents.bytes(grandparents.overlapping(file.low, file.high));
    if (file.bytes + below > parameters_.max_compaction_bytes) return false;
  }
  return true;
}

void FilesTree::take_trivial_move(std::size_t level, FileSpan span, Job& job) {
  Running& running = begin(job, level, level + 1);
  const auto moved = below_[level].files(span);
  running.outputs.assign(moved.begin(), moved.end());
  running.low = moved.front().low;
  running.high = moved.back().high;
  running.input_low = moved.front().low;
  running.input_files = span.size();
  job.kind = JobKind::trivial_move;
  hold(level, span, job);
}

// SetupOtherInputs: more input files where that adds none in the next level. First all that overlap
// the whole range, then only those inside it.
FileSpan FilesTree::widened(std::size_t level, FileSpan upper, FileSpan lower) const {
  const FileLevel& here = below_[level];
  const FileLevel& next = below_[level + 1];
  const double low = std::min(here.files()[upper.first].low, next.files()[lower.first].low);
  const double high =
      std::max(here.files()[upper.last - 1].high, next.files()[lower.last - 1].high);
  const double room = parameters_.max_compaction_bytes - next.bytes(lower);
  const auto fits = [&](FileSpan wide) {
    return wide.size() > upper.size() && wide.first <= upper.first && wide.last >= upper.last &&
           !here.any_busy(wide) && here.bytes(wide) < room;
  };
  const FileSpan all = here.overlapping(low, high);
  if (fits(all)) {
    const FileSpan below =
        next.overlapping(here.files()[all.first].low, here.files()[all.last - 1].high);
    if (below.size() == lower.size()) return all;
  }
  const FileSpan within = here.inside(low, high);
  return fits(within) ? within : upper;
}

FileSpan FilesTree::held(std::size_t level, double low, std::size_t count,
                         std::uint32_t job) const {
  const std::vector<TableFile>& files = below_[level].files();
  const auto at = std::partition_point(files.begin(), files.end(),
                                       [&](const TableFile& f) { return f.low < low; });
  auto first = static_cast<std::size_t>(at - files.begin());
  while (count > 0 && first < files.size() && files[first].job != job) ++first;
  return {first, std::min(first + count, files.size())};
}

void FilesTree::swap_files(std::size_t level, FileSpan span, std::span<const TableFile> files) {
  FileLevel& here = below_[level];
  const double old_bytes = here.bytes(span);
  levels_.unmark_busy(level, old_bytes);
  levels_.remove(level, old_bytes);
  here.replace(span, files);
  levels_.add(level, here.bytes({span.first, span.first + files.size()}));
}

void FilesTree::refresh(std::size_t level, double low, double high) {
  if (level + 1 < below_.size()) below_[level].refresh_overlaps(below_[level + 1], low, high);
}

void FilesTree::install(const Job& job) {
  Running& running = running_[job.id - 1];
  const std::size_t output = running.output_level;
  if (job.kind == JobKind::intra_l0) {
    l0_.finish(job.id, running.outputs.empty() ? nullptr : running.outputs.data());
  } else {
    for (TableFile& file : running.outputs) file.job = 0;
    if (job.input_level == 0) {
      l0_.finish(job.id, nullptr);
    } else {
      const FileSpan gone = held(job.input_level, running.input_low, running.input_files, job.id);
      swap_files(job.input_level, gone, {});
    }
    const bool replaces = running.output_files > 0;
    const double at =
        replaces || running.outputs.empty() ? running.output_low : running.outputs.front().low;
    swap_files(output, held(output, at, running.output_files, job.id), running.outputs);
    effort_ += below_[output].files().size() / 16;
    if (job.input_level > 1) refresh(job.input_level - 1, running.low, running.high);
    if (output > 1) refresh(output - 1, running.low, running.high);
    refresh(output, running.low, running.high);
  }
  running.used = false;
  --running_count_;
  levels_.settle();
}

double FilesTree::records(std::size_t level) const {
  const auto& files = level == 0 ? l0_.files() : below_[level].files();
  double total = 0;
  for (const TableFile& file : files) total += file.records;
  return total;
}

double FilesTree::files(std::size_t level) const {
  return static_cast<double>(level == 0 ? l0_.files().size() : below_[level].files().size());
}

TreeShape FilesTree::shape() const {
  TreeShape shape;
  shape.levels.resize(parameters_.levels);
  double end = 1;  // sequential keys run past the key space of the start
  for (const TableFile& file : l0_.files()) end = std::max(end, file.high);
  for (const FileLevel& level : below_) {
    for (const TableFile& file : level.files()) end = std::max(end, file.high);
  }
  for (std::size_t l = 0; l < parameters_.levels; ++l) {
    LevelShape& level = shape.levels[l];
    for (const TableFile& file : l == 0 ? l0_.files() : below_[l].files()) {
      level.ranges.push_back({file.low / end, file.high / end, file.records, file.bytes});
      level.bytes += file.bytes;
    }
    level.files = static_cast<double>(level.ranges.size());
    if (l == 0) std::reverse(level.ranges.begin(), level.ranges.end());
  }
  return shape;
}

}  // namespace lsmtuned::model::simulator
