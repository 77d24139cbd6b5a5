// The event loop: fluid between events, RocksDB's own steps at them.
//
// Events: a memtable is full, a flush ends, a compaction ends, a slot's think time is over, burst
// credit is used up, the recorder wants a mark. Between them every rate is constant. At one it does
// what RocksDB does there, in its order: install, recalculate stall conditions, start flushes,
// pick compactions by score. `Tree` is TotalsTree or FilesTree; `Watcher` (Recorder, Meter) sees
// every step and says when to stop. The owner of the parameters may change them between two runs
// and then says so (settings_changed, machine_changed). Pure; thread rules: one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "model/result.h"
#include "model/simulator/device.h"
#include "model/simulator/job.h"
#include "model/simulator/levels.h"
#include "model/simulator/memtables.h"
#include "model/simulator/parameters.h"
#include "model/simulator/recorder.h"
#include "model/simulator/turns.h"
#include "model/simulator/write_controller.h"

namespace lsmtuned::model::simulator {

template <class Tree, class Watcher = Recorder>
class Engine {
 public:
  // `parameters` outlives the engine.
  Engine(const Parameters& parameters, const TreeShape& tree, std::uint64_t seed, Watcher watcher)
      : p_(parameters),
        tree_(parameters, tree, seed),
        memtables_(parameters, tree),
        controller_(parameters.stall, tree.delayed_write_rate, stall_inputs()),
        recorder_(std::move(watcher)),
        burst_credit_(parameters.burst_bytes) {
    recorder_.recalculated(0, controller_);
    start_flushes();
    start_compactions();
  }

  // To the time at which the watcher ends; may be called again once that has moved. Errors: too
  // many steps for one run, a tree that is not modelled.
  Result<void> run() {
    past_events_ += events_;
    events_ = 0;
    effort_before_ = tree_.effort();
    while (now_s_ < recorder_.end_s()) {
      share();
      step_to_next_event();
      if (!failure_.empty()) return Error{failure_, remedy_};
    }
    return {};
  }

  // An options call returned: `family` for SetOptions, which recalculates stall conditions,
  // `database` for SetDBOptions, which resets the adapted delayed rate. Jobs that run already keep
  // the limits they started with and put them back as they end (docs/rocksdb-surprises.md).
  void settings_changed(bool family, bool database) {
    past_limits_.push_back({now_s_, controller_.limits()});
    if (past_limits_.size() > kPastLimits) past_limits_.pop_front();
    controller_.set_limits(p_.stall);
    if (database) controller_.reset_rate();
    if (family) {
      tree_.levels().retarget();
      recalculate(p_.stall);
    }
    start_flushes();
    start_compactions();
    stale_ = true;
  }
  // The device or the offered rate is another one from now on.
  void machine_changed() {
    burst_credit_ = std::min(burst_credit_, p_.burst_bytes);
    stale_ = true;
  }

  Watcher& watcher() { return recorder_; }
  const Watcher& watcher() const { return recorder_; }
  const WriteController& controller() const { return controller_; }
  const Memtables& memtables() const { return memtables_; }
  const Levels& levels() const { return tree_.levels(); }
  const std::vector<Job>& flushes() const { return flushes_; }
  const std::vector<Job>& compactions() const { return compactions_; }
  double now_s() const { return now_s_; }
  // Events of all runs, files looked at among them.
  double work() const {
    return static_cast<double>(past_events_ + events_) +
           static_cast<double>(tree_.effort()) / kEffortPerEvent;
  }

  TreeShape shape() const {
    TreeShape shape = tree_.shape();
    shape.active_memtable_bytes = memtables_.active_records() * p_.memtable_bytes_per_record;
    shape.immutable_memtables = memtables_.immutable();
    shape.delayed_write_rate = controller_.delayed() ? controller_.delayed_rate() : 0;
    return shape;
  }

  double files(std::size_t level) const { return tree_.files(level); }

  // File bytes over bytes of distinct live records.
  double space_amplification() const {
    double all = 0;
    double distinct = 0;
    double per_record = p_.bytes_per_record[0];
    for (std::size_t l = 0; l < p_.levels; ++l) {
      const double records = tree_.records(l);
      all += tree_.levels().bytes(l);
      if (records <= 0) continue;
      per_record = p_.bytes_per_record[l];
      distinct += records - distinct * std::min(1.0, records * p_.inverse_distinct_keys);
    }
    return distinct > 0 ? all / (distinct * per_record) : 0;
  }

 private:
  static constexpr double kEffortPerEvent = 32;  // files looked at in the time of an event
  static constexpr std::uint64_t kMostEvents = 4'000'000;
  static constexpr std::uint64_t kMostEffort = 2'000'000'000;
  static constexpr std::size_t kPastLimits = 16;
  static constexpr double kBurstFactor = 8;  // how much faster than its limit a device bursts
  // The kernel queues WAL pages as they are written back, ahead of whatever flushes and compactions
  // ask for next: each of those has one request waiting, the WAL any number.
  static constexpr double kWalWeight = 1e12;

  enum class Event {
    mark,
    memtable_full,
    flush_end,
    compaction_end,
    block_begin,
    block_end,
    slot_ready,
    wal_drained,
    credit_end
  };

  StallInputs stall_inputs() {
    const Levels& levels = tree_.levels();
    return {memtables_.immutable(), levels.l0_files(), levels.pending_bytes()};
  }

  // The WAL never holds the writer up: without a sync it goes through the page cache.
  double writer_rate() const {
    if (controller_.stopped()) return 0;
    if (!controller_.delayed()) return p_.writer_bytes_per_s;
    const double user_share = p_.user_bytes_per_record / p_.batch_bytes_per_record;
    return std::min(p_.writer_bytes_per_s, controller_.delayed_rate() * user_share);
  }

  void add_stream(const Job& job, double weight) {
    Stream& stream = streams_.emplace_back();
    stream.weight = weight * job.written_bytes / job.turns;
    if (job.block_remaining > 0) {  // reads and waits
      stream.read_bytes = job.block_bytes;
      stream.max_speed = 1 / kShortestJob_s;
      return;
    }
    stream.write_bytes = job.written_bytes;
    stream.read_bytes = std::max(0.0, job.read_bytes - job.read_blocks * job.block_bytes);
    stream.cpu_seconds = p_.cpu_seconds_per_byte[job.output_level] * job.written_bytes +
                         p_.cpu_seconds_per_record * job.records;
    stream.max_speed = job.threads / std::max(stream.cpu_seconds, kShortestJob_s);
  }

  void share() {
    if (!stale_) return;
    stale_ = false;
    streams_.clear();
    // A limiter that is tighter than the device serves flushes before compactions
    // (util/rate_limiter.cc: nine refills in ten).
    const bool limited = p_.limiter < p_.device_write;
    const double flush_weight = limited ? 0.9 : p_.flush_weight;
    for (const Job& job : flushes_) add_stream(job, flush_weight);
    for (const Job& job : compactions_) add_stream(job, (1 - flush_weight) * job.threads);
    const double put = writer_rate();
    const double wal = put * p_.wal_bytes_per_user_byte;
    const bool wal_shares = p_.wal_device_write <= 0 && (wal > 0 || wal_backlog_ > 0);
    if (wal_shares) {  // in bytes: its work is one byte
      Stream& stream = streams_.emplace_back();
      stream.weight = kWalWeight;
      stream.write_bytes = 1;
      stream.limited = false;
      if (wal_backlog_ <= 0) stream.max_speed = wal;
    }
    DeviceLimits limits;
    limits.write = p_.device_write * (burst_credit_ > 0 ? kBurstFactor : 1);
    limits.read = p_.device_read;
    limits.mix_exponent = p_.mix_exponent;
    limits.limiter = p_.limiter;
    limits.cores = p_.cores;
    share_device(limits, streams_);

    std::size_t i = 0;
    step_.device_write = step_.device_read = step_.flush_write = 0;
    for (auto* jobs : {&flushes_, &compactions_}) {
      for (Job& job : *jobs) {
        job.speed = streams_[i].speed;
        step_.device_write += job.speed * streams_[i].write_bytes;
        step_.device_read += job.speed * streams_[i].read_bytes;
        ++i;
      }
      if (jobs == &flushes_) step_.flush_write = step_.device_write;
    }
    step_.job_write = step_.device_write;
    step_.put_bytes_per_s = put;
    step_.wal = wal;
    wal_drain_ = wal_shares ? streams_[i].speed : wal;
    if (wal_shares) step_.device_write += wal_drain_;
  }

  void step_to_next_event() {
    Event event = Event::mark;
    std::size_t which = 0;
    double dt = recorder_.next_mark_s() - now_s_;
    const auto consider = [&](double in_s, Event what, std::size_t index) {
      if (in_s >= dt) return;
      dt = in_s;
      event = what;
      which = index;
    };
    const double records_per_s = step_.put_bytes_per_s / p_.user_bytes_per_record;
    if (records_per_s > 0) {
      consider(memtables_.room_records() / records_per_s, Event::memtable_full, 0);
    }
    for (std::size_t i = 0; i < flushes_.size(); ++i) {
      // Nothing may remain, or less than nothing, where another event came at the same moment.
      if (flushes_[i].speed > 0) {
        consider(flushes_[i].remaining / flushes_[i].speed, Event::flush_end, i);
      }
    }
    for (std::size_t i = 0; i < compactions_.size(); ++i) {
      const Job& job = compactions_[i];
      if (job.speed <= 0) continue;
      if (job.block_remaining > 0) {
        consider(job.block_remaining / job.speed, Event::block_end, i);
      } else if (job.blocks_left > 0) {
        const double until = job.blocks_left / job.read_blocks;
        consider((job.remaining - until) / job.speed, Event::block_begin, i);
      } else {
        consider(job.remaining / job.speed, Event::compaction_end, i);
      }
    }
    if (wal_backlog_ > 0 && wal_drain_ > step_.wal) {
      consider(wal_backlog_ / (wal_drain_ - step_.wal), Event::wal_drained, 0);
    }
    if (slot_ready_s_ > now_s_) consider(slot_ready_s_ - now_s_, Event::slot_ready, 0);
    const double credit_use = step_.device_write - p_.device_write;
    if (burst_credit_ > 0 && credit_use > 0) {
      consider(burst_credit_ / credit_use, Event::credit_end, 0);
    }
    advance(std::max(0.0, dt), records_per_s);
    if (++events_ > kMostEvents || tree_.effort() - effort_before_ > kMostEffort) {
      failure_ = "the simulation needs too many steps: " + std::to_string(events_) + " events in " +
                 std::to_string(now_s_) + " simulated seconds";
      remedy_ = "shorten horizon_s, or use the byte-total layer";
      return;
    }
    handle(event, which);
  }

  void advance(double dt, double records_per_s) {
    step_.seconds = dt;
    step_.l0_files = tree_.levels().l0_files();
    step_.pending_bytes = tree_.levels().pending_bytes();
    recorder_.advance(step_, controller_);
    memtables_.fill(records_per_s * dt);
    for (Job& job : flushes_) job.remaining -= job.speed * dt;
    for (Job& job : compactions_) {
      (job.block_remaining > 0 ? job.block_remaining : job.remaining) -= job.speed * dt;
    }
    const double wal_queued = (step_.wal - wal_drain_) * dt;
    if (wal_queued > 0 && wal_backlog_ <= 0) stale_ = true;
    wal_backlog_ = std::max(0.0, wal_backlog_ + wal_queued);
    if (p_.burst_bytes > 0) {
      const double before = burst_credit_;
      burst_credit_ = std::clamp(burst_credit_ + (p_.device_write - step_.device_write) * dt, 0.0,
                                 p_.burst_bytes);
      stale_ = stale_ || (before > 0) != (burst_credit_ > 0);
    }
    now_s_ += dt;
  }

  void handle(Event event, std::size_t which) {
    switch (event) {
      case Event::mark:
        now_s_ = recorder_.next_mark_s();
        recorder_.mark(now_s_, controller_, step_, memtables_.immutable());
        return;
      case Event::credit_end:
        burst_credit_ = 0;
        stale_ = true;
        return;
      case Event::block_begin:
        begin_block(compactions_[which]);
        return;
      case Event::block_end:
        compactions_[which].block_remaining = 0;
        stale_ = true;
        return;
      case Event::wal_drained:
        wal_backlog_ = 0;
        stale_ = true;
        return;
      case Event::slot_ready:
        now_s_ = slot_ready_s_;
        break;
      case Event::memtable_full:
        memtables_.switch_active();
        recalculate(p_.stall);
        break;
      case Event::flush_end:
        end_flush(which);
        break;
      case Event::compaction_end:
        end_compaction(which);
        break;
    }
    start_flushes();
    start_compactions();
  }

  void begin_block(Job& job) {
    job.remaining = job.blocks_left / job.read_blocks;
    job.blocks_left -= 1;
    job.block_remaining = 1;
    stale_ = true;
  }

  // The limits that a job works with: those at its start.
  const StallLimits& limits_of(const Job& job) const {
    for (const auto& [until_s, limits] : past_limits_)
      if (job.start_s < until_s) return limits;
    return p_.stall;
  }

  void recalculate(const StallLimits& limits) {
    const StallVerdict before = controller_.verdict();
    const double rate_before = controller_.delayed_rate();
    controller_.recalculate(stall_inputs(), limits);
    recorder_.recalculated(now_s_, controller_);
    stale_ = stale_ || before != controller_.verdict() || rate_before != controller_.delayed_rate();
    if (tree_.levels().base_level_stands()) return;
    failure_ = "facts.level_compaction_dynamic_level_bytes: the base level would move after " +
               std::to_string(now_s_) + " s, which the simulator does not model";
    remedy_ = "use static level targets, or a tree whose base level stays where it is";
  }

  void start_flushes() {
    while (flushes_.size() < p_.flush_slots && memtables_.flush_due()) {
      Job job;
      double file_records = 0;
      job.id = static_cast<std::uint32_t>(memtables_.start_flush(job.records, file_records));
      job.input_files = memtables_.buffers_of(job.id);
      job.written_bytes = file_records * p_.bytes_per_record[0];
      job.turns = turns_of_file(job.written_bytes) + kTurnsPerJobEnd;
      job.start_s = now_s_;
      flushes_.push_back(job);
      stale_ = true;
    }
  }

  // A flush that waits for an older one to be installed has given its slot back.
  void end_flush(std::size_t which) {
    const Job job = flushes_[which];
    flushes_.erase(flushes_.begin() + static_cast<std::ptrdiff_t>(which));
    recorder_.finished(job, now_s_);
    memtables_.finish_flush(job.id,
                            [this](double file_records) { tree_.add_flushed(file_records); });
    stale_ = true;
    recalculate(limits_of(job));
  }

  void end_compaction(std::size_t which) {
    const Job job = compactions_[which];
    compactions_.erase(compactions_.begin() + static_cast<std::ptrdiff_t>(which));
    tree_.install(job);
    recorder_.finished(job, now_s_);
    if (job.kind == JobKind::l0_to_base) recorder_.base_job_ended(tree_.levels().pending_bytes());
    stale_ = true;
    if (p_.think_s > 0) slot_ready_s_ = now_s_ + p_.think_s;
    recalculate(limits_of(job));
  }

  void start_compactions() {
    if (slot_ready_s_ > now_s_) return;
    for (;;) {
      const std::size_t slots = controller_.speed_up() ? p_.compaction_slots : 1;
      if (compactions_.size() >= slots) return;
      Job job;
      if (!pick(job)) return;
      job.start_s = now_s_;
      if (job.kind == JobKind::trivial_move) {  // a MANIFEST write, no data
        tree_.install(job);
        recorder_.finished(job, now_s_);
        if (++events_ > kMostEvents) return;
        recalculate(p_.stall);
        continue;
      }
      job.blocks_left = job.read_blocks;
      if (job.read_blocks > 0) begin_block(job);
      compactions_.push_back(job);
      stale_ = true;
    }
  }

  // SetupInitialFiles: the first level by score that yields a compaction.
  bool pick(Job& job) {
    const std::size_t count = tree_.levels().scores(scores_);
    bool base_blocked = false;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t level = scores_[i].level;
      if (level == 0) {
        if (tree_.pick_base(job)) return true;
        base_blocked = true;
        if (tree_.pick_intra_l0(job)) return true;
      } else if (!(base_blocked && level == p_.base_level) && tree_.pick_deeper(level, job)) {
        return true;
      }
    }
    return false;
  }

  static constexpr double kShortestJob_s = 1e-6;

  const Parameters& p_;
  Tree tree_;
  Memtables memtables_;
  WriteController controller_;
  Watcher recorder_;
  std::vector<Job> flushes_;
  std::vector<Job> compactions_;
  std::vector<Stream> streams_;
  std::array<ScoredLevel, kMaxLevels> scores_;
  Step step_;
  double now_s_ = 0;
  double slot_ready_s_ = 0;
  double burst_credit_ = 0;
  double wal_backlog_ = 0;  // bytes that wait for the shared device
  double wal_drain_ = 0;    // bytes/s that reach it
  bool stale_ = true;
  std::deque<std::pair<double, StallLimits>> past_limits_;  // in force until
  std::uint64_t events_ = 0;                                // of this run
  std::uint64_t past_events_ = 0;                           // of those before
  std::uint64_t effort_before_ = 0;
  std::string failure_;
  std::string remedy_;
};

}  // namespace lsmtuned::model::simulator
