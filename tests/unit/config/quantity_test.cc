#include "config/quantity.h"

#include <gtest/gtest.h>

namespace lsmtuned::config {
namespace {

TEST(Quantity, SizesInPowersOf1024AndOf1000) {
  EXPECT_EQ(parse_size("64 MiB").value(), 67108864);
  EXPECT_EQ(parse_size("64MB").value(), 64000000);
  EXPECT_EQ(parse_size("1.5 GiB").value(), 1610612736);
  EXPECT_EQ(parse_size("  12 kB ").value(), 12000);
  EXPECT_EQ(parse_size("12 KB").value(), 12000);
  EXPECT_EQ(parse_size("0 B").value(), 0);
  EXPECT_EQ(parse_size("2TiB").value(), 2199023255552.0);
  EXPECT_EQ(parse_size("0.1 KiB").value(), 102);  // 102.4, whole bytes
}

TEST(Quantity, DurationsRatesShares) {
  EXPECT_EQ(parse_duration("30 s").value(), 30);
  EXPECT_EQ(parse_duration("2 min").value(), 120);
  EXPECT_EQ(parse_duration("1.5 h").value(), 5400);
  EXPECT_DOUBLE_EQ(parse_duration("200 ms").value(), 0.2);
  EXPECT_EQ(parse_duration("90 d").value(), 7776000);
  EXPECT_EQ(parse_rate("24 MiB/s").value(), 25165824);
  EXPECT_EQ(parse_rate("24MB/s").value(), 24000000);
  EXPECT_EQ(parse_share("5 %").value(), 0.05);
  EXPECT_EQ(parse_share("12.5%").value(), 0.125);
  EXPECT_EQ(parse_share("0 %").value(), 0);
}

TEST(Quantity, RefusalsSayWhyAndWhatIsAllowed) {
  const auto why = [](const Result<double>& result) {
    EXPECT_TRUE(result.has_error());
    EXPECT_FALSE(result.error().remedy.empty());
    return result.error().what;
  };
  EXPECT_EQ(why(parse_size("")), "\"\" is not a size: it is empty");
  EXPECT_EQ(why(parse_size("-1 MiB")), "\"-1 MiB\" is not a size: it is negative");
  EXPECT_EQ(why(parse_size("64")), "\"64\" is not a size: the unit is missing");
  EXPECT_EQ(why(parse_size("64 mib")), "\"64 mib\" is not a size: unknown unit \"mib\"");
  EXPECT_EQ(why(parse_size("64 MiB extra")),
            "\"64 MiB extra\" is not a size: unknown unit \"MiB extra\"");
  EXPECT_EQ(why(parse_size("1e3 B")), "\"1e3 B\" is not a size: unknown unit \"e3 B\"");
  EXPECT_EQ(why(parse_size("inf B")), "\"inf B\" is not a size: it does not start with a digit");
  EXPECT_EQ(why(parse_size("nan")), "\"nan\" is not a size: it does not start with a digit");
  EXPECT_EQ(why(parse_size("9007199254740993 KiB")),
            "\"9007199254740993 KiB\" is not a size: it is too large");
  EXPECT_EQ(why(parse_size(std::string(400, '9') + " B")).substr(0, 10), "\"999999999");
  EXPECT_EQ(why(parse_size("0.3 B")), "\"0.3 B\" is not a size: it is less than one byte");
  EXPECT_EQ(why(parse_duration("30")), "\"30\" is not a duration: the unit is missing");
  EXPECT_EQ(why(parse_duration("5 m")), "\"5 m\" is not a duration: unknown unit \"m\"");
  EXPECT_EQ(why(parse_rate("24 MiB")), "\"24 MiB\" is not a rate: unknown unit \"MiB\"");
  EXPECT_EQ(why(parse_share("5 %%")), "\"5 %%\" is not a share: unknown unit \"%%\"");
}

TEST(Quantity, MessagesDoNotEchoControlCharacters) {
  EXPECT_EQ(parse_size("1 \x1b[2J").error().what,
            "\"1 ?[2J\" is not a size: unknown unit \"?[2J\"");
}

TEST(Quantity, TextIsShortAndReadsBackAsTheSameValue) {
  EXPECT_EQ(size_text(67108864), "64 MiB");
  EXPECT_EQ(size_text(64000000), "62500 KiB");
  EXPECT_EQ(size_text(1), "1 B");
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(rate_text(25165824), "24 MiB/s");
  EXPECT_EQ(duration_text(0.2), "200 ms");
  EXPECT_EQ(duration_text(600), "10 min");
  EXPECT_EQ(duration_text(90), "90 s");
  EXPECT_EQ(duration_text(7776000), "90 d");
  EXPECT_EQ(share_text(0.05), "5 %");
  EXPECT_EQ(share_text(0.999), "99.9 %");
  double bytes = 1;
  while (bytes < kLargestExactInteger) {
    EXPECT_EQ(parse_size(size_text(bytes)).value(), bytes);
    EXPECT_EQ(parse_rate(rate_text(bytes)).value(), bytes);
    bytes = bytes * 3 + 1;
  }
  double seconds = 0.001;
  while (seconds < 1e7) {
    EXPECT_NEAR(parse_duration(duration_text(seconds)).value(), seconds, 1e-9 * seconds + 1e-9);
    seconds *= 7;
  }
}

}  // namespace
}  // namespace lsmtuned::config
