#include "controller/verdict.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lsmtuned::controller {
namespace {

struct Load {
  double rate = 10e6;
  double stall = 0.3;
  double cycle_s = 2;
  double put = 1000;
  double swing = 0;  // of the rate, from cycle to cycle
};

std::vector<Mark> marks(const Load& load, int seconds) {
  std::vector<Mark> result;
  Mark mark;
  for (int second = 0; second <= seconds; ++second) {
    const double t = second;
    mark.time_s = t;
    mark.l0_compactions = static_cast<double>(static_cast<int>(t / load.cycle_s));
    result.push_back(mark);
    const bool even = static_cast<int>(t / load.cycle_s) % 2 == 0;
    const double rate = load.rate * (1 + (even ? load.swing : -load.swing));
    mark.user_bytes += rate;
    mark.keys += rate / load.put;
    mark.stall_s += load.stall;
    mark.written_bytes += 6 * rate;
  }
  return result;
}

config::Policy policy() {
  config::Policy p;
  p.trial_min_s = 8;
  p.trial_max_s = 200;
  return p;
}

TrialBaseline before(const Load& load = {}) {
  return trial_baseline(marks(load, 40), 600e6, config::Objective::throughput);
}

// By writers who are neither behind nor ahead.
Judgement judge(const config::Policy& p, const TrialBaseline& base, std::span<const Mark> after) {
  return judge(p, base, after, 0);
}

TEST(Window, WholeCyclesOnly) {
  auto series = marks({}, 21);  // the last cycle is cut after one second
  const WindowMeasure measure = measure_marks(series, true);
  EXPECT_DOUBLE_EQ(measure.seconds, 20);
  EXPECT_DOUBLE_EQ(measure.l0_compactions, 10);
  EXPECT_DOUBLE_EQ(measure.put_bytes_per_s, 10e6);
  // Equal cycles still carry the floor: 4 % / sqrt(10).
  EXPECT_NEAR(measure.standard_error, 10e6 * 0.04 / std::sqrt(10.0), 1);
}

TEST(Window, ErrorGrowsWithTheSwing) {
  Load swinging;
  swinging.swing = 0.5;
  const Estimate rate = put_rate(marks(swinging, 40), true);
  // 20 cycles at +-50 %: 0.5 / sqrt(19) = 11.5 % of the mean.
  EXPECT_NEAR(rate.standard_error / rate.mean, 0.5 / std::sqrt(19.0), 0.002);
}

TEST(Window, EmptyAndSingle) {
  EXPECT_EQ(measure_marks({}, true).seconds, 0);
  const std::vector<Mark> one(1);
  EXPECT_EQ(put_rate(one, true).mean, 0);
  EXPECT_EQ(stopped_share(one), 0);
}

// Pending bytes rise by 20 MB a cycle of 2 s: after ten cycles the mean of the last two ends is 190
// MB.
std::vector<Mark> rising_debt(int seconds, double rate = 10e6) {
  Load load;
  load.rate = rate;
  auto series = marks(load, seconds);
  for (auto& mark : series) mark.pending_bytes = 20e6 * mark.l0_compactions;
  return series;
}

// The limit is 10 % of a tree of 600 MB above the debt before, which was none: 60 MB.
TEST(Verdict, GrowingDebtThatNobodyForesawIsWorse) {
  const auto judged = judge(policy(), before(), rising_debt(20));
  EXPECT_EQ(judged.verdict, Verdict::worse);
  EXPECT_NE(judged.evidence.find("debt grows"), std::string::npos) << judged.evidence;
}

// A gain of 30 % may go up to four times as far, 240 MB, but is not kept before the debt is back:
// after ten cycles it is 190 MB, after thirteen 250.
TEST(Verdict, AClearGainMayOweMoreForAWhile) {
  EXPECT_EQ(judge(policy(), before(), rising_debt(20, 13e6)).verdict, Verdict::go_on);
  EXPECT_EQ(judge(policy(), before(), rising_debt(26, 13e6)).verdict, Verdict::worse);
  auto paid = rising_debt(24, 13e6);
  for (auto& mark : paid) mark.pending_bytes = mark.l0_compactions > 10 ? 50e6 : mark.pending_bytes;
  EXPECT_EQ(judge(policy(), before(), paid).verdict, Verdict::keep);
}

// Up to twice the limit of 60 MB a clear gain is kept at the end of the longest trial, 200 s, where
// debt rose no more for a third of it.
TEST(Verdict, DebtThatHasSettledIsBorneForAClearGain) {
  const auto owing = [](double level, double per_cycle, int seconds) {
    Load load;
    load.rate = 13e6;
    auto series = marks(load, seconds);
    for (auto& mark : series) mark.pending_bytes = level + per_cycle * mark.l0_compactions;
    return judge(policy(), before(), series);
  };
  EXPECT_EQ(owing(110e6, 0, 180).verdict, Verdict::go_on);
  const auto settled = owing(110e6, 0, 200);
  EXPECT_EQ(settled.verdict, Verdict::keep);
  EXPECT_NE(settled.evidence.find("rises no more"), std::string::npos) << settled.evidence;
  EXPECT_EQ(owing(130e6, 0, 200).verdict, Verdict::worse);
  // It ends with three cycles that happened to rise.
  Load load;
  load.rate = 13e6;
  auto noisy = marks(load, 200);
  for (auto& mark : noisy)
    mark.pending_bytes = mark.l0_compactions > 96 ? 1.1e6 * mark.l0_compactions : 105e6;
  EXPECT_EQ(judge(policy(), before(), noisy).verdict, Verdict::keep);
  EXPECT_EQ(owing(0, 1.1e6, 200).verdict, Verdict::worse);  // 36 MB more in the last third
}

// Foreseen were 150 MB: the limit is 210 MB, above the 190 MB that are there.
TEST(Verdict, DebtUpToWhatWasForeseenIsNoReason) {
  TrialBaseline foreseen = before();
  foreseen.foreseen_debt_bytes = 150e6;
  EXPECT_EQ(judge(policy(), foreseen, rising_debt(20, 13e6)).verdict, Verdict::keep);
  // Two cycles later it is 230 MB, and still rises.
  EXPECT_EQ(judge(policy(), foreseen, rising_debt(24)).verdict, Verdict::worse);
}

TEST(Verdict, WaitsForTheMinimum) {
  Load better;
  better.rate = 13e6;
  EXPECT_EQ(judge(policy(), before(), marks(better, 7)).verdict, Verdict::go_on);
  EXPECT_EQ(judge(policy(), before(), marks(better, 10)).verdict, Verdict::keep);
}

// After a change that gives L0 more room writers wait for nothing, until L0 has filled up.
TEST(Verdict, ACalmInWhichL0FillsUpIsNotKept) {
  Load calm;
  calm.rate = 14e6;
  calm.stall = 0;
  auto series = marks(calm, 12);
  for (Mark& mark : series) mark.l0_files = 4 + 3 * mark.l0_compactions;  // higher each cycle
  EXPECT_EQ(judge(policy(), before(), series).verdict, Verdict::go_on);
  for (Mark& mark : series) mark.l0_files = 31;
  EXPECT_EQ(judge(policy(), before(), series).verdict, Verdict::keep);
  // At the longest time of a trial what was seen has to do.
  series = marks(calm, 201);
  for (Mark& mark : series) mark.l0_files = std::exp(0.2 * mark.l0_compactions);
  EXPECT_EQ(judge(policy(), before(), series).verdict, Verdict::keep);
}

TEST(Verdict, ASmallGainNeedsMoreCycles) {
  Load better;
  better.rate = 10.7e6;  // ln 1.07 = 6.8 %; needs 1.28 x error < 4.3 %
  EXPECT_EQ(judge(policy(), before(), marks(better, 10)).verdict, Verdict::keep);
  better.rate = 10.4e6;  // ln 1.04 = 3.9 %: needs 1.28 x error < 1.4 %
  EXPECT_EQ(judge(policy(), before(), marks(better, 10)).verdict, Verdict::go_on);
}

TEST(Verdict, WorseAtOnceOnlyWhenGlaring) {
  Load worse;
  worse.rate = 6e6;
  EXPECT_EQ(judge(policy(), before(), marks(worse, 4)).verdict, Verdict::worse);
  worse.rate = 9.6e6;
  EXPECT_EQ(judge(policy(), before(), marks(worse, 4)).verdict, Verdict::go_on);
}

TEST(Verdict, NoGainAtTheEnd) {
  Load same;
  same.swing = 0.6;
  Load noisy = same;
  // 19 whole cycles before, ten of them slow: 3 % of gain by phase, worth more time, once.
  EXPECT_EQ(judge(policy(), before(noisy), marks(same, 200)).verdict, Verdict::go_on);
  EXPECT_EQ(judge(policy(), before(noisy), marks(same, 400)).verdict, Verdict::no_gain);
}

// Cycles of 80 s: two of them fit 200 s, the minimum of five takes 400. 2 % is less than half the
// minimum gain. Four cycles of 99 s are all that the allowed time holds: ln 1.4 = 34 % less 1.28 x
// 4 % / sqrt(4) = 3 % is a gain all the same.
// 10 MB/s while stalled 30 % of the time: 14.3 MB/s were offered, and no settings take more.
TEST(Verdict, MoreThanWasOfferedIsAnotherLoad) {
  const Judgement risen = judge(policy(), before(), marks({.rate = 20e6}, 40));
  EXPECT_EQ(risen.verdict, Verdict::inconclusive);
  EXPECT_NE(risen.evidence.find("were offered before"), std::string::npos) << risen.evidence;
  EXPECT_EQ(judge(policy(), before(), marks({.rate = 14e6}, 40)).verdict, Verdict::keep);
  // Writers that did nothing but wait offered whatever is taken now.
  const Load waiting{.stall = 0.95};
  EXPECT_EQ(judge(policy(), before(waiting), marks({.rate = 20e6}, 40)).verdict, Verdict::keep);
}

TEST(Verdict, APromiseInLongCyclesHasMoreTime) {
  Load better;
  better.cycle_s = 80;
  better.rate = 14e6;
  EXPECT_EQ(judge(policy(), before(), marks(better, 200)).verdict, Verdict::go_on);
  EXPECT_EQ(judge(policy(), before(), marks(better, 400)).verdict, Verdict::keep);
  better.rate = 10.2e6;
  EXPECT_EQ(judge(policy(), before(), marks(better, 200)).verdict, Verdict::no_gain);
  better.rate = 14e6;
  better.cycle_s = 99;  // four by 400 s
  EXPECT_EQ(judge(policy(), before(), marks(better, 390)).verdict, Verdict::go_on);
  EXPECT_EQ(judge(policy(), before(), marks(better, 401)).verdict, Verdict::keep);
  better.rate = 10.3e6;  // ln 1.03 = 3.0 % less 3 %: at most half the minimum gain
  EXPECT_EQ(judge(policy(), before(), marks(better, 401)).verdict, Verdict::no_gain);
}

// Stopped throughout, 60 % of the time before: 20 s hold 8 s of stops more, 30 s hold 12.
TEST(Verdict, StopsCountBeyondThoseBefore) {
  TrialBaseline stopping = before();
  stopping.stopped_share = 0.6;
  Load same;
  same.cycle_s = 1000;
  const auto stopped = [&](int seconds) {
    auto series = marks(same, seconds);
    for (auto& mark : series) mark.stopped = true;
    return judge(policy(), stopping, series).verdict;
  };
  EXPECT_EQ(stopped(20), Verdict::go_on);
  EXPECT_EQ(stopped(30), Verdict::worse);
  // Where a cycle lasted 40 s, so may the stops: 100 s hold 40 s of them more.
  stopping.cycle_s = 40;
  EXPECT_EQ(stopped(99), Verdict::go_on);
  EXPECT_EQ(stopped(100), Verdict::worse);
}

// As long as the writers are ahead of where they would be without the change.
TEST(Verdict, StopsOfWritersWhoAreAheadAreBorne) {
  Load same;
  same.cycle_s = 1000;
  auto series = marks(same, 100);
  for (auto& mark : series) mark.stopped = true;
  EXPECT_EQ(judge(policy(), before(), series, 1).verdict, Verdict::worse);
  EXPECT_EQ(judge(policy(), before(), series, -1).verdict, Verdict::go_on);
  auto smooth = policy();
  smooth.objective = config::Objective::smoothness;
  const auto base = trial_baseline(marks({}, 40), 600e6, smooth.objective);
  EXPECT_EQ(judge(smooth, base, series, -1).verdict, Verdict::worse);
}

TEST(Verdict, TooFewCyclesSayNothing) {
  Load slow;
  slow.cycle_s = 1000;
  EXPECT_EQ(judge(policy(), before(), marks(slow, 200)).verdict, Verdict::inconclusive);
}

// Cycles of 1000 s instead of 2: there will be no second one to judge by. At half the rate and more
// stalls (0.6 s a second for 0.3) 20 s are enough; with the stalls of before, less was offered.
TEST(Verdict, AGlaringLossWithoutWholeCyclesIsWorse) {
  Load collapsed;
  collapsed.cycle_s = 1000;
  collapsed.rate = 5e6;
  collapsed.stall = 0.6;
  EXPECT_EQ(judge(policy(), before(), marks(collapsed, 19)).verdict, Verdict::go_on);
  EXPECT_EQ(judge(policy(), before(), marks(collapsed, 20)).verdict, Verdict::worse);
  collapsed.stall = 0.3;
  EXPECT_EQ(judge(policy(), before(), marks(collapsed, 20)).verdict, Verdict::go_on);
  collapsed.stall = 0.6;
  collapsed.rate = 8e6;  // not glaring
  EXPECT_EQ(judge(policy(), before(), marks(collapsed, 20)).verdict, Verdict::go_on);
  // Cycles of 40 s before: less than one and a half of them are a phase.
  collapsed.rate = 5e6;
  TrialBaseline slow = before();
  slow.cycle_s = 40;
  EXPECT_EQ(judge(policy(), slow, marks(collapsed, 59)).verdict, Verdict::go_on);
  EXPECT_EQ(judge(policy(), slow, marks(collapsed, 60)).verdict, Verdict::worse);
}

// Ten seconds of `load`, then `pause_s` of a tenth of it without a stall, and so on.
std::vector<Mark> comes_and_goes(const Load& load, int pause_s, int seconds) {
  std::vector<Mark> result;
  Mark mark;
  int busy_s = 0;
  for (int second = 0; second <= seconds; ++second) {
    mark.time_s = second;
    mark.l0_compactions = static_cast<double>(static_cast<int>(busy_s / load.cycle_s));
    result.push_back(mark);
    const bool busy = second % (10 + pause_s) < 10;
    busy_s += busy ? 1 : 0;
    const double rate = busy ? load.rate : load.rate / 10;
    mark.user_bytes += rate;
    mark.keys += rate / load.put;
    mark.stall_s += busy ? load.stall : 0;
  }
  return result;
}

// Over all of the time a load that pauses for 30 s and not for 10 writes less than before; while it
// is there a third more.
TEST(Verdict, ALoadThatComesAndGoesIsJudgedWhileItIsThere) {
  const auto base =
      trial_baseline(comes_and_goes({}, 10, 100), 600e6, config::Objective::throughput);
  EXPECT_NEAR(base.rate.mean, 10e6, 0.5e6);
  EXPECT_NEAR(base.stall_share, 0.3, 0.02);
  Load better;
  better.rate = 13.3e6;
  EXPECT_EQ(judge(policy(), base, comes_and_goes(better, 30, 70)).verdict, Verdict::keep);
  EXPECT_EQ(judge(policy(), base, comes_and_goes({}, 5, 90)).verdict, Verdict::no_gain);
  Load worse;
  worse.rate = 8e6;
  EXPECT_EQ(judge(policy(), base, comes_and_goes(worse, 5, 90)).verdict, Verdict::worse);
}

// The load goes after 3 s: nothing is said before the longest trial, 200 s. Where the 8 s of the
// shortest had been there, not before twice that.
TEST(Verdict, ATrialWaitsForTheLoadToReturn) {
  Load better;
  better.rate = 10.7e6;
  const auto gone_after = [&](int busy_s, int seconds) {
    auto series = marks(better, busy_s);
    for (int second = busy_s + 1; second <= seconds; ++second) {
      series.push_back(series.back());
      series.back().time_s = second;
    }
    return judge(policy(), before(), series);
  };
  EXPECT_EQ(gone_after(3, 199).verdict, Verdict::go_on);
  EXPECT_EQ(gone_after(3, 200).verdict, Verdict::inconclusive);
  EXPECT_EQ(gone_after(9, 399).verdict, Verdict::go_on);
  const auto judged = gone_after(9, 400);
  EXPECT_EQ(judged.verdict, Verdict::inconclusive);
  EXPECT_NE(judged.evidence.find("only 9.0 s"), std::string::npos) << judged.evidence;

  // Good enough, but seen only while L0 filled up.
  Load calm;
  calm.rate = 14e6;
  calm.stall = 0;
  auto filling = marks(calm, 12);
  for (Mark& mark : filling) mark.l0_files = 4 + 3 * mark.l0_compactions;
  EXPECT_EQ(judge(policy(), before(), filling).verdict, Verdict::go_on);
  for (int second = 13; second <= 400; ++second) {
    filling.push_back(filling.back());
    filling.back().time_s = second;
  }
  EXPECT_EQ(judge(policy(), before(), filling).verdict, Verdict::inconclusive);
}

TEST(Verdict, SmoothnessJudgesStalls) {
  auto p = policy();
  p.objective = config::Objective::smoothness;
  const auto base = trial_baseline(marks({}, 40), 600e6, p.objective);
  Load smoother;
  smoother.stall = 0.1;
  EXPECT_EQ(judge(p, base, marks(smoother, 20)).verdict, Verdict::keep);
  EXPECT_EQ(judge(p, base, marks({}, 60)).verdict, Verdict::no_gain);
}

}  // namespace
}  // namespace lsmtuned::controller
