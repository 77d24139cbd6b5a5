// One level below L0: files sorted by key, each with the bytes it overlaps in the next level.
//
// Overlaps are kept while files change, so that the file with the least overlap is one scan away
// (db/version_set.cc, SortFileByOverlappingRatio, sweeps both levels once a version). Pure; thread
// rules: a plain value.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "model/simulator/table_file.h"

namespace lsmtuned::model::simulator {

struct FileSpan {  // of consecutive files, by index
  std::size_t first = 0;
  std::size_t last = 0;  // one past
  bool empty() const { return first >= last; }
  std::size_t size() const { return empty() ? 0 : last - first; }
};

class FileLevel {
 public:
  const std::vector<TableFile>& files() const { return files_; }
  std::span<const TableFile> files(FileSpan span) const {
    return std::span<const TableFile>(files_).subspan(span.first, span.size());
  }

  // Files that share keys with (low, high); bounds that only touch do not.
  FileSpan overlapping(double low, double high) const;
  // Files that lie wholly inside [low, high].
  FileSpan inside(double low, double high) const;

  void mark(FileSpan span, std::uint32_t job);
  bool any_busy(FileSpan span) const;
  double bytes(FileSpan span) const;

  // Replaces the files of `span` by these, which are sorted and fit between their neighbours.
  void replace(FileSpan span, std::span<const TableFile> files);
  void sort();  // after files were appended in any order

  // Recomputes the overlaps of files that touch [low, high] against the next level.
  void refresh_overlaps(const FileLevel& next, double low, double high);

  // The free file with the least overlap per own byte; among those that rank after
  // (ratio, index), so that a caller may go on after a file that it cannot take.
  struct Candidate {
    double ratio = -1;
    std::size_t index = std::numeric_limits<std::size_t>::max();
    bool found = false;
  };
  Candidate least_overlap(const Candidate& after) const;

 private:
  std::vector<TableFile> files_;
};

}  // namespace lsmtuned::model::simulator
