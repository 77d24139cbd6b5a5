// calibrate, with a program in fio's place that prints what fio prints.
#include "daemon/control_protocol.h"
#include "daemon/device_calibration.h"
#include "support.h"

namespace lsmtuned::daemon::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// 100 and 200 MB/s alone; 60 and 90 MB/s mixed; 10 and 20 MB/s at random. The call is recorded.
constexpr const char* kFio = R"(#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
r=0; w=0
case "$*" in
  *--rw=write*) w=100000000;;
  *--rw=read*) r=200000000;;
  *--rw=randwrite*) w=10000000;;
  *--rw=randread*) r=20000000;;
  *--rw=rw*) w=60000000; r=90000000;;
esac
echo "note: something"
echo "{\"jobs\": [{\"read\": {\"bw_bytes\": $r}, \"write\": {\"bw_bytes\": $w}}]}"
)";

class Calibrate : public Commands {
 protected:
  Calibrate() { std::filesystem::create_directory(path("data")); }
  int calibrate(std::vector<std::string> more, const char* fio = kFio) {
    std::vector<std::string> all = {"calibrate", path("data"), "--size",
                                    "1 MiB",     "--fio",      program("fio", fio)};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  }
};

TEST_F(Calibrate, MeasuresFivePartsAndRemovesItsFile) {
  ASSERT_EQ(calibrate({"--json", "--time", "5 s"}), kExitOk) << err_.str();
  const json::object said = answer();
  const json::object& measured = said.at("measured").as_object();
  EXPECT_EQ(measured.at("sequential_write_bytes_per_s"), 1e8);
  EXPECT_EQ(measured.at("sequential_read_bytes_per_s"), 2e8);
  EXPECT_EQ(measured.at("random_write_bytes_per_s"), 1e7);
  EXPECT_EQ(measured.at("random_read_bytes_per_s"), 2e7);
  EXPECT_EQ(measured.at("mixed_write_bytes_per_s"), 6e7);
  EXPECT_NEAR(said.at("mixed_write_loss_percent").to_number<double>(), 40, 1e-9);
  EXPECT_NEAR(said.at("mixed_read_loss_percent").to_number<double>(), 55, 1e-9);
  EXPECT_TRUE(std::filesystem::is_empty(path("data")));
  const std::string calls = text_of_file(path("calls"));
  EXPECT_EQ(std::count(calls.begin(), calls.end(), '\n'), 5);
  EXPECT_THAT(calls, AllOf(HasSubstr("--size=1048576 "), HasSubstr("--runtime=1000ms"),
                           HasSubstr("--direct=1")));
}

// 0.6^p + 0.45^p = 1: p between 1 (1.05) and 2 (0.56).
TEST(MixExponent, SolvesTheMixedPoint) {
  DeviceCalibration measured;
  measured.sequential_write_bytes_per_s = 100;
  measured.sequential_read_bytes_per_s = 200;
  measured.mixed_write_bytes_per_s = 60;
  measured.mixed_read_bytes_per_s = 90;
  const double p = measured.mix_exponent();
  EXPECT_NEAR(std::pow(0.6, p) + std::pow(0.45, p), 1, 1e-9);
  measured.mixed_write_bytes_per_s = 30;  // less than sharing one budget would give
  EXPECT_EQ(measured.mix_exponent(), 1);
  measured.mixed_write_bytes_per_s = 100;
  measured.mixed_read_bytes_per_s = 200;
  EXPECT_EQ(measured.mix_exponent(), 16);
}

TEST_F(Calibrate, ComparesWithAnEarlierOne) {
  ASSERT_EQ(calibrate({"--out", path("old.json")}), kExitOk) << err_.str();
  const std::string slower =
      std::string(kFio).replace(std::string(kFio).find("w=100000000"), 11, "w=26100000");
  ASSERT_EQ(calibrate({"--compare", path("old.json"), "--json"}, slower.c_str()), kExitOk);
  const json::object lost = answer().at("degradation").at(0).as_object();
  EXPECT_EQ(lost.at("name"), "sequential_write_bytes_per_s");
  EXPECT_NEAR(lost.at("lost_percent").to_number<double>(), 73.9, 1e-9);
  ASSERT_EQ(calibrate({"--compare", path("old.json")}, slower.c_str()), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("73.9 %"));
}

TEST_F(Calibrate, ItsDeviceSectionFitsAProblem) {
  ASSERT_EQ(calibrate({"--json"}), kExitOk);
  EXPECT_EQ(run({"bottleneck", "--input", edited({"device"}, answer().at("device"))}), kExitOk)
      << err_.str();
}

TEST_F(Calibrate, WhatIsWrongAndWhatToDo) {
  EXPECT_EQ(run({"calibrate", path("data"), "--fio", path("nothing")}), kExitRefused);
  EXPECT_THAT(err_.str(), HasSubstr("apt install fio"));
  EXPECT_EQ(calibrate({}, "#!/bin/sh\necho 'fio: direct not supported' >&2\nexit 1\n"),
            kExitRefused);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("direct not supported"), HasSubstr("tmpfs")));
  EXPECT_EQ(calibrate({}, "#!/bin/sh\necho '{\"jobs\": []}'\n"), kExitRefused);
  EXPECT_TRUE(std::filesystem::is_empty(path("data")));
  EXPECT_EQ(run({"calibrate", path("missing")}), kExitRefused);
  EXPECT_THAT(err_.str(), HasSubstr("No such file"));
  EXPECT_EQ(run({"calibrate"}), kExitUsage);
  EXPECT_EQ(run({"calibrate", path("data"), "--size", "1 TiB"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("64 GiB"));
  EXPECT_EQ(calibrate({"--time", "20"}), kExitUsage);
  EXPECT_EQ(calibrate({"--compare", file("x.json", R"({"measured": {"x": 1}})")}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("measured.\"x\""));
}

TEST(Fio, OnlyItsOwnOutputIsTaken) {
  EXPECT_FALSE(parse_fio(""));
  EXPECT_FALSE(parse_fio("{}"));
  EXPECT_FALSE(parse_fio(R"({"jobs": [{"read": {"bw_bytes": -1}, "write": {"bw_bytes": 1}}]})"));
  EXPECT_FALSE(parse_fio(R"({"jobs": [{"read": {"bw_bytes": 1}}]})"));
  const auto rates =
      parse_fio(R"({"jobs": [{"read": {"bw_bytes": 5}, "write": {"bw_bytes": 7}, "x": 1}]})");
  ASSERT_TRUE(rates);
  EXPECT_EQ(rates->read_bytes_per_s, 5);
  EXPECT_EQ(rates->write_bytes_per_s, 7);
}

}  // namespace
}  // namespace lsmtuned::daemon::testing
