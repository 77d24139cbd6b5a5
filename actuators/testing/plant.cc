#include "actuators/testing/plant.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/histogram.h"
#include "model/tree.h"
#include "model/units.h"

namespace lsmtuned::actuators::testing {
namespace {

using model::kKiB;
using model::kMiB;
using model::Knob;
using model::StallCause;
using model::StallCondition;

constexpr double kStepS = 0.005;
constexpr double kMinimumDelayedRate = 16 * kKiB;
// Header, tag and length varints of a batch with one Put of a value beyond 127 bytes.
constexpr double kBatchFraming = 12 + 1 + 1 + 2;
constexpr double kMemtableOverheadPerRecord = 40;
constexpr double kFlushWeight = 1;

}  // namespace

model::Settings plant_default_settings() {
  model::Settings settings;
  const std::string family = kPlantFamily;
  settings.set(family, Knob::write_buffer_size, 4 * kMiB);
  settings.set(family, Knob::max_write_buffer_number, 2);
  settings.set(family, Knob::level0_file_num_compaction_trigger, 4);
  settings.set(family, Knob::level0_slowdown_writes_trigger, 20);
  settings.set(family, Knob::level0_stop_writes_trigger, 36);
  settings.set(family, Knob::max_bytes_for_level_base, 16 * kMiB);
  settings.set(family, Knob::max_bytes_for_level_multiplier, 10);
  settings.set(family, Knob::target_file_size_base, 2 * kMiB);
  settings.set(family, Knob::max_compaction_bytes, 50 * kMiB);
  settings.set(family, Knob::soft_pending_compaction_bytes_limit, 64 * model::kGiB);
  settings.set(family, Knob::hard_pending_compaction_bytes_limit, 256 * model::kGiB);
  settings.set("", Knob::max_background_jobs, 2);
  settings.set("", Knob::max_subcompactions, 1);
  settings.set("", Knob::delayed_write_rate, 16 * kMiB);
  return settings;
}

Plant::Plant(PlantOptions options)
    : options_(std::move(options)),
      settings_(options_.settings == model::Settings{} ? plant_default_settings()
                                                       : options_.settings),
      random_(options_.seed),
      level_records_(kLevels, 0.0),
      stats_(kLevels) {
  options_.facts.num_levels = kLevels;
  if (options_.facts.arena_block_bytes == 0)
    options_.facts.arena_block_bytes = std::min(kMiB, setting(Knob::write_buffer_size) / 8);
  if (options_.facts.compression.empty()) options_.facts.compression = "kSnappyCompression";
  delayed_rate_ = setting(Knob::delayed_write_rate);
  const double bytes_per_record = record_bytes() * options_.compression;
  for (std::size_t level = 1; level + 1 < kLevels; ++level)
    level_records_[level] =
        std::min(level_target(level) / bytes_per_record, options_.distinct_keys / 2);
  level_records_[kLevels - 1] = options_.distinct_keys;
  device_.name = "plant";
  device_.free_bytes = options_.free_bytes;
  device_.pressure_is_cgroup = true;
}

double Plant::setting(Knob knob) const {
  return settings_.get(kPlantFamily, knob).value_or(model::info(knob).rocksdb_default);
}

double Plant::batch_bytes() const {
  return record_bytes() + kBatchFraming;
}

double Plant::file_bytes(double records) const {
  return records * record_bytes() * options_.compression;
}

double Plant::level_target(std::size_t level) const {
  return setting(Knob::max_bytes_for_level_base) *
         std::pow(setting(Knob::max_bytes_for_level_multiplier), static_cast<double>(level) - 1);
}

std::vector<double> Plant::level_bytes() const {
  std::vector<double> bytes(kLevels, 0.0);
  for (const double records : l0_records_) bytes[0] += file_bytes(records);
  for (std::size_t level = 1; level < kLevels; ++level)
    bytes[level] = file_bytes(level_records_[level]);
  return bytes;
}

double Plant::pending() const {
  const auto family = settings_.families.find(kPlantFamily);
  if (family == settings_.families.end()) return 0;
  return model::pending_bytes(level_bytes(), l0_files(), family->second, options_.facts);
}

double Plant::jittered(double value) {
  // Two's-power scaling of the raw bits: the same on every machine.
  const double unit = static_cast<double>(random_() >> 11) * 0x1.0p-53;
  return value * (1 + options_.noise * (2 * unit - 1));
}

void Plant::advance(double seconds) {
  rest_s_ += seconds;
  while (rest_s_ >= kStepS) {
    step(kStepS);
    rest_s_ -= kStepS;
  }
}

void Plant::step(double dt) {
  write(dt);
  start_jobs();
  run_jobs(dt);
  now_s_ += dt;
}

void Plant::write(double dt) {
  if (write_stopped()) {
    stopped_for_s_ += dt;
    return;
  }
  const double free_rate = options_.writer_ops_per_s;
  const bool delayed = verdict_.condition == StallCondition::delayed;
  const double rate = delayed ? std::min(free_rate, delayed_rate_ / batch_bytes()) : free_rate;
  const double operations = rate * dt;
  active_records_ += operations;
  counters_.keys_written += operations;
  counters_.user_bytes += operations * record_bytes();
  counters_.batch_bytes += operations * batch_bytes();
  if (delayed && free_rate > 0) counters_.stall_seconds += dt * (1 - rate / free_rate);
  if (rate > 0) {
    // Delayed writers sleep at least a millisecond at a time, then several writes pass at once.
    const double each = options_.writers / rate;
    const double count = operations + std::exchange(latency_carry_, 0);
    const double whole = std::floor(count);
    latency_carry_ = count - whole;
    record_latency(put_latency_, jittered(each), whole);
    if (delayed) {
      const double stalls = std::min(whole, dt * 1000) + std::exchange(stall_carry_, 0);
      const double whole_stalls = std::floor(stalls);
      stall_carry_ = stalls - whole_stalls;
      record_latency(write_stall_, std::max(each, 1e-3), whole_stalls);
    }
  }
  switch_memtable_if_full();
}

void Plant::record_latency(model::LatencyHistogram& histogram, double seconds, double count) {
  if (count < 1) return;
  const auto microseconds = static_cast<std::uint64_t>(std::max(seconds * 1e6, 1.0));
  histogram.buckets[model::histogram_bucket(microseconds)] += static_cast<std::uint64_t>(count);
}

void Plant::switch_memtable_if_full() {
  const double room =
      std::max(setting(Knob::write_buffer_size) - options_.facts.arena_block_bytes / 4, 64 * kKiB);
  const double capacity = room / (record_bytes() + kMemtableOverheadPerRecord);
  if (active_records_ < capacity) return;
  const double overwritten = density(active_records_);
  immutable_records_.push_back(options_.distinct_keys * -std::expm1(-overwritten));
  active_records_ = 0;
  recalculate();
}

void Plant::start_jobs() {
  const double total = setting(Knob::max_background_jobs);
  while (static_cast<double>(flushing_) < model::flush_slots(total) &&
         flushing_ < immutable_records_.size()) {
    Job job;
    job.flush = true;
    job.records_out = immutable_records_[flushing_];
    job.write_bytes = jittered(file_bytes(job.records_out));
    jobs_.push_back(job);
    ++flushing_;
  }
  const auto family = settings_.families.find(kPlantFamily);
  const bool pressure =
      verdict_.condition != StallCondition::normal ||
      (family != settings_.families.end() &&
       model::compaction_pressure({immutable(), l0_files(), pending()}, family->second));
  const double slots = model::compaction_slots(total, pressure);
  auto running = [this] {
    return static_cast<double>(
        std::ranges::count_if(jobs_, [](const Job& job) { return !job.flush; }));
  };
  if (running() < slots) start_l0_job();
  for (std::size_t level = 1; level + 1 < kLevels && running() < slots; ++level)
    start_level_job(level);
}

bool Plant::start_l0_job() {
  if (l0_files() < setting(Knob::level0_file_num_compaction_trigger)) return false;
  // It needs all of L1 to itself: no other L0 job, none that takes from L1 or writes to it.
  for (const Job& job : jobs_)
    if (!job.flush && job.output_level <= 2) return false;
  const auto bytes = level_bytes();
  // Scores decide between L0 and L1, so that L1 does not grow for ever.
  const double l0_score = l0_files() / setting(Knob::level0_file_num_compaction_trigger);
  if (bytes[1] / level_target(1) > std::max(l0_score, 1.0)) return false;
  Job job;
  job.output_level = 1;
  job.l0_files = l0_records_.size();
  double absent = 1 - density(level_records_[1]);
  for (const double records : l0_records_) {
    absent *= 1 - density(records);
    job.records_in += records;
  }
  job.records_in += level_records_[1];
  job.records_out = options_.distinct_keys * (1 - absent);
  job.read_bytes = bytes[0] + bytes[1];
  job.read_upper_bytes = bytes[0];
  job.write_bytes = jittered(file_bytes(job.records_out));
  jobs_.push_back(job);
  return true;
}

bool Plant::start_level_job(std::size_t level) {
  const std::size_t below = level + 1;
  for (const Job& job : jobs_) {
    if (job.flush) continue;
    const std::size_t from = job.output_level - 1;
    if (from == level || job.output_level == level || from == below || job.output_level == below)
      return false;
  }
  const double own = file_bytes(level_records_[level]);
  const double excess = own - level_target(level);
  if (excess <= 0) return false;
  const double next = file_bytes(level_records_[below]);
  // As large as one compaction may be, at least one file.
  const double largest = setting(Knob::max_compaction_bytes) / (1 + next / own);
  const double chunk =
      std::min(own, std::clamp(excess, setting(Knob::target_file_size_base),
                               std::max(largest, setting(Knob::target_file_size_base))));
  const double share = chunk / own;
  Job job;
  job.output_level = below;
  job.records_taken = level_records_[level] * share;
  const double absent = (1 - density(level_records_[level])) * (1 - density(level_records_[below]));
  job.records_out = options_.distinct_keys * share * (1 - absent);
  job.records_kept = level_records_[below] * (1 - share);
  job.records_in = job.records_taken + level_records_[below] * share;
  job.read_bytes = chunk + next * share;
  job.read_upper_bytes = chunk;
  job.write_bytes = jittered(file_bytes(job.records_out));
  jobs_.push_back(job);
  return true;
}

void Plant::run_jobs(double dt) {
  if (jobs_.empty()) return;
  double limit = options_.device_write_bytes_per_s;
  const double limiter = setting(Knob::rate_limiter_bytes_per_second);
  if (settings_.get("", Knob::rate_limiter_bytes_per_second) && limiter > 0)
    limit = std::min(limit, limiter);
  // Shares by weight; what a capped stream cannot use goes to the others.
  const double threads = setting(Knob::max_subcompactions);
  std::vector<double> cap(jobs_.size());
  std::vector<double> rate(jobs_.size(), 0.0);
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    const bool splits = !jobs_[i].flush && jobs_[i].output_level == 1;
    cap[i] = options_.thread_bytes_per_s * (splits ? std::max(threads, 1.0) : 1.0);
    if (jobs_[i].read_bytes > 0)
      cap[i] = std::min(
          cap[i], options_.device_read_bytes_per_s * jobs_[i].write_bytes / jobs_[i].read_bytes);
  }
  double left = limit;
  for (int round = 0; round < 3 && left > 1; ++round) {
    double weights = 0;
    for (std::size_t i = 0; i < jobs_.size(); ++i)
      if (rate[i] < cap[i]) weights += jobs_[i].flush ? kFlushWeight : 1.0;
    if (weights == 0) break;
    const double unit = left / weights;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      const double more = std::min(cap[i] - rate[i], unit * (jobs_[i].flush ? kFlushWeight : 1.0));
      rate[i] += more;
      left -= more;
    }
  }
  double written = 0;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    Job& job = jobs_[i];
    const double now = std::min(rate[i] * dt, job.write_bytes - job.done_bytes);
    const double read = job.write_bytes > 0 ? now * job.read_bytes / job.write_bytes : 0;
    job.done_bytes += now;
    job.seconds += dt;
    written += now;
    device_.write_bytes += now;
    device_.process_write_bytes += now;
    device_.read_bytes += read;
    device_.process_read_bytes += read;
    counters_.compaction_read_bytes += read;
    (job.flush ? counters_.flush_write_bytes : counters_.compaction_write_bytes) += now;
  }
  const double busy = std::min(1.0, written / (limit * dt));
  device_.busy_seconds += busy * dt;
  device_.weighted_io_seconds += busy * dt * static_cast<double>(jobs_.size());
  device_.pressure_some_seconds += busy * dt;
  std::vector<Job> ended;
  std::erase_if(jobs_, [&](const Job& job) {
    if (job.done_bytes < job.write_bytes) return false;
    ended.push_back(job);
    return true;
  });
  for (const Job& job : ended) install(job);
}

void Plant::install(const Job& job) {
  auto& stats = stats_[job.output_level];
  stats.write_bytes += job.write_bytes;
  stats.read_bytes += job.read_bytes;
  stats.read_from_upper_bytes += job.read_upper_bytes;
  stats.read_from_this_bytes += job.read_bytes - job.read_upper_bytes;
  stats.compaction_seconds += job.seconds;
  stats.compaction_cpu_seconds += job.write_bytes / options_.thread_bytes_per_s;
  stats.compaction_count += 1;
  stats.keys_in += job.records_in;
  stats.keys_dropped += std::max(0.0, job.records_in - job.records_out);
  if (job.flush) {
    ++state_.flushes_completed;
    l0_records_.push_back(job.records_out);
    immutable_records_.erase(immutable_records_.begin());
    --flushing_;
  } else {
    ++state_.compactions_completed;
    level_records_[job.output_level] = job.records_kept + job.records_out;
    if (job.output_level == 1) {
      ++state_.l0_compactions_completed;
      l0_records_.erase(l0_records_.begin(),
                        l0_records_.begin() + static_cast<std::ptrdiff_t>(job.l0_files));
    } else {
      level_records_[job.output_level - 1] -= job.records_taken;
    }
  }
  recalculate();
}

bool Plant::near_stop(double debt) const {
  const double soft = setting(Knob::soft_pending_compaction_bytes_limit);
  const double hard = setting(Knob::hard_pending_compaction_bytes_limit);
  return (verdict_.cause == StallCause::l0_files &&
          l0_files() >= setting(Knob::level0_stop_writes_trigger) - 2) ||
         (verdict_.cause == StallCause::pending_bytes && hard > soft &&
          debt > soft + 0.75 * (hard - soft));
}

// RocksDB recomputes here: at a memtable switch, an install, and every options call.
void Plant::recalculate() {
  const auto before = verdict_.condition;
  const double debt = pending();
  const auto family = settings_.families.find(kPlantFamily);
  verdict_ = model::stall_verdict(
      {immutable(), l0_files(), debt},
      family == settings_.families.end() ? model::KnobValues{} : family->second, options_.facts);
  const double highest = setting(Knob::delayed_write_rate);
  const bool stopped = verdict_.condition == StallCondition::stopped;
  if (verdict_.condition == StallCondition::delayed && before == StallCondition::delayed) {
    if (near_stop(debt))
      delayed_rate_ *= 0.6;
    else if (previous_debt_ > 0)
      delayed_rate_ *= debt >= previous_debt_ ? 0.8 : 1.25;
  } else if (verdict_.condition == StallCondition::normal && before == StallCondition::delayed) {
    delayed_rate_ *= 1.4;
  }
  delayed_rate_ = std::clamp(delayed_rate_, std::min(kMinimumDelayedRate, highest), highest);
  previous_debt_ = debt;
  if (verdict_.condition != StallCondition::normal) {
    if (verdict_.cause == StallCause::memtables)
      (stopped ? causes_.memtable_stop : causes_.memtable_slowdown) += 1;
    if (verdict_.cause == StallCause::l0_files)
      (stopped ? causes_.l0_stop : causes_.l0_slowdown) += 1;
    if (verdict_.cause == StallCause::pending_bytes)
      (stopped ? causes_.pending_stop : causes_.pending_slowdown) += 1;
  }
  if (before == StallCondition::stopped && !stopped) end_of_stop();
}

// RocksDB credits the time of a stop only when the write returns.
void Plant::end_of_stop() {
  const double waited = std::exchange(stopped_for_s_, 0);
  if (waited <= 0) return;
  counters_.stall_seconds += waited * options_.writers;
  record_latency(put_latency_, waited, options_.writers);
  record_latency(write_stall_, waited, options_.writers);
}

void Plant::change(const model::ChangeSet& changes) {
  const bool database = std::ranges::any_of(changes, [this](const model::KnobChange& change) {
    return model::info(change.knob).scope == model::KnobScope::database &&
           (change.old_value == change.new_value ||
            settings_.get("", change.knob) != change.new_value);
  });
  settings_ = model::with_changes(settings_, changes);
  if (database) delayed_rate_ = setting(Knob::delayed_write_rate);
  const bool family = std::ranges::any_of(changes, [](const model::KnobChange& change) {
    return model::info(change.knob).scope == model::KnobScope::family;
  });
  if (family) recalculate();
}

model::Snapshot Plant::snapshot() const {
  model::Snapshot snapshot;
  snapshot.database_uptime_s = now_s_;
  snapshot.settings = settings_;
  model::FamilySnapshot family;
  family.name = kPlantFamily;
  family.facts = options_.facts;
  family.levels = stats_;
  const auto bytes = level_bytes();
  for (std::size_t level = 0; level < kLevels; ++level) {
    auto& out = family.levels[level];
    out.size_bytes = bytes[level];
    out.files =
        level == 0 ? l0_files() : std::ceil(bytes[level] / setting(Knob::target_file_size_base));
    out.score = level == 0 ? l0_files() / setting(Knob::level0_file_num_compaction_trigger)
                           : bytes[level] / level_target(level);
    out.compression_ratio = options_.compression > 0 ? 1 / options_.compression : 0;
    family.sst_bytes += bytes[level];
  }
  const double entry = record_bytes() + kMemtableOverheadPerRecord;
  family.immutable_memtables = immutable();
  family.active_memtable_bytes = active_records_ * entry;
  family.all_memtables_bytes = family.active_memtable_bytes;
  for (const double records : immutable_records_) family.all_memtables_bytes += records * entry;
  family.pending_compaction_bytes = pending();
  family.live_data_bytes = file_bytes(options_.distinct_keys);
  family.table_reader_bytes = 0.002 * family.sst_bytes;
  family.flush_pending = flushing_ < immutable_records_.size();
  family.compaction_pending = l0_files() >= setting(Knob::level0_file_num_compaction_trigger) ||
                              family.pending_compaction_bytes > 0;
  family.stalls = causes_;
  snapshot.families.push_back(std::move(family));
  snapshot.counters = counters_;
  snapshot.state = state_;
  for (const Job& job : jobs_) {
    (job.flush ? snapshot.state.running_flushes : snapshot.state.running_compactions) += 1;
    snapshot.state.oldest_running_job_s =
        std::max(snapshot.state.oldest_running_job_s, job.seconds);
  }
  snapshot.state.write_stopped = write_stopped();
  snapshot.state.delayed_write_rate =
      verdict_.condition == StallCondition::delayed ? delayed_rate_ : 0;
  snapshot.state.block_cache_capacity_bytes = options_.block_cache_bytes;
  snapshot.put_latency = put_latency_;
  snapshot.write_stall = write_stall_;
  snapshot.device = device_;
  snapshot.device->in_flight = static_cast<double>(jobs_.size());
  snapshot.device->write_limit_bytes_per_s = options_.device_write_bytes_per_s;
  snapshot.device->read_limit_bytes_per_s = options_.device_read_bytes_per_s;
  return snapshot;
}

}  // namespace lsmtuned::actuators::testing
