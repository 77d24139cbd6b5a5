// Mutated LOG files into the analyzer: nothing may crash, hang, grow without bound, or come out
// negative or not finite.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "model/loglines/analyzer.h"
#include "model/loglines/parameters.h"

namespace lsmtuned::model {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = getenv(name);
  return text == nullptr ? otherwise : strtoull(text, nullptr, 10);
}

class LogFuzz : public ::testing::Test {
 protected:
  LogFuzz() {
    std::cout << "LSMTUNED_FUZZ_SEED=" << seed_ << std::endl;
    std::ifstream file(LOGLINES_TEST_DATA "/overwrite.log", std::ios::binary);
    text_.assign((std::istreambuf_iterator<char>(file)), {});
  }

  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

  // Single bytes, pieces moved about, and numbers replaced by hostile ones.
  std::string mutated() {
    static const std::vector<std::string> kOdd = {"-1",
                                                  "0",
                                                  "nan",
                                                  "inf",
                                                  "-inf",
                                                  "1e308",
                                                  "18446744073709551615",
                                                  "9007199254740992",
                                                  "999999999999999999999999",
                                                  "[",
                                                  "]",
                                                  "{",
                                                  "}",
                                                  "\"",
                                                  "\n",
                                                  std::string(1, '\0'),
                                                  "9999"};
    std::string bytes = text_;
    const std::size_t changes = 1 + below(60);
    for (std::size_t i = 0; i < changes && !bytes.empty(); ++i) {
      const std::size_t at = below(bytes.size());
      const std::size_t size = std::min(bytes.size() - at, 1 + below(400));
      switch (below(6)) {
        case 0:
          bytes[at] = static_cast<char>(random_());
          break;
        case 1:
          bytes.erase(at, size);
          break;
        case 2:
          bytes.insert(at, bytes.substr(below(bytes.size()), size));
          break;
        case 3:
          std::swap(bytes[at], bytes[below(bytes.size())]);
          break;
        case 4:
          bytes.resize(std::max(at, bytes.size() / 2));
          break;
        default: {
          const std::size_t digit = bytes.find_first_of("0123456789", at);
          if (digit == std::string::npos) break;
          const std::size_t end = bytes.find_first_not_of("0123456789", digit);
          bytes.replace(digit, (end == std::string::npos ? bytes.size() : end) - digit,
                        kOdd[below(kOdd.size())]);
        }
      }
    }
    return bytes;
  }

  static void expect_sane(double value) {
    ASSERT_TRUE(std::isfinite(value));
    ASSERT_GE(value, 0);
  }

  static void expect_sane(const LogAnalysis& analysis) {
    expect_sane(analysis.duration_s);
    for (const LogFamily& family : analysis.families) {
      for (const LogLevel& level : family.levels) {
        expect_sane(level.live_bytes);
        expect_sane(level.written_bytes());
        expect_sane(level.read_bytes);
        expect_sane(level.job_seconds);
      }
      expect_sane(family.distinct_keys);
      expect_sane(family.stalls.total_s());
      expect_sane(family.memtables.user_bytes);
      ASSERT_LE(family.rates.size(), 4096U);
    }
    for (const LedgerCheck& check : analysis.checks) expect_sane(check.residual_share());
    for (const AmplificationView& view : analysis.amplification)
      ASSERT_TRUE(std::isfinite(view.value()));
    ASSERT_LE(analysis.series.size(), 256U);
    for (const ActivityInterval& at : analysis.series) {
      expect_sane(at.user_bytes);
      expect_sane(at.delayed_s + at.stopped_s);
      expect_sane(at.l0_file_seconds);
    }
    if (const auto made = parameters_from(analysis)) {
      expect_sane(made->problem.constants.file_bytes_per_record);
      expect_sane(made->problem.workload.key_bytes);
      expect_sane(made->problem.workload.distinct_keys);
      expect_sane(made->problem.device.write_bytes_per_s);
    }
  }

  std::uint64_t seed_ = number_from_environment("LSMTUNED_FUZZ_SEED", 1);
  std::mt19937_64 random_{seed_};
  std::string text_;
};

TEST_F(LogFuzz, MutatedLogs) {
  ASSERT_GT(text_.size(), 100000U);
  const std::uint64_t iterations = number_from_environment("LSMTUNED_FUZZ_ITERATIONS", 300);
  for (std::uint64_t i = 0; i < iterations; ++i) {
    LogAnalyzer analyzer;
    analyzer.begin_file("LOG");
    const std::size_t files = 1 + below(2);
    for (std::size_t file = 0; file < files; ++file) {
      const std::string bytes = mutated();
      const std::size_t chunk = 1 + below(100000);
      for (std::size_t at = 0; at < bytes.size(); at += chunk)
        analyzer.feed(std::string_view(bytes).substr(at, chunk));
      if (file + 1 < files) analyzer.begin_file("LOG.2");
    }
    const LogAnalysis analysis = analyzer.finish();
    expect_sane(analysis);
    ASSERT_FALSE(HasFatalFailure()) << "iteration " << i;
  }
}

TEST_F(LogFuzz, Noise) {
  const std::uint64_t iterations = number_from_environment("LSMTUNED_FUZZ_ITERATIONS", 300);
  for (std::uint64_t i = 0; i < iterations; ++i) {
    std::string bytes(below(20000), '\0');
    for (char& c : bytes) c = static_cast<char>(random_());
    LogAnalyzer analyzer;
    analyzer.begin_file("noise");
    analyzer.feed(bytes);
    const LogAnalysis analysis = analyzer.finish();
    expect_sane(analysis);
    ASSERT_EQ(analysis.lines.bytes, static_cast<double>(bytes.size()));
  }
}

}  // namespace
}  // namespace lsmtuned::model
