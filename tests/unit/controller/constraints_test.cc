// Hard constraints beside the objective: levels and the device's share.
#include <gtest/gtest.h>

#include "controller/guard.h"
#include "controller/score.h"
#include "driver.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {

using model::Knob;
using testing::Driver;

model::ChangeSet level_base(double from_mib, double to_mib) {
  using model::kMiB;
  return {{"default", Knob::max_bytes_for_level_base, from_mib * kMiB, to_mib * kMiB}};
}

// 60 MB in L1 and 500 MB in L2. Targets 67, 671, ... MB: 560 - 67 = 493 MB fit into L2: two levels.
// A base of 16 MiB: 16.8 + 168 = 185 MB, 375 MB are left for L3: three. Of 1 GiB: one.
TEST(Constraints, LevelsAreCountedFromTargets) {
  const Driver driver;
  const auto snapshot = driver.snapshot();
  const auto levels = [&](double base_mib) {
    const auto wanted = model::with_changes(snapshot.settings, level_base(64, base_mib));
    return levels_filled(snapshot.families[0], wanted.families.at("default"));
  };
  EXPECT_EQ(levels(64), 2);
  EXPECT_EQ(levels(16), 3);
  EXPECT_EQ(levels(1024), 1);
}

TEST(Constraints, NoDataFillsNoLevel) {
  auto snapshot = Driver().snapshot();
  snapshot.families[0].levels[1] = {};
  snapshot.families[0].levels[2] = {};
  EXPECT_EQ(levels_filled(snapshot.families[0], snapshot.settings.families.at("default")), 0);
}

TEST(Constraints, MoreLevelsThanAllowedAreRefused) {
  const auto snapshot = Driver().snapshot();
  auto policy = Driver::base_policy();
  policy.max_levels = 2;
  EXPECT_EQ(check_settings(snapshot, level_base(64, 16), policy, 2, {}).reason, "levels");
  EXPECT_EQ(check_settings(snapshot, level_base(64, 128), policy, 2, {}).gate, Gate::open);
  policy.max_levels = 0;
  EXPECT_EQ(check_settings(snapshot, level_base(64, 16), policy, 2, {}).gate, Gate::open);
  // Above the limit already: it may stay there, but not get worse.
  policy.max_levels = 1;
  EXPECT_EQ(check_settings(snapshot, level_base(64, 128), policy, 2, {}).gate, Gate::open);
  EXPECT_EQ(check_settings(snapshot, level_base(64, 16), policy, 2, {}).reason, "levels");
}

TEST(Constraints, TheDevicesShareIsACeiling) {
  Driver driver;
  SearchRequest request;
  request.snapshot = driver.snapshot();
  request.calibration = model::prior_from(request.snapshot);
  request.calibration.write_bandwidth = 400e6;
  request.calibration.read_bandwidth = 400e6;
  request.calibration.mix_exponent = 1;
  request.calibration.job_bytes_per_second = 10e6;  // compaction threads bind, not the device
  request.policy = Driver::base_policy();
  request.policy.max_debt_growth_share = 10;
  request.policy.trial_max_s = 1800;
  request.cpu_cores = 2;
  auto larger_buffers = request.snapshot.settings;
  larger_buffers.set("default", Knob::write_buffer_size, 16.0 * 1024 * 1024);
  Scorer free(request);
  const Scored open = free.score(larger_buffers);
  const auto share = [](const model::Prediction& p) {
    return p.put_bytes_per_s * (p.write_amplification + p.read_amplification) / 400e6;
  };
  ASSERT_GT(share(open.settled), 1.05 * share(free.present().settled));
  EXPECT_EQ(open.rejected, "");
  request.policy.max_device_share = 0.5 * (share(open.settled) + share(free.present().settled));
  Scorer held(request);
  EXPECT_EQ(held.score(larger_buffers).rejected.substr(0, 7), "device:");
  request.policy.max_device_share = 1.01 * share(open.settled);
  Scorer wide(request);
  EXPECT_EQ(wide.score(larger_buffers).rejected, "");
}

}  // namespace
}  // namespace lsmtuned::controller
