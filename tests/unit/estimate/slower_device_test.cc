#include "model/estimate/slower_device.h"

#include <gtest/gtest.h>

#include "model/units.h"

namespace lsmtuned::model {
namespace {

constexpr double kBandwidth = 40 * kMiB;

// A database that compacts and holds writers back, on a device that carries what it can.
struct Device {
  DeviceWatch watch;
  Calibration calibration;
  Snapshot snapshot;
  int changes = 0;
  DeviceChange last = DeviceChange::none;

  Device() {
    calibration.write_bandwidth = kBandwidth;
    calibration.read_bandwidth = 2 * kBandwidth;
    calibration.uncertainty.reference_write_bandwidth = kBandwidth;
    snapshot.incarnation = 1;
    snapshot.time_s = 1;
    snapshot.device.emplace();
    snapshot.device->name = "7:0";
    snapshot.state.running_compactions = 1;
    snapshot.state.delayed_write_rate = kMiB;
  }
  // Polled every two seconds.
  void run(double seconds, double share = 1) {
    for (double end = snapshot.time_s + seconds; snapshot.time_s < end;) {
      snapshot.time_s += 2;
      snapshot.device->write_bytes += 2 * 0.5 * share * kBandwidth;
      snapshot.device->read_bytes += 2 * share * kBandwidth;
      const DeviceChange change = watch_device(watch, calibration, snapshot);
      if (change == DeviceChange::none) continue;
      ++changes;
      last = change;
    }
  }
  void learn_usual() {
    run(300);
    end_of_lesson(watch);
  }
};

TEST(SlowerDevice, AFallToAQuarterIsKnownWithinTwoMinutes) {
  Device device;
  device.learn_usual();
  device.run(120, 0.26);
  EXPECT_EQ(device.changes, 1);
  EXPECT_NEAR(device.calibration.write_bandwidth, 0.26 * kBandwidth, 0.01 * kBandwidth);
  EXPECT_NEAR(device.calibration.read_bandwidth, 0.52 * kBandwidth, 0.02 * kBandwidth);
  device.run(600, 0.26);
  EXPECT_EQ(device.changes, 1) << "the new level is usual now";
}

TEST(SlowerDevice, AFurtherFallIsFoundAsWell) {
  Device device;
  device.learn_usual();
  device.run(120, 0.5);
  device.run(120, 0.2);
  EXPECT_EQ(device.changes, 2);
  EXPECT_NEAR(device.calibration.write_bandwidth, 0.2 * kBandwidth, 0.01 * kBandwidth);
}

TEST(SlowerDevice, WhatComesBackIsBelievedWithinTwoMinutes) {
  Device device;
  device.learn_usual();
  device.run(120, 0.26);
  device.snapshot.state.delayed_write_rate = 0;
  device.run(120);
  EXPECT_EQ(device.changes, 2);
  EXPECT_NEAR(device.calibration.write_bandwidth, kBandwidth, 0.01 * kBandwidth);
  device.run(120, 2);
  EXPECT_EQ(device.changes, 2) << "more than before is for lessons to find";
  device.snapshot.state.delayed_write_rate = kMiB;
  device.run(120, 0.26);
  EXPECT_EQ(device.changes, 3);
}

TEST(SlowerDevice, OfAKnownLimitThreeTenthsAreBelieved) {
  Device device;
  device.snapshot.device->write_limit_bytes_per_s = kBandwidth;
  device.learn_usual();
  device.run(120, 0.1);
  EXPECT_EQ(device.changes, 1);
  EXPECT_NEAR(device.calibration.write_bandwidth, 0.3 * kBandwidth, 0.01 * kBandwidth);
}

// What was not believed of a fall does not come back with a rise either.
TEST(SlowerDevice, AFallBelowTheRangeIsAFallAndComesBackAsFarAsItWent) {
  Device device;
  device.snapshot.device->write_limit_bytes_per_s = kBandwidth;
  device.learn_usual();
  device.run(120, 0.3);
  device.run(120, 0.1);
  EXPECT_EQ(device.changes, 2);
  EXPECT_EQ(device.last, DeviceChange::fell);
  EXPECT_NEAR(device.calibration.write_bandwidth, 0.3 * kBandwidth, 0.01 * kBandwidth);
  device.run(120, 0.9);
  EXPECT_EQ(device.last, DeviceChange::recovered);
  EXPECT_LE(device.calibration.write_bandwidth, 1.01 * kBandwidth);
}

// Fewer jobs after a fall: whatever they carry is no recovery.
TEST(SlowerDevice, SettingsThatAskLessAfterAFallBringNothingBack) {
  Device device;
  device.snapshot.settings.database.set(Knob::max_background_jobs, 4);
  device.learn_usual();
  device.run(120, 0.26);
  ASSERT_EQ(device.changes, 1);
  const double believed = device.calibration.write_bandwidth;
  device.snapshot.settings.database.set(Knob::max_background_jobs, 2);
  device.run(300, 0.2);
  EXPECT_EQ(device.changes, 1);
  EXPECT_EQ(device.calibration.write_bandwidth, believed);
}

TEST(SlowerDevice, WhatEachCycleDoesIsNoFall) {
  Device device;
  for (int cycle = 0; cycle < 6; ++cycle) {
    device.run(120);
    device.run(60, 0.5);
    end_of_lesson(device.watch);
  }
  device.run(200, 0.5);  // once longer than usual, but no lower
  EXPECT_EQ(device.changes, 0);
  EXPECT_EQ(device.calibration.write_bandwidth, kBandwidth);
  device.run(120, 0.2);
  EXPECT_EQ(device.changes, 1);
}

TEST(SlowerDevice, AFallWithoutDemandIsNone) {
  Device writers_free;
  writers_free.learn_usual();
  writers_free.snapshot.state.delayed_write_rate = 0;
  writers_free.run(600, 0.2);
  EXPECT_EQ(writers_free.changes, 0);

  Device between_jobs;
  between_jobs.learn_usual();
  for (int i = 0; i < 60; ++i) {
    between_jobs.run(20, 0.2);
    between_jobs.snapshot.state.running_compactions = 0;
    between_jobs.run(2, 0);
    between_jobs.snapshot.state.running_compactions = 1;
  }
  EXPECT_EQ(between_jobs.changes, 0);
}

TEST(SlowerDevice, FewerJobsAreNoSlowerDevice) {
  Device device;
  device.snapshot.settings.database.set(Knob::max_background_jobs, 4);
  device.learn_usual();
  device.snapshot.settings.database.set(Knob::max_background_jobs, 2);
  device.run(300, 0.4);
  end_of_lesson(device.watch);
  EXPECT_EQ(device.changes, 0);
  device.run(120, 0.1);
  EXPECT_EQ(device.changes, 1);
}

TEST(SlowerDevice, NothingIsConcludedFromWhatIsNotKnown) {
  Device nothing_usual;
  nothing_usual.run(300, 0.2);
  EXPECT_EQ(nothing_usual.changes, 0);

  Device no_bandwidth;
  no_bandwidth.calibration = {};
  no_bandwidth.learn_usual();
  no_bandwidth.run(300, 0.2);
  EXPECT_EQ(no_bandwidth.changes, 0);
  EXPECT_EQ(no_bandwidth.calibration.write_bandwidth, 0);
}

TEST(SlowerDevice, OtherDevicesResetsAndPausesBeginAnew) {
  Device device;
  device.learn_usual();
  for (int i = 0; i < 40; ++i) {
    device.run(20, 0.2);
    switch (i % 4) {
      case 0:
        device.snapshot.device->name += "x";
        break;
      case 1:
        ++device.snapshot.incarnation;
        break;
      case 2:
        device.snapshot.time_s += 60;
        break;
      default:
        device.snapshot.device->write_bytes = device.snapshot.device->read_bytes = 0;
        device.snapshot.device->name = "7:0";
    }
  }
  EXPECT_EQ(device.changes, 0);
}

}  // namespace
}  // namespace lsmtuned::model
