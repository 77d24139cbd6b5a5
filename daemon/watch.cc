#include "daemon/watch.h"

#include <utility>

namespace lsmtuned::daemon {
namespace {

using controller::Alert;

Alert warning(std::string code, std::string text) {
  Alert alert;
  alert.severity = Alert::Severity::warning;
  alert.code = std::move(code);
  alert.text = std::move(text);
  return alert;
}

}  // namespace

void TargetWatch::begin_anew() {
  *this = {};
}

WatchNews TargetWatch::sample(const controller::State& state, const model::Snapshot& snapshot,
                              const model::Interval& interval) {
  WatchNews news;
  if (!interval.valid) {
    begin_anew();
    return news;
  }
  sample_phase(state, snapshot, interval, news);
  return news;
}

void TargetWatch::sample_phase(const controller::State& state, const model::Snapshot& snapshot,
                               const model::Interval& interval, WatchNews& news) {
  const auto found = model::watch(phase_,
                                  {snapshot.time_s, snapshot.database_uptime_s,
                                   interval.put_bytes_per_s, interval.write_amplification},
                                  state.policy.workload_phases);
  if (!found) return;
  const std::string move =
      std::string("workload phase ") + to_text(found->from) + " -> " + to_text(found->to);
  if (found->expected)
    news.lines.push_back(move);
  else
    news.alerts.push_back(warning("workload-phase", move + ": not the next one"));
}

}  // namespace lsmtuned::daemon
