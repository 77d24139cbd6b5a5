// The L0 files of a simulated tree, oldest first, and what RocksDB picks among them.
//
// Source: db/compaction/compaction_picker_level.cc and compaction_picker.cc (FindIntraL0Compaction,
// GetOverlappingL0Files). Files inside a running job stay until it ends. Pure; thread rules: a
// plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/simulator/job.h"
#include "model/simulator/levels.h"
#include "model/simulator/table_file.h"

namespace lsmtuned::model::simulator {

class L0Files {
 public:
  explicit L0Files(Levels& levels) : levels_(levels) {}

  const std::vector<TableFile>& files() const { return files_; }
  bool any_busy() const { return busy_ > 0; }

  void add_newest(const TableFile& file);
  // Replaces the job's files by `merged` (intra-L0), or just removes them when it is null.
  void finish(std::uint32_t job, const TableFile* merged);

  // All files that overlap the oldest one, and those that overlap these in turn: for keys spread
  // over the key space, every file. Empty while any L0 file is busy.
  void pick_for_base(std::vector<std::size_t>& picked) const;
  // The newest files, as long as bytes per file saved fall; at least four.
  void pick_intra(double trigger, double max_compaction_bytes,
                  std::vector<std::size_t>& picked) const;
  // Marks them as the job's inputs; adds bytes, records and files to it.
  void take(const std::vector<std::size_t>& picked, Job& job);

 private:
  void count();

  Levels& levels_;
  std::vector<TableFile> files_;
  std::size_t busy_ = 0;
};

}  // namespace lsmtuned::model::simulator
