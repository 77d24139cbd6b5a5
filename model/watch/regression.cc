#include "model/watch/regression.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "model/units.h"

namespace lsmtuned::model {
namespace {

constexpr double kLeastShare = 0.1;       // of a fall: less is not worth naming
constexpr double kOtherPutSize = 0.2;     // |ln| of sizes
constexpr double kOtherReadShare = 0.15;  // absolute
constexpr double kOthersGrowth = 0.1;     // of the device's bytes, absolute
constexpr double kSymptom = 0.4;          // weight of the tree where something changed it

double log_ratio(double over, double under) {
  return over > 0 && under > 0 ? std::log(over / under) : 0;
}

// What the calibration finds the device can holds what others take of it already: the two are ways
// to see one loss.
double device_loss(const Picture& normal, const Picture& now) {
  const double slower = log_ratio(normal.write_bandwidth, now.write_bandwidth);
  const double crowded = now.others_share - normal.others_share > kOthersGrowth
                             ? log_ratio(1 - normal.others_share, 1 - now.others_share)
                             : 0;
  return std::max({0.0, slower, crowded});
}

std::string device_words(const Picture& normal, const Picture& now) {
  std::string words = "what the device can write went from " + format_rate(normal.write_bandwidth) +
                      " to " + format_rate(now.write_bandwidth);
  if (now.others_share - normal.others_share > kOthersGrowth)
    words += ", and others take " + format_percent(now.others_share) + " of its bytes (" +
             format_percent(normal.others_share) + " before)";
  return words;
}

std::string workload_words(const Picture& normal, const Picture& now) {
  std::string words;
  if (std::abs(log_ratio(now.put_size_bytes, normal.put_size_bytes)) > kOtherPutSize)
    words = "a put went from " + format_bytes(normal.put_size_bytes) + " to " +
            format_bytes(now.put_size_bytes);
  if (std::abs(now.read_share - normal.read_share) > kOtherReadShare)
    words += (words.empty() ? "" : ", ") + ("reads went from " + format_percent(normal.read_share) +
                                            " to " + format_percent(now.read_share));
  return words;
}

std::string tree_words(const Picture& normal, const Picture& now) {
  char amplifications[64];
  std::snprintf(amplifications, sizeof amplifications, "%.1f to %.1f", normal.write_amplification,
                now.write_amplification);
  return "bytes written a user byte went from " + std::string(amplifications) +
         ", with a tree of " + format_bytes(normal.tree_bytes) + " then and " +
         format_bytes(now.tree_bytes) + " now";
}

}  // namespace

std::vector<Suspect> suspects(const Picture& normal, const Picture& now) {
  const double fall = log_ratio(normal.held_bytes_per_s, std::max(1.0, now.held_bytes_per_s));
  std::vector<Suspect> found;
  const auto name = [&](const char* what, double explained, const std::string& evidence) {
    const double share = fall > 0 ? std::clamp(explained / fall, 0.0, 1.0) : 0;
    if (share >= kLeastShare) found.push_back({what, share, evidence});
  };
  const double device = device_loss(normal, now);
  name("device", device, device_words(normal, now));
  const double rest = std::max(0.0, fall - device);
  const ChangeSet changed = difference(normal.settings, now.settings);
  const std::string workload = workload_words(normal, now);
  if (!changed.empty()) name("settings", rest, "changed, and not by a trial: " + describe(changed));
  if (!workload.empty()) name("workload", changed.empty() ? rest : rest / 2, workload);
  const double costlier =
      std::max(0.0, log_ratio(now.write_amplification, normal.write_amplification));
  const bool symptom = !changed.empty() || !workload.empty();
  name("tree", std::min(rest, costlier) * (symptom ? kSymptom : 1), tree_words(normal, now));
  if (!symptom)
    name("unknown", rest - std::min(rest, costlier),
         "nothing that is measured here: CPU, memory and other processes may");
  std::stable_sort(found.begin(), found.end(),
                   [](const Suspect& a, const Suspect& b) { return a.share > b.share; });
  if (found.empty()) found.push_back({"unknown", 0, "nothing that is measured here changed"});
  return found;
}

}  // namespace lsmtuned::model
