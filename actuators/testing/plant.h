// A small fluid model of an LSM tree under load, for tests of control: it answers to settings in
// the direction RocksDB does, in virtual time, and repeats itself for the same seed.
//
// Kept: memtable fill and switch, flush slots, L0 files, one L0 -> L1 job at a time that takes all
// of L0 and L1, deeper levels by excess, duplicate elimination for uniform keys, the stall
// predicate of model/stall.h, the delayed-rate laws of RocksDB 7.8 (x 0.8, x 0.6, x 1.25, x 1.4), a
// device shared by flushes and compactions. Left out: files, trivial moves, L0 -> L0, reads by
// users. It is a plant, not a predictor: its numbers are plausible, not RocksDB's. Bytes, seconds.
// Thread rules: one thread.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "model/settings.h"
#include "model/snapshot.h"
#include "model/stall.h"

namespace lsmtuned::actuators::testing {

struct PlantOptions {
  std::uint64_t seed = 1;
  model::Settings settings;  // empty: plant_default_settings()
  model::FamilyFacts facts;
  // Load.
  double writer_ops_per_s = 60e3;  // of an unstalled writer
  double writers = 1;              // threads that share it
  double key_bytes = 16;
  double value_bytes = 1024;
  double distinct_keys = 1e6;  // uniform overwrites of these
  // Device and processor.
  double device_write_bytes_per_s = 24.0 * 1024 * 1024;
  double device_read_bytes_per_s = 48.0 * 1024 * 1024;
  double thread_bytes_per_s = 60.0 * 1024 * 1024;  // output of one compaction thread
  double compression = 0.55;                       // file bytes per user byte
  double noise = 0.03;                             // relative, of each job's size
  double free_bytes = 64e9;
  double block_cache_bytes = 8.0 * 1024 * 1024;
};

// Write buffer 4 MiB, level base 16 MiB, target file 2 MiB, 2 jobs, RocksDB's defaults otherwise.
model::Settings plant_default_settings();
inline constexpr const char* kPlantFamily = "default";

class Plant {
 public:
  // Starts with L1 and L2 at their targets and every key in L3.
  explicit Plant(PlantOptions options);

  void advance(double seconds);
  double now_s() const { return now_s_; }  // since open

  // As SetOptions, SetDBOptions and SetBytesPerSecond: takes effect now, with RocksDB's side
  // effects (a recomputation of the stall state; a reset of the delayed rate for database options).
  void change(const model::ChangeSet& changes);
  const model::Settings& settings() const { return settings_; }
  bool write_stopped() const { return verdict_.condition == model::StallCondition::stopped; }
  model::StallVerdict verdict() const { return verdict_; }
  // The load may change while it runs.
  void set_writer_ops_per_s(double ops) { options_.writer_ops_per_s = ops; }
  void set_device_write_bytes_per_s(double rate) { options_.device_write_bytes_per_s = rate; }

  // All but target, incarnation and clocks of the daemon.
  model::Snapshot snapshot() const;

 private:
  static constexpr std::size_t kLevels = 4;
  struct Job {
    bool flush = false;
    std::size_t output_level = 0;
    double read_bytes = 0;
    double read_upper_bytes = 0;
    double write_bytes = 0;
    double done_bytes = 0;  // of write_bytes
    double seconds = 0;     // since it started
    double records_out = 0;
    double records_in = 0;
    double records_kept = 0;   // records of the output level that it did not touch
    double records_taken = 0;  // from the level above (below L0)
    std::size_t l0_files = 0;  // how many of the oldest L0 files it merges
  };

  double setting(model::Knob knob) const;
  double record_bytes() const { return options_.key_bytes + options_.value_bytes; }
  double batch_bytes() const;
  double file_bytes(double records) const;
  double density(double records) const { return records / options_.distinct_keys; }
  double level_target(std::size_t level) const;
  std::vector<double> level_bytes() const;
  double l0_files() const { return static_cast<double>(l0_records_.size()); }
  double immutable() const { return static_cast<double>(immutable_records_.size()); }
  double pending() const;
  double jittered(double value);
  void step(double dt);
  void write(double dt);
  void switch_memtable_if_full();
  void start_jobs();
  bool start_l0_job();
  bool start_level_job(std::size_t level);
  void run_jobs(double dt);
  void install(const Job& job);
  void recalculate();
  bool near_stop(double debt) const;
  void end_of_stop();
  void record_latency(model::LatencyHistogram& histogram, double seconds, double count);

  PlantOptions options_;
  model::Settings settings_;
  std::mt19937_64 random_;
  double now_s_ = 0;
  double active_records_ = 0;
  std::vector<double> immutable_records_;  // oldest first; those being flushed included
  std::size_t flushing_ = 0;
  std::vector<double> l0_records_;  // oldest first, distinct records
  std::vector<double> level_records_;
  std::vector<Job> jobs_;
  model::StallVerdict verdict_;
  double delayed_rate_ = 0;
  double previous_debt_ = 0;
  double stopped_for_s_ = 0;
  double latency_carry_ = 0;
  double stall_carry_ = 0;
  double rest_s_ = 0;
  model::DatabaseCounters counters_;
  model::DatabaseState state_;
  model::StallCauses causes_;
  model::LatencyHistogram put_latency_;
  model::LatencyHistogram write_stall_;
  model::DeviceSample device_;
  std::vector<model::LevelStats> stats_;
};

}  // namespace lsmtuned::actuators::testing
