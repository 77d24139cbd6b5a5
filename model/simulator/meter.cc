#include "model/simulator/meter.h"

#include <algorithm>
#include <utility>

namespace lsmtuned::model::simulator {

void Meter::advance(const Step& step, const WriteController& controller) {
  const double seconds = step.seconds;
  const Parameters& p = *parameters_;
  const double user = step.put_bytes_per_s * seconds;
  const double records = user / p.user_bytes_per_record;
  counters_.user_bytes += user;
  counters_.keys_written += records;
  counters_.batch_bytes += records * p.batch_bytes_per_record;
  counters_.wal_bytes += step.wal * seconds;
  counters_.flush_write_bytes += step.flush_write * seconds;
  counters_.compaction_write_bytes += (step.job_write - step.flush_write) * seconds;
  counters_.compaction_read_bytes += step.device_read * seconds;
  device_.write_bytes += step.device_write * seconds;
  device_.read_bytes += step.device_read * seconds;
  const double busy =
      std::min(1.0, std::max(step.device_write / p.device_write, step.device_read / p.device_read));
  device_.busy_seconds += busy * seconds;
  device_.weighted_io_seconds += busy * seconds;
  device_.pressure_some_seconds += busy * seconds;
  if (!(p.writer_bytes_per_s > 0)) return;
  if (controller.stopped()) {
    stopped_for_s_ += seconds;
    worst_stop_s_ = std::max(worst_stop_s_, stopped_for_s_);
  } else if (controller.delayed()) {
    counters_.stall_seconds +=
        seconds * (1 - std::min(1.0, step.put_bytes_per_s / p.writer_bytes_per_s));
  }
}

void Meter::finished(const Job& job, double now_s) {
  LevelStats& stats = levels_[job.output_level];
  if (job.kind == JobKind::trivial_move) {
    stats.moved_bytes += job.upper_bytes;
    ++compactions_;
    return;
  }
  const Parameters& p = *parameters_;
  const double records_out = job.written_bytes / p.bytes_per_record[job.output_level];
  stats.write_bytes += job.written_bytes;
  stats.compaction_seconds += now_s - job.start_s;
  stats.compaction_cpu_seconds += p.cpu_seconds_per_byte[job.output_level] * job.written_bytes +
                                  p.cpu_seconds_per_record * job.records;
  stats.compaction_count += 1;
  stats.keys_in += job.records;
  stats.keys_dropped += std::clamp(job.records - records_out, 0.0, job.records);
  if (job.kind == JobKind::flush) {
    ++flushes_;
    return;
  }
  ++compactions_;
  const double upper = job.kind == JobKind::intra_l0 ? 0 : job.upper_bytes;
  stats.read_bytes += job.read_bytes;
  stats.read_from_upper_bytes += upper;
  stats.read_from_this_bytes += job.read_bytes - upper;
}

void Meter::recalculated(double, const WriteController& controller) {
  // RocksDB credits the time of a stop only when the write returns.
  if (!controller.stopped()) counters_.stall_seconds += std::exchange(stopped_for_s_, 0);
  const StallVerdict& verdict = controller.verdict();
  if (verdict.condition == StallCondition::normal) return;
  const bool stopped = verdict.condition == StallCondition::stopped;
  if (verdict.cause == StallCause::memtables)
    (stopped ? causes_.memtable_stop : causes_.memtable_slowdown) += 1;
  if (verdict.cause == StallCause::l0_files) (stopped ? causes_.l0_stop : causes_.l0_slowdown) += 1;
  if (verdict.cause == StallCause::pending_bytes)
    (stopped ? causes_.pending_stop : causes_.pending_slowdown) += 1;
}

}  // namespace lsmtuned::model::simulator
