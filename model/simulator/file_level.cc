#include "model/simulator/file_level.h"

#include <algorithm>

namespace lsmtuned::model::simulator {
namespace {

double ratio_of(const TableFile& file) {
  return file.overlap_bytes / std::max(file.bytes, 1.0);
}

}  // namespace

FileSpan FileLevel::overlapping(double low, double high) const {
  const auto first = std::partition_point(files_.begin(), files_.end(),
                                          [&](const TableFile& f) { return f.high <= low; });
  const auto last =
      std::partition_point(first, files_.end(), [&](const TableFile& f) { return f.low < high; });
  return {static_cast<std::size_t>(first - files_.begin()),
          static_cast<std::size_t>(last - files_.begin())};
}

FileSpan FileLevel::inside(double low, double high) const {
  const auto first = std::partition_point(files_.begin(), files_.end(),
                                          [&](const TableFile& f) { return f.low < low; });
  const auto last =
      std::partition_point(first, files_.end(), [&](const TableFile& f) { return f.high <= high; });
  return {static_cast<std::size_t>(first - files_.begin()),
          static_cast<std::size_t>(last - files_.begin())};
}

void FileLevel::mark(FileSpan span, std::uint32_t job) {
  for (std::size_t i = span.first; i < span.last; ++i) files_[i].job = job;
}

bool FileLevel::any_busy(FileSpan span) const {
  for (std::size_t i = span.first; i < span.last; ++i) {
    if (files_[i].busy()) return true;
  }
  return false;
}

double FileLevel::bytes(FileSpan span) const {
  double total = 0;
  for (std::size_t i = span.first; i < span.last; ++i) total += files_[i].bytes;
  return total;
}

void FileLevel::replace(FileSpan span, std::span<const TableFile> files) {
  const auto at = files_.begin() + static_cast<std::ptrdiff_t>(span.first);
  const std::size_t common = std::min(span.size(), files.size());
  const auto shared = files.begin() + static_cast<std::ptrdiff_t>(common);
  const auto after = std::copy(files.begin(), shared, at);
  if (files.size() > common) {
    files_.insert(after, shared, files.end());
  } else {
    files_.erase(after, after + static_cast<std::ptrdiff_t>(span.size() - common));
  }
}

void FileLevel::sort() {
  std::sort(files_.begin(), files_.end(),
            [](const TableFile& a, const TableFile& b) { return a.low < b.low; });
}

void FileLevel::refresh_overlaps(const FileLevel& next, double low, double high) {
  const auto touching = std::partition_point(files_.begin(), files_.end(),
                                             [&](const TableFile& f) { return f.high < low; });
  if (touching == files_.end() || touching->low > high) return;
  const std::vector<TableFile>& below = next.files_;
  std::size_t first = next.overlapping(touching->low, touching->high).first;
  for (auto file = touching; file != files_.end() && file->low <= high; ++file) {
    while (first < below.size() && below[first].high <= file->low) ++first;
    double bytes = 0;
    for (std::size_t i = first; i < below.size() && below[i].low < file->high; ++i) {
      bytes += below[i].bytes;
    }
    file->overlap_bytes = bytes;
  }
}

FileLevel::Candidate FileLevel::least_overlap(const Candidate& after) const {
  Candidate best;
  best.ratio = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].busy()) continue;
    const double ratio = ratio_of(files_[i]);
    if (ratio >= best.ratio) continue;
    if (after.found && (ratio < after.ratio || (ratio == after.ratio && i <= after.index))) {
      continue;
    }
    best = {ratio, i, true};
  }
  return best;
}

}  // namespace lsmtuned::model::simulator
