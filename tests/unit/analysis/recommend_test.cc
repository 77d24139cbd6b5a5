#include "model/analysis/recommend.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "support.h"

namespace lsmtuned::model::testing {
namespace {

using ::testing::HasSubstr;

const ModelChoice kChoice{OwnModel::totals, 2, 1};

std::vector<Recommendation> recommended(const Problem& problem,
                                        const std::optional<WorkloadEvidence>& evidence) {
  const auto list = recommend(problem, kChoice, evidence);
  EXPECT_TRUE(list);
  return list ? *list : std::vector<Recommendation>{};
}

const Recommendation* about(const std::vector<Recommendation>& list, const std::string& what) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const Recommendation& one) {
    return one.what.find(what) != std::string::npos;
  });
  return found == list.end() ? nullptr : &*found;
}

// One record a write, 100 bytes each, with a WAL, no reads, nothing else.
WorkloadEvidence plain() {
  WorkloadEvidence seen;
  seen.records = 1e6;
  seen.user_bytes = 1e8;
  seen.write_calls = 1e6;
  seen.wal_bytes = 1.2e8;
  seen.table_bytes = 5e8;
  return seen;
}

TEST(Recommend, ADeviceBoundTreeGainsByTheDeviceAndNotByCores) {
  const auto list = recommended(small_problem(), std::nullopt);
  const Recommendation* device = about(list, "device that writes");
  ASSERT_NE(device, nullptr);
  EXPECT_EQ(device->kind, RecommendationKind::system);
  EXPECT_EQ(device->term, RecommendationTerm::long_term);
  ASSERT_TRUE(device->gain);
  EXPECT_TRUE(device->worth);
  EXPECT_GT(device->gain->low_share, 0.4);
  EXPECT_LT(device->gain->low_share, device->gain->share);
  const Recommendation* cores = about(list, "cores");
  ASSERT_NE(cores, nullptr);
  EXPECT_FALSE(cores->worth);
  EXPECT_THAT(cores->effect, HasSubstr("nil"));
  // Settings are among them, and what is worth most comes first.
  EXPECT_TRUE(std::any_of(list.begin(), list.end(), [](const Recommendation& one) {
    return one.kind == RecommendationKind::parameter;
  }));
  for (std::size_t i = 1; i < list.size(); ++i) EXPECT_GE(list[i - 1].worth, list[i].worth);
  // A document has no counters: nothing of its workload is claimed.
  EXPECT_TRUE(std::none_of(list.begin(), list.end(), [](const Recommendation& one) {
    return one.kind == RecommendationKind::workload;
  }));
}

TEST(Recommend, CpuBoundGainsByCores) {
  Problem problem = small_problem();
  problem.device.write_bytes_per_s = 1e9;
  problem.device.read_bytes_per_s = 1e9;
  problem.constants.cores = 0.25;
  const auto list = recommended(problem, std::nullopt);
  const Recommendation* cores = about(list, "cores");
  ASSERT_NE(cores, nullptr);
  EXPECT_TRUE(cores->worth);
}

TEST(Recommend, StallsAskForAPaceThatIsCarried) {
  WorkloadEvidence seen = plain();
  EXPECT_EQ(about(recommended(small_problem(), seen), "offer at most"), nullptr);
  seen.stall_share = 0.4;
  const auto list = recommended(small_problem(), seen);
  const Recommendation* pace = about(list, "offer at most");
  ASSERT_NE(pace, nullptr);
  EXPECT_EQ(pace->kind, RecommendationKind::workload);
  EXPECT_EQ(pace->term, RecommendationTerm::immediate);
  EXPECT_THAT(pace->evidence, HasSubstr("40"));
  EXPECT_FALSE(pace->gain);
}

TEST(Recommend, SingleRecordsUnderAWalAskForBatches) {
  Problem problem = small_problem();
  problem.constants.wal_bytes_per_user_byte = 1.2;
  const auto list = recommended(problem, plain());
  const Recommendation* batches = about(list, "batches");
  ASSERT_NE(batches, nullptr);
  ASSERT_TRUE(batches->gain);
  EXPECT_GT(batches->gain->share, 0);
  ASSERT_NE(about(list, "device of its own for the WAL"), nullptr);
  // Batched already, counted by calls or by headers.
  WorkloadEvidence seen = plain();
  seen.write_calls = 1e5;
  EXPECT_EQ(about(recommended(problem, seen), "batches"), nullptr);
  seen.write_calls = 0;
  seen.batch_bytes = seen.user_bytes + 4 * seen.records + 12 * seen.records / 50;
  EXPECT_EQ(about(recommended(problem, seen), "batches"), nullptr);
  seen.batch_bytes = seen.user_bytes + 16 * seen.records;
  EXPECT_NE(about(recommended(problem, seen), "batches"), nullptr);
  // Without a WAL there are no headers to save.
  seen.wal_bytes = 0;
  EXPECT_EQ(about(recommended(problem, seen), "batches"), nullptr);
}

TEST(Recommend, SmallRecordsRangeDeletionsReadsAndManualCompactionsNeedTheirCounters) {
  WorkloadEvidence seen = plain();
  seen.user_bytes = 1e9;  // 1000 bytes each
  auto list = recommended(small_problem(), seen);
  for (const char* what : {"two records", "ranges", "block cache", "CompactRange"})
    EXPECT_EQ(about(list, what), nullptr) << what;
  seen.user_bytes = 1e8;
  seen.range_deletions = 3;
  seen.manual_compactions_running = 1;
  seen.reads = 1e6;
  seen.cache_hits = 1;
  seen.cache_misses = 1;
  list = recommended(small_problem(), seen);
  for (const char* what : {"two records", "ranges", "block cache", "CompactRange"}) {
    ASSERT_NE(about(list, what), nullptr) << what;
    EXPECT_FALSE(about(list, what)->evidence.empty());
    EXPECT_FALSE(about(list, what)->effect.empty());
  }
}

}  // namespace
}  // namespace lsmtuned::model::testing
