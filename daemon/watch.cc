#include "daemon/watch.h"

#include <utility>

namespace lsmtuned::daemon {
namespace {

using controller::Alert;

using Severity = Alert::Severity;

Alert alert(Severity severity, std::string code, std::string text) {
  Alert made;
  made.severity = severity;
  made.code = std::move(code);
  made.text = std::move(text);
  return made;
}

const char* code_of(model::Watched what) {
  switch (what) {
    case model::Watched::put_rate:
      return "regression";
    case model::Watched::write_bandwidth:
      return "slower-device";
    case model::Watched::compaction_efficiency:
      return "compaction-efficiency";
    case model::Watched::device_use:
      return "device-use";
    case model::Watched::debt:
      return "debt";
  }
  return "";
}

bool changes_settings(const controller::State& state) {
  return state.trial || state.outstanding || state.phase == controller::Phase::reverting;
}

}  // namespace

void TargetWatch::begin_anew() {
  *this = {};
}

WatchNews TargetWatch::sample(const controller::State& state, const model::Snapshot* earlier,
                              const model::Snapshot& now) {
  WatchNews news;
  const model::Interval interval =
      earlier != nullptr ? model::measure(*earlier, now) : model::Interval{};
  if (!interval.valid) {
    begin_anew();
    return news;
  }
  sample_phase(state, now, interval, news);
  sample_course(state, *earlier, now, news);
  return news;
}

void TargetWatch::sample_phase(const controller::State& state, const model::Snapshot& now,
                               const model::Interval& interval, WatchNews& news) {
  const auto found = model::watch(
      phase_,
      {now.time_s, now.database_uptime_s, interval.put_bytes_per_s, interval.write_amplification},
      state.policy.workload_phases);
  if (!found) return;
  const std::string move =
      std::string("workload phase ") + to_text(found->from) + " -> " + to_text(found->to);
  if (found->expected)
    news.lines.push_back(move);
  else
    news.alerts.push_back(alert(Severity::warning, "workload-phase", move + ": not the next one"));
}

void TargetWatch::sample_course(const controller::State& state, const model::Snapshot& earlier,
                                const model::Snapshot& now, WatchNews& news) {
  model::CourseSample sample;
  sample.earlier = &earlier;
  sample.now = &now;
  sample.calibration = &state.persistent.calibration;
  sample.phase = phase_.phase;
  const model::ChangeSet& kept = state.persistent.kept;
  sample.own_change = changes_settings(state) || (kept_ && !(*kept_ == kept));
  kept_ = kept;
  for (const model::WatchChange& change : model::watch(course_, state.policy.watch, sample))
    news.alerts.push_back(alert(change.raised ? Severity::warning : Severity::info,
                                code_of(change.what),
                                change.raised ? change.text : "over: " + change.text));
}

}  // namespace lsmtuned::daemon
