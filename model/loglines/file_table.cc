#include "model/loglines/file_table.h"

#include <algorithm>
#include <utility>

namespace lsmtuned::model {
namespace {

constexpr std::size_t kFirstSlots = 1024;
constexpr double kMostRecords = 4294967295.0;

}  // namespace

void FileTable::clear() {
  slots_.assign(kFirstSlots, Slot{});
  size_ = 0;
}

std::size_t FileTable::home(std::uint64_t number) const {
  // Fibonacci hashing: file numbers are nearly consecutive.
  return static_cast<std::size_t>((number * 0x9E3779B97F4A7C15ULL) >> 32) & (slots_.size() - 1);
}

std::size_t FileTable::find(std::uint64_t number) const {
  std::size_t at = home(number);
  while (slots_[at].number_plus_one != 0 && slots_[at].number_plus_one != number + 1)
    at = (at + 1) & (slots_.size() - 1);
  return at;
}

void FileTable::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old)
    if (slot.number_plus_one != 0) slots_[find(slot.number_plus_one - 1)] = slot;
}

bool FileTable::put(std::uint64_t number, const TableFile& file) {
  std::size_t at = find(number);
  if (slots_[at].number_plus_one == 0) {
    if (size_ >= kMostFiles) return false;
    if (2 * (size_ + 1) > slots_.size()) {
      grow();
      at = find(number);
    }
    ++size_;
  }
  slots_[at] =
      Slot{number + 1, static_cast<std::uint64_t>(file.bytes) << 1 | (file.approximate ? 1U : 0U),
           static_cast<std::uint32_t>(std::min(file.records, kMostRecords)), file.level};
  return true;
}

std::optional<TableFile> FileTable::get(std::uint64_t number) const {
  const Slot& slot = slots_[find(number)];
  if (slot.number_plus_one == 0) return std::nullopt;
  return TableFile{static_cast<double>(slot.bytes_and_flag >> 1), static_cast<double>(slot.records),
                   slot.level, (slot.bytes_and_flag & 1) != 0};
}

void FileTable::erase(std::uint64_t number) {
  std::size_t hole = find(number);
  if (slots_[hole].number_plus_one == 0) return;
  --size_;
  // Later members of the probe sequence move up, so that no search stops at the hole.
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = (hole + 1) & mask; slots_[at].number_plus_one != 0; at = (at + 1) & mask) {
    const std::size_t wanted = home(slots_[at].number_plus_one - 1);
    if (((at - wanted) & mask) >= ((at - hole) & mask)) {
      slots_[hole] = slots_[at];
      hole = at;
    }
  }
  slots_[hole] = Slot{};
}

}  // namespace lsmtuned::model
