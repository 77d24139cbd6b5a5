// Turns the engine's steps into a Simulation: integrals over the horizon, series, events.
//
// Everything before the warm-up's end is left out. Bytes, seconds. Pure; thread rules: one thread.
#pragma once

#include "model/simulator/job.h"
#include "model/simulator/parameters.h"
#include "model/simulator/simulate.h"
#include "model/simulator/write_controller.h"

namespace lsmtuned::model::simulator {

// What holds between two events.
struct Step {
  double seconds = 0;
  double put_bytes_per_s = 0;
  double device_write = 0;  // bytes/s, WAL included where it shares the device
  double device_read = 0;
  double flush_write = 0;  // of device_write
  double job_write = 0;    // flushes and compactions, without the WAL
  double wal = 0;          // bytes/s wherever the WAL lives
  double l0_files = 0;
  double pending_bytes = 0;
};

class Recorder {
 public:
  Recorder(const Parameters& parameters, const SimulationOptions& options, double horizon_s);

  double end_s() const { return end_s_; }
  // The next time at which the recorder wants the engine to stop: a sample or a phase's border.
  double next_mark_s() const { return next_mark_s_; }
  void mark(double now_s, const WriteController& controller, const Step& step,
            double immutable_memtables);

  void advance(const Step& step, const WriteController& controller);
  void finished(const Job& job, double now_s);
  void base_job_ended(double pending_bytes);  // after it is installed
  void recalculated(double now_s, const WriteController& controller);

  Simulation result() &&;

 private:
  void set_next_mark(double now_s);
  void add_stall(const Step& step, const WriteController& controller);

  const Parameters* parameters_;
  SimulationOptions options_;
  Simulation out_;
  double start_s_;
  double last_third_s_;
  double end_s_;
  double next_sample_s_;
  double next_mark_s_ = 0;
  bool counting_ = false;
  bool last_third_ = false;
  double user_bytes_ = 0;
  double last_third_user_bytes_ = 0;
  double sample_user_bytes_ = 0;
  double written_ = 0;
  double read_ = 0;
  double busy_s_ = 0;
  double standstill_s_ = 0;
  double cycle_end_pending_ = 0;
  double cycle_ends_ = 0;
  RateEvent last_rate_;
};

}  // namespace lsmtuned::model::simulator
