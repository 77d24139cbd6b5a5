// EVENT_LOG_v1 messages and the plain ones that complete them: which job wrote and read what.
//
// A job's start, its tables and its end are separate messages of possibly different families, tied
// by the job's number; family and output level stand only in plain text ("[default] [JOB 11]
// Compacting 4@0 + 4@1 files to L1"). Source: RocksDB 7.8, db/flush_job.cc,
// db/compaction/compaction_job.cc, db/event_helpers.cc. Internal to model/loglines.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "model/loglines/event_fields.h"
#include "model/loglines/log_state.h"

namespace lsmtuned::model {

class EventReader {
 public:
  static constexpr std::size_t kMostJobs = 4096;

  explicit EventReader(LogState& state) : state_(state) {}

  void event(const LogLine& line, std::string_view json);
  // Plain messages; `line.text` begins with the words of the function's name.
  void flushing(const LogLine& line);
  void compacting(const LogLine& line);
  void compaction_summary(const LogLine& line);
  void compacted_to(const LogLine& line);
  void moving(const LogLine& line);
  void forget_jobs();  // at an open: none is running any more

 private:
  enum class Kind : std::uint8_t { unknown, flush, recovery, compaction };
  struct Job {
    Kind kind = Kind::unknown;
    FamilyState* family = nullptr;
    bool started = false;
    bool manual = false;
    std::size_t output_level = 0;
    double start_s = 0;
    double total_input_bytes = 0;
    LevelArray input_bytes{};
    LevelArray input_files{};
    LevelArray size_at_start{};
    std::vector<double> runs;  // records of each L0 file, then of the rest; empty: not all known
    double tables = 0;
    double table_bytes = 0;
    double records = 0;
    double raw_bytes = 0;
    double raw_key_bytes = 0;
    double raw_value_bytes = 0;
    double memtable_records = 0;
    double memtable_deletes = 0;
    double memtable_data_bytes = 0;
    double memtable_memory_bytes = 0;
  };

  void flush_started(EventFields& fields);
  void flush_finished(EventFields& fields, const LogLine& line);
  void compaction_started(EventFields& fields);
  void compaction_finished(EventFields& fields, const LogLine& line);
  void table_created(EventFields& fields, std::string_view json);
  void trivial_move(EventFields& fields, const LogLine& line);
  void read_inputs(EventFields& fields, Job& job, double total_bytes);
  void commit(Job& job, EventFields& fields, const LogLine& line, double seconds);
  void stops_running(const Job& job);
  void learn_keys(Job& job, double kept);
  void learn_overlap(const Job& job);

  Job* job_of(double number);  // made where absent; null: too many
  FamilyState& family_of(const Job& job);
  bool late(const LogLine& line, double printed_s) const;

  LogState& state_;
  std::unordered_map<std::uint64_t, Job> jobs_;
  // A compaction's inputs by level as its "Compacting" line gives them, for the summary after it.
  std::uint64_t compacting_thread_ = 0;
  std::vector<std::uint32_t> compacting_levels_;
  std::array<std::uint64_t, 8> failed_threads_{};  // whose last compaction did not end well
  std::size_t next_failed_ = 0;
  FamilyState* moving_family_ = nullptr;
};

}  // namespace lsmtuned::model
