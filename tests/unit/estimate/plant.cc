#include "tests/unit/estimate/plant.h"

#include <algorithm>
#include <cmath>

namespace lsmtuned::model::testing {

namespace {

void run_jobs(LevelStats& level, double taken, double met, double speed, double cpu_share,
              double seconds) {
  const double read = taken + met;
  level.read_from_upper_bytes += taken;
  level.read_from_this_bytes += met;
  level.read_bytes += read;
  level.write_bytes += read;
  level.keys_in += read / 1000;
  level.compaction_seconds += seconds > 0 ? seconds : read / speed;
  level.compaction_cpu_seconds += cpu_share * (seconds > 0 ? seconds : read / speed);
}

}  // namespace

Plant::Plant() {
  snapshot_.target = "plant";
  snapshot_.incarnation = 3;
  snapshot_.time_s = 1000;
  snapshot_.database_uptime_s = 500;
  snapshot_.settings = default_settings();
  snapshot_.settings.set(kFamily, Knob::write_buffer_size, 4 * kMiB);
  snapshot_.settings.set(kFamily, Knob::max_bytes_for_level_base, 50 * kMiB);
  snapshot_.families.push_back(family_with({kBatch, 50 * kMiB, 200 * kMiB}, 6));
  DeviceSample device;
  device.name = "sda";
  snapshot_.device = device;
}

const Snapshot& Plant::advance(double seconds) {
  const double device_bound = bandwidth / (1 + amplification * (kDevicePerUserByte - 1));
  const double compaction_bound = cpu_bound > 0 ? std::min(device_bound, cpu_bound) : device_bound;
  const bool computing = cpu_bound > 0 && cpu_bound < device_bound;
  const double wanted = offered > 0 ? std::min(offered, foreground) : foreground;
  rate_ = std::min(wanted, compaction_bound);
  const bool stalled = rate_ < wanted;
  const double user = rate_ * seconds;

  snapshot_.time_s += seconds;
  snapshot_.database_uptime_s += seconds;
  DatabaseCounters& counters = snapshot_.counters;
  counters.user_bytes += user;
  counters.batch_bytes += user;
  counters.keys_written += user / 1000;
  counters.flush_write_bytes += user;
  counters.compaction_write_bytes += amplification * 8 * user;
  counters.compaction_read_bytes += amplification * 8 * user;
  if (stalled) counters.stall_seconds += (1 - rate_ / wanted) * seconds;

  FamilySnapshot& family = snapshot_.families[0];
  if (stalled) family.stalls.l0_slowdown += 10;
  // Stalled: one job or another is always at work, waiting for the device or computing.
  const double busy = stalled ? 0.97 * seconds : 0;
  const double cpu_share = computing ? 0.95 : 0.1;
  const double taken = amplification * user;
  run_jobs(family.levels[1], taken, 2 * taken, job_speed * speed_up, cpu_share, busy * 3 / 8);
  run_jobs(family.levels[2], taken, 4 * taken, job_speed, cpu_share, busy * 5 / 8);
  family.levels[0].write_bytes += user;
  family.levels[0].compaction_seconds += user / (100 * kMiB);
  jobs_ += user / kBatch;
  family.levels[1].compaction_count = std::floor(jobs_);
  family.levels[2].compaction_count = 4 * std::floor(jobs_);
  snapshot_.state.l0_compactions_completed = static_cast<std::uint64_t>(jobs_);
  snapshot_.state.flushes_completed = static_cast<std::uint64_t>(counters.user_bytes / (4 * kMiB));

  DeviceSample& device = *snapshot_.device;
  device.write_bytes += (1 + 8 * amplification) * user;
  device.read_bytes += amplification * kRead * user;
  device.busy_seconds += seconds * std::min(1.0, rate_ / device_bound) * 0.99;
  return snapshot_;
}

}  // namespace lsmtuned::model::testing
