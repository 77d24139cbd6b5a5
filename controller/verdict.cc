#include "controller/verdict.h"

#include <algorithm>
#include <cmath>

#include "model/units.h"

namespace lsmtuned::controller {
namespace {

constexpr double kBound80 = 1.28;  // two-sided 80 % interval
constexpr double kBound99 = 2.58;  // before the minimum of cycles: only what is glaring
constexpr double kMeritFloor = 1e-9;
constexpr double kReadShareChange = 0.15;  // absolute
constexpr double kLoadRise = 0.15;         // relative, of what is offered
constexpr double kStoppedShareGrowth = 0.20;
// Stops beyond the share before come in phases of a cycle: so long they are borne, as a cycle
// lasts.
constexpr double kStopPatienceS = 10;
constexpr double kMostStopPatienceS = 60;
constexpr double kMostPatientDebt = 4;  // times max_debt_growth, borne for a clear gain
constexpr double kMostSettledDebt = 2;  // times max_debt_growth, where it rises no more
constexpr double kSettledRise = 0.25;   // of max_debt_growth, over a third of a trial
constexpr double kExtension = 2;        // of the longest trial
constexpr double kGlaringRate = 0.7;    // of the rate before
constexpr double kGlaringS = 20;        // at least
constexpr double kGlaringCycles = 1.5;

struct Ratio {  // ln(after / before) with its standard error
  double log = 0;
  double error = 0;
};
Ratio ratio(const Estimate& before, const Estimate& after) {
  const double b = std::max(before.mean, kMeritFloor);
  const double a = std::max(after.mean, kMeritFloor);
  return {std::log(a / b), std::hypot(before.standard_error / b, after.standard_error / a)};
}
std::string in_words(const Ratio& r, double bound) {
  const auto percent = [](double log) { return model::format_percent(std::expm1(log)); };
  return percent(r.log) + " (" + percent(r.log - bound * r.error) + " to " +
         percent(r.log + bound * r.error) + ")";
}

std::string workload_change(const TrialBaseline& before, std::span<const Mark> after) {
  const double size = put_size(after);
  if (put_size_changed(before.put_size_bytes, size))
    return "the size of a put went from " + model::format_bytes(before.put_size_bytes) + " to " +
           model::format_bytes(size);
  const double reads = read_share(after);
  if (std::abs(reads - before.read_share) > kReadShareChange)
    return "the share of reads went from " + model::format_percent(before.read_share) + " to " +
           model::format_percent(reads);
  return {};
}

// Debt that the change has left standing, at the end of the last two cycles.
double debt_now(std::span<const Mark> after) {
  return pending_at_cycle_ends(after, true, 2);
}

// Above what was there before, and above what was foreseen: a level that the search has weighed,
// with what it costs in the settled rate, is not borrowed.
bool debt_is_high(const config::Policy& policy, const TrialBaseline& before,
                  std::span<const Mark> after, double times = 1) {
  return debt_now(after) > std::max(before.pending_cycle_end_bytes, before.foreseen_debt_bytes) +
                               times * policy.max_debt_growth_share * before.tree_bytes;
}

// High, and higher at each of the last three cycle ends: it will not drain by itself. Waiting for a
// fourth costs more than it saves (campaign seed 221: 6.8 instead of 4.1 % lost).
bool debt_grows(const config::Policy& policy, const TrialBaseline& before,
                std::span<const Mark> after) {
  return boundaries(after, true).size() >= 4 && debt_is_high(policy, before, after) &&
         pending_at_cycle_end(after, true, 0) > pending_at_cycle_end(after, true, 1) &&
         pending_at_cycle_end(after, true, 1) > pending_at_cycle_end(after, true, 2);
}

// Another level, not a slope: the mean over the last third of the cycles is not above that over the
// third before.
bool debt_has_settled(const config::Policy& policy, const TrialBaseline& before,
                      std::span<const Mark> after) {
  const auto ends = boundaries(after, true);
  const std::size_t third = ends.size() / 3;
  if (third < 2 || debt_is_high(policy, before, after, kMostSettledDebt)) return false;
  double rise = 0;
  for (std::size_t i = 0; i < third; ++i)
    rise += pending_at_cycle_end(after, true, i) - pending_at_cycle_end(after, true, third + i);
  rise /= static_cast<double>(third);
  return rise <= kSettledRise * policy.max_debt_growth_share * before.tree_bytes;
}

std::string debt_in_words(const TrialBaseline& before, std::span<const Mark> after) {
  const std::string foreseen =
      before.foreseen_debt_bytes > 0
          ? ", " + model::format_bytes(before.foreseen_debt_bytes) + " foreseen"
          : std::string();
  return "pending bytes at cycle ends went from " +
         model::format_bytes(before.pending_cycle_end_bytes) + " to " +
         model::format_bytes(debt_now(after)) + foreseen;
}

Judgement judge_span(const config::Policy& policy, const TrialBaseline& before,
                     std::span<const Mark> after, double behind_bytes) {
  if (after.size() < 2) return {};
  const double elapsed = after.back().time_s - after.front().time_s;
  const Estimate rate = put_rate(after, true);
  const Estimate now = merit(after, true, policy.objective);
  const double cycles = now.cycles;
  const bool enough = cycles >= policy.trial_min_cycles && elapsed >= policy.trial_min_s;
  const bool some = cycles >= 2 || elapsed >= policy.trial_min_s;
  const double stall_share = measure_marks(after, true).stall_share;
  const Ratio rates = ratio(before.rate, rate);
  const Ratio gain = ratio(before.merit, now);

  const double worth = std::log1p(policy.minimum_gain / 2);
  // Stops are how a full device holds writers back, too: glaring only where the rate is no better,
  // and nothing has been gained since the call.
  const double stopped = stopped_share(after);
  const bool stops_matter = policy.objective == config::Objective::smoothness ||
                            (!(rates.log > worth) && !(behind_bytes < 0));
  const double more_stopped = stopped - before.stopped_share;
  const double patience_s = std::clamp(before.cycle_s, kStopPatienceS, kMostStopPatienceS);
  if (stops_matter && more_stopped * elapsed >= patience_s && more_stopped > kStoppedShareGrowth)
    return {Verdict::worse, "writes were stopped " + model::format_percent(stopped) +
                                " of the time, " + model::format_percent(before.stopped_share) +
                                " before"};
  if (!(before.rate.mean > 0))  // an operator's proposal, at rest or before anything was measured
    return elapsed < policy.trial_max_s
               ? Judgement{}
               : Judgement{Verdict::inconclusive, "no level before it was measured"};
  if (some) {
    if (const auto change = workload_change(before, after); !change.empty())
      return {Verdict::inconclusive, "the workload changed: " + change};
  }
  // Settings cannot make writers write more than they offered: the rest is another load.
  const double demand = demand_bytes_per_s(before.rate.mean, before.stall_share);
  if (some && cycles >= 2 && before.rate.cycles >= 2 &&
      rate.mean - kBound80 * rate.standard_error > (1 + kLoadRise) * demand)
    return {Verdict::inconclusive, "the workload changed: " + model::format_rate(demand) +
                                       " were offered before, and " +
                                       model::format_rate(rate.mean) + " are written now"};
  // The offered load is no longer above what the database takes: nothing more can be learned.
  const bool calm = stall_share < kCalmStallShare && !after.back().stopped;
  if (calm && before.stall_share >= kCalmStallShare) {
    const bool as_fast = rates.log > -std::max(0.02, rates.error);
    if (enough && as_fast)
      return {Verdict::keep, "writes no longer stall (" + model::format_percent(stall_share) +
                                 " of the time after " + model::format_percent(before.stall_share) +
                                 ") at a rate of " + in_words(rates, kBound80)};
    if ((enough || elapsed >= 2 * policy.trial_min_s) && !as_fast)
      return {Verdict::inconclusive, "the offered load fell: the rate changed by " +
                                         in_words(rates, kBound80) + " without stalls"};
    if (elapsed < policy.trial_max_s) return {};
  }
  // Cycles that hardly end any more cannot be waited for.
  const double whole = (after.back().user_bytes - after.front().user_bytes) / elapsed;
  const double stalled = (after.back().stall_s - after.front().stall_s) / elapsed;
  const double glaring_s = std::min(kGlaringCycles * before.cycle_s, policy.trial_max_s);
  if (elapsed >= std::max({policy.trial_min_s, kGlaringS, glaring_s}) && cycles < 2 &&
      whole < kGlaringRate * before.rate.mean &&
      (after.back().stopped || stalled > std::max(kCalmStallShare, before.stall_share)))
    return {Verdict::worse, "the rate changed by " +
                                model::format_percent(whole / before.rate.mean - 1) + " in " +
                                model::format_duration(elapsed) +
                                " without two whole cycles, and writes stall more"};
  // Where much more is taken in, lower levels first fill up: while the gain is clear, a while
  // longer.
  const bool better = gain.log - kBound80 * gain.error > worth;
  const bool settled =
      better && enough && elapsed >= policy.trial_max_s && debt_has_settled(policy, before, after);
  const bool patience = settled || (better && elapsed < policy.trial_max_s &&
                                    !debt_is_high(policy, before, after, kMostPatientDebt));
  if (!patience && debt_grows(policy, before, after))
    return {Verdict::worse, "debt grows: " + debt_in_words(before, after) + " and still rises"};
  if (cycles >= 2) {
    const double bound = enough ? kBound80 : kBound99;
    if (gain.log + bound * gain.error < 0)
      return {Verdict::worse, "the change is " + in_words(gain, bound)};
    // Without stalls before and after, the rate is the offered load, not the database's.
    const bool offered = calm && before.stall_share < kCalmStallShare;
    if (!offered && rates.log + bound * rates.error < 0)
      return {Verdict::worse, "the rate changed by " + in_words(rates, bound)};
  }
  if (enough) {
    // A gain on borrowed time is none; but a level that is being emptied may still need a while.
    if (better && !debt_is_high(policy, before, after))
      return {Verdict::keep, "the change is " + in_words(gain, kBound80) + " over " +
                                 std::to_string(static_cast<int>(cycles)) + " cycles"};
    if (settled)
      return {Verdict::keep, "the change is " + in_words(gain, kBound80) +
                                 ", and debt rises no more: " + debt_in_words(before, after)};
    if (better && elapsed >= policy.trial_max_s)
      return {Verdict::worse, "debt stays: " + debt_in_words(before, after) + ", at a gain of " +
                                  in_words(gain, kBound80)};
    if (cycles >= 2 * policy.trial_min_cycles && gain.log + kBound80 * gain.error < worth)
      return {Verdict::no_gain, "the change is " + in_words(gain, kBound80) +
                                    ": at least half the minimum gain is ruled out"};
  }
  // Cycles too long for the minimum of them: what promises a gain has more time, once.
  if (elapsed >= policy.trial_max_s) {
    const bool longest = elapsed >= kExtension * policy.trial_max_s;
    if (cycles < 2)
      return {Verdict::inconclusive, "fewer than two whole L0 compaction cycles were seen"};
    if (longest && better && !debt_is_high(policy, before, after))
      return {Verdict::keep, "the change is " + in_words(gain, kBound80) + " over " +
                                 std::to_string(static_cast<int>(cycles)) +
                                 " cycles, in all the time allowed"};
    if (!longest && gain.log > worth) return {};
    return {Verdict::no_gain,
            "no significant gain in the time allowed: " + in_words(gain, kBound80)};
  }
  return {};
}

double seconds_of(std::span<const Mark> marks) {
  return marks.back().time_s - marks.front().time_s;
}

// What holds only while L0 fills up does not last.
Judgement judge_loaded(const config::Policy& policy, const TrialBaseline& before,
                       std::span<const Mark> after, double behind_bytes) {
  Judgement judgement = judge_span(policy, before, after, behind_bytes);
  if (judgement.verdict != Verdict::keep) return judgement;
  const auto steady = after.subspan(steady_from(after, true));
  if (steady.size() == after.size()) return judgement;
  if (seconds_of(after) >= policy.trial_max_s) return judgement;
  Judgement later = judge_span(policy, before, steady, behind_bytes);
  if (later.verdict == Verdict::keep || later.verdict == Verdict::worse) return later;
  return {};
}

}  // namespace

Judgement judge(const config::Policy& policy, const TrialBaseline& before,
                std::span<const Mark> all, double behind_bytes) {
  const std::vector<Mark> loaded = under_load(all, before.loaded_bytes_per_s);
  Judgement judgement = judge_loaded(policy, before, loaded, behind_bytes);
  if (judgement.verdict != Verdict::go_on || all.empty()) return judgement;
  const double waited_s = seconds_of(all);
  const double loaded_s = seconds_of(loaded);
  const double most_s =
      loaded_s < policy.trial_min_s ? policy.trial_max_s : kExtension * policy.trial_max_s;
  if (loaded_s < waited_s && waited_s >= most_s)
    return {Verdict::inconclusive, "the offered load fell: of " + model::format_duration(waited_s) +
                                       " only " + model::format_duration(loaded_s) +
                                       " were under load"};
  return judgement;
}

}  // namespace lsmtuned::controller
