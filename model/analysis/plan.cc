#include "model/analysis/plan.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "model/tree.h"
#include "model/units.h"

namespace lsmtuned::model {
namespace {

constexpr double kPutShare = 0.98;
constexpr double kPrecision = 0.01;  // of ln(answer)
constexpr double kSmallestData = 16 * kMiB;
constexpr double kLargestData = 64 * 1024 * kGiB;
constexpr double kMostFilesSimulated = 20000;  // laid out one by one in reasonable time
constexpr double kMostFiles = 1.9e6;           // Problem::check() refuses two million
constexpr double kHour = 3600;                 // in which what is put reaches the deeper levels
constexpr double kBandwidthRange = 4096;

double data_bytes(const Problem& problem) {
  double bytes = 0;
  for (std::size_t level = 1; level < problem.tree.levels.size(); ++level)
    bytes += problem.tree.levels[level].bytes;
  return bytes;
}

double target_file_bytes(const Problem& problem) {
  return std::max(1.0, problem.settings.get_or(Knob::target_file_size_base,
                                               info(Knob::target_file_size_base).rocksdb_default));
}

class Asker {
 public:
  Asker(const PlanGoal& goal, int& evaluations) : goal_(goal), evaluations_(evaluations) {}

  // Whether the problem carries `rate`.
  bool carried(Problem problem, double rate) const {
    ++evaluations_;
    if (goal_.choice.model == OwnModel::ledger) {
      const auto predicted = predict_s_max(problem, goal_.choice);
      return predicted && predicted->put_bytes_per_s >= rate;
    }
    problem.workload.offered_bytes_per_s = rate;
    const auto run = simulate_with(problem, goal_.choice);
    return run && run->put_bytes_per_s >= kPutShare * rate &&
           run->stalls.total() <= goal_.max_stall_share;
  }

 private:
  const PlanGoal& goal_;
  int& evaluations_;
};

// Where `yes` ends, for a condition that holds at `from` and not at `to`, on a log scale.
double border(double from, double to, const std::function<bool(double)>& yes) {
  while (std::abs(std::log(to / from)) > kPrecision) {
    const double middle = std::sqrt(from * to);
    (yes(middle) ? from : to) = middle;
  }
  return from;
}

PlanAnswer highest_rate(const Problem& problem, const SMax& saturated, const Asker& asker,
                        double width) {
  PlanAnswer answer;
  const auto yes = [&](double rate) { return asker.carried(problem, rate); };
  const double top = saturated.put_bytes_per_s * 1.5;
  const double bottom = saturated.put_bytes_per_s / 256;
  if (!yes(bottom)) {
    answer.note = "not even " + format_rate(bottom) +
                  ": the tree already stands at a stall threshold, or debt is paid off first";
    return answer;
  }
  if (yes(top)) {
    answer.note = "more than a saturating writer puts; the foreground limit binds";
    answer.value = saturated.put_bytes_per_s;
  } else {
    answer.value = border(bottom, top, yes);
  }
  answer.low = *answer.value / width;
  answer.high = *answer.value * width;
  return answer;
}

Problem with_write_bandwidth(Problem problem, double bytes_per_s) {
  const double factor = bytes_per_s / problem.device.write_bytes_per_s;
  problem.device.write_bytes_per_s = bytes_per_s;
  problem.device.read_bytes_per_s *= factor;
  return problem;
}

// Absent: no device of up to kBandwidthRange times the present one carries it.
std::optional<double> least_bandwidth(const Problem& problem, double rate, const Asker& asker) {
  const double present = problem.device.write_bytes_per_s;
  const auto yes = [&](double bandwidth) {
    return asker.carried(with_write_bandwidth(problem, bandwidth), rate);
  };
  double enough = present;
  double least = present / kBandwidthRange;
  if (!yes(enough)) {
    const double most = present * kBandwidthRange;
    do {
      least = enough;
      enough *= 4;
      if (enough > most) return std::nullopt;
    } while (!yes(enough));
  } else if (yes(least)) {
    return least;
  }
  return border(enough, least, yes);
}

// Absent: not even a small tree carries it.
std::optional<double> most_data(const Problem& problem, double rate, const Asker& asker,
                                double largest) {
  const auto yes = [&](double bytes) {
    Problem sized = with_data_bytes(problem, bytes);
    sized.horizon_s = std::max(sized.horizon_s, kHour);
    return asker.carried(std::move(sized), rate);
  };
  if (!yes(kSmallestData)) return std::nullopt;
  double carried = kSmallestData;
  while (carried < largest) {
    const double next = std::min(largest, carried * 8);
    if (!yes(next)) return border(carried, next, yes);
    carried = next;
  }
  return largest;
}

// A simulated border is not smooth: an end that falls inside the interval is moved to the value.
void order(PlanAnswer& answer) {
  answer.low = std::min(answer.low, *answer.value);
  if (answer.high > 0) answer.high = std::max(answer.high, *answer.value);
}

PlanAnswer least_device(const Problem& problem, double rate, const Asker& asker, double width) {
  PlanAnswer answer;
  const auto easily = least_bandwidth(problem, rate / width, asker);
  answer.value = least_bandwidth(problem, rate, asker);
  if (!answer.value) {
    answer.note = "no device carries it under these settings: something else binds";
    if (easily) answer.note += "; within the model's error " + format_rate(*easily) + " might";
    return answer;
  }
  answer.low = easily.value_or(*answer.value);
  const auto hardly = least_bandwidth(problem, rate * width, asker);
  answer.high = hardly.value_or(0);
  if (!hardly) answer.note = "the upper end is open: something else than the device binds there";
  order(answer);
  return answer;
}

PlanAnswer most_data_answer(const Problem& problem, double rate, const Asker& asker, double width,
                            double largest) {
  PlanAnswer answer;
  const auto easily = most_data(problem, rate / width, asker, largest);
  answer.value = most_data(problem, rate, asker, largest);
  if (!answer.value) {
    answer.note = "not even " + format_bytes(kSmallestData) + " of data carry it";
    if (easily) answer.note += "; within the model's error " + format_bytes(*easily) + " might";
    return answer;
  }
  const auto hardly = most_data(problem, rate * width, asker, largest);
  answer.low = hardly.value_or(0);
  answer.high = easily.value_or(*answer.value);
  if (*answer.value >= largest) answer.note = "or more: nothing larger was looked at";
  if (!hardly)
    answer.note = "the lower end is open: not even " + format_bytes(kSmallestData) + " there";
  order(answer);
  return answer;
}

}  // namespace

Problem with_data_bytes(const Problem& problem, double bytes) {
  Problem sized = problem;
  const auto levels = static_cast<std::size_t>(std::clamp(problem.facts.num_levels, 2.0, 64.0));
  std::vector<double> all_in_last(levels, 0.0);
  all_in_last.back() = bytes;
  const LevelTargets targets = level_targets(all_in_last, problem.settings, problem.facts);
  sized.tree.levels.resize(levels);
  double left = bytes;
  for (std::size_t level = 1; level < levels; ++level) {
    const bool last = level + 1 == levels;
    double here = 0;
    if (level >= targets.base_level) here = last ? left : std::min(left, targets.bytes[level]);
    left -= here;
    sized.tree.levels[level] = {here, std::ceil(here / target_file_bytes(problem)), {}};
  }
  const double present = data_bytes(problem);
  if (problem.workload.distinct_keys > 0 && present > 0)
    sized.workload.distinct_keys = std::max(1.0, problem.workload.distinct_keys * bytes / present);
  return sized;
}

Result<Plan> plan(const Problem& problem, const PlanGoal& goal) {
  const auto saturated = predict_s_max(problem, goal.choice);
  if (!saturated) return saturated.error();
  Plan out;
  out.horizon_s = problem.horizon_s;
  out.max_stall_share = goal.max_stall_share;
  out.rate_bytes_per_s =
      goal.rate_bytes_per_s > 0 ? goal.rate_bytes_per_s : problem.workload.offered_bytes_per_s;
  const Asker asker(goal, out.evaluations);
  const double width = saturated->put_bytes_per_s > 0
                           ? saturated->high_bytes_per_s / saturated->put_bytes_per_s
                           : 1.0;
  if (saturated->put_bytes_per_s > 0)
    out.highest_rate_bytes_per_s = highest_rate(problem, *saturated, asker, width);
  else
    out.highest_rate_bytes_per_s.note = "nothing is put at all under these settings";
  const double rate = out.rate_bytes_per_s;
  if (!(rate > 0)) {
    out.least_write_bytes_per_s.note = out.most_data_bytes.note =
        "no load given: workload.offered_bytes_per_s, or --rate";
    return out;
  }

  out.least_write_bytes_per_s = least_device(problem, rate, asker, width);
  const double files = goal.choice.model == OwnModel::files ? kMostFilesSimulated : kMostFiles;
  const double largest = std::min(kLargestData, files * target_file_bytes(problem));
  out.most_data_bytes = most_data_answer(problem, rate, asker, width, largest);
  return out;
}

}  // namespace lsmtuned::model
