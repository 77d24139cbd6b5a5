#include "model/simulator/recorder.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lsmtuned::model::simulator {

Recorder::Recorder(const Parameters& parameters, const SimulationOptions& options, double horizon_s)
    : parameters_(&parameters),
      options_(options),
      start_s_(options.warmup_s),
      last_third_s_(options.warmup_s + horizon_s * 2 / 3),
      end_s_(options.warmup_s + horizon_s),
      next_sample_s_(options.sample_every_s > 0 ? options.warmup_s + options.sample_every_s
                                                : std::numeric_limits<double>::infinity()),
      counting_(options.warmup_s <= 0) {
  set_next_mark(0);
}

void Recorder::set_next_mark(double now_s) {
  next_mark_s_ = std::min(end_s_, next_sample_s_);
  if (now_s < start_s_) next_mark_s_ = std::min(next_mark_s_, start_s_);
  if (now_s < last_third_s_) next_mark_s_ = std::min(next_mark_s_, last_third_s_);
}

void Recorder::mark(double now_s, const WriteController& controller, const Step& step,
                    double immutable_memtables) {
  if (now_s >= start_s_) counting_ = true;
  if (now_s >= last_third_s_) last_third_ = true;
  if (now_s >= next_sample_s_) {
    SimulationSample sample;
    sample.time_s = now_s - start_s_;
    sample.put_bytes_per_s = sample_user_bytes_ / options_.sample_every_s;
    sample.l0_files = step.l0_files;
    sample.pending_bytes = step.pending_bytes;
    sample.immutable_memtables = immutable_memtables;
    sample.delayed_write_rate = controller.delayed() ? controller.delayed_rate() : 0;
    out_.series.push_back(sample);
    sample_user_bytes_ = 0;
    next_sample_s_ += options_.sample_every_s;
  }
  set_next_mark(now_s);
}

void Recorder::add_stall(const Step& step, const WriteController& controller) {
  const StallVerdict& verdict = controller.verdict();
  const double unstalled = parameters_->writer_bytes_per_s;
  const double lost = unstalled > 0 ? 1 - std::min(1.0, step.put_bytes_per_s / unstalled) : 0;
  StallShares& shares = out_.stalls;
  const double seconds = lost * step.seconds;
  if (verdict.condition == StallCondition::stopped) {
    if (verdict.cause == StallCause::memtables) shares.memtable_stop += seconds;
    if (verdict.cause == StallCause::l0_files) shares.l0_stop += seconds;
    if (verdict.cause == StallCause::pending_bytes) shares.pending_stop += seconds;
    standstill_s_ += step.seconds;
    out_.worst_stall_s = std::max(out_.worst_stall_s, standstill_s_);
    return;
  }
  standstill_s_ = 0;
  if (verdict.condition != StallCondition::delayed) return;
  if (verdict.cause == StallCause::memtables) shares.memtable_delay += seconds;
  if (verdict.cause == StallCause::l0_files) shares.l0_delay += seconds;
  if (verdict.cause == StallCause::pending_bytes) shares.pending_delay += seconds;
  if (step.seconds > 0) {  // one write waits for its own bytes' worth of credit
    const double wait = parameters_->batch_bytes_per_record / controller.delayed_rate();
    out_.worst_stall_s = std::max(out_.worst_stall_s, std::min(wait, step.seconds));
  }
}

void Recorder::advance(const Step& step, const WriteController& controller) {
  if (!counting_) return;
  const double seconds = step.seconds;
  const double user_bytes = step.put_bytes_per_s * seconds;
  user_bytes_ += user_bytes;
  sample_user_bytes_ += user_bytes;
  if (last_third_) last_third_user_bytes_ += user_bytes;
  const bool wal_apart = parameters_->wal_device_write > 0;
  written_ += (step.device_write + (wal_apart ? step.wal : 0)) * seconds;
  read_ += step.device_read * seconds;
  const double busy = std::max(step.device_write / parameters_->device_write,
                               step.device_read / parameters_->device_read);
  busy_s_ += std::min(1.0, busy) * seconds;
  out_.l0_files_mean += step.l0_files * seconds;
  out_.l0_files_max = std::max(out_.l0_files_max, step.l0_files);
  out_.pending_bytes_mean += step.pending_bytes * seconds;
  out_.pending_bytes_max = std::max(out_.pending_bytes_max, step.pending_bytes);
  out_.pending_bytes_end = step.pending_bytes;
  add_stall(step, controller);
}

void Recorder::finished(const Job& job, double now_s) {
  if (!counting_) return;
  switch (job.kind) {
    case JobKind::flush:
      ++out_.flushes;
      break;
    case JobKind::l0_to_base:
      ++out_.l0_compactions;
      break;
    case JobKind::intra_l0:
      ++out_.intra_l0_compactions;
      break;
    case JobKind::deeper:
      ++out_.deeper_compactions;
      break;
    case JobKind::trivial_move:
      ++out_.trivial_moves;
      break;
  }
  if (!options_.record_events) return;
  JobEvent event;
  event.kind = job.kind;
  event.input_level = job.input_level;
  event.start_s = job.start_s - start_s_;
  event.end_s = now_s - start_s_;
  event.read_bytes = job.read_bytes;
  event.written_bytes = job.written_bytes;
  event.input_files = job.input_files;
  out_.jobs.push_back(event);
}

void Recorder::recalculated(double now_s, const WriteController& controller) {
  if (!options_.record_events || !counting_) return;
  RateEvent event;
  event.time_s = now_s - start_s_;
  event.stopped = controller.stopped();
  event.delayed_write_rate = controller.delayed() ? controller.delayed_rate() : 0;
  const bool stalled = event.stopped || event.delayed_write_rate > 0;
  const bool was_stalled = last_rate_.stopped || last_rate_.delayed_write_rate > 0;
  if (stalled || was_stalled) out_.rates.push_back(event);
  last_rate_ = event;
}

void Recorder::base_job_ended(double pending_bytes) {
  if (!counting_) return;
  cycle_end_pending_ += pending_bytes;
  ++cycle_ends_;
}

Simulation Recorder::result() && {
  const double seconds = end_s_ - start_s_;
  out_.put_bytes_per_s = user_bytes_ / seconds;
  out_.settled_put_bytes_per_s = last_third_user_bytes_ / (end_s_ - last_third_s_);
  out_.low_bytes_per_s = out_.high_bytes_per_s = out_.put_bytes_per_s;
  StallShares& shares = out_.stalls;
  for (double* share : {&shares.memtable_stop, &shares.l0_stop, &shares.pending_stop,
                        &shares.memtable_delay, &shares.l0_delay, &shares.pending_delay}) {
    *share /= seconds;
  }
  if (user_bytes_ > 0) {
    out_.write_amplification = written_ / user_bytes_;
    out_.read_amplification = read_ / user_bytes_;
  }
  out_.l0_files_mean /= seconds;
  out_.pending_bytes_mean /= seconds;
  out_.pending_bytes_cycle_end =
      cycle_ends_ > 0 ? cycle_end_pending_ / cycle_ends_ : out_.pending_bytes_end;
  out_.device_busy_share = busy_s_ / seconds;
  return std::move(out_);
}

}  // namespace lsmtuned::model::simulator
