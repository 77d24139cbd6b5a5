// The live table files that a LOG has spoken of: number -> bytes, records, level.
//
// Open addressing with linear probing, grown by doubling up to a fixed capacity (24 bytes a slot,
// 24 MiB at most), so that memory stays bounded whatever the LOG says. Thread rules: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace lsmtuned::model {

struct TableFile {
  double bytes = 0;
  double records = 0;  // 0: unknown
  std::uint32_t level = 0;
  bool approximate = false;  // size known to three digits only, from a compaction's summary
};

class FileTable {
 public:
  static constexpr std::size_t kMostFiles = std::size_t{1} << 19;

  FileTable() { clear(); }
  bool put(std::uint64_t number, const TableFile& file);  // false: full, not stored
  std::optional<TableFile> get(std::uint64_t number) const;
  void erase(std::uint64_t number);
  void clear();
  std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::uint64_t number_plus_one = 0;  // 0: free
    std::uint64_t bytes_and_flag = 0;   // bytes << 1 | approximate
    std::uint32_t records = 0;
    std::uint32_t level = 0;
  };
  std::size_t home(std::uint64_t number) const;
  std::size_t find(std::uint64_t number) const;  // its slot, or the free one where it belongs
  void grow();

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace lsmtuned::model
