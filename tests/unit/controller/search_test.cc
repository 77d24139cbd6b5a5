#include "controller/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <thread>
#include <vector>

#include "controller/guard.h"
#include "controller/score.h"
#include "controller/search_method.h"
#include "controller/search_order.h"
#include "controller/search_run.h"
#include "controller/search_space.h"
#include "driver.h"
#include "model/knob_coupling.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {

using model::Knob;
using testing::Driver;

SearchRequest request_for(config::Objective objective = config::Objective::throughput) {
  Driver driver;
  SearchRequest request;
  request.seed = 42;
  request.snapshot = driver.snapshot();
  request.calibration = model::prior_from(request.snapshot);
  request.calibration.write_bandwidth = 100e6;
  request.calibration.read_bandwidth = 200e6;
  request.calibration.job_bytes_per_second = 80e6;
  request.calibration.distinct_keys = 6e5;  // overwrites: the tree keeps its size
  request.policy = Driver::base_policy();
  request.policy.objective = objective;
  request.policy.search_evaluations = 600;
  request.cpu_cores = 2;
  request.stall_share = driver.plant.stall;
  return request;
}

TEST(Search, FindsSomethingThatEveryGuardAllows) {
  const auto request = request_for();
  const auto result = search(request);
  ASSERT_EQ(result.error, "");
  ASSERT_FALSE(result.best.empty());
  EXPECT_GT(result.objective_gain, 0);
  EXPECT_GT(result.probability_of_gain, 0);
  EXPECT_LE(result.evaluations, request.policy.search_evaluations);
  EXPECT_EQ(check_settings(request.snapshot, result.best, request.policy, 2, {}).gate, Gate::open);
  EXPECT_EQ(would_stall(request.snapshot, result.best), "");
  for (const auto& change : result.best) {
    EXPECT_LE(change.new_value, change.old_value * request.policy.trust_region_factor);
    EXPECT_GE(change.new_value, change.old_value / request.policy.trust_region_factor);
  }
  ASSERT_FALSE(result.considered.empty());
  EXPECT_EQ(result.considered.front().verdict, "chosen");
  EXPECT_LE(result.considered.size(), 8U);
}

TEST(Search, SameRequestSameResultOnAnyThread) {
  const auto request = request_for();
  const SearchResult here = search(request);
  SearchResult there;
  std::thread([&] { there = search(request); }).join();
  const SearchResult again = search(request);
  for (const SearchResult* other : std::initializer_list<const SearchResult*>{&there, &again}) {
    EXPECT_EQ(here.best, other->best);
    EXPECT_EQ(here.predicted, other->predicted);
    EXPECT_EQ(here.probability_of_gain, other->probability_of_gain);
    EXPECT_EQ(here.considered, other->considered);
    EXPECT_EQ(here.evaluations, other->evaluations);
  }
}

TEST(Search, MovesOnlyWhatItMay) {
  auto request = request_for();
  request.policy.knobs = {Knob::write_buffer_size, Knob::max_background_jobs};
  request.foreign = {{"default", Knob::write_buffer_size}};
  for (const auto& change : search(request).best) EXPECT_EQ(change.knob, Knob::max_background_jobs);
  request.foreign.emplace_back("", Knob::max_background_jobs);
  EXPECT_NE(search(request).error, "");
}

TEST(Search, KeepsWithinTheMemoryBudget) {
  auto request = request_for();
  request.policy.memory_budget_bytes = 0;
  const auto result = search(request);
  ASSERT_EQ(result.error, "");
  if (!result.best.empty()) {
    EXPECT_EQ(check_settings(request.snapshot, result.best, request.policy, 2, {}).gate,
              Gate::open);
  }
}

TEST(Search, DoesNotReturnToAFailure) {
  auto request = request_for();
  const auto first = search(request);
  ASSERT_FALSE(first.best.empty());
  request.failed = {{first.best, 1e9}};
  const auto second = search(request);
  EXPECT_FALSE(near(second.best, first.best));
}

TEST(Search, FindsOneThatClearsTheDelayWhereAsked) {
  auto request = request_for();
  const auto slowdown_of = [&](const model::Settings& settings) {
    return *settings.get("default", Knob::level0_slowdown_writes_trigger);
  };
  const double present = slowdown_of(request.snapshot.settings);
  request.l0_files_without_delay = present + 5;
  const SearchSpace space(request);
  EXPECT_EQ(space.settings(space.current()), request.snapshot.settings) << "nothing moved";
  const auto result = search(request);
  ASSERT_FALSE(result.best.empty());
  EXPECT_GT(slowdown_of(model::with_changes(request.snapshot.settings, result.best)), present + 5);
  // Above the limit of L0 files nothing may go, whatever would clear.
  request.policy.max_l0_files = present + 2;
  const auto limited = search(request);
  ASSERT_FALSE(limited.best.empty());
  EXPECT_EQ(slowdown_of(model::with_changes(request.snapshot.settings, limited.best)), present + 2);
}

TEST(Search, LeavesFilesAtTwoMebibytesOrWhereTheyAre) {
  for (const double present : {1.0, 8.0}) {
    auto request = request_for();
    auto& settings = request.snapshot.settings;
    settings.set("default", Knob::target_file_size_base, present * 1024 * 1024);
    const SearchSpace space(request);
    for (const auto& axis : space.axes())
      if (axis.knob == Knob::target_file_size_base) {
        EXPECT_EQ(axis.low, std::min(present, 2.0) * 1024 * 1024);
        EXPECT_GT(axis.high, axis.low);
      }
  }
}

TEST(Search, RefusesWhatTheModelDoesNotCover) {
  auto request = request_for();
  request.snapshot.families[0].facts.style = model::CompactionStyle::universal;
  EXPECT_NE(search(request).error, "");
  request.snapshot.families.clear();
  EXPECT_NE(search(request).error, "");
}

// Without the simulator (here: no device bandwidth is known) nobody predicts what a knob does that
// the ledger does not see.
TEST(Search, TheLedgerAloneMovesOnlyWhatItSees) {
  auto request = request_for();
  request.calibration.write_bandwidth = 0;
  request.snapshot.device.reset();
  const SearchSpace space(request, true);
  ASSERT_FALSE(space.axes().empty());
  EXPECT_LT(space.axes().size(), SearchSpace(request).axes().size());
  for (const auto& axis : space.axes())
    EXPECT_TRUE(model::coupling(axis.knob).in_ledger) << model::info(axis.knob).option;
  const auto result = search(request);
  ASSERT_EQ(result.error, "");
  EXPECT_EQ(result.current.model, "ledger-1");
  for (const auto& change : result.best) EXPECT_NE(change.knob, Knob::max_write_buffer_number);
}

TEST(Search, OtherObjectivesGuardTheRate) {
  for (const auto objective : {config::Objective::smoothness, config::Objective::efficiency}) {
    const auto result = search(request_for(objective));
    ASSERT_EQ(result.error, "");
    if (!result.best.empty()) {
      EXPECT_GT(result.predicted.put_bytes_per_s, 0.85 * result.current.put_bytes_per_s);
    }
  }
}

// Predicted is what trials are judged by: where nobody stalls, smaller L0 batches alone gain less
// than they cost; where writers stall, only a higher rate helps.
TEST(Search, SmoothnessIsGainedByFewerStallsOnly) {
  auto request = request_for(config::Objective::smoothness);
  const auto found = search(request);
  ASSERT_EQ(found.error, "");
  ASSERT_FALSE(found.best.empty());
  EXPECT_GT(std::max(found.predicted.put_bytes_per_s, found.predicted_settled.put_bytes_per_s),
            found.current.put_bytes_per_s);
  request.stall_share = 0;
  EXPECT_LT(search(request).objective_gain, 0.05);
}

// What bounds CPU time on every machine: events, not seconds. The present settings may be the
// calmest of all, so one candidate's run may go past what is left.
TEST(Search, ItsWorkIsBoundedAtTheDefaultSize) {
  const SearchMethod method;
  const double most =
      method.effort.totals_work + method.effort.files_work + method.effort.probability_work;
  for (const double buffer : {1.0, 4.0, 64.0}) {
    for (const double tree : {1.0, 100.0}) {
      auto request = request_for();
      request.policy.search_evaluations = config::Policy{}.search_evaluations;
      request.policy.trial_max_s = config::Policy{}.trial_max_s;
      request.snapshot.settings.set("default", Knob::write_buffer_size, buffer * 1024 * 1024);
      for (auto& level : request.snapshot.families[0].levels) {
        level.size_bytes *= tree;
        level.files *= tree;
      }
      const auto outcome = search_by(method, request);
      ASSERT_EQ(outcome.result.error, "") << buffer << " MiB, tree x " << tree;
      EXPECT_LE(outcome.work, 1.25 * most) << buffer << " MiB, tree x " << tree;
      EXPECT_LE(outcome.result.evaluations, request.policy.search_evaluations);
    }
  }
}

TEST(Search, LooksNoFurtherOnceItsWorkIsUsedUp) {
  const auto request = request_for();
  SearchMethod little;
  little.effort = {20e3, 20e3, 5e3, little.effort.margin};
  const auto less = search_by(little, request);
  const auto usual = search_by({}, request);
  EXPECT_LT(less.work, 0.5 * usual.work);
  EXPECT_LT(less.result.evaluations, usual.result.evaluations);
}

TEST(Search, EveryAlgorithmKeepsTheLimits) {
  const auto request = request_for();
  for (const auto algorithm :
       {SearchAlgorithm::crs2, SearchAlgorithm::isres, SearchAlgorithm::direct,
        SearchAlgorithm::mlsl, SearchAlgorithm::cobyla, SearchAlgorithm::bobyqa,
        SearchAlgorithm::subplex}) {
    SearchMethod method;
    method.explore = algorithm;
    const auto outcome = search_by(method, request);
    ASSERT_EQ(outcome.result.error, "") << static_cast<int>(algorithm);
    EXPECT_LE(outcome.result.evaluations, request.policy.search_evaluations);
    if (outcome.result.best.empty()) continue;
    EXPECT_GT(outcome.value, 0);
    EXPECT_EQ(check_settings(request.snapshot, outcome.result.best, request.policy, 2, {}).gate,
              Gate::open);
    EXPECT_EQ(search_by(method, request).result.best, outcome.result.best);
  }
}

// Refused by debt at the far end of the trust region, allowed nearer: the search goes part of the
// way instead of giving up.
TEST(Search, GoesPartOfTheWayWhereALimitOfDegreeRefusesAll) {
  auto request = request_for();
  request.policy.max_debt_growth_share = 0.02;
  const auto result = search(request);
  ASSERT_EQ(result.error, "");
  const Judge::Verdict verdict = Judge(request)(result.best);
  EXPECT_EQ(verdict.rejected, "");
}

// Strides alone, without any algorithm, leave the basin of the present settings, and keep to their
// share of the evaluations: a tenth of 400 candidates, of two predictions each.
TEST(SearchRun, StridesCrossTheRangeWithinTheirShare) {
  const auto request = request_for();
  const SearchSpace space(request);
  Scorer scorer(request, {});
  std::vector<std::size_t> order(space.axes().size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  SearchRun few(space, scorer, 400, order, {});
  const int before = scorer.evaluations();
  few.stride(0.1);
  EXPECT_LE(scorer.evaluations() - before, 2 * 40);
  EXPECT_GT(scorer.evaluations(), before);
  SearchRun all(space, scorer, 400, order, {});
  all.stride(1);
  EXPECT_GT(all.best().value, 0);
  const bool at_an_end =
      std::any_of(space.axes().begin(), space.axes().end(), [&](const Axis& axis) {
        const double value = all.best().settings.get(axis.family, axis.knob).value_or(0);
        return value != axis.current && (value == SearchSpace::rounded(axis, axis.low) ||
                                         value == SearchSpace::rounded(axis, axis.high));
      });
  EXPECT_TRUE(at_an_end);
}

// Four memtables of 6 MiB: two of 12 and three of 8 take the same memory, and write less again.
TEST(SearchRun, TradesTheNumberOfMemtablesForTheirSize) {
  auto request = request_for();
  request.policy.knobs = {Knob::write_buffer_size, Knob::max_write_buffer_number};
  request.policy.max_debt_growth_share = 1;
  request.snapshot.settings.set("default", Knob::write_buffer_size, 6 * model::kMiB);
  request.snapshot.settings.set("default", Knob::max_write_buffer_number, 4);
  const SearchSpace space(request);
  ASSERT_EQ(space.axes().size(), 2U);
  Scorer scorer(request, {});
  SearchRun run(space, scorer, 400, {0, 1}, {});
  const int before = scorer.evaluations();
  run.trade_memtables();
  EXPECT_EQ(scorer.evaluations() - before, 2 * 2);
  const auto value = [&](Knob knob) { return *run.best().settings.get("default", knob); };
  EXPECT_GT(run.best().value, 0);
  EXPECT_LE(value(Knob::max_write_buffer_number), 3);
  EXPECT_EQ(value(Knob::max_write_buffer_number) * value(Knob::write_buffer_size),
            24 * model::kMiB);
}

TEST(SearchOrder, StrongestFirstAndRelatedTogether) {
  const auto request = request_for();
  const SearchSpace space(request);
  Scorer scorer(request, {});
  const SearchOrder order = search_order(space, scorer);
  ASSERT_EQ(order.axes.size(), space.axes().size());
  ASSERT_GE(order.matter, 2U);
  std::vector<std::size_t> sorted = order.axes;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) EXPECT_EQ(sorted[i], i);
  // Measured again, one axis at a time, the front is the strongest; what follows it may stand
  // there as its partner.
  const auto effect = [&](std::size_t axis) { return order.influences[axis].effect(); };
  for (const std::size_t axis : order.axes) EXPECT_GE(effect(order.axes[0]), effect(axis));
  ASSERT_FALSE(order.related.empty());
  const auto partner_of = [&](std::size_t axis) {
    for (const auto& [a, b] : order.related)
      if (a == axis || b == axis) return a == axis ? b : a;
    return axis;
  };
  EXPECT_EQ(order.axes[1], partner_of(order.axes[0]));
  std::vector<double> rest;
  for (std::size_t i = 0; i < order.axes.size(); ++i) {
    const bool partner = i > 0 && order.axes[i] == partner_of(order.axes[i - 1]);
    if (!partner) rest.push_back(effect(order.axes[i]));
  }
  EXPECT_TRUE(std::is_sorted(rest.rbegin(), rest.rend()));
}

// A device with room for more and one core: what shortens the L0 job on more threads matters more
// than it does where the device binds.
TEST(SearchOrder, FollowsWhatBinds) {
  const auto place = [](double write_bandwidth) {
    auto request = request_for();
    request.cpu_cores = 8;
    request.calibration.background_cores = 8;
    request.calibration.write_bandwidth = write_bandwidth;
    request.calibration.read_bandwidth = 2 * write_bandwidth;
    request.calibration.job_bytes_per_second = 0;
    const SearchSpace space(request);
    Scorer scorer(request, {});
    const SearchOrder order = search_order(space, scorer);
    for (std::size_t i = 0; i < space.axes().size(); ++i)
      if (space.axes()[i].knob == Knob::max_subcompactions) return order.influences[i].effect();
    return -1.0;
  };
  const double device_bound = place(20e6);
  ASSERT_GE(device_bound, 0);
  EXPECT_GT(place(20e9), device_bound);
}

// A saturating writer makes up for delays between them; a paced one does not. Compare cells of
// db_bench paced at 19 MiB/s ended at 11.8 with triggers that a saturating one took 17 with.
TEST(Search, LooksAtTheLoadThatIsOffered) {
  auto request = request_for();
  const auto taken = [&](const model::ChangeSet& changes, double offered) {
    const SimulatedModel simulated(request.snapshot, "default", request.calibration,
                                   request.cpu_cores, offered);
    const auto found = simulated.predict(
        model::with_changes(request.snapshot.settings, changes),
        trial_run(horizons_of(request.policy), model::SimulationLayer::files, 1), {});
    return found ? found->put_bytes_per_s : 0;
  };
  const SearchResult saturating = search(request);
  ASSERT_EQ(saturating.error, "");
  const double most = taken(saturating.best, 0);
  request.offered_bytes_per_s = 0.8 * most;
  const SearchResult paced = search(request);
  ASSERT_EQ(paced.error, "");
  EXPECT_LE(paced.predicted.put_bytes_per_s, 1.01 * request.offered_bytes_per_s);
  EXPECT_GE(taken(paced.best, request.offered_bytes_per_s),
            0.99 * taken(saturating.best, request.offered_bytes_per_s));
  EXPECT_GT(taken(paced.best, request.offered_bytes_per_s), 0.9 * request.offered_bytes_per_s);
}

TEST(Search, CompressesLessWhereCpuBinds) {
  const auto chosen = [](double write_bandwidth, double cpu_seconds_per_byte) {
    auto request = request_for();
    request.policy.knobs = {Knob::first_compressed_level};
    request.cpu_cores = 2;
    request.snapshot.settings.set("default", Knob::first_compressed_level, 1);
    for (auto& family : request.snapshot.families) family.facts.compression = "kZSTD";
    auto& c = request.calibration;
    c.flush_bytes_per_user_byte = 0.5;
    c.write_bandwidth = write_bandwidth;
    c.read_bandwidth = 2 * write_bandwidth;
    c.job_bytes_per_second = 0;
    c.background_cores = 1;
    c.cpu_seconds_per_byte = cpu_seconds_per_byte;
    const SearchResult found = search(request);
    EXPECT_EQ(found.error, "");
    return found.best.empty() ? 1.0 : found.best.front().new_value;
  };
  EXPECT_GT(chosen(4e9, 12e-9), 1);
  EXPECT_EQ(chosen(30e6, 1e-9), 1);
}

TEST(SearchSpace, EveryPointIsOrdered) {
  const auto request = request_for();
  const SearchSpace space(request);
  ASSERT_FALSE(space.axes().empty());
  std::uint64_t random = 1;
  for (int round = 0; round < 500; ++round) {
    std::vector<double> values;
    for (const auto& axis : space.axes()) {
      random = random * 6364136223846793005ULL + 1442695040888963407ULL;
      const double share = static_cast<double>(random >> 40) / static_cast<double>(1 << 24);
      values.push_back(axis.low + share * (axis.high - axis.low));
    }
    const auto settings = space.settings(values);
    const auto& family = settings.families.at("default");
    EXPECT_LE(*family.get(Knob::level0_file_num_compaction_trigger),
              *family.get(Knob::level0_slowdown_writes_trigger));
    EXPECT_LE(*family.get(Knob::level0_slowdown_writes_trigger),
              *family.get(Knob::level0_stop_writes_trigger));
    EXPECT_LE(*family.get(Knob::soft_pending_compaction_bytes_limit),
              *family.get(Knob::hard_pending_compaction_bytes_limit));
    EXPECT_LE(*family.get(Knob::target_file_size_base), *family.get(Knob::max_compaction_bytes));
  }
}

// Files that arrive while L0 is compacted need room before the slowdown trigger: with 40 and 32 at
// most, 24 are compacted at once. What is there already stays until a trigger moves.
TEST(SearchSpace, LeavesRoomInL0ForFilesThatArrive) {
  auto request = request_for();
  request.policy.max_l0_files = 32;
  request.policy.trust_region_factor = 32;
  auto& settings = request.snapshot.settings;
  settings.set("default", Knob::level0_file_num_compaction_trigger, 20);
  settings.set("default", Knob::level0_slowdown_writes_trigger, 20);
  const SearchSpace space(request);
  const auto triggers = [&](double trigger, double slowdown) {
    auto values = space.current();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (space.axes()[i].knob == Knob::level0_file_num_compaction_trigger) values[i] = trigger;
      if (space.axes()[i].knob == Knob::level0_slowdown_writes_trigger) values[i] = slowdown;
    }
    const auto found = space.settings(values);
    return std::pair(*found.get("default", Knob::level0_file_num_compaction_trigger),
                     *found.get("default", Knob::level0_slowdown_writes_trigger));
  };
  EXPECT_EQ(triggers(20, 20), std::pair(20.0, 20.0));
  EXPECT_EQ(triggers(12, 20), std::pair(12.0, 20.0));
  EXPECT_EQ(triggers(21, 20), std::pair(21.0, 27.0));
  EXPECT_EQ(triggers(40, 20), std::pair(25.0, 32.0));
}

TEST(SearchSpace, CompactionBytesFollowTheFileSize) {
  auto request = request_for();
  const double now = *request.snapshot.settings.get("default", Knob::target_file_size_base);
  request.snapshot.settings.set("default", Knob::max_compaction_bytes, 25 * now);
  const SearchSpace space(request);
  auto values = space.current();
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NE(space.axes()[i].knob, Knob::max_compaction_bytes);
    if (space.axes()[i].knob == Knob::target_file_size_base) values[i] = 2 * now;
  }
  EXPECT_EQ(space.settings(values).get("default", Knob::max_compaction_bytes), 50 * now);
  EXPECT_EQ(space.settings(space.current()), request.snapshot.settings);
}

TEST(SearchSpace, RoundsToPlainNumbers) {
  const Axis buffer{Knob::write_buffer_size, "default", 4194304, 1048576, 16777216};
  EXPECT_EQ(SearchSpace::rounded(buffer, 8.1e6), 8126464);  // 31 steps of 256 KiB
  EXPECT_EQ(SearchSpace::rounded(buffer, 4.2e6), 4194304);  // too close to matter
  EXPECT_EQ(SearchSpace::rounded(buffer, 1e12), 16777216);
  const Axis trigger{Knob::level0_file_num_compaction_trigger, "default", 4, 1, 16};
  EXPECT_EQ(SearchSpace::rounded(trigger, 5.4), 5);
  EXPECT_EQ(SearchSpace::neighbour(trigger, 1, 1), 2);
  EXPECT_EQ(SearchSpace::neighbour(trigger, 1, -1), 1);
}

}  // namespace
}  // namespace lsmtuned::controller
