#include "model/simulator/l0_files.h"

#include <algorithm>
#include <limits>

namespace lsmtuned::model::simulator {
namespace {

constexpr std::size_t kFewestForIntraL0 = 4;
constexpr std::size_t kBeyondTrigger = 2;

}  // namespace

void L0Files::count() {
  const auto all = static_cast<double>(files_.size());
  levels_.set_l0_files(all, all - static_cast<double>(busy_));
}

void L0Files::add_newest(const TableFile& file) {
  files_.push_back(file);
  levels_.add(0, file.bytes);
  count();
}

void L0Files::finish(std::uint32_t job, const TableFile* merged) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].job != job) {
      if (kept != i) files_[kept] = files_[i];
      ++kept;
      continue;
    }
    levels_.unmark_busy(0, files_[i].bytes);
    levels_.remove(0, files_[i].bytes);
    --busy_;
    if (merged == nullptr) continue;
    levels_.add(0, merged->bytes);  // in the place of its oldest input
    files_[kept++] = *merged;
    merged = nullptr;
  }
  files_.resize(kept);
  count();
}

void L0Files::pick_for_base(std::vector<std::size_t>& picked) const {
  picked.clear();
  if (files_.empty() || any_busy()) return;
  double low = files_.front().low;
  double high = files_.front().high;
  for (std::size_t before = 0;;) {
    picked.clear();
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (i != 0 && (files_[i].low >= high || files_[i].high <= low)) continue;
      picked.push_back(i);
      low = std::min(low, files_[i].low);
      high = std::max(high, files_[i].high);
    }
    if (picked.size() == before) return;
    before = picked.size();
  }
}

void L0Files::pick_intra(double trigger, double max_compaction_bytes,
                         std::vector<std::size_t>& picked) const {
  picked.clear();
  const std::size_t count = files_.size();
  if (static_cast<double>(count) < trigger + kBeyondTrigger || files_.back().busy()) return;
  double bytes = files_.back().bytes;
  double per_file_saved = std::numeric_limits<double>::infinity();
  std::size_t span = 1;
  for (; span < count; ++span) {
    const TableFile& older = files_[count - 1 - span];
    bytes += older.bytes;
    const double now = bytes / static_cast<double>(span);
    if (older.busy() || now > per_file_saved || bytes > max_compaction_bytes) break;
    per_file_saved = now;
  }
  if (span < kFewestForIntraL0) return;
  for (std::size_t i = count - span; i < count; ++i) picked.push_back(i);
}

void L0Files::take(const std::vector<std::size_t>& picked, Job& job) {
  for (const std::size_t i : picked) {
    TableFile& file = files_[i];
    file.job = job.id;
    levels_.mark_busy(0, file.bytes);
    job.read_bytes += file.bytes;
    job.records += file.records;
  }
  job.input_files += static_cast<double>(picked.size());
  busy_ += picked.size();
  count();
}

}  // namespace lsmtuned::model::simulator
