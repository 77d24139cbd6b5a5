#include "model/simulator/device.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace lsmtuned::model::simulator {
namespace {

Stream job(double weight, double write, double read = 0, double cpu = 0) {
  Stream stream;
  stream.weight = weight;
  stream.write_bytes = write;
  stream.read_bytes = read;
  stream.cpu_seconds = cpu;
  return stream;
}

DeviceLimits limits(double write, double read) {
  DeviceLimits made;
  made.write = write;
  made.read = read;
  return made;
}

// 24 to share by 3 : 1: 18 and 6. A job of 36 moves half of itself a second, one of 60 a tenth.
TEST(ShareDevice, WritesByWeight) {
  std::vector<Stream> streams{job(3, 36), job(1, 60)};
  share_device(limits(24, 1e9), streams);
  EXPECT_DOUBLE_EQ(streams[0].speed, 0.5);
  EXPECT_DOUBLE_EQ(streams[1].speed, 0.1);
}

// The first can only do 4 a second; the second gets the other 20.
TEST(ShareDevice, WhatACappedStreamLeavesGoesToTheOthers) {
  std::vector<Stream> streams{job(1, 40), job(1, 100)};
  streams[0].max_speed = 0.1;
  share_device(limits(24, 1e9), streams);
  EXPECT_DOUBLE_EQ(streams[0].speed, 0.1);
  EXPECT_DOUBLE_EQ(streams[1].speed, 0.2);
}

// A job that only reads runs at the read limit and leaves all writes to the other.
TEST(ShareDevice, AReadingJobLeavesTheWriteLimitToOthers) {
  std::vector<Stream> streams{job(1, 0, 96), job(1, 24)};
  share_device(limits(24, 48), streams);
  EXPECT_DOUBLE_EQ(streams[0].speed, 0.5);
  EXPECT_DOUBLE_EQ(streams[1].speed, 1);
}

// Reads bind: 100 read and 50 written at 20 read a second is 0.2 of the job.
TEST(ShareDevice, ReadsMayBind) {
  std::vector<Stream> streams{job(1, 50, 100)};
  share_device(limits(24, 20), streams);
  EXPECT_DOUBLE_EQ(streams[0].speed, 0.2);
}

// p = 1: writes and reads share one budget: x/24 x 24 + x/48 x 48 = 1, so x = 1/2. p = 2: x^2 + x^2
// = 1, so x = 0.7071.
TEST(ShareDevice, OneBudgetForReadsAndWrites) {
  std::vector<Stream> streams{job(1, 24, 48)};
  DeviceLimits serial = limits(24, 48);
  serial.mix_exponent = 1;
  share_device(serial, streams);
  EXPECT_NEAR(streams[0].speed, 0.5, 1e-9);
  serial.mix_exponent = 2;
  share_device(serial, streams);
  EXPECT_NEAR(streams[0].speed, std::sqrt(0.5), 1e-9);
}

// The limiter binds two jobs at 10; the WAL beside them is not charged and takes what it wants.
TEST(ShareDevice, TheLimiterLeavesTheWalAlone) {
  Stream wal = job(1, 6);
  wal.limited = false;
  wal.max_speed = 1;
  std::vector<Stream> streams{job(1, 10), job(1, 10), wal};
  DeviceLimits with_limiter = limits(24, 1e9);
  with_limiter.limiter = 10;
  share_device(with_limiter, streams);
  EXPECT_DOUBLE_EQ(streams[0].speed, 0.5);
  EXPECT_DOUBLE_EQ(streams[1].speed, 0.5);
  EXPECT_DOUBLE_EQ(streams[2].speed, 1);
}

// Two cores, two jobs of 3 CPU seconds: each runs at 1/3, well below the device.
TEST(ShareDevice, CoresMayBind) {
  std::vector<Stream> streams{job(1, 1, 0, 3), job(1, 1, 0, 3)};
  DeviceLimits two_cores = limits(24, 1e9);
  two_cores.cores = 2;
  share_device(two_cores, streams);
  EXPECT_NEAR(streams[0].speed, 1.0 / 3, 1e-12);
  EXPECT_NEAR(streams[1].speed, 1.0 / 3, 1e-12);
}

// No limit is exceeded, and no stream stands still: whatever the streams.
RC_GTEST_PROP(ShareDeviceProperty, LimitsHoldAndEveryStreamMoves, ()) {
  const auto any = [](int low, int high) {
    return static_cast<double>(*rc::gen::inRange(low, high));
  };
  DeviceLimits device = limits(any(1, 1000), any(1, 1000));
  device.mix_exponent = *rc::gen::element(1.0, 1.4, 3.0, 8.0, 100.0);
  device.cores = any(1, 16);
  if (*rc::gen::arbitrary<bool>()) device.limiter = any(1, 500);
  std::vector<Stream> streams;
  const int count = *rc::gen::inRange(1, 9);
  for (int i = 0; i < count; ++i) {
    streams.push_back(job(any(1, 10), any(0, 1000), any(0, 1000), any(0, 20)));
    streams.back().limited = *rc::gen::arbitrary<bool>();
    streams.back().max_speed = any(1, 100) / 10;
  }
  share_device(device, streams);
  double write = 0;
  double read = 0;
  double limited = 0;
  double cores = 0;
  for (const Stream& stream : streams) {
    RC_ASSERT(stream.speed > 0);
    RC_ASSERT(stream.speed <= stream.max_speed * (1 + 1e-9));
    write += stream.speed * stream.write_bytes / device.write;
    read += stream.speed * stream.read_bytes / device.read;
    if (stream.limited) limited += stream.speed * stream.write_bytes;
    cores += stream.speed * stream.cpu_seconds;
  }
  RC_ASSERT(write <= 1 + 1e-9);
  RC_ASSERT(read <= 1 + 1e-9);
  RC_ASSERT(limited <= device.limiter * (1 + 1e-9));
  RC_ASSERT(cores <= device.cores * (1 + 1e-9));
  if (device.mix_exponent < 8) {
    const double p = device.mix_exponent;
    RC_ASSERT(std::pow(write, p) + std::pow(read, p) <= 1 + 1e-6);
  }
}

// Where little binds, a shorter way is taken; a stream that hardly computes leads round it.
RC_GTEST_PROP(ShareDeviceProperty, TheShortWayEndsWhereTheLongOneDoes, ()) {
  const auto any = [](int low, int high) {
    return static_cast<double>(*rc::gen::inRange(low, high));
  };
  const DeviceLimits device = limits(any(10, 1000), any(10, 1000));
  std::vector<Stream> streams;
  const int count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) {
    const bool reader = *rc::gen::inRange(0, 3) == 0;
    streams.push_back(reader ? job(any(1, 10), 0, any(1, 1000))
                             : job(any(1, 10), any(1, 1000), any(0, 100), any(0, 20)));
    if (*rc::gen::arbitrary<bool>()) streams.back().max_speed = any(1, 100) / 10;
  }
  std::vector<Stream> longer = streams;
  longer.push_back(job(1e-9, 0, 0, 1));
  share_device(device, streams);
  share_device(device, longer);
  for (std::size_t i = 0; i < streams.size(); ++i)
    RC_ASSERT(std::abs(streams[i].speed / longer[i].speed - 1) < 1e-6);
}

}  // namespace
}  // namespace lsmtuned::model::simulator
