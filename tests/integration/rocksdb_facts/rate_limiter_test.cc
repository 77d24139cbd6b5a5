// attach-facts.md 3.6: an injected rate limiter.
#include <gtest/gtest.h>
#include <rocksdb/rate_limiter.h>

#include "tests/integration/rocksdb_facts/live_database.h"

namespace lsmtuned::facts {
namespace {

constexpr std::int64_t kTerabyte = 1'000'000'000'000;

// Guard: the agent pins delayed_write_rate to 16 MiB/s when it injects a limiter.
TEST(RateLimiter, injecting_one_raises_the_default_delayed_write_rate_to_its_own) {
  rocksdb::Options options = small_options();
  options.rate_limiter.reset(rocksdb::NewGenericRateLimiter(kTerabyte));
  LiveDatabase raised(options);
  EXPECT_EQ(raised.db().GetDBOptions().delayed_write_rate, static_cast<std::uint64_t>(kTerabyte));
  options.delayed_write_rate = 16U << 20;
  LiveDatabase pinned(options);
  EXPECT_EQ(pinned.db().GetDBOptions().delayed_write_rate, 16U << 20);
}

// Bytes that pass before the limiter makes a request wait, at most `limit`.
std::int64_t passes_freely(rocksdb::RateLimiter& limiter, std::int64_t limit) {
  std::int64_t passed = 0;
  while (passed < limit) {
    const std::int64_t chunk = limiter.GetSingleBurstBytes();
    const auto begin = std::chrono::steady_clock::now();
    limiter.Request(chunk, rocksdb::Env::IO_HIGH, nullptr, rocksdb::RateLimiter::OpType::kWrite);
    if (std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(50)) break;
    passed += chunk;
  }
  return passed;
}

// Guard: a limiter is injected at the rate asked for, near device speed, never "unlimited"; the
// rate is a knob only where the policy names it, and the trust region bounds each step.
TEST(RateLimiter, credit_at_the_old_rate_stays_after_lowering) {
  constexpr std::int64_t kOld = 200'000'000;
  constexpr std::int64_t kNew = 1'000'000;  // 0.1 MB a refill
  const std::unique_ptr<rocksdb::RateLimiter> fresh(rocksdb::NewGenericRateLimiter(kNew));
  EXPECT_LE(passes_freely(*fresh, 2 * kNew), kNew);
  const std::unique_ptr<rocksdb::RateLimiter> lowered(rocksdb::NewGenericRateLimiter(kOld));
  lowered->Request(1, rocksdb::Env::IO_HIGH, nullptr, rocksdb::RateLimiter::OpType::kWrite);
  lowered->SetBytesPerSecond(kNew);
  const std::int64_t passed = passes_freely(*lowered, 30 * kNew);
  EXPECT_GT(passed, 10 * kNew);  // more than ten seconds' worth at the new rate, at once
  EXPECT_LT(passed, 30 * kNew);  // then it bites
}

}  // namespace
}  // namespace lsmtuned::facts
