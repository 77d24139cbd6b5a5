#include "model/watch/course.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

#include "model/units.h"

namespace lsmtuned::model {
namespace {

constexpr double kUsualLoad = 0.5;   // of the best put rate of the day
constexpr double kOtherTree = 2;     // a tree of so many times the bytes is another one
constexpr double kFirstLessons = 4;  // L0 compactions before the calibration is a standard
constexpr double kDebtHorizonS = 1800;
constexpr double kDebtFrom = 0.25;  // of the soft limit

std::string plain(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

double soft_limit(const Snapshot& now, const FamilySnapshot& family) {
  return now.settings.get(family.name, Knob::soft_pending_compaction_bytes_limit).value_or(0);
}

// Over all families: the one whose debt is nearest to its soft limit.
const FamilySnapshot* most_indebted(const Snapshot& now, double& share) {
  const FamilySnapshot* worst = nullptr;
  share = 0;
  for (const FamilySnapshot& family : now.families) {
    const double limit = soft_limit(now, family);
    if (!(limit > 0)) continue;
    const double its = family.pending_compaction_bytes / limit;
    if (worst != nullptr && its <= share) continue;
    worst = &family;
    share = its;
  }
  return worst;
}

// The level with most bytes above its target.
std::string owing_level(const FamilySnapshot& family, const LevelSeries& series) {
  std::size_t level = 0;
  double most = 0;
  for (std::size_t i = 0; i < family.levels.size(); ++i) {
    const LevelStats& at = family.levels[i];
    if (!(at.score > 1)) continue;
    const double above = i == 0 ? at.size_bytes : at.size_bytes * (1 - 1 / at.score);
    if (above <= most) continue;
    most = above;
    level = i;
  }
  if (!(most > 0)) return "no level is above its target now";
  std::string words = "L" + std::to_string(level) + " owes most, " + format_bytes(most) +
                      (level == 0 ? " in files" : " above its target");
  double all = 0;
  const std::vector<LevelAmplification> levels = amplification(series);
  for (const LevelAmplification& one : levels) all += one.write;
  if (level < levels.size() && all > 0)
    words += "; " + plain(levels[level].write) + " of " + plain(all) +
             " bytes written a user byte go to it";
  return words;
}

class Watcher {
 public:
  Watcher(Course& course, const WatchRule& rule, const CourseSample& sample)
      : course_(course), rule_(rule), sample_(sample), now_(*sample.now) {}

  std::vector<WatchChange> run() {
    seconds_ = now_.time_s - sample_.earlier->time_s;
    add(course_.levels, *sample_.earlier, now_, rule_.span_s);
    watch_bandwidth();
    watch_debt();
    if (comparable()) {
      add(course_.recent, *sample_.earlier, now_, rule_.hold_s / 2);
      course_.picture = picture_of(course_.recent, now_, *sample_.calibration);
      // Half of the memory: before, single jobs decide.
      if (course_.recent.seconds >= rule_.hold_s / 4) {
        if (is_another_tree()) begin_anew("the tree is another one");
        watch_put_rate();
        watch_load();
      }
    }
    return std::move(changes_);
  }

 private:
  void tell(Watched what, ConditionChange change, const std::string& text) {
    if (change != ConditionChange::none)
      changes_.push_back({what, change == ConditionChange::raised, text});
  }
  std::string since(const Condition& condition) const {
    return "for " + format_duration(now_.time_s - condition.since_s);
  }
  TrendRule trend_rule() const { return {rule_.fall, rule_.hold_s, rule_.span_s}; }

  // Whether the time since the last sample can be laid beside what was before.
  bool comparable() {
    if (sample_.own_change) {
      if (!course_.before_own_change) course_.before_own_change = sample_.earlier->settings;
      course_.recent = {};
      course_.next_normal.reset();
      return false;
    }
    if (course_.before_own_change && !(*course_.before_own_change == now_.settings))
      begin_anew("a trial changed settings");
    course_.before_own_change.reset();
    return true;
  }
  bool is_another_tree() const {
    if (!course_.normal || !(course_.normal->tree_bytes > 0)) return false;
    const double times = course_.picture->tree_bytes / course_.normal->tree_bytes;
    return times > kOtherTree || times < 1 / kOtherTree;
  }
  void begin_anew(const std::string& why) {
    for (const auto& [what, trend] :
         {std::pair(Watched::put_rate, &course_.put_rate),
          std::pair(Watched::compaction_efficiency, &course_.compaction_efficiency)}) {
      if (trend->condition.raised)
        tell(what, ConditionChange::cleared, "no longer compared: " + why);
      *trend = {};
    }
    course_.normal.reset();
    course_.next_normal.reset();
    course_.suspects.clear();
  }

  void watch_bandwidth() {
    const Calibration& calibration = *sample_.calibration;
    std::optional<double> bandwidth;
    if (calibration.write_bandwidth > 0 && calibration.evidence_l0_compactions >= kFirstLessons)
      bandwidth = calibration.write_bandwidth;
    Trend& trend = course_.write_bandwidth;
    const ConditionChange change = watch(trend, trend_rule(), bandwidth, seconds_, now_.time_s);
    tell(Watched::write_bandwidth, change,
         "the device can write " + format_rate(trend.recent.value_or(0)) + ", " +
             format_rate(trend.standard.value_or(0)) + " at its best of the day" +
             (trend.condition.raised ? ", " + since(trend.condition) : std::string()));
  }

  // What fades out of the sums takes a while: the picture of a good moment counts once it is still
  // good a hold later, so that it shows nothing of a fall that had begun.
  void note_normal(const Trend& trend) {
    const double least = (1 - rule_.fall / 2) * trend.standard.value_or(0);
    if (!trend.standard || course_.picture->held_bytes_per_s < least) {
      if (!course_.normal && course_.next_normal) course_.normal = course_.next_normal->second;
      course_.next_normal.reset();
      return;
    }
    if (!course_.next_normal) {
      course_.next_normal = {now_.time_s, *course_.picture};
    } else if (now_.time_s - course_.next_normal->first >= rule_.hold_s) {
      course_.normal = std::move(course_.next_normal->second);
      course_.next_normal = {now_.time_s, *course_.picture};
    }
  }

  void watch_put_rate() {
    Trend& trend = course_.put_rate;
    const Picture& picture = *course_.picture;
    const double rate = picture.held_bytes_per_s;
    const std::string at = format_rate(rate);
    if (picture.stall_share <= kHeldStallShare) {
      // Writers get all that they want.
      const ConditionRule limits{rule_.fall, rule_.fall / 2, rule_.hold_s};
      const bool over = watch(trend.condition, limits, 0, now_.time_s) == ConditionChange::cleared;
      if (over) {
        course_.suspects.clear();
        tell(Watched::put_rate, ConditionChange::cleared,
             "writers no longer stall, at " + format_rate(picture.put_bytes_per_s));
      }
      return;
    }
    const ConditionChange change = watch(trend, trend_rule(), rate, seconds_, now_.time_s);
    note_normal(trend);
    if (trend.condition.raised && course_.normal)
      course_.suspects = suspects(*course_.normal, picture);
    else
      course_.suspects.clear();
    if (change == ConditionChange::none) return;
    if (change == ConditionChange::cleared)
      return tell(Watched::put_rate, change, "the database takes " + at + " again");
    std::string text = "the database takes " + at + " " + since(trend.condition) + ", " +
                       format_rate(*trend.standard) +
                       " at its best of the day, though writers stall " +
                       format_percent(picture.stall_share) + " of the time";
    for (std::size_t i = 0; i < course_.suspects.size(); ++i) {
      const Suspect& suspect = course_.suspects[i];
      text += (i == 0 ? "; likeliest the " : "; then the ") + suspect.name + " (" +
              format_percent(suspect.share) + " of the fall): " + suspect.evidence;
    }
    tell(Watched::put_rate, change, text);
  }

  // What means something only while about as much as usual is put.
  void watch_load() {
    const Picture& picture = *course_.picture;
    const std::optional<double> most = best(course_.load, now_.time_s);
    learn(course_.load, picture.put_bytes_per_s, seconds_, now_.time_s, rule_.span_s);
    const bool usual =
        picture.put_bytes_per_s > 0 && most &&
        (picture.stall_share > kHeldStallShare || picture.put_bytes_per_s >= kUsualLoad * *most);
    std::optional<double> efficiency;
    if (usual && picture.write_amplification > 0) efficiency = 1 / picture.write_amplification;
    Trend& trend = course_.compaction_efficiency;
    const ConditionChange change = watch(trend, trend_rule(), efficiency, seconds_, now_.time_s);
    tell(Watched::compaction_efficiency, change,
         format_percent(trend.recent.value_or(0)) + " of the bytes written are new ones, " +
             format_percent(trend.standard.value_or(0)) + " at its best of the day" +
             (trend.condition.raised ? ", " + since(trend.condition) : std::string()));
    watch_use(usual ? picture.device_use_v4 : 0);
  }

  void watch_use(double use) {
    DeviceUse& device = course_.use;
    device.expected.reset();
    if (!sample_.phase) return;
    const auto phase = *sample_.phase;
    double& learned_s = device.learned_s[static_cast<std::size_t>(phase)];
    if (learned_s >= rule_.span_s) device.expected = device.learned.value(phase);
    if (!(use > 0)) return;
    device.recent = use;
    std::optional<double> deviation;
    if (device.expected) deviation = published::utilisation_deviation(use, *device.expected);
    const ConditionRule limits{rule_.use_deviation, rule_.use_deviation / 2, rule_.hold_s};
    const ConditionChange change = watch(device.condition, limits, deviation, now_.time_s);
    tell(Watched::device_use, change,
         "user bytes are " + format_percent(use) + " of the device's, " +
             format_percent(device.expected.value_or(0)) + " as learned in the phase " +
             published::to_text(phase) +
             (device.condition.raised ? ", " + since(device.condition) : std::string()));
    if (deviation.value_or(0) > limits.clear_below) return;
    if (device.learned.learn(phase, use)) learned_s += seconds_;
  }

  void watch_debt() {
    DebtWatch& debt = course_.debt;
    double share = 0;
    const FamilySnapshot* family = most_indebted(now_, share);
    debt.marks.push_back({now_.time_s, share});
    const double window = rule_.hold_s;
    while (now_.time_s - debt.marks.front().time_s > 2 * window) debt.marks.pop_front();
    debt.full_in_s.reset();
    std::optional<double> ahead;
    if (family != nullptr && now_.time_s - debt.marks.front().time_s >= 1.5 * window) {
      double before = std::numeric_limits<double>::infinity();
      double after = before;
      for (const DebtMark& mark : debt.marks) {
        double& least = mark.time_s < now_.time_s - window ? before : after;
        least = std::min(least, mark.share);
      }
      debt.share = after;
      const double pace = (after - before) / window;  // a second
      if (pace > 0 && after < 1) debt.full_in_s = (1 - after) / pace;
      ahead = after >= kDebtFrom ? after + std::max(0.0, pace) * kDebtHorizonS : after;
    }
    // The windows are the patience.
    const ConditionChange change = watch(debt.condition, {1, 0.75, 0}, ahead, now_.time_s);
    if (change == ConditionChange::none) return;
    std::string text = "compaction debt stands at " + format_percent(debt.share) +
                       " of the soft limit of " + family->name;
    if (change == ConditionChange::raised) {
      text += debt.full_in_s ? " and reaches it in " + format_duration(*debt.full_in_s)
                             : std::string(" or beyond it");
      text += "; " + owing_level(*family, course_.levels);
    }
    tell(Watched::debt, change, text);
  }

  Course& course_;
  const WatchRule& rule_;
  const CourseSample& sample_;
  const Snapshot& now_;
  double seconds_ = 0;
  std::vector<WatchChange> changes_;
};

}  // namespace

const char* to_text(Watched watched) {
  switch (watched) {
    case Watched::put_rate:
      return "put_rate";
    case Watched::write_bandwidth:
      return "write_bandwidth";
    case Watched::compaction_efficiency:
      return "compaction_efficiency";
    case Watched::device_use:
      return "device_use";
    case Watched::debt:
      return "debt";
  }
  return "";
}

std::vector<WatchChange> watch(Course& course, const WatchRule& rule, const CourseSample& sample) {
  return Watcher(course, rule, sample).run();
}

bool raised(const Course& course, Watched what) {
  switch (what) {
    case Watched::put_rate:
      return course.put_rate.condition.raised;
    case Watched::write_bandwidth:
      return course.write_bandwidth.condition.raised;
    case Watched::compaction_efficiency:
      return course.compaction_efficiency.condition.raised;
    case Watched::device_use:
      return course.use.condition.raised;
    case Watched::debt:
      return course.debt.condition.raised;
  }
  return false;
}

std::optional<double> beside_standard(const Course& course, Watched what) {
  const auto over = [](const std::optional<double>& recent,
                       const std::optional<double>& standard) -> std::optional<double> {
    if (!recent || !standard || !(*standard > 0)) return std::nullopt;
    return *recent / *standard;
  };
  const auto of = [&](const Trend& trend) { return over(trend.recent, trend.standard); };
  switch (what) {
    case Watched::put_rate:
      return of(course.put_rate);
    case Watched::write_bandwidth:
      return of(course.write_bandwidth);
    case Watched::compaction_efficiency:
      return of(course.compaction_efficiency);
    case Watched::device_use:
      return over(course.use.recent, course.use.expected);
    case Watched::debt:
      return course.debt.share;
  }
  return std::nullopt;
}

}  // namespace lsmtuned::model
