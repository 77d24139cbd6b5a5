// When writes of one column family were delayed or stopped, and why.
//
// RocksDB recalculates the condition at each memtable switch, flush and compaction install, and
// logs a line only while writes are delayed or stopped. So a span begins at such a line and ends at
// the first recalculation that logged none: a job's end whose thread logged no stall line since its
// last one, or a memtable switch that the same thread did not follow with a stall line at once.
// Source: RocksDB 7.8, db/column_family.cc, RecalculateWriteStallConditions.
//
// Seconds count from the first line of the LOG. The span is the time the condition stood; how long
// writers waited is less, and only RocksDB's own counters tell. Thread rules: one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace lsmtuned::model {

enum class LoggedStallCause : std::uint8_t { memtables, l0_files, pending_bytes };
inline constexpr std::size_t kStallCauses = 3;
const char* to_text(LoggedStallCause cause);

struct StallMessage {
  bool stop = false;
  LoggedStallCause cause{};
  double level = 0;               // memtables, L0 files or bytes that caused it
  double delayed_write_rate = 0;  // bytes/s; 0 for a stop
};
// Of the text after the tags; nothing where it is another message or numbers do not parse.
std::optional<StallMessage> parse_stall(std::string_view text);

// One logged recalculation, in the shape of the simulator's RateEvent. With `merged` above 1 it
// stands for so many neighbours: the time of the first, the rate of the last.
struct LoggedRate {
  double time_s = 0;
  double delayed_write_rate = 0;  // 0: back to normal, or stopped
  bool stopped = false;
  LoggedStallCause cause{};
  std::uint32_t merged = 1;
  bool operator==(const LoggedRate&) const = default;
};

struct StallTotals {
  std::array<double, kStallCauses> delayed_s{};  // by LoggedStallCause
  std::array<double, kStallCauses> stopped_s{};
  std::array<double, kStallCauses> delay_lines{};
  std::array<double, kStallCauses> stop_lines{};
  double spans = 0;  // from normal to normal
  double longest_span_s = 0;
  double longest_stop_s = 0;
  double total_s() const;
};

class StallTimeline {
 public:
  // Called for every piece of time under one condition.
  using OnPiece = std::function<void(double from_s, double to_s, bool stopped)>;
  explicit StallTimeline(OnPiece on_piece, std::size_t most_rates = 4096);

  void stalled(double time_s, std::uint64_t thread, const StallMessage& message);
  void job_ended(double time_s, std::uint64_t thread);
  void memtable_switched(double time_s, std::uint64_t thread);
  void other_line(double time_s, std::uint64_t thread) {
    if (switch_pending_) settle_switch(time_s, thread);
  }
  void end(double time_s);  // of the LOG, or of one open: whatever stood ends here

  const StallTotals& totals() const { return totals_; }
  const std::vector<LoggedRate>& rates() const { return rates_; }

 private:
  void settle_switch(double time_s, std::uint64_t thread);
  void account(double time_s);
  void normal(double time_s);
  void log_rate(const LoggedRate& rate);

  OnPiece on_piece_;
  std::size_t most_rates_;
  std::uint32_t merged_each_ = 1;
  std::optional<StallMessage> now_;
  double since_s_ = 0;
  double span_since_s_ = 0;
  double stop_since_s_ = -1;
  std::array<std::uint64_t, 16> threads_with_line_{};  // logged a stall since their last job end
  std::size_t next_thread_ = 0;
  bool switch_pending_ = false;
  double switch_time_s_ = 0;
  std::uint64_t switch_thread_ = 0;
  StallTotals totals_;
  std::vector<LoggedRate> rates_;
};

}  // namespace lsmtuned::model
