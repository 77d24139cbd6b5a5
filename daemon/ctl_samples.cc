// lsmtunectl samples: the recent course of a target, and what it amounts to.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "daemon/codec.h"
#include "daemon/ctl_answer.h"
#include "daemon/ctl_print.h"
#include "daemon/options_fragment.h"
#include "model/published/phase.h"
#include "model/published/segment.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

struct Course {
  double put_bytes_per_s = 0;
  double write_amplification = 0;
};
// Means over samples [from, to) that were written to.
Course course_of(const json::array& samples, std::size_t from, std::size_t to) {
  Course course;
  double put = 0;
  double seen = 0;
  double written = 0;
  for (std::size_t i = from; i < to; ++i) {
    const json::object* sample = samples[i].if_object();
    if (sample == nullptr) continue;
    const double rate_now = number(*sample, "put_bytes_per_s");
    put += rate_now;
    written += rate_now * number(*sample, "write_amplification");
    ++seen;
  }
  if (seen > 0) course.put_bytes_per_s = put / seen;
  if (put > 0) course.write_amplification = written / put;
  return course;
}

// How the shown time went: its last fifth against its first, and the prediction against what was
// measured while writers stalled (then the rate is the sustainable one).
std::string course_lines(const json::array& samples) {
  constexpr std::size_t kFewest = 10;
  constexpr double kSaturatedStallShare = 0.02;
  constexpr double kLowAccuracy = 0.5;
  if (samples.size() < kFewest) return "";
  const std::size_t fifth = samples.size() / 5;
  const Course first = course_of(samples, 0, fifth);
  const Course last = course_of(samples, samples.size() - fifth, samples.size());
  std::string result;
  if (first.put_bytes_per_s > 0 && first.write_amplification > 0 && last.write_amplification > 0)
    result += fmt::format(
        "course: put {} -> {} ({:+.1f} %), compaction efficiency {} -> {} ({:+.1f} %), first to "
        "last fifth\n",
        model::format_rate(first.put_bytes_per_s), model::format_rate(last.put_bytes_per_s),
        100 * (last.put_bytes_per_s / first.put_bytes_per_s - 1),
        model::format_percent(1 / first.write_amplification),
        model::format_percent(1 / last.write_amplification),
        100 * (first.write_amplification / last.write_amplification - 1));
  double error = 0;
  double compared = 0;
  for (const json::value& entry : samples) {
    const json::object* sample = entry.if_object();
    if (sample == nullptr || number(*sample, "stall_share") <= kSaturatedStallShare) continue;
    const double put = number(*sample, "put_bytes_per_s");
    const double predicted = number(*sample, "predicted_put_bytes_per_s");
    if (!(put > 0) || !(predicted > 0)) continue;
    error += std::min(1.0, std::abs(predicted / put - 1));
    ++compared;
  }
  if (compared > 0) {
    const double accuracy = 1 - error / compared;
    result += fmt::format("prediction: accuracy {} over {:.0f} samples with stalls{}\n",
                          model::format_percent(accuracy), compared,
                          accuracy < kLowAccuracy ? ", BELOW 50 %" : "");
  }
  return result;
}

// The published phases of the shown time: as the detector says on the way, and as the segmentation
// of the whole time says afterwards.
std::string phase_line(const json::array& samples,
                       const model::published::PhaseThresholds& thresholds) {
  namespace published = model::published;
  std::vector<published::RunSample> run;
  std::vector<published::TimedPhase> labels;
  std::vector<double> rates;
  std::vector<double> amplifications;
  for (const json::value& entry : samples) {
    const json::object* sample = entry.if_object();
    if (sample == nullptr) return "";
    const double time_s = number(*sample, "wall_time_s");
    rates.push_back(number(*sample, "put_bytes_per_s"));
    amplifications.push_back(number(*sample, "write_amplification"));
    run.push_back({time_s, rates.back(), amplifications.back()});
    const double minutes = (time_s - run.front().time_s) / 60;
    labels.push_back(
        {time_s, published::phase_by_consensus(minutes, rates, amplifications, thresholds).winner});
  }
  const auto segments = published::segment_run(run);
  if (!segments) return "";
  std::string words;
  for (const published::Segment& segment : *segments)
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", published::to_text(segment.phase),
                         model::format_duration(segment.to_s - segment.from_s));
  return fmt::format("published phases: {}; of the detector's labels {} are confirmed\n", words,
                     model::format_percent(published::confirmed_share(labels, *segments)));
}

}  // namespace

std::string print_samples(const json::object& answer) {
  const json::array& samples = list(answer, "samples");
  if (samples.empty()) return "no sample in that time\n";
  std::string result =
      fmt::format("{:<20}  {:<9}  {:>12}  {:>8}  {:>12}  {:>4}  {:>10}  {:>5}\n", "TIME", "PHASE",
                  "PUT", "STALLED", "S_MAX", "L0", "PENDING", "WA");
  for (const json::value& entry : samples) {
    const json::object* sample = entry.if_object();
    if (sample == nullptr) continue;
    result += fmt::format("{:<20}  {:<9}  {:>12}  {:>8}  {:>12}  {:>4.0f}  {:>10}  {:>5.2f}\n",
                          utc_text(number(*sample, "wall_time_s")), text(*sample, "phase"),
                          rate(*sample, "put_bytes_per_s"), share(*sample, "stall_share"),
                          rate(*sample, "predicted_put_bytes_per_s"), number(*sample, "l0_files"),
                          model::format_bytes(number(*sample, "pending_bytes")),
                          number(*sample, "write_amplification"));
  }
  result += course_lines(samples);
  model::published::PhaseThresholds thresholds;
  if (const json::object* configured = sub(answer, "workload_phases"))
    if (const auto read = phase_thresholds_from_json(*configured)) thresholds = *read;
  result += phase_line(samples, thresholds);
  if (flag(answer, "truncated")) result += "only the newest are shown: name a shorter time\n";
  return result;
}

}  // namespace lsmtuned::daemon
