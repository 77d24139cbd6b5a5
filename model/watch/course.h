// The course of one target: everything that is held against its own past, once a sample.
//
// - put rate: while writers stall it is what the database takes. Without stalls it is what is
//   offered, and says nothing.
// - write bandwidth: what the calibration finds the device can write, at any settings.
// - compaction efficiency: user bytes per byte written, while at least half the day's usual rate is
//   put.
// - use of the device: user bytes of the device's bytes (V4), beside what was learned of the same
//   published phase.
// - debt: pending bytes over the soft limit, worst family. Within a cycle of compactions they swing
//   between nothing and a whole level, so the least of each window counts; two windows give its
//   pace. It is told of when that pace leads to the limit, where RocksDB delays writes, within half
//   an hour, from a quarter of the limit on (there RocksDB itself begins to compact harder). Debt,
//   and not a level's share of the writes: that grows by itself as a tree fills, and harms nobody
//   while the debt does not rise.
//
// Put rate and efficiency compare only like with like: trials and other changes of ours, or a tree
// of twice or half the size, begin them anew. A change of settings by someone else does not: it is
// a suspect. Seconds, bytes/s. Pure; thread rules: plain values.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/published/phase.h"
#include "model/published/v4.h"
#include "model/watch/condition.h"
#include "model/watch/recent.h"
#include "model/watch/regression.h"
#include "model/watch/rule.h"

namespace lsmtuned::model {

enum class Watched { put_rate, write_bandwidth, compaction_efficiency, device_use, debt };
inline constexpr int kWatched = 5;
const char* to_text(Watched watched);  // as in metrics and status: put_rate, ...

struct WatchChange {
  Watched what{};
  bool raised = false;  // else it is over
  std::string text;
};

// Of the device's use, by published phase.
struct DeviceUse {
  published::LearnedUtilisation learned{360};  // samples: an hour of them at 10 s
  std::array<double, 3> learned_s{};           // by phase
  Condition condition;
  std::optional<double> recent;
  std::optional<double> expected;  // none: too little was learned of this phase
};

struct DebtMark {
  double time_s = 0;
  double share = 0;  // of the soft limit
};
struct DebtWatch {
  std::deque<DebtMark> marks;  // two windows
  Condition condition;
  double share = 0;                 // least of the newest window
  std::optional<double> full_in_s;  // until the soft limit, at the present pace
};

struct CourseSample {
  const Snapshot* earlier = nullptr;  // the sample before, of the same run of the database
  const Snapshot* now = nullptr;
  const Calibration* calibration = nullptr;
  std::optional<published::Phase> phase;  // of the workload
  bool own_change = false;                // settings are being changed, or tried, by us
};

struct Course {
  Recent recent;
  LevelSeries levels;
  Baseline load;  // put rates, whatever limits them
  Trend put_rate;
  Trend write_bandwidth;
  Trend compaction_efficiency;
  DeviceUse use;
  DebtWatch debt;
  std::optional<Picture> normal;  // when the put rate was last as it should be
  std::optional<std::pair<double, Picture>> next_normal;  // its time, s; see note_normal()
  std::optional<Picture> picture;
  std::vector<Suspect> suspects;              // while the put rate is fallen
  std::optional<Settings> before_own_change;  // while one is under way
};

std::vector<WatchChange> watch(Course& course, const WatchRule& rule, const CourseSample& sample);
bool raised(const Course& course, Watched what);
// The figure over what it is compared with; none while one of them is not known.
std::optional<double> beside_standard(const Course& course, Watched what);

}  // namespace lsmtuned::model
