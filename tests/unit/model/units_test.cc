#include "model/units.h"

#include <gtest/gtest.h>

#include <limits>

namespace lsmtuned::model {
namespace {

TEST(Units, Bytes) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(812), "812 B");
  EXPECT_EQ(format_bytes(4 * kMiB), "4 MiB");
  EXPECT_EQ(format_bytes(1.5 * kGiB), "1.5 GiB");
  EXPECT_EQ(format_bytes(-2 * kKiB), "-2 KiB");
  EXPECT_EQ(format_bytes(std::numeric_limits<double>::infinity()), "unknown");
}

TEST(Units, BytesNeverShow1024OfAUnit) {
  EXPECT_EQ(format_bytes(kMiB - 1), "1 MiB");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1023.9), "1 KiB");
}

TEST(Units, Rates) {
  EXPECT_EQ(format_rate(12.3 * kMiB), "12.3 MiB/s");
  EXPECT_EQ(format_rate(std::numeric_limits<double>::quiet_NaN()), "unknown");
}

TEST(Units, Durations) {
  EXPECT_EQ(format_duration(0), "0 s");
  EXPECT_EQ(format_duration(120e-6), "120 us");
  EXPECT_EQ(format_duration(0.85), "850 ms");
  EXPECT_EQ(format_duration(12), "12.0 s");
  EXPECT_EQ(format_duration(59.99), "1 min");
  EXPECT_EQ(format_duration(200), "3 min 20 s");
  EXPECT_EQ(format_duration(2 * 3600 + 300), "2 h 5 min");
}

TEST(Units, Percent) {
  EXPECT_EQ(format_percent(0.125), "12.5 %");
}

}  // namespace
}  // namespace lsmtuned::model
