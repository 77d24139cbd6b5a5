#include "actuators/device/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <string>

#include "support.h"

namespace lsmtuned::actuators {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// A tree as /proc and /sys, for the device that the temporary directory really lies on.
class DeviceSamplerTest : public ::testing::Test {
 protected:
  DeviceSamplerTest() {
    struct stat status {};
    stat(directory_.path().c_str(), &status);
    device_ = std::to_string(major(status.st_dev)) + ":" + std::to_string(minor(status.st_dev));
    diskstats_ = "   7       9 loop9 1 2 3 4 5 6 7 8 9 10 11 0 0 0 0 0 0\n " +
                 std::to_string(major(status.st_dev)) + " " + std::to_string(minor(status.st_dev)) +
                 " vda 100 1 2000 30 400 2 50000 60 7 8500 9250 0 0 0 0 0 0\n";
    proc("diskstats", diskstats_);
  }
  void proc(const std::string& name, const std::string& text) {
    write_file(directory_.path() / "proc" / name, text);
  }
  void cgroup(const std::string& name, const std::string& text) {
    write_file(directory_.path() / "cgroup" / name, text);
  }
  std::string mount(const std::string& name, const std::string& root = "/") {
    return "36 32 0:30 " + root + " " + (directory_ / ("cgroup/" + name)) + " rw,relatime - ";
  }
  model::DeviceSample sample(int pid = 77) {
    DeviceSampler sampler(directory_.path(), pid, {directory_ / "proc", directory_ / "sys"});
    auto result = sampler.sample().value();
    missing_ = sampler.missing();
    return result;
  }

  TempDir directory_;
  std::string device_;
  std::string diskstats_;
  std::vector<std::string> missing_;
};

TEST_F(DeviceSamplerTest, DiskStatisticsInBytesAndSeconds) {
  const auto now = sample();
  EXPECT_EQ(now.name, "vda");
  EXPECT_EQ(now.read_bytes, 2000 * 512);
  EXPECT_EQ(now.write_bytes, 50000 * 512);
  EXPECT_EQ(now.in_flight, 7);
  EXPECT_EQ(now.busy_seconds, 8.5);
  EXPECT_EQ(now.weighted_io_seconds, 9.25);
  EXPECT_GT(now.free_bytes, 0);
}

TEST_F(DeviceSamplerTest, UnknownDeviceIsSaidOnce) {
  proc("diskstats", "");
  DeviceSampler sampler(directory_.path(), 0, {directory_ / "proc", directory_ / "sys"});
  EXPECT_EQ(sampler.sample().value().name, device_);
  const auto said = sampler.missing();
  EXPECT_THAT(said, Contains(HasSubstr("disk statistics")));
  EXPECT_TRUE(sampler.sample());
  EXPECT_EQ(sampler.missing(), said);
}

TEST_F(DeviceSamplerTest, MissingDirectoryIsAnError) {
  DeviceSampler sampler(directory_ / "gone", 0);
  EXPECT_THAT(sampler.sample().error().what, HasSubstr("gone"));
}

TEST_F(DeviceSamplerTest, ProcessIo) {
  proc("77/io", "rchar: 9\nwchar: 9\nread_bytes: 4096\nwrite_bytes: 8192\n");
  const auto now = sample();
  EXPECT_EQ(now.process_read_bytes, 4096);
  EXPECT_EQ(now.process_write_bytes, 8192);
  std::filesystem::remove(directory_.path() / "proc/77/io");
  EXPECT_EQ(sample().process_write_bytes, 0);
  EXPECT_THAT(missing_, Contains(HasSubstr("/77/io")));
}

TEST_F(DeviceSamplerTest, PressureOfTheSystemWhereThereIsNoGroup) {
  proc("pressure/io",
       "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\n"
       "full avg10=0.00 avg60=0.00 avg300=0.00 total=1\n");
  const auto now = sample();
  EXPECT_EQ(now.pressure_some_seconds, 2.5);
  EXPECT_FALSE(now.pressure_is_cgroup);
  EXPECT_THAT(missing_, Contains(HasSubstr("whole system")));
}

TEST_F(DeviceSamplerTest, UnifiedHierarchyPressureAndNearestLimit) {
  proc("pressure/io", "some total=1\n");
  proc("77/io", "read_bytes: 1\nwrite_bytes: 1\n");
  proc("77/cgroup", "0::/system.slice/db.service\n");
  proc("self/mountinfo", mount("unified") + "cgroup2 cgroup2 rw\n");
  cgroup("unified/system.slice/db.service/io.pressure", "some avg10=1.00 total=750000\n");
  cgroup("unified/system.slice/db.service/io.max",
         "1:99 rbps=1 wbps=1 riops=max wiops=max\n" + device_ +
             " rbps=max wbps=30000000 riops=max wiops=max\n");
  cgroup("unified/system.slice/io.max", device_ + " rbps=50000000 wbps=20000000\n");
  const auto now = sample();
  EXPECT_EQ(now.pressure_some_seconds, 0.75);
  EXPECT_TRUE(now.pressure_is_cgroup);
  EXPECT_EQ(now.write_limit_bytes_per_s, 20000000) << "an ancestor's limit is smaller";
  EXPECT_EQ(now.read_limit_bytes_per_s, 50000000);
  EXPECT_TRUE(missing_.empty()) << missing_.front();
}

TEST_F(DeviceSamplerTest, HybridHierarchiesRootIncluded) {
  proc("pressure/io", "some total=4000000\n");
  proc("77/cgroup", "9:name=systemd:/x\n7:cpu,blkio:/db\n0::/\n");
  proc("self/mountinfo",
       mount("blkio") + "cgroup cgroup rw,cpu,blkio\n" + mount("unified") + "cgroup2 cgroup2 rw\n");
  cgroup("blkio/db/blkio.throttle.read_bps_device", device_ + " 40000000\n");
  cgroup("blkio/blkio.throttle.write_bps_device", "1:99 5\n" + device_ + " 25165824\n");
  const auto now = sample();
  EXPECT_EQ(now.write_limit_bytes_per_s, 25165824);
  EXPECT_EQ(now.read_limit_bytes_per_s, 40000000);
  EXPECT_EQ(now.pressure_some_seconds, 4) << "the root group's pressure is the system's";
}

TEST_F(DeviceSamplerTest, MountOfAPartOfTheHierarchy) {
  proc("77/cgroup", "7:blkio:/docker/abc/db\n");
  proc("self/mountinfo", mount("blkio", "/docker/abc") + "cgroup cgroup rw,blkio\n");
  cgroup("blkio/db/blkio.throttle.write_bps_device", device_ + " 111\n");
  EXPECT_EQ(sample().write_limit_bytes_per_s, 111);
  proc("77/cgroup", "7:blkio:/docker/other\n");
  EXPECT_EQ(sample().write_limit_bytes_per_s, 0);
  EXPECT_THAT(missing_, Contains(HasSubstr("cgroup of the database is unknown")));
}

TEST_F(DeviceSamplerTest, LimitsOfAPartitionAreItsDisks) {
  proc("77/cgroup", "7:blkio:/\n");
  proc("self/mountinfo", mount("blkio") + "cgroup cgroup rw,blkio\n");
  cgroup("blkio/blkio.throttle.write_bps_device", "251:64 777\n");
  write_file(directory_.path() / "sys/devices/disk/dev", "251:64\n");
  write_file(directory_.path() / "sys/devices/disk/part/partition", "1\n");
  std::filesystem::create_directories(directory_.path() / "sys/dev/block");
  std::filesystem::create_directory_symlink(directory_.path() / "sys/devices/disk/part",
                                            directory_.path() / "sys/dev/block" / device_);
  EXPECT_EQ(sample().write_limit_bytes_per_s, 777);
}

TEST_F(DeviceSamplerTest, UnknownProcessSeesWhatBindsEveryone) {
  proc("self/mountinfo", mount("blkio") + "cgroup cgroup rw,blkio\n");
  cgroup("blkio/blkio.throttle.write_bps_device", device_ + " 333\n");
  EXPECT_EQ(sample(0).write_limit_bytes_per_s, 333);
}

TEST_F(DeviceSamplerTest, BrokenFilesAreTakenForMissingOnes) {
  proc("diskstats", "8 0\nx y z\n" + device_ + "\n\xff\xff\n");
  proc("77/cgroup", "nonsense\n::::\n0::/../../etc\n");
  proc("77/io", "read_bytes: many\n");
  proc("self/mountinfo", mount("unified") + "cgroup2 cgroup2 rw\n- - - -\n\\777\n");
  proc("pressure/io", "some total=lots\n");
  const auto now = sample();
  EXPECT_EQ(now.write_bytes, 0);
  EXPECT_EQ(now.pressure_some_seconds, 0);
}

TEST(DeviceSampler, RealKernel) {
  const TempDir directory;
  DeviceSampler sampler(directory.path(), getpid());
  const auto first = sampler.sample().value();
  const auto second = sampler.sample().value();
  EXPECT_NE(first.name, "");
  EXPECT_GT(first.free_bytes, 0);
  EXPECT_GE(second.write_bytes, first.write_bytes);
  EXPECT_GE(second.busy_seconds, first.busy_seconds);
  EXPECT_GE(second.pressure_some_seconds, first.pressure_some_seconds);
}

}  // namespace
}  // namespace lsmtuned::actuators
